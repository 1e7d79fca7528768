"""The live index with the knowledge it was made from; built first when it is missing or stale."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bot.settings import Settings
from indexer.cache import read as read_cache
from indexer.embedder import BUNDLED, EmbedderError, load_embedder, model_name
from indexer.snapshot import CURRENT, MANIFEST, BuildReport, Snapshot, SnapshotError, build, make_current
from knowledge_base.figures import day_of
from knowledge_base.guide import Knowledge, KnowledgeError, load_or_raise

if TYPE_CHECKING:
    from bot.library import Library
    from indexer.retriever import Retriever

KNOWLEDGE = "knowledge.json"
FINGERPRINT = "fingerprint"
EMBEDDINGS = "embeddings.npz"


class IndexingError(Exception):
    """The index cannot be built or opened; the message says what to do."""


@dataclass(frozen=True)
class Live:
    """One state of what the assistant knows: what is searched and what is shown belong together."""

    library: "Library"
    retriever: "Retriever"


def build_index(
    settings: Settings, now: float, *, full: bool, progress: Callable[[str, int, int], None]
) -> BuildReport:
    """Build a snapshot of the knowledge base and make it the live one. Raises IndexingError; the last one then stays."""
    try:
        knowledge = load_or_raise(settings.knowledge_base)
        embedder = load_embedder(settings.model)
        previous = None if full else _previous(settings.snapshots, model_name(embedder))
        report = build(
            knowledge.filled(day_of(now)),
            knowledge.negatives,
            settings.snapshots,
            embedder,
            previous=previous,
            cache=None if full else read_cache(settings.knowledge_base / EMBEDDINGS, model_name(embedder)),
            progress=progress,
            activate=False,
        )
        # The snapshot carries what is shown besides what is searched; only then it becomes the live one.
        path = report.snapshot.path
        (path / KNOWLEDGE).write_text(knowledge.model_dump_json(by_alias=True), encoding="utf-8")
        (path / FINGERPRINT).write_text(fingerprint(knowledge, day_of(now)), encoding="utf-8")
        make_current(settings.snapshots, path)
    except (KnowledgeError, SnapshotError, EmbedderError) as error:
        raise IndexingError(str(error)) from None
    except OSError as error:
        raise IndexingError(
            f"Der Index kann nicht geschrieben werden ({error.strerror}). Der letzte gute Index bleibt in Gebrauch."
        ) from None
    return report


def open_live(settings: Settings, now: float) -> Live:
    """Open the live snapshot; build one first, in a process of its own, when there is none or the guides have changed.

    When the guides cannot be indexed as they are, the last good snapshot is used. Raises IndexingError when there is none.
    """
    if is_stale(settings, now):
        environment = {"LOTSE_DATA_DIR": str(settings.data_dir), "LOTSE_KNOWLEDGE_BASE": str(settings.knowledge_base)}
        if settings.model:
            environment["LOTSE_MODEL"] = settings.model
        # The program itself and no arguments from outside.
        command = [sys.executable, "-m", "bot.cli", "index"]
        subprocess.run(command, check=False, stdout=sys.stderr, env=os.environ | environment)  # noqa: S603
    try:
        embedder = load_embedder(settings.model)
        snapshot = Snapshot.open(settings.snapshots, model_name(embedder))
        knowledge = Knowledge.model_validate_json((snapshot.path / KNOWLEDGE).read_bytes())
    except (SnapshotError, EmbedderError) as error:
        raise IndexingError(str(error)) from None
    except (OSError, ValueError):
        raise IndexingError("Der Index ist unvollständig. `lotse index --full` baut ihn neu.") from None
    # Imported here, so that what only asks whether the index is stale need not load Telegram's types.
    from bot.library import Library
    from indexer.retriever import Retriever

    return Live(Library(knowledge), Retriever(snapshot, embedder))


def is_stale(settings: Settings, now: float) -> bool:
    """Whether the live snapshot is missing, of another model, or made from other guides or figures than today's."""
    path = live_path(settings.snapshots)
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8")) if path else None
        made_from = (path / FINGERPRINT).read_text(encoding="utf-8") if path else None
    except (OSError, ValueError):
        return True
    if manifest is None or manifest.get("model") != (settings.model or BUNDLED):
        return True
    try:
        return made_from != fingerprint(load_or_raise(settings.knowledge_base), day_of(now))
    except KnowledgeError:
        return True  # the build that follows says what is wrong


def live_path(directory: Path) -> Path | None:
    """The directory of the live snapshot, or None when there is none."""
    try:
        return directory / (directory / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def fingerprint(knowledge: Knowledge, day: date) -> str:
    """A hash that changes with any text that is searched or shown on `day`."""
    digest = hashlib.sha256(knowledge.model_dump_json(by_alias=True).encode())
    for guide in knowledge.filled(day):
        digest.update("\n".join(guide.sections.values()).encode())
    return digest.hexdigest()


def _previous(directory: Path, model: str) -> Snapshot | None:
    try:
        return Snapshot.open(directory, model)
    except SnapshotError:
        return None  # none that vectors could be taken from
