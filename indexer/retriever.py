"""The retriever: a question to ranked guides and passages, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import faiss
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from indexer.calibration import Calibration, Signals
from indexer.embedder import embed_queries
from indexer.passages import Passage
from indexer.snapshot import NO_GUIDE, Snapshot
from indexer.text import clean

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Status = Literal["answer", "clarify", "no_answer"]

TOP = 10
CANDIDATES = 200  # passages by vector and as many by words whose sentences are compared
LEXICAL_WEIGHT = 0.2  # of the attainable BM25 score, beside a cosine
BANK_AT_ONCE = (
    8192  # questions of the bank compared at most; beyond, only those of the likeliest guides, if there are more
)
LIKELY_GUIDES = 64
FOLLOW_UP_WORDS = 8  # a longer question stands on its own

# Weight of each ranking of the guides, divided by its usual spread over the guides of one question. Fixed spreads, not
# each question's own: those depend on how many guides there are.
DENSE_WEIGHT = 1.0 / 2.5
CHARACTER_WEIGHT = 1.0 / 0.25
SIMILARITY_WEIGHT = 1.0 / 0.02
PASSAGE_WEIGHT = 0.5 / 0.025


@dataclass(frozen=True)
class RankedGuide:
    """A guide's id with its score; scores compare only within one ranking."""

    id: str
    score: float


@dataclass(frozen=True)
class RankedPassage:
    """A passage with its score: a cosine plus at most LEXICAL_WEIGHT."""

    passage: Passage
    score: float


@dataclass(frozen=True)
class Ranking:
    """What the index knows about a question.

    status: "answer" when the first guide answers it, "clarify" when one of the first may, "no_answer" when none does.
    confidence: calibrated probability that the first guide answers the question. guides, passages: at most 10, best
    first; passages are ranked over all guides, `passages_in` ranks those of one guide when asked.
    """

    status: Status
    confidence: float
    guides: list[RankedGuide]
    passages: list[RankedPassage]
    rank_in: Callable[[str], list[RankedPassage]] = field(default=lambda guide: [], repr=False, compare=False)

    def passages_in(self, guide: str) -> list[RankedPassage]:
        """All passages of a guide, best first; empty for a guide that the index does not know."""
        return self.rank_in(guide)


@dataclass(frozen=True)
class _Evidence:
    """Everything about one question before a decision: a score a guide, and the signals of the first guide."""

    order: Numbers
    scores: Floats
    signals: Signals
    rows: Numbers
    row_scores: Floats
    lexical: Floats


