"""`lotse match`: partners for a request, as the chat would suggest them, for scripts."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.batch import LineError, json_object, read_batch, require_utf8
from bot.output import Json, fail, write_json
from bot.partners_cli import open_directory, today
from bot.settings import load_settings

if TYPE_CHECKING:
    from knowledge_base.guide import Taxonomy
    from matching.matcher import Matcher, Suggestion
    from matching.requests import Request, RequestReader

MOST = 5
FIELDS = {"id", "text", "sector", "plz", "ort"}


def register(app: typer.Typer) -> None:
    app.command()(match)


def match(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="Wer sucht was, wo, und bietet was?")] = None,
    batch: Annotated[
        Path | None,
        typer.Option(metavar="DATEI", help="Zeilen mit Text oder JSON: {id, text, sector, plz, ort}."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Schlägt Partner aus dem Verzeichnis vor, mit Gründen und Gegengründen."""
    if (text is None) == (batch is None):
        fail("Bitte entweder einen Text oder --batch DATEI angeben.", 2)
    lines = [str(text)] if batch is None else read_batch(batch)
    reader, matcher, taxonomy = asyncio.run(_load())
    if not len(matcher):
        fail("Das Verzeichnis ist leer: `lotse partners import DATEI` liest Partner ein.", 1)
    wrong = 0
    for number, line in enumerate(lines, 1):
        try:
            identity, request = _request(line, reader, structured=batch is not None)
        except LineError as error:
            wrong += 1
            typer.echo(f"Zeile {number}: {error}", err=True)
            continue
        found = _found(identity, request, matcher, taxonomy)
        if as_json:
            write_json(found)
        else:
            _print(found)
    raise typer.Exit(1 if wrong else 0)


async def _load() -> "tuple[RequestReader, Matcher, Taxonomy]":
    from sqlalchemy.ext.asyncio import AsyncSession

    from indexer.embedder import EmbedderError, load_embedder
    from knowledge_base.guide import KnowledgeError, load_taxonomy
    from matching.matcher import Matcher
    from matching.phrases import Phrases
    from matching.places import Places
    from matching.requests import RequestReader

    settings = load_settings()
    try:
        taxonomy = load_taxonomy(settings.knowledge_base)
        phrases = Phrases(load_embedder(settings.model), taxonomy)
    except (KnowledgeError, EmbedderError) as error:
        fail(str(error), 2)
    async with open_directory(settings) as database, database.read() as connection, AsyncSession(connection) as session:
        matcher = await Matcher.load(session, phrases)
    return RequestReader(phrases, Places.load(), taxonomy), matcher, taxonomy


def _request(line: str, reader: "RequestReader", *, structured: bool) -> "tuple[str | None, Request]":
    """The request of a line: text, or a JSON object whose fields stand above what is read from its text."""
    from knowledge_base.guide import SECTORS
    from matching.places import Places

    values: dict[str, Any] = {"text": line}
    if structured:
        require_utf8(line)
    if structured and line.lstrip().startswith("{"):
        values = json_object(line, '{"id": "1", "text": "…", "sector": "…", "plz": "…"}')
        if unknown := set(values) - FIELDS:
            raise LineError(
                f"Unbekannte Felder: {', '.join(sorted(unknown))}. Bekannt sind {', '.join(sorted(FIELDS))}."
            )
    text = values.get("text")
    if not isinstance(text, str) or not text.strip():
        raise LineError("Der Text fehlt.")
    request = reader.read(text)
    if sector := values.get("sector"):
        if sector not in SECTORS:
            raise LineError(f"Den Sektor „{sector}“ gibt es nicht: {', '.join(SECTORS)}.")
        request = replace(request, sector=sector)
    if where := str(values.get("plz") or values.get("ort") or ""):
        places = Places.load().find(where)
        if not places:
            raise LineError(f"Den Ort „{where}“ kenne ich nicht: Bitte eine Postleitzahl oder einen Ort angeben.")
        request = replace(request, places=tuple(places))
    identity = values.get("id")
    return (None if identity is None else str(identity)), request


def _found(identity: str | None, request: "Request", matcher: "Matcher", taxonomy: "Taxonomy") -> dict[str, Any]:
    from matching.matcher import alliance_of

    suggestions = matcher.suggest(request, today())
    alliance = alliance_of(suggestions, request.sector)
    return {
        "id": identity,
        "request": {
            "text": request.text,
            "sector": request.sector,
            "places": [f"{place.name}, {place.state}" for place in request.places],
            "themes": list(request.themes),
            "seeks": list(request.seeks),
            "offers": list(request.offers),
        },
        "partners": [_partner(one, taxonomy) for one in suggestions[:MOST]],
        "constellation": {
            "members": [_partner(one, taxonomy) for one in alliance.members],
            "missing": list(alliance.missing),
        },
    }


def _partner(one: "Suggestion", taxonomy: "Taxonomy") -> dict[str, Any]:
    from bot.translation import translator
    from bot.views.partners import reason_text

    german = translator("de")
    return {
        "id": one.partner.id,
        "name": one.partner.name,
        "sector": one.partner.sector,
        "score": round(one.score, 4),
        "distance_km": None if one.distance_km is None else round(one.distance_km, 1),
        "reasons": [reason_text(reason, taxonomy, german) for reason in one.reasons],
        "counter_reasons": [reason_text(reason, taxonomy, german) for reason in one.counter_reasons],
    }


def _print(found: dict[str, Any]) -> None:
    request = found["request"]
    if len(request["places"]) > 1:
        typer.echo(f"Mehrere Orte heißen so, gerechnet wird mit dem ersten: {' · '.join(request['places'])}")
    for number, partner in enumerate(found["partners"], 1):
        typer.echo(f"{number}. {partner['name']} ({partner['sector']})")
        for reason in partner["reasons"]:
            typer.echo(f"   + {reason}")
        for reason in partner["counter_reasons"]:
            typer.echo(f"   – {reason}")
    if not found["partners"]:
        typer.echo("Im Verzeichnis passt niemand dazu.")
