"""A small file of ready embeddings, so that a first index need not embed the whole knowledge base."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from indexer.snapshot import Snapshot

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


def write(path: Path, snapshot: Snapshot) -> int:
    """Write the embeddings of `snapshot`, one byte a dimension, replacing the file at once; returns how many.

    A vector read back has a cosine of at least 0.9999 with the one written.
    """
    known = {
        key: kind.matrix[row]
        for kind in (snapshot.passage_vectors, snapshot.sentence_vectors, snapshot.bank_vectors)
        for row, key in enumerate(kind.hashes)
    }
    matrix = np.array(list(known.values()), dtype=np.float32)
    largest = np.abs(matrix).max(axis=1)
    levels = np.rint(matrix / largest[:, None] * LEVELS).astype(np.int8)
    hashes = np.frombuffer(bytes.fromhex("".join(known)), dtype=np.uint8).reshape(len(known), -1)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez_compressed(
            file, model=np.array(snapshot.manifest["model"]), hashes=hashes, levels=levels, largest=largest
        )
    os.chmod(file.name, 0o644)  # noqa: PTH101 - a temporary file is private; this one is to be shared
    Path(file.name).replace(path)
    return len(known)
