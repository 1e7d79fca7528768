"""What each part of the ranking gives: the table of docs/qualitaet.md.

    python -m bench.ablation

Ranks the guides for the golden questions with single parts, without a part, with smaller question banks and with ideas
that were tried and not kept. Needs the live index (`lotse index`). Figures are shares of the questions that a guide
answers, on the half that tunes and on the half that only tests.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bot.live import open_live
from bot.settings import load_settings
from indexer import retriever as weights
from indexer.evaluation import Golden, read_golden
from indexer.heads import Heads
from indexer.retriever import Retriever
from indexer.snapshot import NO_GUIDE

Floats = npt.NDArray[np.float32]
Scores = dict[str, Floats]
WEIGHTS = {
    "dense": weights.DENSE_WEIGHT,
    "characters": weights.CHARACTER_WEIGHT,
    "similarity": weights.SIMILARITY_WEIGHT,
    "passage": weights.PASSAGE_WEIGHT,
}


class Ablation:
    def __init__(self, retriever: Retriever, questions: list[Golden]) -> None:
        self.retriever = retriever
        self.snapshot = retriever.snapshot
        self.questions = [question for question in questions if question.guides]
        self.vectors = retriever.embed([question.question for question in self.questions])
        snapshot = self.snapshot
        self.texts = [text for guide in open_questions(retriever) for text in guide]
        self.owner = np.where(snapshot.bank_owner == NO_GUIDE, len(snapshot.guides), snapshot.bank_owner)
        self.parts = [
            self._parts(question, vector) for question, vector in zip(self.questions, self.vectors, strict=True)
        ]

    def _parts(self, question: Golden, vector: Floats) -> Scores:
        retriever, snapshot = self.retriever, self.snapshot
        rows, row_scores, lexical = retriever._score_candidates(question.question, vector)
        everything = np.arange(len(lexical))
        cosine = (snapshot.passage_vectors.matrix @ vector).astype(np.float32)
        assert snapshot.heads is not None  # noqa: S101 - an index of guides has them
        opinions = snapshot.heads.opinions(question.question, vector)
        zeros = np.zeros(len(snapshot.guides), dtype=np.float32)
        return {
            "bm25": retriever._best_two(everything, lexical),
            "e5": retriever._best_two(everything, cosine),
            "passage": retriever._best_two(rows, row_scores),
            "similarity": retriever._bank_similarity(vector, zeros)[0],
            "dense": opinions.dense,
            "characters": opinions.character,
        }

    def show(self, name: str, scores: Callable[[int, Scores], Floats]) -> None:
        cells = []
        for half in ("tune", "test"):
            first = third = count = 0
            for number, question in enumerate(self.questions):
                if question.half != half:
                    continue
                best = np.argsort(-scores(number, self.parts[number]), kind="stable")[:3]
                found = [self.snapshot.guides[guide] for guide in best]
                count += 1
                first += found[0] in question.guides
                third += any(guide in question.guides for guide in found)
            cells += [first / count, third / count]
        print(f"| {name} | {' | '.join(f'{100 * cell:.1f}' for cell in cells)} |", flush=True)

    def blend(self, parts: Scores, **changed: Floats) -> Floats:
        scores: Floats = sum(weight * changed.get(name, parts[name]) for name, weight in WEIGHTS.items())  # type: ignore[assignment]
        return scores

    def with_bank(self, most: int | None, negatives: bool = True) -> Callable[[int, Scores], Floats]:
        """The blend with heads and bank made from at most `most` questions a guide."""
        chosen: list[int] = []
        for guide in range(len(self.snapshot.guides) + 1):
            rows = np.flatnonzero(self.owner == guide)
            if guide == len(self.snapshot.guides):
                chosen += list(rows) if negatives else []
            else:
                chosen += list(np.random.default_rng(guide).permutation(rows)[:most])
        vectors, owner = self.snapshot.bank_vectors.matrix[chosen], self.owner[chosen]
        passages = [passage.embedded_text for passage in self.snapshot.passages]
        heads = Heads.train(
            vectors,
            [self.texts[row] for row in chosen],
            owner.tolist(),
            passages,
            self.snapshot.passage_owner.tolist(),
            len(self.snapshot.guides),
        )

        def scores(number: int, parts: Scores) -> Floats:
            vector = self.vectors[number]
            opinions = heads.opinions(self.questions[number].question, vector)
            return self.blend(
                parts,
                dense=opinions.dense,
                characters=opinions.character,
                similarity=nearest(vectors, owner, vector, len(self.snapshot.guides)),
            )

        return scores


def open_questions(retriever: Retriever) -> list[list[str]]:
    """The texts of the bank in the snapshot's order: each guide's title and questions, then the negatives."""
    from bot.live import KNOWLEDGE
    from indexer.text import clean
    from knowledge_base.guide import Knowledge

    knowledge = Knowledge.model_validate_json((retriever.snapshot.path / KNOWLEDGE).read_bytes())
    texts = [[clean(text) for text in (guide.title, *guide.questions)] for guide in knowledge.guides.values()]
    return [*texts, [clean(text) for text in knowledge.negatives]]


def nearest(bank: Floats, owner: npt.NDArray[np.int64], vector: Floats, guides: int, most: int = 3) -> Floats:
    """Mean cosine of each guide's best `most` questions."""
    cosines = bank @ vector
    best = [np.sort(cosines[owner == guide])[-most:] for guide in range(guides)]
    return np.array([values.mean() if len(values) else 0.0 for values in best], dtype=np.float32)


