"""Reindexing that cannot do harm: in this process (`reindex`), or from a running assistant in a process of its own."""

import asyncio
import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from bot.live import (
    KEEPS,
    IndexingError,
    Progress,
    build_candidate,
    environment,
    explained,
    fingerprint,
    fingerprint_in,
    guides_in,
    knowledge_in,
    read_usable,
    survey,
)
from bot.settings import Settings
from indexer import directory
from indexer.directory import Change, NoSnapshotError
from indexer.embedder import BUNDLED, load_embedder, model_name
from indexer.reindex import NONE, Changes, Copied, Limits, Move, Reason, compare, find_copied, suspects, with_trials
from indexer.snapshot import Snapshot, build, text_hash
from indexer.text import clean
from knowledge_base.figures import day_of
from knowledge_base.guide import Knowledge, Problem

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

GOLDEN = "golden.jsonl"
GOLDEN_EMBEDDINGS = "golden.npz"
Status = Literal["swapped", "unchanged", "refused", "invalid"]


@dataclass(frozen=True)
class Reindexed:
    """What a reindex did, or why it did nothing.

    status: "swapped" (the new index is live), "unchanged" (there was nothing new), "refused" (golden questions got worse:
    the new index waits beside the live one, `force` takes it), "invalid" (the guides have errors, nothing was built).
    reasons: for the last two, sentences for people; guilty: the guides they name. added, changed, removed: guides by id;
    "_none" stands for the questions that no guide answers. unfinished: files still in the making, which were left out.
    figures_before, figures_after: of `indexer.evaluation.figures`. embedded, reused: texts. memory_mb: the most that the
    process held.
    """

    status: Status
    reasons: tuple[str, ...] = ()
    guilty: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    unfinished: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lost: tuple[Move, ...] = ()
    gained: tuple[Move, ...] = ()
    copied: tuple[Copied, ...] = ()
    figures_before: Mapping[str, float] = field(default_factory=dict)
    figures_after: Mapping[str, float] = field(default_factory=dict)
    snapshot: str | None = None
    before: str | None = None
    forced: bool = False
    embedded: int = 0
    reused: int = 0
    seconds: float = 0.0
    memory_mb: float = 0.0


REPORT = TypeAdapter(Reindexed)


def reindex(settings: Settings, now: float, *, who: str, progress: Progress, force: str | None = None) -> Reindexed:
    """Check all guides, build a snapshot of them beside the live one, and swap only if the golden questions allow it.

    `force` is the reason for which a snapshot goes live that they speak against; errors in guides stop that one, too.
    `progress(stage, done, total)` is told the stages "check", those of `build`, "questions", "golden" and "blame". Raises
    IndexingError when somebody else is at it, the disk is full, or the like.
    """
    started = time.perf_counter()
    with explained(), directory.locked(settings.snapshots):
        before = directory.current(settings.snapshots)
        progress("check", 0, 1)
        found = survey(settings, now, guides_in(before))
        progress("check", 1, 1)
        if found.knowledge is None:
            return Reindexed(
                "invalid",
                reasons=tuple(f"{one.file}:{one.line}: {one.field}: {one.message} {one.mend}" for one in found.errors),
                guilty=tuple(dict.fromkeys(Path(one.file).stem for one in found.errors)),
                problems=found.errors,
                unfinished=found.unfinished,
            )
        embedder = load_embedder(settings.model)
        live = read_usable(before, model_name(embedder))
        made_from = fingerprint(found.knowledge, day_of(now))
        if live is not None and fingerprint_in(live.path) == made_from:
            return Reindexed("unchanged", unfinished=found.unfinished, snapshot=live.path.name)

        # What was refused before is not built again to be forced.
        new = read_usable(directory.candidate(settings.snapshots), model_name(embedder))
        embedded = reused = 0
        if new is None or fingerprint_in(new.path) != made_from:
            directory.remove_leftovers(settings.snapshots)
            report = build_candidate(settings, now, found.knowledge, embedder, live, progress)
            new, embedded, reused = report.snapshot, report.embedded, report.reused
        result = _judge(settings, now, found.knowledge, embedder, live, new, progress)
        refused = result.status == "refused"
        if not refused or force is not None:
            path = directory.make_current(settings.snapshots, new.path)
            directory.record(settings.snapshots, "force" if refused else "reindex", path, before, who, force or "")
    return dataclasses.replace(
        result,
        status="refused" if refused and force is None else "swapped",
        forced=refused and force is not None,
        unfinished=found.unfinished,
        snapshot=new.path.name.removeprefix(directory.CANDIDATE),
        before=before.name if before else None,
        embedded=embedded,
        reused=reused,
        seconds=round(time.perf_counter() - started, 3),
        memory_mb=_peak_megabytes(),
    )


