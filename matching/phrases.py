"""Phrases of offers and needs: their embeddings, and the kind of resource that each is about, by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.embedder import embed_queries, model_name
from knowledge_base.guide import Taxonomy

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = npt.NDArray[np.float32]
Head = tuple[Floats, Floats]
Heads = dict[str, Head]
EXAMPLES = Path(__file__).parent / "resources"  # <resource>.txt: phrases that are about it, one a line
WISHES = Path(__file__).parent / "wishes"  # <resource>.txt: whole requests of people who look for it, one a line
HEAD = Path(__file__).with_name("resources.npz")
C = 30.0  # of the logistic regression: chosen by cross-validation over the examples
WISHES_C = 10.0


class Phrases:
    """Reads phrases with one embedder. `resources` and `probabilities` follow the taxonomy's order of resources."""

    def __init__(self, embedder: SentenceTransformer, taxonomy: Taxonomy) -> None:
        self.model = model_name(embedder)
        self.ids = list(taxonomy.resources)
        self._taxonomy = taxonomy
        self._embedder = embedder
        self._heads = self._stored() or train(embedder, taxonomy)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embed phrases in one batch: shape (phrases, dimension), rows of length 1."""
        if not texts:
            return np.zeros((0, self._heads["phrase"][0].shape[1]), dtype=np.float32)
        return embed_queries(self._embedder, texts)

    def probabilities(self, vectors: Floats, of: str = "phrase") -> Floats:
        """How likely each text is about each resource: shape (texts, resources), rows sum to 1.

        `of`: "phrase" for what is listed as offered or sought, "wish" for a whole request, which tells of a situation.
        """
        weights, bias = self._heads[of]
        logits = vectors @ weights.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        likely = np.exp(logits)
        found: Floats = likely / likely.sum(axis=1, keepdims=True)
        return found

    def resources(self, vectors: Floats) -> list[str]:
        """The likeliest resource of each phrase."""
        return [self.ids[best] for best in self.probabilities(vectors).argmax(axis=1)]

    def _stored(self) -> Heads | None:
        """The heads in HEAD if they are of this model and these resources, else None."""
        if not HEAD.is_file():
            return None
        with np.load(HEAD, allow_pickle=False) as file:
            if str(file["model"]) != self.model or list(file["resources"]) != self.ids:
                return None
            return {name: (file[f"{name}_weights"], file[f"{name}_bias"]) for name in ("phrase", "wish")}


def train(embedder: SentenceTransformer, taxonomy: Taxonomy) -> Heads:
    """Fit a logistic regression to each kind of example: weights (resources, dimension) and biases (resources,)."""
    return {
        "phrase": _fit(embedder, *examples(taxonomy), C),
        "wish": _fit(embedder, *_lines(WISHES, taxonomy), WISHES_C),
    }


def _fit(embedder: SentenceTransformer, texts: Sequence[str], labels: Sequence[int], c: float) -> Head:
    from sklearn.linear_model import LogisticRegression

    vectors = embed_queries(embedder, texts)
    model = LogisticRegression(C=c, max_iter=500, class_weight="balanced").fit(vectors, labels)
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def examples(taxonomy: Taxonomy) -> tuple[list[str], list[int]]:
    """The example phrases with the numbers of their resources; each resource's label and words are among them."""
    texts, labels = _lines(EXAMPLES, taxonomy)
    for number, topic in enumerate(taxonomy.resources.values()):
        texts += [topic.title, *topic.words]
        labels += [number] * (1 + len(topic.words))
    return texts, labels


def _lines(folder: Path, taxonomy: Taxonomy) -> tuple[list[str], list[int]]:
    """The lines of `folder`/<resource>.txt with the numbers of their resources."""
    texts, labels = [], []
    for number, resource in enumerate(taxonomy.resources):
        lines = (folder / f"{resource}.txt").read_text(encoding="utf-8").split("\n")
        for text in filter(None, map(str.strip, lines)):
            texts.append(text)
            labels.append(number)
    return texts, labels


def main() -> None:
    """`python -m matching.phrases` writes HEAD anew after the examples have changed."""
    from indexer.embedder import load_embedder
    from knowledge_base.guide import load_taxonomy

    embedder, taxonomy = load_embedder(), load_taxonomy()
    heads = train(embedder, taxonomy)
    arrays: dict[str, Any] = {
        f"{name}_{part}": array
        for name, head in heads.items()
        for part, array in zip(("weights", "bias"), head, strict=True)
    }
    np.savez_compressed(HEAD, model=model_name(embedder), resources=np.array(list(taxonomy.resources)), **arrays)


if __name__ == "__main__":
    main()
