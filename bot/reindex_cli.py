"""`lotse index`, `lotse reindex` and `lotse snapshots`: the index on disk."""

import os
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.output import Json, fail, progress_bar, write_json
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.reindexing import Reindexed

snapshots = typer.Typer(no_args_is_help=True, help="Die letzten Suchindizes: ansehen, zurückgehen, aufräumen.")
Who = Annotated[str, typer.Option(help="Wer es tut; steht im Verlauf.", show_default=False)]
MOST_QUESTIONS = 20


def register(app: typer.Typer) -> None:
    """Add the commands to `lotse`."""
    app.command()(index)
    app.command()(reindex)
    app.add_typer(snapshots, name="snapshots")


def index(
    full: Annotated[
        bool, typer.Option("--full", help="Alles neu einbetten, nichts vom letzten Index übernehmen.")
    ] = False,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Danach die Vektoren in der Wissensbasis ablegen: ein erster Index geht dann schnell."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Baut den ersten Index, oder einen für ein anderes Modell. Er gilt sofort und ungemessen; sorgfältig ist `lotse reindex`."""
    from bot.live import EMBEDDINGS, IndexingError, build_index

    settings = load_settings()
    # Whoever chats meanwhile comes first.
    os.nice(19)
    try:
        with progress_bar(enabled=sys.stderr.isatty()) as progress:
            report = build_index(settings, time.time(), full=full, progress=progress, who=_user())
    except IndexingError as error:
        fail(str(error), 1)
    if share:
        from indexer.cache import write

        snapshot = report.snapshot
        write(settings.knowledge_base / EMBEDDINGS, snapshot.manifest["model"], snapshot.vectors())
    if as_json:
        names = ("guides", "passages", "embedded", "reused", "removed", "seconds")
        figures = {name: getattr(report, name) for name in names}
        write_json(figures | {"seconds": round(report.seconds, 3), "snapshot": report.snapshot.path.name})
    else:
        typer.echo(
            f"{report.guides} Leitfäden, {report.passages} Passagen: {report.embedded} Texte eingebettet, "
            f"{report.reused} übernommen, {report.removed} entfernt, {report.seconds:.1f} s. Index {report.snapshot.path.name}."
        )


def reindex(
    force: Annotated[
        str | None,
        typer.Option(
            metavar="GRUND", help="Auch übernehmen, wenn goldene Fragen verloren gehen. Der Grund wird notiert."
        ),
    ] = None,
    who: Who = "",
    lines: Annotated[bool, typer.Option("--lines", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Prüft alle Leitfäden, baut daneben einen neuen Index, misst ihn an den goldenen Fragen und tauscht ihn nur dann ein."""
    from bot.live import IndexingError
    from bot.reindexing import reindex as run

    settings = load_settings()
    if force is not None and not force.strip():
        fail("Bitte einen Grund angeben: lotse reindex --force GRUND.", 2)
    os.nice(19)
    _limit_memory(settings)
    try:
        with progress_bar(enabled=not lines and sys.stderr.isatty()) as bar:
            result = run(
                settings, time.time(), who=who or _user(), progress=_say_progress if lines else bar, force=force
            )
    except IndexingError as error:
        fail(str(error), 1)
    if as_json:
        write_json(asdict(result))
    else:
        _print(result)
    raise typer.Exit(0 if result.status in ("swapped", "unchanged") else 1)


@snapshots.command("list")
def list_snapshots(as_json: Json = False) -> None:
    """Zeigt die Indizes, den neuesten zuerst, und was wann getauscht wurde."""
    from indexer.directory import history, stored

    folder = load_settings().snapshots
    found, changes = stored(folder), history(folder)
    if as_json:
        write_json({"snapshots": [asdict(one) for one in found], "history": [asdict(one) for one in changes]})
        return
    for one in found:
        state = "→ in Gebrauch" if one.current else "abgelehnt oder unfertig" if one.candidate else ""
        size = f"{one.guides} Leitfäden, {one.passages} Passagen, {one.megabytes:.0f} MB"
        typer.echo(f"{one.name}  {one.built_at}  {size}  {state}".rstrip())
    if not found:
        typer.echo("Es gibt noch keinen Index: `lotse index` baut ihn.")
    for change in changes[-10:]:
        typer.echo(f"{change.at}  {change.action}  {change.snapshot}  {change.who}  {change.why}".rstrip())


@snapshots.command("rollback")
def rollback(
    name: Annotated[
        str | None, typer.Argument(help="Ein Name aus der Liste; sonst der Index vor dem jetzigen.")
    ] = None,
    why: Annotated[str, typer.Option(help="Der Grund; steht im Verlauf.")] = "",
    who: Who = "",
    as_json: Json = False,
) -> None:
    """Geht zu einem früheren Index zurück; ein laufender Bot folgt in wenigen Sekunden."""
    from bot.live import IndexingError
    from bot.reindexing import roll_back

    try:
        change = roll_back(load_settings(), who=who or _user(), why=why, name=name)
    except IndexingError as error:
        fail(str(error), 1)
    if as_json:
        write_json(asdict(change))
    else:
        typer.echo(f"In Gebrauch ist jetzt {change.snapshot}, vorher {change.before}.")


@snapshots.command("prune")
def prune(
    keep: Annotated[int, typer.Option(min=1, help="So viele bleiben, der jetzige eingerechnet.")] = 5,
    as_json: Json = False,
) -> None:
    """Löscht alte Indizes und was abgebrochene Läufe liegen ließen."""
    from bot.live import IndexingError, explained
    from indexer.directory import locked, remove_leftovers
    from indexer.directory import prune as remove_old

    folder = load_settings().snapshots
    try:
        with explained(), locked(folder):
            removed = remove_old(folder, keep)
            remove_leftovers(folder)
    except IndexingError as error:
        fail(str(error), 1)
    if as_json:
        write_json({"removed": removed})
    else:
        typer.echo(f"{len(removed)} gelöscht." if removed else "Es gab nichts zu löschen.")


def _print(result: "Reindexed") -> None:
    for file in result.unfinished:
        typer.echo(f"{file}: noch nicht fertig, bleibt draußen.")
    match result.status:
        case "unchanged":
            typer.echo("Es gibt nichts Neues; der Index bleibt, wie er ist.")
            return
        case "invalid":
            for reason in result.reasons:
                typer.echo(reason)
            typer.echo(f"{len(result.problems)} Fehler. Der bisherige Index bleibt in Gebrauch.")
            return
    for label, guides in (("neu", result.added), ("geändert", result.changed), ("entfernt", result.removed)):
        if guides:
            typer.echo(f"{label}: {', '.join(guides)}")
    for label, moves in (("schlechter", result.lost), ("besser", result.gained)):
        for move in moves[:MOST_QUESTIONS]:
            blamed = f", durch {move.blamed}" if move.blamed else ""
            typer.echo(
                f"{label}: „{move.question}“ {_outcome(move.before_status, move.before)} → {_outcome(move.after_status, move.after)}{blamed}"
            )
        if len(moves) > MOST_QUESTIONS:
            typer.echo(f"{label}: und {len(moves) - MOST_QUESTIONS} weitere; --json nennt alle.")
    for name in ("answered_right", "answered_wrong", "near_miss_answered"):
        if name in result.figures_before and name in result.figures_after:
            typer.echo(f"{name:20} {result.figures_before[name]:.4f} → {result.figures_after[name]:.4f}")
    for reason in result.reasons:
        typer.echo(reason)
    if result.status == "refused":
        typer.echo(
            "Abgelehnt: Der bisherige Index bleibt in Gebrauch. `lotse reindex --force GRUND` übernimmt den neuen trotzdem."
        )
    else:
        typer.echo(
            f"In Gebrauch ist jetzt {result.snapshot}{' (trotz allem)' if result.forced else ''}. {result.embedded} Texte "
            f"eingebettet, {result.reused} übernommen, {result.seconds:.1f} s, {result.memory_mb:.0f} MB."
        )


def _outcome(status: str, guide: str | None) -> str:
    return {"answer": str(guide), "clarify": f"Rückfrage ({guide})"}.get(status, "„Das weiß ich nicht“")


def _say_progress(stage: str, done: int, total: int) -> None:
    sys.stderr.write(f"progress {stage} {done} {total}\n")
    sys.stderr.flush()


def _limit_memory(settings: Settings) -> None:
    """A build that wants more fails, instead of taking it from the bot beside it."""
    import resource

    limit = settings.reindex_memory_mb * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _user() -> str:
    return os.environ.get("USER") or f"uid {os.getuid()}"