def roll_back(settings: Settings, *, who: str, why: str, name: str | None = None) -> Change:
    """Make an earlier snapshot the live one again: `name`, or the one before. Raises IndexingError."""
    try:
        with explained(), directory.locked(settings.snapshots):
            before = directory.current(settings.snapshots)
            path = directory.earlier(settings.snapshots, name)
            Snapshot.read(path, settings.model or BUNDLED)  # what cannot be used must not become the live one
            directory.make_current(settings.snapshots, path)
            return directory.record(settings.snapshots, "rollback", path, before, who, why)
    except NoSnapshotError:
        which = f"Einen Index {name} gibt es nicht" if name else "Einen früheren Index gibt es nicht"
        raise IndexingError(f"{which}: `lotse snapshots list` zeigt alle.") from None


def _judge(
    settings: Settings,
    now: float,
    knowledge: Knowledge,
    embedder: "SentenceTransformer",
    live: Snapshot | None,
    new: Snapshot,
    progress: Progress,
) -> Reindexed:
    """Whether `new`, made from `knowledge`, may replace `live`; without golden questions nothing speaks against it."""
    from indexer.evaluation import embed_golden, figures, outcomes, read_golden
    from indexer.retriever import Retriever

    if live is None:
        return Reindexed("swapped", added=tuple(sorted(new.guides)))
    old = knowledge_in(live.path)
    changes = Changes.between(_by_id(old), _by_id(knowledge))
    try:
        golden = read_golden(settings.knowledge_base / GOLDEN)
    except FileNotFoundError:
        golden = []
    except ValueError as error:
        raise IndexingError(f"Die goldenen Fragen sind nicht lesbar. Bitte die Zeile berichtigen: {error}") from None
    vectors = embed_golden(golden, embedder, settings.snapshots / GOLDEN_EMBEDDINGS, progress)
    retriever = Retriever(live, embedder)
    before = outcomes(golden, retriever, vectors)
    after = outcomes(golden, retriever.on(new), vectors, progress)
    questions = [text for guide in knowledge.guides.values() for text in (guide.title, *guide.questions)]
    texts = {text_hash("query", clean(text)): text for text in questions}
    copied = find_copied(live, new, changes.present, texts)
    limits = Limits(settings.reindex_most_lost, settings.reindex_most_lost_by_guide)
    compared = compare(before, after, changes, copied, limits)
    if compared.reasons:
        alone = {}
        for number, guide in enumerate(accused := suspects(compared, changes, limits)):
            progress("blame", number, len(accused))
            tried = _with_one_change(old, knowledge, guide)
            with tempfile.TemporaryDirectory() as folder:
                trial = build(
                    tried.filled(day_of(now)),
                    tried.negatives,
                    Path(folder),
                    embedder,
                    previous=new,
                    cache=live.vectors(),
                ).snapshot
                found = outcomes(golden, retriever.on(trial), vectors)
            one = Changes.between(_by_id(old), _by_id(tried))
            alone[guide] = compare(before, found, one, [], limits)
        compared = with_trials(compared, alone, limits)
    return Reindexed(
        "refused" if compared.reasons else "swapped",
        reasons=tuple(_sentence(reason, copied) for reason in compared.reasons),
        guilty=tuple(reason.guide for reason in compared.reasons if reason.guide),
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        lost=compared.lost,
        gained=compared.gained,
        copied=compared.copied,
        figures_before=figures(before),
        figures_after=figures(after),
    )


