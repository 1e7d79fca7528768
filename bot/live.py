"""The live index with the knowledge it was made from: how it is built and opened."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import Settings
from indexer import directory
from indexer.cache import read as read_cache
from indexer.directory import MANIFEST, BusyError
from indexer.embedder import BUNDLED, EmbedderError, load_embedder, model_name
from indexer.snapshot import MENDS, BuildReport, Snapshot, SnapshotError, build
from knowledge_base.check import check
from knowledge_base.figures import day_of
from knowledge_base.guide import Knowledge, KnowledgeError, Problem, load, load_or_raise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from bot.library import Library
    from indexer.retriever import Retriever

KNOWLEDGE = "knowledge.json"
FINGERPRINT = "fingerprint"
EMBEDDINGS = "embeddings.npz"
BUSY = "Der Index wird gerade schon neu gebaut oder getauscht. Bitte warten Sie, bis das fertig ist."
KEEPS = "Der letzte gute Index bleibt in Gebrauch."

Progress = Callable[[str, int, int], None]


class IndexingError(Exception):
    """The index cannot be built or opened; the message says what to do."""


@dataclass(frozen=True)
class Live:
    """One state of what the assistant knows: what is searched and what is shown belong together."""

    library: "Library"
    retriever: "Retriever"

    @property
    def path(self) -> Path:
        """Where its snapshot is."""
        return self.retriever.snapshot.path


def build_index(settings: Settings, now: float, *, full: bool, progress: Progress, who: str = "") -> BuildReport:
    """Build a snapshot of the knowledge base and make it the live one, without comparing it with the one before.

    Raises IndexingError; the last one then stays.
    """
    with explained(), directory.locked(settings.snapshots):
        directory.remove_leftovers(settings.snapshots)
        before = directory.current(settings.snapshots)
        found = survey(settings, now, guides_in(before))
        if found.knowledge is None:
            raise KnowledgeError(list(found.errors))
        embedder = load_embedder(settings.model)
        previous = None if full else read_usable(before, model_name(embedder))
        report = build_candidate(settings, now, found.knowledge, embedder, previous, progress, full=full)
        path = directory.make_current(settings.snapshots, report.snapshot.path)
        directory.record(settings.snapshots, "index", path, before, who, "")
    return replace(report, snapshot=replace(report.snapshot, path=path))


def open_live(settings: Settings) -> Live:
    """Open the live snapshot; build one first, in a process of its own, when there is none that can be used.

    Guides that have changed since do not count until somebody says so (`lotse reindex`). Raises IndexingError when there
    is none and none can be built.
    """
    with explained():
        embedder = load_embedder(settings.model)
    try:
        return _open(settings, embedder)
    except IndexingError:
        # The program itself and no arguments from outside.
        command = [sys.executable, "-m", "bot.cli", "index"]
        subprocess.run(command, check=False, stdout=sys.stderr, env=environment(settings))  # noqa: S603
    return _open(settings, embedder)


def reopen(path: Path, live: Live) -> Live:
    """Open the snapshot in `path` with the embedder of `live`. Takes a second; raises IndexingError."""
    from bot.library import Library

    with explained():
        snapshot = Snapshot.read(path, live.retriever.snapshot.manifest["model"])
        return Live(Library(knowledge_in(path)), live.retriever.on(snapshot))


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a `lotse` that is to have the same settings."""
    values = {name: value for name, value in settings.model_dump().items() if value is not None}
    return os.environ | {f"LOTSE_{name.upper()}": str(value) for name, value in values.items()}


def is_stale(settings: Settings, now: float) -> bool:
    """Whether the live snapshot is missing, of another model, or made from other guides or figures than today's."""
    path = directory.current(settings.snapshots)
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError):
        return True
    if path is None or manifest is None or manifest.get("model") != (settings.model or BUNDLED):
        return True
    try:
        return fingerprint_in(path) != fingerprint(load_or_raise(settings.knowledge_base), day_of(now))
    except KnowledgeError:
        return True  # the build that follows says what is wrong