class Retriever:
    """Searches one snapshot. Any number of threads may search; embedding is done by one at a time."""

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: SentenceTransformer,
        calibration: Calibration | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.embedder = embedder
        self.calibration = calibration or Calibration.load()
        # One question's search is too short to be shared out: its threads and the model's would wait for one another,
        # which takes longer than the search (measured on two cores: 8 ms instead of 3, and 30 ms more for an answer).
        faiss.omp_set_num_threads(1)
        threadpool_limits(1, user_api="blas")
        self._guide_rows = [np.flatnonzero(snapshot.passage_owner == guide) for guide in range(len(snapshot.guides))]
        self._bank_rows = [np.flatnonzero(snapshot.bank_owner == guide) for guide in range(len(snapshot.guides))]
        self._asked_rows = np.flatnonzero(snapshot.bank_owner != NO_GUIDE)
        self._none_rows = np.flatnonzero(snapshot.bank_owner == NO_GUIDE)

    def on(self, snapshot: Snapshot) -> Retriever:
        """A retriever of another snapshot of the same model."""
        return Retriever(snapshot, self.embedder, self.calibration)

    def embed(self, questions: Sequence[str]) -> Floats:
        """Embed questions in one batch: shape (questions, dimension), rows of length 1."""
        return embed_queries(self.embedder, questions)

    def search(self, question: str, *, context: str | None = None, vector: Floats | None = None) -> Ranking:
        """Rank guides and passages for `question`.

        `vector` is the question's embedding if the caller has it (`embed`). `context` is what was asked before: a
        short question that finds no answer by itself is then read as its continuation. An empty question is
        "no_answer". Needs a snapshot of guides; for bare passages there is `rank_passages`.
        """
        question = clean(question)
        if not question:
            return Ranking("no_answer", 0.0, [], [])
        ranking = self._rank(question, vector)
        if context and ranking.status != "answer" and len(question.split()) <= FOLLOW_UP_WORDS:
            continued = self._rank(f"{clean(context)} {question}", None)
            if continued.confidence > ranking.confidence:
                return continued
        return ranking

    def rank_passages(
        self, question: str, *, vector: Floats | None = None, most: int = TOP
    ) -> list[tuple[Passage, float]]:
        """The best `most` passages for `question` with their scores, best first, whatever guide they are from."""
        question = clean(question)
        if not question:
            return []
        vector = self.embed([question])[0] if vector is None else vector
        rows, scores, _ = self._score_candidates(question, vector)
        best = np.argsort(-scores, kind="stable")[:most]
        return [(self.snapshot.passages[rows[n]], float(scores[n])) for n in best]

    def signals(self, question: str, vector: Floats | None = None) -> tuple[str, Signals]:
        """The first guide's id and the signals of which its confidence is made; for calibration."""
        question = clean(question)
        evidence = self._evidence(question, self.embed([question])[0] if vector is None else vector)
        return self.snapshot.guides[int(evidence.order[0])], evidence.signals

    def _rank(self, question: str, vector: Floats | None) -> Ranking:
        vector = self.embed([question])[0] if vector is None else vector
        evidence = self._evidence(question, vector)
        confidence = self.calibration.confidence(evidence.signals)
        top = evidence.order[:TOP]
        best = np.argsort(-evidence.row_scores, kind="stable")[:TOP]
        return Ranking(
            status=self.calibration.status(confidence),
            confidence=confidence,
            guides=[RankedGuide(self.snapshot.guides[n], float(evidence.scores[n])) for n in top],
            passages=self._ranked(evidence.rows[best], evidence.row_scores[best]),
            rank_in=lambda guide: self._passages_in(guide, vector, evidence.lexical),
        )

    def _passages_in(self, guide: str, vector: Floats, lexical: Floats) -> list[RankedPassage]:
        if guide not in self.snapshot.guides:
            return []
        rows = self._guide_rows[self.snapshot.guides.index(guide)]
        scores = self._score(rows, vector, lexical)
        best = np.argsort(-scores, kind="stable")
        return self._ranked(rows[best], scores[best])

    def _ranked(self, rows: Numbers, scores: Floats) -> list[RankedPassage]:
        return [
            RankedPassage(self.snapshot.passages[row], float(score)) for row, score in zip(rows, scores, strict=True)
        ]

    def _evidence(self, question: str, vector: Floats) -> _Evidence:
        snapshot = self.snapshot
        guides = len(snapshot.guides)
        rows, row_scores, lexical = self._score_candidates(question, vector)
        passage = self._best_two(rows, row_scores)
        opinions = snapshot.heads.opinions(question, vector) if snapshot.heads else None
        if opinions is None:
            dense = character = np.zeros(guides, dtype=np.float32)
            dense_none = character_none = 0.0
        else:
            dense, character = opinions.dense, opinions.character
            dense_none, character_none = opinions.dense_none, opinions.character_none
        scores = DENSE_WEIGHT * dense + CHARACTER_WEIGHT * character + PASSAGE_WEIGHT * passage
        similarity, none_similarity = self._bank_similarity(vector, scores)
        scores = scores + SIMILARITY_WEIGHT * similarity
        order = np.argsort(-scores, kind="stable")
        first = int(order[0])
        rankings = (dense, character, similarity, passage)
        return _Evidence(
            order=order,
            scores=scores,
            signals=Signals(
                dense=float(np.clip(dense[first] - dense_none, -12, 12)),
                character=float(character[first] - character_none),
                bank=float(similarity[first] - none_similarity),
                similarity=float(similarity[first]),
                passage=float(passage[first]),
                coverage=snapshot.lexical.coverage(question),
                gap=float(scores[first] - scores[order[1]]) if guides > 1 else 5.0,
                agreement=sum(int(ranking.argmax()) == first for ranking in rankings) / len(rankings),
            ),
            rows=rows,
            row_scores=row_scores,
            lexical=lexical,
        )

    def _score_candidates(self, question: str, vector: Floats) -> tuple[Numbers, Floats, Floats]:
        """Rows and scores of the candidates, and the lexical scores of all passages."""
        lexical = self.snapshot.lexical.scores(question)
        if len(lexical) <= 2 * CANDIDATES:
            rows = np.arange(len(lexical))
        else:
            _, nearest = self.snapshot.passage_vectors.nearest(vector, CANDIDATES)
            rows = np.union1d(nearest, np.argpartition(-lexical, CANDIDATES)[:CANDIDATES])
        return rows, self._score(rows, vector, lexical), lexical

    def _score(self, rows: Numbers, vector: Floats, lexical: Floats) -> Floats:
        """Mean of the passage's cosine and its best sentence's, plus its weighted share of the attainable BM25."""
        cosine = self.snapshot.passage_vectors.matrix[rows] @ vector
        starts, ends = self.snapshot.sentence_start[rows], self.snapshot.sentence_start[rows + 1]
        best_sentence = cosine.copy()
        several = np.flatnonzero(ends > starts)
        if len(several):
            lengths = (ends - starts)[several]
            offsets = np.cumsum(lengths) - lengths
            sentences = np.repeat(starts[several] - offsets, lengths) + np.arange(lengths.sum())
            cosines = self.snapshot.sentence_vectors.matrix[sentences] @ vector
            best_sentence[several] = np.maximum.reduceat(cosines, offsets)
        scores: Floats = (cosine + best_sentence) / 2 + LEXICAL_WEIGHT * lexical[rows]
        return scores.astype(np.float32)

    def _best_two(self, rows: Numbers, scores: Floats) -> Floats:
        """Mean of each guide's best two candidates; a guide without candidates gets the worst one's score."""
        owners = self.snapshot.passage_owner[rows]
        order = np.lexsort((-scores, owners))
        owners, scores = owners[order], scores[order]
        first = np.flatnonzero(np.diff(owners, prepend=-2))
        second = np.minimum(first + 1, len(owners) - 1)
        second = np.where(owners[second] == owners[first], second, first)
        best = np.full(len(self.snapshot.guides), scores.min(), dtype=np.float32)
        best[owners[first]] = (scores[first] + scores[second]) / 2
        return best

    def _bank_similarity(self, vector: Floats, scores: Floats) -> tuple[Floats, float]:
        """Mean cosine of each guide's best three example questions, and of the best three that no guide answers."""
        matrix = self.snapshot.bank_vectors.matrix
        rows = self._asked_rows
        if len(scores) > LIKELY_GUIDES and len(matrix) > BANK_AT_ONCE:
            rows = np.concatenate([self._bank_rows[guide] for guide in np.argsort(-scores)[:LIKELY_GUIDES]])
            cosines, none = matrix[rows] @ vector, matrix[self._none_rows] @ vector
        else:
            together = matrix @ vector
            cosines, none = together[rows], together[self._none_rows]
        owners = self.snapshot.bank_owner[rows]
        order = np.lexsort((-cosines, owners))
        owners, cosines = owners[order], cosines[order]
        starts = np.flatnonzero(np.diff(owners, prepend=NO_GUIDE))
        sizes = np.minimum(np.diff(starts, append=len(owners)), 3)
        total = sum(np.where(sizes > nth, cosines[np.minimum(starts + nth, len(cosines) - 1)], 0) for nth in range(3))
        similarity = np.full(len(scores), (total / sizes).min(), dtype=np.float32)
        similarity[owners[starts]] = total / sizes
        return similarity, _best_three(none) if len(none) else float(similarity.min())


def _best_three(scores: Floats) -> float:
    return float(np.sort(scores)[-3:].mean())