def _by_id(knowledge: Knowledge) -> dict[str, object]:
    return {**knowledge.guides, NONE: knowledge.negatives}


def _with_one_change(old: Knowledge, new: Knowledge, guide: str) -> Knowledge:
    """The old knowledge with one guide (or the questions that no guide answers) as in the new one."""
    if guide == NONE:
        return old.model_copy(update={"negatives": new.negatives})
    guides = {other: text for other, text in old.guides.items() if other != guide}
    if guide in new.guides:
        guides[guide] = new.guides[guide]
    return old.model_copy(update={"guides": guides})


def _sentence(reason: Reason, copied: list[Copied]) -> str:
    """Why, in German. A question that is offered where it was answered counts half, hence the decimals."""
    lost, limit = f"{reason.lost:g}".replace(".", ","), f"{reason.limit:g}".replace(".", ",")
    if reason.guide is None:
        return f"Im Ganzen gehen {lost} goldene Fragen verloren (höchstens {limit}); ein einzelner Leitfaden ist nicht schuld."
    parts = []
    if reason.lost:
        parts.append(f"kostet {lost} goldene Fragen")
    if reason.copied:
        others = dict.fromkeys(one.other for one in copied if one.guide == reason.guide)
        parts.append(f"hat {reason.copied} Beispielfragen, die fast gleich bei {', '.join(others)} stehen")
    name = "Die Datei questions/_none.txt" if reason.guide == NONE else f"Der Leitfaden {reason.guide}"
    return f"{name} {' und '.join(parts)} (höchstens {limit})."


def _peak_megabytes() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


class Reindexer:
    """Reindexes for a running assistant, in a process of its own at low priority. All replicas follow by themselves.

    `who` is written down with what is done; it should say who it was without being a name, such as "Admin 123".
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self, who: str, progress: Callable[[str, int, int], None], *, force: str | None = None) -> Reindexed:
        """Reindex as `reindex` does. Cancelled, it stops the process, and nothing has changed.

        Raises IndexingError, whose message says what to do; for example when somebody else is at it.
        """
        command = [sys.executable, "-m", "bot.cli", "reindex", "--json", "--lines", "--who", who]
        if force is not None:
            command += ["--force", force]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment(self._settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, said = await asyncio.gather(_all_of(process.stdout), _progress_of(process.stderr, progress))
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        if output:
            return REPORT.validate_json(output)
        if process.returncode in (1, 2) and said:
            raise IndexingError(said[-1])
        raise IndexingError(f"Der Bau des neuen Index brach ab (Ende mit {process.returncode}). {KEEPS}")

    async def force(self, who: str, reason: str, progress: Callable[[str, int, int], None]) -> Reindexed:
        """Take over what was refused, for a `reason` that is written down."""
        return await self.run(who, progress, force=reason)

    async def roll_back(self, who: str, why: str = "", name: str | None = None) -> Change:
        """Go back to the snapshot before the live one, or to `name`. Raises IndexingError."""
        return await asyncio.to_thread(roll_back, self._settings, who=who, why=why, name=name)

    async def stored(self) -> list[directory.Stored]:
        """The snapshots there are, newest first."""
        return await asyncio.to_thread(directory.stored, self._settings.snapshots)

    async def history(self) -> list[Change]:
        """What became of the live snapshot, oldest first."""
        return await asyncio.to_thread(directory.history, self._settings.snapshots)


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream else b""


async def _progress_of(stream: asyncio.StreamReader | None, progress: Callable[[str, int, int], None]) -> list[str]:
    """Pass on the lines `progress stage done total`; the others are returned."""
    others: list[str] = []
    while stream and (line := await stream.readline()):
        match line.decode(errors="replace").split():
            case ["progress", stage, done, total] if done.isdecimal() and total.isdecimal():
                progress(stage, int(done), int(total))
            case []:
                pass
            case _:
                others.append(line.decode(errors="replace").strip())
    return others
