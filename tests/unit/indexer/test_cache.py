"""The file of ready embeddings: close to the real ones, and never of another model."""

from pathlib import Path

import numpy as np
import pytest

from bot.live import EMBEDDINGS, Live
from indexer.cache import read, write
from indexer.snapshot import Snapshot
from knowledge_base.guide import ROOT


@pytest.mark.slow
def test_what_is_read_back_is_what_was_written(live: Live, tmp_path: Path) -> None:
    snapshot: Snapshot = live.retriever.snapshot
    path = tmp_path / "embeddings.npz"
    write(path, snapshot.manifest["model"], snapshot.vectors())
    vectors = read(path, snapshot.manifest["model"])
    assert vectors.keys() == snapshot.vectors().keys()
    for row, key in enumerate(snapshot.bank_vectors.hashes):
        assert vectors[key] @ snapshot.bank_vectors.matrix[row] > 0.9999
    assert read(path, "another model") == {}
    assert read(tmp_path / "missing.npz", snapshot.manifest["model"]) == {}


@pytest.mark.slow
def test_the_committed_embeddings_are_those_of_the_model(live: Live) -> None:
    snapshot = live.retriever.snapshot
    vectors = read(ROOT / EMBEDDINGS, snapshot.manifest["model"])
    texts = [question for guide in live.library.all() for question in guide.questions[:1]]
    embedded = live.retriever.embed(texts)
    known = np.array(list(vectors.values()))
    nearest = (embedded @ known.T).max(axis=1)
    # A question that was changed since is embedded anew; most are in the file.
    assert np.mean(nearest > 0.999) > 0.9
