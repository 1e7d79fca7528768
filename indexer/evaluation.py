"""Figures: golden questions for guides, BEIR folders for bare passages."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.passages import Passage
from indexer.retriever import Retriever
from indexer.snapshot import build_corpus

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def read_corpus(directory: Path) -> list[Passage]:
    """The passages of a BEIR folder's corpus.jsonl; each is its own guide."""
    with (directory / "corpus.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [Passage(row["_id"], row["_id"], row.get("title", ""), "", row["text"]) for row in rows]


def evaluate_beir(
    directory: Path,
    queries_file: Path | None,
    embedder: SentenceTransformer,
    index: Path,
    *,
    half: str | None = None,
) -> dict[str, float]:
    """Figures of `rank_passages` on a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv).

    `queries_file` replaces queries.jsonl. The corpus is indexed in the folder `index`. `half` "tune" takes the
    questions at even positions of the file, "test" those at odd ones, None all.
    """
    report = build_corpus(read_corpus(directory), index, embedder)
    return evaluate_passages(directory, queries_file, Retriever(report.snapshot, embedder), half=half)


def evaluate_passages(
    directory: Path, queries_file: Path | None, retriever: Retriever, *, half: str | None = None
) -> dict[str, float]:
    """As `evaluate_beir`, with a retriever that has the corpus open already."""
    relevant: dict[str, dict[str, int]] = {}
    with (directory / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            relevant.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    with (queries_file or directory / "queries.jsonl").open(encoding="utf-8") as file:
        queries = [json.loads(line) for line in file]
    if half:
        queries = queries[half == "test" :: 2]
    queries = [query for query in queries if relevant.get(query["_id"])]
    ranks, gains = [], []
    started = time.perf_counter()
    for query in queries:
        found = [passage.id for passage, _ in retriever.rank_passages(query["text"], most=10)]
        grades = relevant[query["_id"]]
        ranks.append(next((rank for rank, name in enumerate(found, 1) if grades.get(name, 0) > 0), None))
        gains.append(_ndcg([grades.get(name, 0) for name in found], sorted(grades.values(), reverse=True)))
    seconds = time.perf_counter() - started
    count = len(queries)
    return {
        "questions": count,
        **{f"recall@{k}": sum(rank is not None and rank <= k for rank in ranks) / count for k in (1, 3, 10)},
        "mrr@10": sum(1 / rank for rank in ranks if rank) / count,
        "ndcg@10": float(np.mean(gains)),
        "queries_per_second": count / seconds,
    }


def _ndcg(grades: list[int], ideal: list[int]) -> float:
    def gain(values: list[int]) -> float:
        return float(sum((2**grade - 1) / np.log2(rank + 2) for rank, grade in enumerate(values[:10])))

    return gain(grades) / gain(ideal) if gain(ideal) else 0.0
