"""Writes the directory to a file that can be imported again: CSV, XLSX, or JSON after Open Referral HSDS 3."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge_base.guide import Taxonomy
from matching.models import ACTIVE, Organisation
from matching.records import COLUMNS, Item, Record

FORMATS = ("csv", "xlsx", "hsds")
PAGE = 500

Writer = Callable[[Record], None]


async def export_file(
    path: Path, session: AsyncSession, taxonomy: Taxonomy, file_format: str, *, with_contacts: bool
) -> int:
    """Write every active organisation to `path`, one of `FORMATS`; returns how many.

    Contacts are left out unless asked for. A file that exists is replaced only when all is written. Raises OSError.
    """
    count = 0
    writing = path.with_name(f".{path.name}.part")
    try:
        with _writer(writing, taxonomy, file_format, with_contacts) as write:
            async for organisation in _organisations(session):
                write(Record.of(organisation))
                count += 1
        writing.replace(path)
    finally:
        writing.unlink(missing_ok=True)
    return count


async def _organisations(session: AsyncSession) -> AsyncIterator[Organisation]:
    """The active organisations by id, read in pages."""
    last = ""
    while True:
        query = select(Organisation).where(Organisation.status == ACTIVE, Organisation.id > last)
        page = (await session.scalars(query.order_by(Organisation.id).limit(PAGE))).all()
        for organisation in page:
            yield organisation
        if len(page) < PAGE:
            return
        last = page[-1].id
        session.expunge_all()


def _writer(path: Path, taxonomy: Taxonomy, file_format: str, with_contacts: bool) -> AbstractContextManager[Writer]:
    match file_format:
        case "csv":
            return _csv_writer(path, with_contacts)
        case "xlsx":
            return _xlsx_writer(path, with_contacts)
        case "hsds":
            return _hsds_writer(path, taxonomy, with_contacts)
        case _:
            raise ValueError(file_format)


@contextmanager
def _csv_writer(path: Path, with_contacts: bool) -> Iterator[Writer]:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        yield lambda record: rows.writerow(record.cells(with_contacts=with_contacts))


@contextmanager
def _xlsx_writer(path: Path, with_contacts: bool) -> Iterator[Writer]:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Partner")
    sheet.append(list(COLUMNS))
    # Cells are texts, dates and postcodes too: no program then reads something else into them.
    yield lambda record: sheet.append(list(record.cells(with_contacts=with_contacts).values()))
    workbook.save(path)


@contextmanager
def _hsds_writer(path: Path, taxonomy: Taxonomy, with_contacts: bool) -> Iterator[Writer]:
    with path.open("w", encoding="utf-8") as file:
        separator = "[\n"

        def write(record: Record) -> None:
            nonlocal separator
            file.write(separator + json.dumps(_hsds(record, taxonomy, with_contacts), ensure_ascii=False))
            separator = ",\n"

        yield write
        file.write("[]\n" if separator == "[\n" else "\n]\n")


def _hsds(record: Record, taxonomy: Taxonomy, with_contacts: bool) -> dict[str, Any]:
    """A record as an organisation of HSDS 3. What HSDS has no place for stands in attributes (record_files.OWN_ATTRIBUTES)."""
    own = [("sektor", record.sector), ("reichweite", record.reach)]
    own += [("sucht", str(need)) for need in record.needs]
    own += [("geprueft_am", str(record.verified_on))] if record.verified_on else []
    attributes: list[dict[str, Any]] = [
        {"id": f"{record.id}-a{number}", "link_type": kind, "value": value} for number, (kind, value) in enumerate(own)
    ]
    attributes += [
        {
            "id": f"{record.id}-{theme}",
            "link_type": "thema",
            "value": theme,
            "taxonomy_term": {
                "id": theme,
                "code": theme,
                "name": taxonomy.themes[theme].title if theme in taxonomy.themes else theme,
                "description": "",
                "taxonomy": "Kooperationslotse",
            },
        }
        for theme in record.themes
    ]
    organisation: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "legal_status": record.legal_form,
        "services": [_service(f"{record.id}-s{number}", item) for number, item in enumerate(record.offers)],
        "locations": [_location(record)],
        "attributes": attributes,
    }
    if record.website:
        organisation["website"] = record.website
    if with_contacts and (record.contact_name or record.contact_email):
        contact = {"id": f"{record.id}-c", "name": record.contact_name, "email": record.contact_email}
        organisation["contacts"] = [{name: value for name, value in contact.items() if value}]
    return organisation


def _service(identity: str, item: Item) -> dict[str, Any]:
    service: dict[str, Any] = {"id": identity, "name": item.text, "status": "active"}
    if item.until:
        service["schedules"] = [{"id": f"{identity}-w", "valid_to": str(item.until)}]
    return service


def _location(record: Record) -> dict[str, Any]:
    address = {
        "id": f"{record.id}-p",
        "address_1": "",  # HSDS wants it; the directory knows no streets
        "city": record.place,
        "state_province": record.at.state,
        "postal_code": record.postcode,
        "country": "DE",
        "address_type": "physical",
    }
    return {
        "id": f"{record.id}-l",
        "location_type": "physical",
        "latitude": record.at.latitude,
        "longitude": record.at.longitude,
        "addresses": [address],
    }