def main() -> None:
    settings = load_settings()
    retriever = open_live(settings).retriever
    ablation = Ablation(retriever, read_golden(settings.knowledge_base / "golden.jsonl"))
    print("| ranking | tune: first | in 3 | test: first | in 3 |\n|---|---|---|---|---|")
    for name, label in (
        ("bm25", "BM25 over passages (stems and 4-grams)"),
        ("e5", "e5 over passages"),
        ("passage", "passages: e5, best sentence, BM25"),
        ("similarity", "question against the bank (mean of the best three)"),
        ("dense", "logistic regression over embeddings of the bank"),
        ("characters", "linear SVM over character n-grams of bank and passages"),
    ):
        ablation.show(label, lambda number, parts, name=name: parts[name])  # type: ignore[misc]
    ablation.show("**all four together (in use)**", lambda number, parts: ablation.blend(parts))
    for left_out in WEIGHTS:
        ablation.show(
            f"without {left_out}",
            lambda number, parts, left_out=left_out: np.sum(  # type: ignore[misc]
                [weight * parts[name] for name, weight in WEIGHTS.items() if name != left_out], axis=0
            ),
        )
    for most in (8, 16, 32, 64):
        ablation.show(f"{most} questions a guide", ablation.with_bank(most))
    ablation.show("without negatives", ablation.with_bank(None, negatives=False))
    _adapter(ablation)


def _adapter(ablation: Ablation) -> None:
    """A linear adapter on the embeddings: discriminant analysis of the bank, then cosines as before."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    matrix, owner = ablation.snapshot.bank_vectors.matrix, ablation.owner
    adapter = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.5).fit(matrix, owner)

    def adapted(vectors: Floats) -> Floats:
        turned = adapter.transform(vectors)
        return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True), dtype=np.float32)

    bank, questions = adapted(matrix), adapted(ablation.vectors)
    guides = len(ablation.snapshot.guides)
    spread = np.mean([parts["similarity"].std() for parts in ablation.parts])
    other = [nearest(bank, owner, question, guides) for question in questions]
    scale = spread / np.mean([values.std() for values in other])
    ablation.show("linear adapter in place of the plain cosines", lambda number, parts: ablation.blend(
        parts, similarity=scale * other[number]
    ))  # fmt: skip


if __name__ == "__main__":
    main()
