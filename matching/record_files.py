"""Reads the files that partners come in: CSV, XLSX, and JSON after Open Referral HSDS 3."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from knowledge_base.guide import SECTORS, Taxonomy
from matching.models import REACHES, Organisation, Phrase
from matching.records import (
    COLUMNS,
    MOST_PHRASES,
    REQUIRED,
    SEPARATOR,
    Finding,
    Item,
    Row,
    escaped,
    read_date,
    shortened,
    text_length,
)

ROW = "Zeile"  # the column of a finding about a row as a whole
LARGEST_SHEET = 1 << 30  # bytes unpacked: more is a mistake, or meant to exhaust the memory
# What HSDS has no place for, our export keeps in attributes of these link types.
OWN_ATTRIBUTES = ("sektor", "reichweite", "sucht", "geprueft_am")
DEFAULT_REACH = REACHES[0]  # where HSDS says nothing: the one that promises least
_CP1252_LETTERS = frozenset("äöüÄÖÜßéèêëáàâåæçíîïñóôøúû")
_CP1252_SIGNS = frozenset("–—„“”‚‘’»«€§°²³…·•´®© ½¼")
# In other single-byte encodings umlauts are these signs, inside words.
_SIGN_IN_A_WORD = re.compile(r"(?<=[^\W\d_])[€‚„…†‡‹“”•™›¤¦§¨©«¬®±»¿¡¢£¥](?=[^\W\d_])")


class ImportFileError(Exception):
    """The file cannot be read as a whole; the message says why and what to do."""


@dataclass(frozen=True)
class Table:
    """The records of a file in its order. `absent`: columns that it does not have; `total` is only for showing progress."""

    rows: Iterator[Row]
    total: int
    absent: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = ()


def open_file(path: Path, taxonomy: Taxonomy) -> Table:
    """The records of `path`; its content tells what kind of file it is. Raises ImportFileError, also while reading rows."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImportFileError(f"{path} kann nicht gelesen werden: {error.strerror}.") from None
    if not data.strip():
        raise ImportFileError(f"{path.name} ist leer.")
    if data.startswith(b"PK\x03\x04"):
        return _open_xlsx(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ImportFileError(
            f"{path.name} ist eine alte oder verschlüsselte Excel-Datei. Bitte ohne Kennwort als .xlsx speichern."
        )
    text, found = _decoded(data)
    if text.lstrip()[:1] in ("[", "{"):
        return _open_hsds(text, found, taxonomy)
    return _open_csv(text, found)


def _decoded(data: bytes) -> tuple[str, list[Finding]]:
    """The text of a file in UTF-8, or in Windows-1252 where it reads as German."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportFileError("Die Datei ist in UTF-16 gespeichert. Bitte als „CSV UTF-8“ speichern.")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    foreign = [char for char in text if char > "\x7f"]
    letters = sum(char in _CP1252_LETTERS for char in foreign)
    signs = sum(char in _CP1252_SIGNS for char in foreign)
    if not foreign or letters + signs < 0.9 * len(foreign) or _SIGN_IN_A_WORD.search(text):
        raise ImportFileError(
            f"Die Datei ist weder in UTF-8 noch in Windows-1252 gespeichert (zuerst in Zeile {line}). Bitte als „CSV UTF-8“ speichern."
        )
    note = "Die Datei ist in Windows-1252 gespeichert und so gelesen worden. Sicherer ist „CSV UTF-8“."
    return text, [Finding(0, "", "Windows-1252", note)]


def _header(names: Sequence[str]) -> tuple[list[str | None], tuple[str, ...], list[Finding]]:
    """Which column each cell of the header names (None: one to pass over), which are absent, and what to say about it."""
    columns = [_column(name) for name in names]
    known = [column for column in columns if column]
    if missing := [column for column in REQUIRED if column not in known]:
        raise ImportFileError(
            f"In der Kopfzeile fehlt: {', '.join(missing)}. Vorgesehen ist: {', '.join(COLUMNS)} – getrennt durch Komma oder Semikolon."
        )
    if twice := [column for column in COLUMNS if known.count(column) > 1]:
        raise ImportFileError(
            f"In der Kopfzeile steht mehrfach: {', '.join(twice)}. Bitte eine Spalte davon streichen."
        )
    absent = tuple(column for column in COLUMNS if column not in known)
    said = "Diese Spalte fehlt. Gespeicherte Angaben bleiben, wie sie sind."
    found = [Finding(0, column, "", said) for column in absent]
    said = f"Diese Spalte gibt es nicht; sie wird übergangen. Vorgesehen: {', '.join(COLUMNS)}."
    found += [
        Finding(0, shortened(name), "", said)
        for name, column in zip(names, columns, strict=True)
        if name.strip() and not column
    ]
    return columns, absent, found


def _column(name: str) -> str | None:
    name = name.strip().casefold().replace("ü", "ue").replace(" ", "_").replace("-", "_")
    return name if name in COLUMNS else None


def _row(number: int, columns: Sequence[str | None], values: Sequence[str]) -> Row:
    return Row(number, {column: value for column, value in zip(columns, values, strict=False) if column})


# --- CSV ---


def _open_csv(text: str, found: list[Finding]) -> Table:
    lines = list(io.StringIO(text, newline=""))
    delimiter = max(",;", key=lambda mark: _known_columns(lines, mark))
    header, _ = next(_csv_records(lines, delimiter), ([], ""))
    columns, absent, said = _header(header)
    total = sum(1 for _ in _csv_records(lines, delimiter)) - 1
    return Table(_csv_rows(lines, delimiter, columns), total, absent, (*found, *said))


def _known_columns(lines: Sequence[str], delimiter: str) -> int:
    header, _ = next(_csv_records(lines, delimiter), ([], ""))
    return sum(_column(name) is not None for name in header)


def _csv_rows(lines: Sequence[str], delimiter: str, columns: Sequence[str | None]) -> Iterator[Row]:
    records = _csv_records(lines, delimiter)
    next(records)
    for number, (values, broken) in enumerate(records, 1):
        row = _row(number, columns, values)
        if broken:
            row.reject(
                ROW,
                broken,
                "Anführungszeichen stehen nicht paarweise. Bitte jedes im Text verdoppeln und den Wert in Anführungszeichen setzen.",
            )
        elif not any(value.strip() for value in values):
            continue  # spreadsheet programs leave such rows at the end
        elif len(values) < len(columns) or any(value.strip() for value in values[len(columns) :]):
            row.reject(
                ROW, delimiter.join(values),
                f"Die Zeile hat {len(values)} statt {len(columns)} Felder. Bitte Werte, die „{delimiter}“ enthalten, in Anführungszeichen setzen.",
            )  # fmt: skip
        yield row


def _csv_records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[list[str], str]]:
    """The values of every record, or none and the line that cannot be read; blank lines do not count."""
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[number] for number in range(start, len(lines))), delimiter=delimiter, strict=True)
        begin = start
        try:
            for values in reader:
                start = begin + reader.line_num
                if values:
                    yield values, ""
        except csv.Error:
            # A quotation mark too many takes the following lines with it; they are read once more by themselves.
            yield [], lines[start].strip() or '"'
            start += 1


# --- XLSX ---


def _open_xlsx(data: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_SHEET:
                raise ImportFileError("Die Excel-Datei ist entpackt größer als ein Gigabyte. Bitte aufteilen.")
        # Values and formulas cannot be had at once; a formula that was never calculated has no value.
        workbook, formulas = _workbook(data, values=True), _workbook(data, values=False)
        sheet, other = workbook.worksheets[0], formulas.worksheets[0]
        total = (sheet.max_row or 1) - 1
        for each in (sheet, other):
            each.reset_dimensions()  # some programs state them wrongly; all rows are read
        pairs = zip(sheet.iter_rows(), other.iter_rows(values_only=True), strict=True)
        first, _ = next(pairs, ((), ()))
        columns, absent, found = _header([_cell(cell.value, "") for cell in first])
        if len(workbook.worksheets) > 1:
            found.append(
                Finding(0, "", shortened(sheet.title), "Die Datei hat mehrere Blätter. Gelesen wird nur dieses.")
            )
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, SyntaxError):
        raise ImportFileError(
            "Die Datei ist keine lesbare Excel-Datei. Bitte in Excel öffnen und neu als .xlsx speichern."
        ) from None
    return Table(_xlsx_rows(pairs, columns), total, absent, tuple(found))


def _workbook(data: bytes, *, values: bool) -> openpyxl.Workbook:
    with warnings.catch_warnings():
        # What openpyxl leaves out of a file (styles, validation, drawings) is nothing that is read here.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values)


def _xlsx_rows(pairs: Iterator[tuple[Any, ...]], columns: Sequence[str | None]) -> Iterator[Row]:
    number = 0
    try:
        for number, (cells, written) in enumerate(pairs, 1):
            row = _row(
                number, columns, [_cell(cell.value, column or "") for cell, column in zip(cells, columns, strict=False)]
            )
            for cell, formula, column in zip(cells, written, columns, strict=False):
                if column and cell.data_type == "e":
                    row.reject(
                        column,
                        str(cell.value),
                        "Die Zelle zeigt einen Fehler. Bitte die Formel berichtigen oder den Wert eintragen.",
                    )
                # "str" is an empty text as the result.
                elif column and cell.value is None and formula is not None and cell.data_type != "str":
                    row.reject(
                        column,
                        str(formula),
                        "Diese Formel hat keinen berechneten Wert. Bitte in Excel öffnen und speichern oder den Wert eintragen.",
                    )
            beyond = [_cell(cell.value, "") for cell in cells[len(columns) :]]
            if any(beyond):
                row.reject(
                    ROW,
                    " ".join(beyond),
                    "Hinter der letzten Spalte der Kopfzeile steht noch etwas. Bitte streichen oder die Spalte benennen.",
                )
            if row.errors or any(value.strip() for value in row.cells.values()):
                yield row
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError):
        raise ImportFileError(
            f"Die Excel-Datei ist nach Datensatz {number} beschädigt. Bitte in Excel öffnen und neu als .xlsx speichern."
        ) from None


def _cell(value: Any, column: str) -> str:  # noqa: ANN401 - whatever a cell may hold
    """A cell's value as it would stand in a CSV file."""
    match value:
        case None:
            return ""
        case bool():
            return "WAHR" if value else "FALSCH"
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case int() | float() if float(value).is_integer():
            # As a number, a postcode has lost its leading zero.
            return f"{int(value):05d}" if column == "plz" else str(int(value))
        case _:
            return str(value)


# --- HSDS ---


def _open_hsds(text: str, found: list[Finding], taxonomy: Taxonomy) -> Table:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (Zeile {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ImportFileError(f"Die Datei ist kein gültiges JSON{where}. Bitte neu exportieren.") from None
    if isinstance(content, dict):
        content = content.get("contents")
    if not isinstance(content, list):
        raise ImportFileError(
            'Die Datei ist nicht nach HSDS 3 aufgebaut: Erwartet wird eine Liste von Organisationen oder {"contents": [...]}.'
        )
    return Table(_hsds_rows(content, taxonomy), len(content), (), tuple(found))


def _hsds_rows(organisations: list[Any], taxonomy: Taxonomy) -> Iterator[Row]:
    for number, organisation in enumerate(organisations, 1):
        row = Row(number, {})
        if isinstance(organisation, dict):
            _map_hsds(organisation, row, taxonomy)
        else:
            row.reject(ROW, str(organisation), "Das ist keine Organisation. Bitte ein JSON-Objekt nach HSDS 3 angeben.")
        yield row


def _map_hsds(organisation: dict[str, Any], row: Row, taxonomy: Taxonomy) -> None:
    """Fill the row's cells from an organisation with what is nested in it."""
    services = [
        service
        for service in _objects(organisation, "services")
        if service.get("status") not in ("inactive", "defunct")
    ]
    attributes = [entry for owner in (organisation, *services) for entry in _objects(owner, "attributes")]
    terms = [entry for entry in attributes if entry.get("link_type") not in OWN_ATTRIBUTES]
    address = _address(organisation, services)
    contacts = [entry for owner in (organisation, *services) for entry in _objects(owner, "contacts")]
    contact = next((entry for entry in contacts if _string(entry, "name") or _string(entry, "email")), {})
    checked = _own(attributes, "geprueft_am") or [_string(service, "assured_date") for service in services]
    offers = _at_most([_offer(service) for service in services], "bietet", row)
    needs = _at_most(_own(attributes, "sucht"), "sucht", row)
    reach = next(iter(_own(attributes, "reichweite")), "")
    if not reach:
        row.warn("reichweite", "", f"HSDS nennt keine Reichweite; übernommen wird „{DEFAULT_REACH}“.")
    row.cells |= {
        "id": _string(organisation, "id"),
        "name": escaped(_string(organisation, "name")),
        "sektor": next(iter(_own(attributes, "sektor")), "") or _sector(terms, taxonomy),
        "rechtsform": escaped(_string(organisation, "legal_status")),
        "beschreibung": escaped(_description(organisation, row)),
        "plz": _string(address, "postal_code"),
        "ort": escaped(_string(address, "city")),
        "reichweite": reach or DEFAULT_REACH,
        "themen": SEPARATOR.join(_themes(terms, taxonomy)),
        "bietet": SEPARATOR.join(offers),
        "sucht": SEPARATOR.join(needs),
        "website": _string(organisation, "website"),
        "kontakt_name": escaped(_string(contact, "name")),
        "kontakt_email": _string(contact, "email") or _string(organisation, "email"),
        "geprueft_am": max(checked, default=""),
    }


def _offer(service: dict[str, Any]) -> str:
    """A service as a phrase: its name, with its description where both are short, and until when it is offered."""
    limit = text_length(Phrase, "text")
    name, description = _string(service, "name"), _string(service, "description")
    both = f"{name}: {description}"
    text = both if description and description != name and len(both) <= limit else name
    ends = [_string(schedule, "valid_to") for schedule in _objects(service, "schedules")]
    item = Item(text, read_date(max(ends)) if ends and all(ends) else None)
    return escaped(str(item).replace(SEPARATOR, ","))


def _address(organisation: dict[str, Any], services: list[dict[str, Any]]) -> dict[str, Any]:
    """The first address with a postcode, a physical one before others."""
    at_locations = [entry for service in services for entry in _objects(service, "service_at_locations")]
    locations = [
        *_objects(organisation, "locations"),
        *(entry["location"] for entry in at_locations if isinstance(entry.get("location"), dict)),
    ]
    addresses = [
        entry for location in locations for entry in _objects(location, "addresses") if _string(entry, "postal_code")
    ]
    return min(addresses, key=lambda entry: entry.get("address_type") != "physical", default={})


def _sector(attributes: list[dict[str, Any]], taxonomy: Taxonomy) -> str:
    titles = {label.title.casefold(): sector for sector, label in taxonomy.sectors.items()}
    for attribute in attributes:
        for name in _names(attribute):
            if name in SECTORS or name in titles:
                return titles.get(name, name)
    return ""


def _themes(attributes: list[dict[str, Any]], taxonomy: Taxonomy) -> list[str]:
    titles = {topic.title.casefold(): theme for theme, topic in taxonomy.themes.items()}
    found = [titles.get(name, name) for attribute in attributes for name in _names(attribute)]
    return [theme for theme in dict.fromkeys(found) if theme in taxonomy.themes]


def _names(attribute: dict[str, Any]) -> list[str]:
    """What an attribute may be known by: its value, and code and name of its term."""
    term = attribute.get("taxonomy_term")
    term = term if isinstance(term, dict) else {}
    return [
        text.casefold() for text in (_string(attribute, "value"), _string(term, "code"), _string(term, "name")) if text
    ]


def _own(attributes: list[dict[str, Any]], column: str) -> list[str]:
    """The values of our own attributes of one type."""
    values = [_string(attribute, "value") for attribute in attributes if attribute.get("link_type") == column]
    return [escaped(value.replace(SEPARATOR, ",")) for value in values if value]


def _description(organisation: dict[str, Any], row: Row) -> str:
    text = _string(organisation, "description")
    limit = text_length(Organisation, "description")
    if len(text) <= limit:
        return text
    row.warn("beschreibung", text, f"Die Beschreibung ist länger als {limit} Zeichen und wird gekürzt.")
    return f"{text[: limit - 1].rpartition(' ')[0]}…"


def _at_most(phrases: list[str], column: str, row: Row) -> list[str]:
    if len(phrases) > MOST_PHRASES:
        row.warn(
            column,
            phrases[MOST_PHRASES],
            f"Das sind {len(phrases)} Einträge; die ersten {MOST_PHRASES} werden übernommen.",
        )
    return phrases[:MOST_PHRASES]


def _objects(owner: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = owner.get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _string(owner: dict[str, Any], name: str) -> str:
    value = owner.get(name)
    return " ".join(str(value).split()) if isinstance(value, str | int) and not isinstance(value, bool) else ""
