"""`lotse draft`: a forwarded query as it would be stored, its questions with their answers, and a draft to send."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.batch import LineError, json_object, read_batch, require_utf8
from bot.output import Json, fail, write_json
from bot.redaction import Redacted, redact
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.desk.drafting import Draft
    from bot.live import Live


def register(app: typer.Typer, open_live: "Callable[[Settings], Live]") -> None:
    """Add the command; `open_live` gives the state of the knowledge it answers from, or ends the program."""

    @app.command()
    def draft(
        text: Annotated[
            str | None,
            typer.Argument(metavar="TEXT", help="Die weitergeleitete Anfrage; ohne sie wird die Eingabe gelesen."),
        ] = None,
        batch: Annotated[
            Path | None, typer.Option(metavar="DATEI", help="JSON-Zeilen {id, text}; je Zeile eine Anfrage.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Ersetzt in einer Anfrage die personenbezogenen Daten und entwirft die Antwort darauf."""
        lines = _lines(text, batch)
        settings = load_settings()
        live = open_live(settings)
        from bot.answering import Answerer
        from bot.desk import drafting
        from indexer.text import clean
        from knowledge_base.figures import day_of

        answerer = Answerer(live.retriever, live.library.titles)
        wrong = 0
        for number, line in lines:
            try:
                identity, query = _query(line) if batch is not None else (None, line)
            except LineError as error:
                wrong += 1
                typer.echo(f"Zeile {number}: {error}", err=True)
                continue
            redacted = redact(clean(query))
            made = drafting.draft(
                redacted.text, answerer, live.library, notice=settings.desk_notice, day=day_of(time.time())
            )
            if as_json:
                write_json(_as_json(identity, redacted, made))
            else:
                _print(identity, redacted, made)
        raise typer.Exit(1 if wrong else 0)


def _lines(text: str | None, batch: Path | None) -> list[tuple[int, str]]:
    """What is to be drafted, with the number of its line."""
    if text is not None and batch is not None:
        fail("Bitte entweder einen Text oder --batch DATEI angeben.", 2)
    if batch is None:
        query = sys.stdin.read() if text is None else text
        if not query.strip():
            fail('Bitte eine Anfrage angeben: lotse draft "Text", oder als Eingabe.', 2)
        return [(1, query)]
    return [(number, line) for number, line in enumerate(read_batch(batch), 1) if line.strip()]


def _query(line: str) -> tuple[str | int, str]:
    """The id and the text of a line. Raises LineError."""
    require_utf8(line)
    row = json_object(line, '{"id": "1", "text": "…"}')
    identity, text = row.get("id"), row.get("text")
    if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
        raise LineError("„id“ fehlt oder ist weder Text noch ganze Zahl.")
    if not isinstance(text, str) or not text.strip():
        raise LineError("„text“ fehlt oder ist leer.")
    return identity, text


def _as_json(identity: str | int | None, redacted: Redacted, made: "Draft") -> dict[str, Any]:
    placeholders = dict.fromkeys((one.kind, one.placeholder) for one in redacted.replaced)
    return {
        "id": identity,
        "text": redacted.text,
        "replaced": [{"kind": kind, "placeholder": placeholder} for kind, placeholder in placeholders],
        "questions": [
            {
                "text": part.question,
                "status": part.answer.status,
                "guide": part.guide.id if part.guide else None,
                "confidence": round(part.answer.confidence, 4),
            }
            for part in made.parts
        ],
        "draft": made.text,
        # Guides name their sources without a link so far.
        "sources": [
            {"title": source.title, "publisher": source.publisher, "as_of": source.as_of.isoformat(), "url": None}
            for source in made.sources
        ],
    }


def _print(identity: str | int | None, redacted: Redacted, made: "Draft") -> None:
    if identity is not None:
        typer.echo(f"Anfrage {identity}")
    typer.echo(f"So wird sie gespeichert:\n\n{redacted.text}\n")
    for part in made.parts:
        known = part.guide.title if part.guide else "kein Leitfaden"
        typer.echo(f"Frage: {part.question}\n  {known} ({part.answer.confidence:.0%})")
    typer.echo(f"\nEntwurf:\n\n{made.text}\n")