def fingerprint(knowledge: Knowledge, day: date) -> str:
    """A hash that changes with any text that is searched or shown on `day`."""
    digest = hashlib.sha256(knowledge.model_dump_json(by_alias=True).encode())
    for guide in knowledge.filled(day):
        digest.update("\n".join(guide.sections.values()).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Survey:
    """The knowledge base as it is on disk: None with `errors`, or what can be indexed; `unfinished` are files left out."""

    knowledge: Knowledge | None
    errors: tuple[Problem, ...]
    unfinished: tuple[str, ...]


def survey(settings: Settings, now: float, live_guides: Collection[str]) -> Survey:
    """Read and check everything. A guide in the making is left out, unless people have it already."""
    knowledge, parsed_guides, _ = load(settings.knowledge_base)
    stubs = [parsed.file for parsed in parsed_guides if parsed.unfinished]
    unfinished = tuple(file for file in stubs if Path(file).stem not in live_guides)
    left_out = {*unfinished, *(f"questions/{Path(file).stem}.txt" for file in unfinished)}
    errors = [
        problem
        for problem in check(settings.knowledge_base, day_of(now))
        if problem.level == "error" and problem.file not in left_out
    ]
    return Survey(None if errors else knowledge, tuple(errors), unfinished)


def build_candidate(
    settings: Settings,
    now: float,
    knowledge: Knowledge,
    embedder: "SentenceTransformer",
    previous: Snapshot | None,
    progress: Progress,
    *,
    full: bool = False,
) -> BuildReport:
    """Build a candidate, which carries what is shown besides what is searched."""
    return build(
        knowledge.filled(day_of(now)),
        knowledge.negatives,
        settings.snapshots,
        embedder,
        previous=previous,
        cache=None if full else read_cache(settings.knowledge_base / EMBEDDINGS, model_name(embedder)),
        progress=progress,
        companions={
            KNOWLEDGE: knowledge.model_dump_json(by_alias=True),
            FINGERPRINT: fingerprint(knowledge, day_of(now)),
        },
        activate=False,
    )


def knowledge_in(path: Path) -> Knowledge:
    """The knowledge that the snapshot in `path` was made from. Raises SnapshotError."""
    try:
        return Knowledge.model_validate_json((path / KNOWLEDGE).read_bytes())
    except (OSError, ValueError):
        raise SnapshotError(f"Der Index {path} ist unvollständig. {MENDS}") from None


def fingerprint_in(path: Path) -> str | None:
    """The fingerprint of the knowledge that the snapshot in `path` was made from."""
    try:
        return (path / FINGERPRINT).read_text(encoding="utf-8")
    except OSError:
        return None


def guides_in(path: Path | None) -> Collection[str]:
    """The ids of the guides in the snapshot in `path`; none if there is no such snapshot."""
    try:
        return list(json.loads((path / MANIFEST).read_text(encoding="utf-8"))["guides"]) if path else ()
    except (OSError, ValueError, KeyError):
        return ()


def read_usable(path: Path | None, model: str) -> Snapshot | None:
    """The snapshot in `path`, or None when there is none of this model and of today's form."""
    try:
        return Snapshot.read(path, model) if path else None
    except SnapshotError:
        return None


@contextmanager
def explained() -> Iterator[None]:
    """Turn every error that a build or a swap may meet into IndexingError, whose message says what to do."""
    try:
        yield
    except BusyError:
        raise IndexingError(BUSY) from None
    except (KnowledgeError, SnapshotError, EmbedderError) as error:
        raise IndexingError(str(error)) from None
    except MemoryError:
        raise IndexingError(f"Der Speicher reicht nicht für den neuen Index. {KEEPS}") from None
    except OSError as error:
        raise IndexingError(
            f"Der Index kann nicht gelesen oder geschrieben werden ({error.strerror}). {KEEPS}"
        ) from None


def _open(settings: Settings, embedder: "SentenceTransformer") -> Live:
    # Imported here, so that what only asks whether the index is stale need not load Telegram's types.
    from bot.library import Library
    from indexer.retriever import Retriever

    with explained():
        snapshot = Snapshot.open(settings.snapshots, model_name(embedder))
        return Live(Library(knowledge_in(snapshot.path)), Retriever(snapshot, embedder))
