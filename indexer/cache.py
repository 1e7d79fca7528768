"""A small file of ready embeddings: for a first index of the knowledge base, and for its golden questions."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
LEVELS = 127  # of one byte, to either side


def read(path: Path, model: str) -> dict[str, Floats]:
    """The embeddings in the file by the hash of their text; empty when there is no file, or it is of another model."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as file:
        if str(file["model"]) != model:
            return {}
        hashes, levels, largest = file["hashes"], file["levels"], file["largest"]
    vectors = levels.astype(np.float32) * (largest[:, None] / LEVELS)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {bytes(key).hex(): vector for key, vector in zip(hashes, vectors, strict=True)}


def write(path: Path, model: str, vectors: Mapping[str, Floats]) -> None:
    """Write embeddings by the hash of their text, one byte a dimension, replacing the file at once.

    A vector read back has a cosine of at least 0.9999 with the one written.
    """
    matrix = np.array(list(vectors.values()), dtype=np.float32)
    largest = np.abs(matrix).max(axis=1)
    levels = np.rint(matrix / largest[:, None] * LEVELS).astype(np.int8)
    hashes = np.frombuffer(bytes.fromhex("".join(vectors)), dtype=np.uint8).reshape(len(vectors), -1)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez_compressed(file, model=np.array(model), hashes=hashes, levels=levels, largest=largest)
    os.chmod(file.name, 0o644)  # noqa: PTH101 - a temporary file is private; this one is to be shared
    Path(file.name).replace(path)
