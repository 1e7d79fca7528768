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

from indexer.cache import read as read_cache
from indexer.cache import write as write_cache
from indexer.calibration import Calibration, fit
from indexer.embedder import embed_queries, model_name
from indexer.passages import Passage
from indexer.retriever import Floats, Retriever, Status
from indexer.snapshot import CHUNK, Progress, build_corpus, text_hash

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
SURE = 0.9  # a confidence from which an answer is to be right


@dataclass(frozen=True)
class Golden:
    """A question with the guides that answer it (none: no guide does), its kind, and the half it belongs to.

    half: "tune" questions fit thresholds and weights, "test" questions only measure.
    """

    question: str
    guides: tuple[str, ...]
    kind: str
    half: str
    style: str = ""
    language: str = ""


@dataclass(frozen=True)
class Outcome:
    """A golden question with what the retriever makes of it: the guides found, best first, and the decision."""

    golden: Golden
    found: tuple[str, ...]
    status: Status
    confidence: float

    @property
    def right_first(self) -> bool:
        return self.found[0] in self.golden.guides

    @property
    def right_in_3(self) -> bool:
        return any(guide in self.golden.guides for guide in self.found[:3])

    @property
    def answered_right(self) -> bool:
        return self.status == "answer" and self.right_first

    @property
    def answered_wrong(self) -> bool:
        return self.status == "answer" and not self.right_first

    @property
    def sure(self) -> bool:
        return self.status == "answer" and self.confidence >= SURE

    @property
    def worth(self) -> int:
        """What it is worth to who asked: 0 a wrong answer, 1 nothing, 2 an offer that helps, 3 all there is to say.

        Where no guide answers, an offer of some is worth 2, and to say so 3.
        """
        if not self.golden.guides:
            return {"answer": 0, "clarify": 2, "no_answer": 3}[self.status]
        if self.status == "answer":
            return 3 if self.right_first else 0
        return 2 if self.served else 1

    @property
    def served(self) -> bool:
        """A right answer, or a clarify that offers the right guide."""
        return self.answered_right or (self.status == "clarify" and self.right_in_3)


def read_golden(path: Path, half: str | None = None) -> list[Golden]:
    """The golden questions of `path`, of one half or all. Raises ValueError naming the first line that is none."""
    found = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                golden = Golden(
                    row["question"],
                    tuple(row["guides"]),
                    row["kind"],
                    row["half"],
                    row.get("style", ""),
                    row.get("language", ""),
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path.name}:{number}: {error!r}") from error
            found.append(golden)
    return [golden for golden in found if half in (None, golden.half)]


def outcomes(
    questions: Sequence[Golden], retriever: Retriever, vectors: Floats | None = None, progress: Progress | None = None
) -> list[Outcome]:
    """What the retriever makes of each question; `vectors` are their embeddings, if the caller has them.

    `progress("golden", done, total)` is told.
    """
    if vectors is None:
        vectors = retriever.embed([golden.question for golden in questions])
    found = []
    for number, (golden, vector) in enumerate(zip(questions, vectors, strict=True), 1):
        ranking = retriever.search(golden.question, vector=vector)
        guides = tuple(ranked.id for ranked in ranking.guides)
        found.append(Outcome(golden, guides, ranking.status, ranking.confidence))
        if progress and (number % 50 == 0 or number == len(questions)):
            progress("golden", number, len(questions))
    return found


def embed_golden(questions: Sequence[Golden], embedder: SentenceTransformer, cache: Path, progress: Progress) -> Floats:
    """Embeddings of the golden questions, shape (questions, dimension); those in the file `cache` are not made again.

    `progress("questions", done, total)` is told of the others.
    """
    model = model_name(embedder)
    known = read_cache(cache, model)
    keys = [text_hash("query", golden.question) for golden in questions]
    missing = [(key, golden.question) for key, golden in zip(keys, questions, strict=True) if key not in known]
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        vectors = embed_queries(embedder, [text for _, text in chunk])
        known.update((key, vector) for (key, _), vector in zip(chunk, vectors, strict=True))
        progress("questions", start + len(chunk), len(missing))
    if missing:
        write_cache(cache, model, {key: known[key] for key in keys})
        # As they will be read the next time, so that the same question is judged the same.
        known = read_cache(cache, model)
    return np.array([known[key] for key in keys], dtype=np.float32)


def figures(found: Sequence[Outcome]) -> dict[str, float]:
    """Shares over golden questions, with the ends of their 95 % Wilson intervals as `..._low` and `..._high`."""
    inside = [outcome for outcome in found if outcome.golden.guides]
    shares: dict[str, float] = {"in_scope": len(inside)}

    def share(name: str, hits: Sequence[bool]) -> None:
        if hits:
            shares[name] = sum(hits) / len(hits)
            shares[f"{name}_low"], shares[f"{name}_high"] = wilson(sum(hits), len(hits))

    for name in ("right_first", "right_in_3", "served", "answered_right", "answered_wrong"):
        share(name, [getattr(outcome, name) for outcome in inside])
    share("answered", [outcome.status == "answer" for outcome in inside])
    share("clarified", [outcome.status == "clarify" for outcome in inside])
    for kind in OUTSIDE:
        outside = [outcome for outcome in found if outcome.golden.kind == kind and not outcome.golden.guides]
        share(f"{kind}_answered", [outcome.status == "answer" for outcome in outside])
        share(f"{kind}_clarified", [outcome.status == "clarify" for outcome in outside])
    share("sure_and_right", [outcome.right_first for outcome in found if outcome.sure])
    share("sure_share", [outcome.sure for outcome in inside])
    return shares


def calibrate(path: Path, retriever: Retriever) -> Calibration:
    """Fit the confidence on the tuning half of the golden questions; `indexer.calibration.save` keeps it."""
    questions = read_golden(path, "tune")
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
