import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer import snapshot as module
from indexer.directory import CURRENT, MANIFEST, make_current
from indexer.passages import Passage
from indexer.snapshot import Snapshot, SnapshotError, build, build_corpus
from tests.unit.indexer.fakes import AMT, GUIDES, NEGATIVES, SPENDE, FakeEmbedder, FakeGuide, as_embedder


def test_a_built_snapshot_is_the_live_one_and_describes_itself(tmp_path: Path, fake: FakeEmbedder) -> None:
    report = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake))
    opened = Snapshot.open(tmp_path, "fake")
    assert opened.path == report.snapshot.path
    assert opened.guides == ["spende", "streit", "amt"]
    assert opened.manifest["model"] == "fake"
    assert opened.manifest["guides"] == {"spende": "1", "streit": "1", "amt": "1"}
    assert opened.manifest["counts"] == {"passages": 5, "sentences": 10, "questions": 15, "negatives": 5}
    assert report.embedded == len(fake.texts) == 35
    assert opened.passages == report.snapshot.passages
    assert [opened.guides[n] for n in opened.passage_owner] == [passage.guide for passage in opened.passages]


def test_each_vector_is_the_vector_of_its_text(snapshot: Snapshot, fake: FakeEmbedder) -> None:
    texts = [passage.embedded_text for passage in snapshot.passages]
    np.testing.assert_allclose(snapshot.passage_vectors.matrix, fake.encode_document(texts), atol=1e-6)
    sentences = [sentence for passage in snapshot.passages for sentence in passage.sentences]
    np.testing.assert_allclose(snapshot.sentence_vectors.matrix, fake.encode_document(sentences), atol=1e-6)


def test_an_unchanged_rebuild_embeds_nothing(tmp_path: Path, fake: FakeEmbedder) -> None:
    first = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake))
    fake.texts.clear()
    second = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake), previous=first.snapshot)
    assert fake.texts == []
    assert (second.embedded, second.reused, second.removed) == (0, first.embedded, 0)
    assert second.snapshot.manifest["corpus"] == first.snapshot.manifest["corpus"]
    np.testing.assert_array_equal(second.snapshot.bank_vectors.matrix, first.snapshot.bank_vectors.matrix)


def test_a_changed_guide_costs_its_changed_texts_only(tmp_path: Path, fake: FakeEmbedder) -> None:
    first = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake))
    changed = replace(AMT, version="2", questions=(*AMT.questions, "Wann tagt der Rat?"))
    fake.texts.clear()
    second = build((SPENDE, changed), NEGATIVES, tmp_path, as_embedder(fake), previous=first.snapshot)
    assert fake.texts == ["Wann tagt der Rat?"]
    assert second.removed == 2 + 4 + 5  # the third guide's passages, sentences, title and questions
    assert second.snapshot.manifest["guides"] == {"spende": "1", "amt": "2"}


def test_vectors_of_another_model_are_not_taken_over(tmp_path: Path, fake: FakeEmbedder) -> None:
    first = build(GUIDES, NEGATIVES, tmp_path, as_embedder(FakeEmbedder("other")))
    report = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake), previous=first.snapshot)
    assert report.reused == 0


def test_another_model_is_refused_with_the_command_that_mends_it(tmp_path: Path, fake: FakeEmbedder) -> None:
    build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake))
    with pytest.raises(SnapshotError, match=r"'fake'.*'other'.*lotse index --full"):
        Snapshot.open(tmp_path, "other")


def test_another_schema_is_refused(tmp_path: Path, fake: FakeEmbedder) -> None:
    path = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot.path
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(manifest | {"schema": 0}))
    with pytest.raises(SnapshotError, match=r"Schema 0.*lotse index --full"):
        Snapshot.open(tmp_path, "fake")


@pytest.mark.parametrize(
    "file", [MANIFEST, "passages.faiss", "sentences.faiss", "bank.faiss", "parts.npz", "heads.json"]
)
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_half_written_snapshot_is_refused(tmp_path: Path, fake: FakeEmbedder, file: str, damage: str) -> None:
    path = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot.path / file
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SnapshotError, match="lotse index --full"):
        Snapshot.open(tmp_path, "fake")


