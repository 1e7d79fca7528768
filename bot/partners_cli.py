"""`lotse partners`: the directory of possible partners, from files and to files."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.output import Json, fail, progress_bar, write_json
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from bot.database import Database
    from knowledge_base.guide import Taxonomy
    from matching.importer import ImportReport
    from matching.phrases import Phrases

partners = typer.Typer(no_args_is_help=True, help="Das Verzeichnis möglicher Partner.")
Identity = Annotated[str, typer.Argument(metavar="ID", help="Die id des Partners.")]


@partners.command("import")
def import_partners(
    file: Annotated[Path, typer.Argument(metavar="DATEI", help="CSV, XLSX oder JSON nach HSDS 3.")],
    sector: Annotated[
        str | None,
        typer.Option(help="Der Sektor, wo die Datei keinen nennt: verwaltung, wirtschaft, zivilgesellschaft."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Nur prüfen, nichts speichern.")] = False,
    as_json: Json = False,
) -> None:
    """Liest Partner aus einer Datei ein. Was fehlerhaft ist, wird mit Zeile und Spalte genannt, der Rest übernommen."""
    _require_sector(sector)
    settings = load_settings()
    from matching.importer import ImportFileError

    try:
        report = asyncio.run(_import(settings, file, sector, dry_run))
    except ImportFileError as error:
        fail(str(error), 2)
    if as_json:
        write_json(asdict(report))
    else:
        _print_report(report, dry_run)
    raise typer.Exit(1 if report.rejected else 0)


async def _import(settings: Settings, file: Path, sector: str | None, dry_run: bool) -> "ImportReport":
    from matching.importer import import_file
    from matching.places import Places

    taxonomy = _taxonomy(settings)
    with progress_bar(enabled=sys.stderr.isatty(), rate=True) as progress:
        async with open_directory(settings) as database:
            return await import_file(
                file, database.write, _Reader(settings, taxonomy), Places.load(), taxonomy,
                today=today(), sector=sector, dry_run=dry_run, progress=progress,
            )  # fmt: skip


def _print_report(report: "ImportReport", dry_run: bool) -> None:
    for kind, findings in (("abgelehnt", report.rejected), ("Hinweis", report.warnings)):
        for finding in findings:
            where = f"Datensatz {finding.row}" if finding.row else "Datei"
            column = f", {finding.column}" if finding.column else ""
            value = f" „{finding.value}“" if finding.value else ""
            typer.echo(f"{where}{column}{value} ({kind}): {finding.error}")
    typer.echo(
        f"{report.imported} neu, {report.updated} geändert, {report.unchanged} unverändert, {report.rejected_records} abgelehnt."
        + (" Probelauf: nichts gespeichert." if dry_run else "")
    )


@partners.command("export")
def export_partners(
    file: Annotated[
        Path, typer.Argument(metavar="DATEI", help="Wohin geschrieben wird; eine alte Datei wird ersetzt.")
    ],
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, xlsx oder hsds; sonst nach der Endung der Datei.")
    ] = None,
    with_contacts: Annotated[
        bool,
        typer.Option(
            "--with-contacts", help="Mit Ansprechpersonen: personenbezogene Daten, bitte sorgsam aufbewahren."
        ),
    ] = False,
) -> None:
    """Schreibt alle Partner in eine Datei, die sich wieder einlesen lässt."""
    chosen = file_format or {".xlsx": "xlsx", ".json": "hsds"}.get(file.suffix.lower(), "csv")
    settings = load_settings()
    from matching.exporter import FORMATS, export_file

    if chosen not in FORMATS:
        fail(f"Das Format „{chosen}“ gibt es nicht: csv, xlsx oder hsds.", 2)

    async def export() -> int:
        from sqlalchemy.ext.asyncio import AsyncSession

        async with (
            open_directory(settings) as database,
            database.read() as connection,
            AsyncSession(connection) as session,
        ):
            return await export_file(file, session, _taxonomy(settings), chosen, with_contacts=with_contacts)

    try:
        count = asyncio.run(export())
    except OSError as error:
        fail(f"{file} kann nicht geschrieben werden: {error.strerror}.", 2)
    typer.echo(f"{count} Partner in {file} geschrieben{'' if with_contacts else ', ohne Ansprechpersonen'}.")


@partners.command("list")
def list_partners(
    sector: Annotated[
        str | None, typer.Option(help="Nur dieser Sektor: verwaltung, wirtschaft, zivilgesellschaft.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Nur dieser Ort, oder der Anfang einer Postleitzahl.")] = None,
    as_json: Json = False,
) -> None:
    """Zählt die Partner auf."""
    _require_sector(sector)
    settings = load_settings()
    from sqlalchemy import select

    from matching.models import ACTIVE, Organisation
    from matching.places import short_name

    names = ("id", "name", "sector", "postcode", "place", "verified_on")
    query = select(*(getattr(Organisation, name) for name in names)).where(Organisation.status == ACTIVE)
    if sector:
        query = query.where(Organisation.sector == sector)

    async def rows() -> list[dict[str, object]]:
        async with open_directory(settings) as database, database.read() as connection:
            return [dict(row) for row in (await connection.execute(query.order_by(Organisation.id))).mappings()]

    found = asyncio.run(rows())
    if place:
        # Names of places are compared here: databases differ in what they hold for the same letter.
        wanted = short_name(place)
        found = [
            row for row in found if str(row["postcode"]).startswith(place) or short_name(str(row["place"])) == wanted
        ]
    if as_json:
        write_json(found)
        return
    for row in found:
        typer.echo(f"{row['id']}  {row['name']} · {row['sector']} · {row['postcode']} {row['place']}")
    typer.echo(f"{len(found)} Partner.")


@partners.command()
def show(identity: Identity) -> None:
    """Zeigt alles, was über einen Partner gespeichert ist."""
    settings = load_settings()
    from matching.models import OFFER, Organisation
    from matching.records import Item

    async def read() -> Organisation | None:
        from sqlalchemy.ext.asyncio import AsyncSession

        async with (
            open_directory(settings) as database,
            database.read() as connection,
            AsyncSession(connection) as session,
        ):
            return await session.get(Organisation, identity)

    partner = asyncio.run(read()) or _unknown(identity)
    for label, value in (
        ("id", partner.id),
        ("Name", partner.name),
        ("Sektor", partner.sector),
        ("Rechtsform", partner.legal_form),
        ("Beschreibung", partner.description),
        ("Ort", f"{partner.postcode} {partner.place} ({partner.state})"),
        ("Reichweite", partner.reach),
        ("Themen", ", ".join(partner.themes)),
        ("Website", partner.website),
        ("Ansprechperson", partner.contact_name),
        ("E-Mail", partner.contact_email),
        ("Geprüft am", partner.verified_on),
        ("Quelle", partner.source),
        ("Status", partner.status),
    ):
        if value:
            typer.echo(f"{label}: {value}")
    for phrase in partner.phrases:
        kind = phrase.resource + (", von Hand" if phrase.corrected else "")
        typer.echo(f"{'bietet' if phrase.side == OFFER else 'sucht'}: {Item(phrase.text, phrase.until)} [{kind}]")


@partners.command()
def verify(identity: Identity) -> None:
    """Hält fest, dass die Angaben eines Partners heute geprüft worden sind."""
    settings = load_settings()
    day = today()

    async def write() -> bool:
        from matching.models import Organisation
        from matching.records import Record

        async with open_directory(settings) as database, database.write() as session:
            partner = await session.get(Organisation, identity)
            if partner:
                partner.verified_on = day
                # The record is another one now; otherwise its own export would change it once more.
                partner.digest = Record.of(partner).digest()
            return partner is not None

    if not asyncio.run(write()):
        _unknown(identity)
    typer.echo(f"{identity} ist als am {day} geprüft vermerkt.")


class _Reader:
    """The reader of phrases, loaded when the first one is read: a file that cannot be read should say so at once."""

    def __init__(self, settings: Settings, taxonomy: "Taxonomy") -> None:
        self._settings = settings
        self._taxonomy = taxonomy

    @cached_property
    def _phrases(self) -> "Phrases":
        from indexer.embedder import EmbedderError, load_embedder
        from matching.phrases import Phrases

        try:
            return Phrases(load_embedder(self._settings.model), self._taxonomy)
        except EmbedderError as error:
            fail(str(error), 2)

    @property
    def model(self) -> str:
        return self._phrases.model

    def embed(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        return self._phrases.embed(texts)

    def resources(self, vectors: "npt.NDArray[np.float32]") -> list[str]:
        return self._phrases.resources(vectors)


@asynccontextmanager
async def open_directory(settings: Settings) -> AsyncIterator["Database"]:
    """The database of the settings, with the newest tables."""
    from bot.database import Database

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database())
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def _taxonomy(settings: Settings) -> "Taxonomy":
    from knowledge_base.guide import KnowledgeError, load_taxonomy

    try:
        return load_taxonomy(settings.knowledge_base)
    except KnowledgeError as error:
        fail(str(error), 2)


def today() -> date:
    """The day in Germany."""
    from knowledge_base.figures import day_of

    return day_of(time.time())


def _require_sector(sector: str | None) -> None:
    from knowledge_base.guide import SECTORS

    if sector not in (None, *SECTORS):
        fail(f"Den Sektor „{sector}“ gibt es nicht: {', '.join(SECTORS)}.", 2)


def _unknown(identity: str) -> NoReturn:
    fail(f"Einen Partner mit der id „{identity}“ gibt es nicht. `lotse partners list` zählt alle auf.", 1)
