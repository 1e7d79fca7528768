"""Phrases of offers and needs: their embeddings, and the kind of resource that each is about, by meaning."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.embedder import embed_queries, model_name
from knowledge_base.guide import Taxonomy

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]
EXAMPLES = Path(__file__).parent / "resources"  # <resource>.txt: phrases that are about it, one a line
HEAD = Path(__file__).with_name("resources.npz")
C = 30.0  # of the logistic regression: chosen by cross-validation over the examples


class Phrases:
    """Reads phrases with one embedder. `resources` and `probabilities` follow the taxonomy's order of resources."""

    def __init__(self, embedder: SentenceTransformer, taxonomy: Taxonomy) -> None:
        self.model = model_name(embedder)
        self.ids = list(taxonomy.resources)
        self._taxonomy = taxonomy
        self._embedder = embedder
        self._lock = threading.Lock()
        self._weights, self._bias = self._head()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embed phrases in one batch: shape (phrases, dimension), rows of length 1."""
        if not texts:
            return np.zeros((0, self._weights.shape[1]), dtype=np.float32)
        with self._lock:
            return embed_queries(self._embedder, texts)

    def probabilities(self, vectors: Floats) -> Floats:
        """How likely each phrase is about each resource: shape (phrases, resources), rows sum to 1."""
        logits = vectors @ self._weights.T + self._bias
        logits -= logits.max(axis=1, keepdims=True)
        likely = np.exp(logits)
        found: Floats = likely / likely.sum(axis=1, keepdims=True)
        return found

    def resources(self, vectors: Floats) -> list[str]:
        """The likeliest resource of each phrase."""
        return [self.ids[best] for best in self.probabilities(vectors).argmax(axis=1)]

    def _head(self) -> tuple[Floats, Floats]:
        """The weights in HEAD if they are of this model and these resources, else trained now."""
        if HEAD.is_file():
            with np.load(HEAD, allow_pickle=False) as file:
                if str(file["model"]) == self.model and list(file["resources"]) == self.ids:
                    return file["weights"], file["bias"]
        return train(self._embedder, self._taxonomy)


def train(embedder: SentenceTransformer, taxonomy: Taxonomy) -> tuple[Floats, Floats]:
    """Fit a logistic regression to the examples: weights (resources, dimension) and biases (resources,)."""
    from sklearn.linear_model import LogisticRegression

    texts, labels = examples(taxonomy)
    vectors = embed_queries(embedder, texts)
    model = LogisticRegression(C=C, max_iter=500, class_weight="balanced").fit(vectors, labels)
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def examples(taxonomy: Taxonomy) -> tuple[list[str], list[int]]:
    """The example phrases with the numbers of their resources; each resource's label and words are among them."""
    texts, labels = [], []
    for number, (resource, topic) in enumerate(taxonomy.resources.items()):
        lines = (EXAMPLES / f"{resource}.txt").read_text(encoding="utf-8").split("\n")
        for text in (topic.title, *topic.words, *filter(None, map(str.strip, lines))):
            texts.append(text)
            labels.append(number)
    return texts, labels


def main() -> None:
    """`python -m matching.phrases` writes HEAD anew after the examples have changed."""
    from indexer.embedder import load_embedder
    from knowledge_base.guide import load_taxonomy

    embedder, taxonomy = load_embedder(), load_taxonomy()
    weights, bias = train(embedder, taxonomy)
    np.savez_compressed(
        HEAD, model=model_name(embedder), resources=np.array(list(taxonomy.resources)), weights=weights, bias=bias
    )


if __name__ == "__main__":
    main()
