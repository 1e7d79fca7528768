import pytest

from indexer.retriever import Retriever
from indexer.snapshot import Snapshot, build
from tests.unit.indexer.fakes import GUIDES, NEGATIVES, FakeEmbedder, as_embedder


@pytest.fixture
def fake() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot of three small guides."""
    return build(GUIDES, NEGATIVES, tmp_path_factory.mktemp("index"), as_embedder(FakeEmbedder())).snapshot


@pytest.fixture
def retriever(snapshot: Snapshot, fake: FakeEmbedder) -> Retriever:
    return Retriever(snapshot, as_embedder(fake))
