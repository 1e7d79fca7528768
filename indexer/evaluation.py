"""Figures: golden questions for guides, BEIR folders for bare passages."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.calibration import Calibration, fit
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


OUTSIDE = ("near_miss", "unrelated")  # kinds of golden questions that no guide is ever to answer


@dataclass(frozen=True)
class Golden:
    """A question with the guides that answer it (none: no guide does), its kind, and the half it belongs to.

    half: "tune" questions fit thresholds and weights, "test" questions only measure.
    """

    question: str
    guides: tuple[str, ...]
    kind: str
    half: str


def read_golden(path: Path, half: str | None = None) -> list[Golden]:
    """The golden questions of `path`, of one half or all."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = [Golden(row["question"], tuple(row["guides"]), row["kind"], row["half"]) for row in rows]
    return [golden for golden in found if half in (None, golden.half)]


def evaluate_golden(path: Path, retriever: Retriever, half: str | None = None) -> dict[str, float]:
    """Shares over the golden questions, with the ends of their 95 % Wilson intervals as `..._low` and `..._high`."""
    questions = read_golden(path, half)
    vectors = retriever.embed([golden.question for golden in questions])
    found = [retriever.search(g.question, vector=vector) for g, vector in zip(questions, vectors, strict=True)]
    pairs = list(zip(questions, found, strict=True))
    inside = [(g, ranking) for g, ranking in pairs if g.guides]
    figures: dict[str, float] = {"in_scope": len(inside)}

    def share(name: str, hits: Sequence[bool]) -> None:
        if hits:
            figures[name] = sum(hits) / len(hits)
            figures[f"{name}_low"], figures[f"{name}_high"] = wilson(sum(hits), len(hits))

    share("right_first", [ranking.guides[0].id in g.guides for g, ranking in inside])
    share("right_in_3", [any(r.id in g.guides for r in ranking.guides[:3]) for g, ranking in inside])
    share("answered", [ranking.status == "answer" for _, ranking in inside])
    share("answered_right", [r.status == "answer" and r.guides[0].id in g.guides for g, r in inside])
    share("answered_wrong", [r.status == "answer" and r.guides[0].id not in g.guides for g, r in inside])
    share("clarified", [ranking.status == "clarify" for _, ranking in inside])
    for kind in sorted({g.kind for g, _ in pairs if not g.guides}):
        outside = [ranking for g, ranking in pairs if g.kind == kind]
        share(f"{kind}_answered", [ranking.status == "answer" for ranking in outside])
        share(f"{kind}_clarified", [ranking.status == "clarify" for ranking in outside])
    sure = [(g, ranking) for g, ranking in pairs if ranking.status == "answer" and ranking.confidence >= 0.9]
    if sure:
        share("sure_and_right", [ranking.guides[0].id in g.guides for g, ranking in sure])
        figures["sure_share"] = sum(bool(g.guides) for g, _ in sure) / max(len(inside), 1)
    return figures


def calibrate(path: Path, retriever: Retriever) -> Calibration:
    """Fit the confidence on the tuning half of the golden questions; `indexer.calibration.save` keeps it.

    Questions on topics that have no guide yet are left out: they will be answered once it is written, and a model
    fitted to turn them away lets more near misses through when the guides are complete.
    """
    questions = [golden for golden in read_golden(path, "tune") if golden.guides or golden.kind in OUTSIDE]
    vectors = retriever.embed([golden.question for golden in questions])
    signals, right = [], []
    for golden, vector in zip(questions, vectors, strict=True):
        guide, found = retriever.signals(golden.question, vector)
        signals.append(found)
        right.append(guide in golden.guides)
    return fit(signals, right)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share (Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * ((share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)
