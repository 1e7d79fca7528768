"""The index directory: which snapshots it holds, which one is live, what became of it when, and one builder at a time.

    index/
      current                            the name of the live snapshot
      20261124T080000123456-1a2b3c4d/    a snapshot that is or was the live one
      .candidate-20261124T…/             a snapshot that is not live yet, or was refused
      history.jsonl                      every change of the live snapshot: when, who, why
      .lock                              held by whoever builds or changes the live snapshot

Locks are the operating system's, so that a killed builder leaves none behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

CURRENT = "current"
MANIFEST = "manifest.json"
HISTORY = "history.jsonl"
CANDIDATE = ".candidate-"
KEPT = 5

Action = Literal["index", "reindex", "force", "rollback"]


class BusyError(Exception):
    """Somebody else builds or changes the live snapshot just now."""


class NoSnapshotError(Exception):
    """There is no snapshot of that name, or none to go back to."""


@dataclass(frozen=True)
class Change:
    """The live snapshot became `snapshot` instead of `before` (None: the first). `at` is ISO 8601 in UTC."""

    at: str
    action: Action
    who: str
    why: str
    snapshot: str
    before: str | None


@dataclass(frozen=True)
class Stored:
    """A snapshot in the directory. `built_at` is ISO 8601 in UTC; `candidate`: it was never live."""

    name: str
    current: bool
    candidate: bool
    built_at: str
    guides: int
    passages: int
    megabytes: float


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Be the only one who builds or changes the live snapshot. Raises BusyError at once when somebody else is."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError from None
        yield


def current(directory: Path) -> Path | None:
    """The directory of the live snapshot, or None when there is none."""
    try:
        name = (directory / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return directory / name if name else None


def make_current(directory: Path, path: Path, keep: int = KEPT) -> Path:
    """Make the snapshot `path` the live one; a candidate gets its proper name. `prune` then keeps `keep`. Returns its path."""
    if path.name.startswith(CANDIDATE):
        path = path.rename(directory / path.name.removeprefix(CANDIDATE))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=directory, prefix=".current-", delete=False) as file:
        file.write(path.name + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(directory / CURRENT)
    prune(directory, keep)
    return path


def prune(directory: Path, keep: int = KEPT) -> list[str]:
    """Delete all snapshots but the live one, the newest `keep` - 1 others and candidates; returns the names of the deleted."""
    live = current(directory)
    others = sorted(path for path in _snapshots(directory) if path != live and not path.name.startswith(CANDIDATE))
    old = others[: max(0, len(others) - (keep - 1))]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in old]


def candidate(directory: Path) -> Path | None:
    """The newest snapshot that is complete and was never live."""
    return max((path for path in _snapshots(directory) if path.name.startswith(CANDIDATE)), default=None)


def remove_leftovers(directory: Path) -> None:
    """Remove candidates, and what killed builders left. Only for who holds the lock."""
    for pattern in (f"{CANDIDATE}*", ".building-*", ".current-*"):
        for path in directory.glob(pattern):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def stored(directory: Path) -> list[Stored]:
    """The snapshots in the directory, newest first."""
    live = current(directory)
    found = []
    for path in sorted(_snapshots(directory), key=lambda path: path.name.removeprefix(CANDIDATE), reverse=True):
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in path.iterdir())
        found.append(
            Stored(
                name=path.name.removeprefix(CANDIDATE),
                current=path == live,
                candidate=path.name.startswith(CANDIDATE),
                built_at=manifest["built_at"],
                guides=len(manifest["guides"]),
                passages=manifest["counts"]["passages"],
                megabytes=round(size / 1e6, 1),
            )
        )
    return found


def record(directory: Path, action: Action, path: Path, before: Path | None, who: str, why: str) -> Change:
    """Write down that the live snapshot has become `path`."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    change = Change(at, action, who, why, path.name, before.name if before else None)
    with (directory / HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(change), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return change


def history(directory: Path) -> list[Change]:
    """What became of the live snapshot, oldest first; a line that a crash cut short is left out."""
    try:
        lines = (directory / HISTORY).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    changes = []
    for line in lines:
        try:
            changes.append(Change(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return changes


def earlier(directory: Path, name: str | None = None) -> Path:
    """The snapshot `name`, by default the one that was live before the live one and was not itself taken back.

    Raises NoSnapshotError when there is no such snapshot (any more).
    """
    live = current(directory)
    name = name or _before(directory, live)
    known = {path.name: path for path in _snapshots(directory) if not path.name.startswith(CANDIDATE)}
    if name is None or name not in known:
        raise NoSnapshotError
    return known[name]


def _before(directory: Path, live: Path | None) -> str | None:
    if live is None:
        return None
    chain: list[str] = []
    for change in history(directory):
        if change.before and chain[-1:] != [change.before]:
            chain.append(
                change.before
            )  # its own change was not written down: killed in between, or from before the history
        if change.action == "rollback" and change.snapshot in chain:
            del chain[chain.index(change.snapshot) + 1 :]
        elif chain[-1:] != [change.snapshot]:
            chain.append(change.snapshot)
    while chain and chain[-1] == live.name:
        chain.pop()
    return next((name for name in reversed(chain) if (directory / name / MANIFEST).is_file()), None)


def _snapshots(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return [path for path in directory.iterdir() if (path / MANIFEST).is_file() and not path.name.startswith(".build")]
