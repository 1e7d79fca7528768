"""Linear heads: which guide answers a question, learned from example questions at index time.

A person describes a situation and does not know the term for it, so no wording of the guide matches. Example questions
bridge that: one head classifies the frozen embedding of the question, the other its character n-grams. Both have one
class a guide and a last one for questions that no guide answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DENSE_C = 30.0
CHARACTER_C = 0.5
GRAMS = (2, 5)
MOST_WEIGHTS = 24_000_000  # of the character head: 96 MB; reached only beyond some 400 guides


@dataclass(frozen=True)
class Opinions:
    """What the heads say: one value a guide each, and the class "no guide".

    dense: log-probabilities, character: distances from the separating hyperplanes.
    """

    dense: Floats
    dense_none: float
    character: Floats
    character_none: float


class Heads:
    """The two trained heads as plain arrays. `guides` counts the classes without the last one, "no guide"."""

    def __init__(
        self,
        dense: Floats,
        dense_bias: Floats,
        character: Floats,
        character_bias: Floats,
        idf: Floats,
        vocabulary: dict[str, int],
    ) -> None:
        self.dense = dense
        self.dense_bias = dense_bias
        self.character = character
        self.character_bias = character_bias
        self.idf = idf
        self.vocabulary = vocabulary
        self.guides = len(dense_bias) - 1
        self._analyse = _analyser()

    @classmethod
    def train(
        cls,
        vectors: Floats,
        questions: Sequence[str],
        labels: Sequence[int],
        passages: Sequence[str],
        passage_labels: Sequence[int],
        guides: int,
    ) -> Heads:
        """Train both heads.

        `vectors` (questions, dimension) embeds `questions`, whose guide is labels[i] in 0..guides-1, or `guides` for a
        question that no guide answers. The character head also learns from `passages`. Every guide needs a question;
        raises ValueError when there are fewer than two classes.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        # Balanced, for the banks of guides grow at different speeds.
        dense = LogisticRegression(C=DENSE_C, max_iter=300, class_weight="balanced").fit(vectors, np.asarray(labels))
        features = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=GRAMS,
            sublinear_tf=True,
            min_df=2 if len(questions) > 50 else 1,
            max_features=max(1000, MOST_WEIGHTS // (guides + 1)),
            dtype=np.float32,
        )
        rows = features.fit_transform([*questions, *passages])
        character = LinearSVC(C=CHARACTER_C, class_weight="balanced", random_state=0).fit(
            rows, np.asarray([*labels, *passage_labels])
        )
        dense_weights, dense_bias = _all_classes(dense.coef_, dense.intercept_, dense.classes_, guides + 1, -20.0)
        character_weights, character_bias = _all_classes(
            character.coef_, character.intercept_, character.classes_, guides + 1, -1.0
        )
        return cls(
            dense_weights,
            dense_bias,
            np.ascontiguousarray(character_weights.T),
            character_bias,
            features.idf_.astype(np.float32),
            {str(gram): int(column) for gram, column in features.vocabulary_.items()},
        )

    def opinions(self, question: str, vector: Floats) -> Opinions:
        """What both heads say to a question and its embedding of shape (dimension,)."""
        logits = self.dense @ vector + self.dense_bias
        logits -= logits.max()
        log_probabilities = logits - np.log(np.exp(logits).sum())
        distances = self._distances(question)
        return Opinions(
            dense=log_probabilities[:-1],
            dense_none=float(log_probabilities[-1]),
            character=distances[:-1],
            character_none=float(distances[-1]),
        )

    def save(self, directory: Path) -> None:
        with (directory / "heads.npz").open("wb") as file:
            np.savez(
                file,
                dense=self.dense,
                dense_bias=self.dense_bias,
                character=self.character,
                character_bias=self.character_bias,
                idf=self.idf,
            )
        grams = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        (directory / "heads.json").write_text(json.dumps(grams, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Heads:
        grams = json.loads((directory / "heads.json").read_text(encoding="utf-8"))
        with np.load(directory / "heads.npz", allow_pickle=False) as arrays:
            return cls(
                arrays["dense"],
                arrays["dense_bias"],
                arrays["character"],
                arrays["character_bias"],
                arrays["idf"],
                {gram: column for column, gram in enumerate(grams)},
            )

    def _distances(self, question: str) -> Floats:
        """The character head: TF-IDF as in training (sublinear, length 1), times the weights."""
        columns = [column for gram in self._analyse(question) if (column := self.vocabulary.get(gram)) is not None]
        if not columns:
            return self.character_bias
        unique, counts = np.unique(columns, return_counts=True)
        values = (1 + np.log(counts)).astype(np.float32) * self.idf[unique]
        distances = (values / np.linalg.norm(values)) @ self.character[unique] + self.character_bias
        return distances.astype(np.float32)


def _analyser() -> Callable[[str], list[str]]:
    """scikit-learn's own analysis, so that questions are read as the training texts were."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyser: Callable[[str], list[str]] = TfidfVectorizer(analyzer="char_wb", ngram_range=GRAMS).build_analyzer()
    return analyser


def _all_classes(
    coefficients: Floats, intercepts: Floats, present: Floats, classes: int, absent: float
) -> tuple[Floats, Floats]:
    """Weights (classes, features) and biases (classes,) of a fitted scikit-learn model.

    For two classes scikit-learn keeps one row, the second class's. A class without an example (no negatives given)
    gets no weights and the bias `absent`.
    """
    if len(present) == 2:
        coefficients = np.vstack([-coefficients, coefficients])
        intercepts = np.concatenate([-intercepts, intercepts])
    weights = np.zeros((classes, coefficients.shape[1]), dtype=np.float32)
    biases = np.full(classes, absent, dtype=np.float32)
    weights[present.astype(int)] = coefficients
    biases[present.astype(int)] = intercepts
    return weights, biases