def test_a_damaged_file_of_the_right_size_is_refused(tmp_path: Path, fake: FakeEmbedder) -> None:
    path = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot.path / "bank.faiss"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(SnapshotError, match=r"beschädigt.*lotse index --full"):
        Snapshot.open(tmp_path, "fake")


def test_without_an_index_the_message_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="lotse index"):
        Snapshot.open(tmp_path / "nowhere", "fake")


@pytest.mark.parametrize("where", ["_write_faiss", "_sync", "make_current"])
def test_a_full_disk_leaves_the_last_good_index_in_use(
    tmp_path: Path, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    good = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, where, full)
    with pytest.raises(SnapshotError, match=r"kein Platz mehr.*letzte gute Index bleibt in Gebrauch"):
        build((SPENDE,), NEGATIVES, tmp_path, as_embedder(fake))
    assert Snapshot.open(tmp_path, "fake").path == good.path
    assert not list(tmp_path.glob(".building-*"))


def test_a_killed_build_leaves_the_last_good_index_in_use(
    tmp_path: Path, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot

    class Killed(BaseException):
        pass

    def killed(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # nothing is tidied up after SIGKILL
        patch.setattr(module, "_write_faiss", killed)
        with pytest.raises(Killed):
            build((SPENDE,), NEGATIVES, tmp_path, as_embedder(fake))
    assert list(tmp_path.glob(".building-*"))
    assert Snapshot.open(tmp_path, "fake").path == good.path
    assert build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot.path.exists()


def test_not_activated_a_snapshot_waits_beside_the_live_one(tmp_path: Path, fake: FakeEmbedder) -> None:
    live = build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot
    waiting = build((SPENDE,), NEGATIVES, tmp_path, as_embedder(fake), activate=False).snapshot
    assert Snapshot.open(tmp_path, "fake").path == live.path
    make_current(tmp_path, waiting.path)
    assert Snapshot.open(tmp_path, "fake").guides == ["spende"]


def test_the_live_snapshot_and_the_four_before_are_kept(tmp_path: Path, fake: FakeEmbedder) -> None:
    paths = [build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake)).snapshot.path for _ in range(7)]
    assert [path.exists() for path in paths] == [False, False, True, True, True, True, True]
    assert (tmp_path / CURRENT).read_text().strip() == paths[-1].name


def test_progress_reaches_its_total(tmp_path: Path, fake: FakeEmbedder) -> None:
    told: dict[str, tuple[int, int]] = {}
    build(GUIDES, NEGATIVES, tmp_path, as_embedder(fake), progress=lambda stage, *counts: told.update({stage: counts}))
    assert told == {"embed": (35, 35), "train": (1, 1), "write": (1, 1)}


def test_nothing_to_index_is_said(tmp_path: Path, fake: FakeEmbedder) -> None:
    with pytest.raises(SnapshotError, match="nichts zu indizieren"):
        build([], NEGATIVES, tmp_path, as_embedder(fake))
    with pytest.raises(SnapshotError, match="nichts zu indizieren"):
        build([FakeGuide("leer", "Leer", {"Kurz gesagt": ""})], [], tmp_path, as_embedder(fake))
    with pytest.raises(SnapshotError, match="nichts zu indizieren"):
        build_corpus([], tmp_path, as_embedder(fake))


def test_bare_passages_have_no_heads(tmp_path: Path, fake: FakeEmbedder) -> None:
    report = build_corpus([Passage("d1", "d1", "Titel", "", "Ein Text.")], tmp_path, as_embedder(fake))
    assert report.snapshot.heads is None
    assert report.guides == 0


def test_no_file_needs_pickle(snapshot: Snapshot) -> None:
    for file in snapshot.path.glob("*.npz"):
        with np.load(file, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype != object for name in arrays)
    assert not list(snapshot.path.glob("*.pkl"))
