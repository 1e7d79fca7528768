"""Files of partners: what is right comes in, what is wrong is named, and nothing happens twice or half."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from matching import importer
from matching.importer import SAMPLES, ImportFileError, import_file
from matching.models import REMOVED, Organisation, Phrase, text_digest
from matching.places import Places
from matching.records import COLUMNS
from tests.unit.matching.fakes import GOOD, TAXONOMY, TODAY, FakeReader, contents, record, run, write_csv

# What is changed in a good record, and the columns that must be named for it.
BAD: list[tuple[dict[str, str], set[str]]] = [
    ({"id": ""}, {"id"}),
    ({"id": "a b"}, {"id"}),
    ({"id": "x" * 41}, {"id"}),
    ({"id": "größe"}, {"id"}),
    ({"id": "good-1"}, {"id"}),
    ({"name": ""}, {"name"}),
    ({"name": "\u200b "}, {"name"}),
    ({"name": "x" * 121}, {"name"}),
    ({"name": "<script>alert(1)</script>"}, {"name"}),
    ({"name": '=HYPERLINK("http://evil.example")'}, {"name"}),
    ({"name": "Verein\x07"}, {"name"}),
    ({"name": "\u202eniereV"}, {"name"}),
    ({"name": "BÃ¼cherei"}, {"name"}),
    ({"name": "B\ufffdcherei"}, {"name"}),
    ({"sektor": ""}, {"sektor"}),
    ({"sektor": "kirche"}, {"sektor"}),
    ({"rechtsform": "@SUM(A1)"}, {"rechtsform"}),
    ({"rechtsform": "x" * 61}, {"rechtsform"}),
    ({"beschreibung": "x" * 601}, {"beschreibung"}),
    ({"beschreibung": "\tText"}, {"beschreibung"}),
    ({"beschreibung": "\r=1+1"}, {"beschreibung"}),
    ({"beschreibung": 'Ein <a href="x">Link</a>'}, {"beschreibung"}),
    ({"plz": ""}, {"plz"}),
    ({"plz": "4413"}, {"plz"}),
    ({"plz": "D-44139"}, {"plz"}),
    ({"plz": "00000"}, {"plz"}),
    ({"plz": "10115"}, {"plz"}),  # Berlin's
    ({"ort": ""}, {"ort"}),
    ({"ort": "Entenhausen"}, {"ort"}),
    ({"ort": "44139 Dortmund"}, {"ort"}),
    ({"plz": "06108", "ort": "Halle (Westf.)"}, {"plz"}),
    ({"reichweite": ""}, {"reichweite"}),
    ({"reichweite": "weltweit"}, {"reichweite"}),
    ({"themen": "bildung;bildunk"}, {"themen"}),
    ({"bietet": ";".join(f"Ding {number}" for number in range(9))}, {"bietet"}),
    ({"bietet": "Saal; -cmd|calc"}, {"bietet"}),
    ({"bietet": "Saal (bis 2027-02-30)"}, {"bietet"}),
    ({"sucht": "x" * 201}, {"sucht"}),
    ({"sucht": "<b>Geld</b>"}, {"sucht"}),
    ({"website": "javascript:alert(1)"}, {"website"}),
    ({"website": "www.verein.example"}, {"website"}),
    ({"website": "https://user:secret@verein.example"}, {"website"}),
    ({"website": "https://localhost/"}, {"website"}),
    ({"website": "https://verein.example/a b"}, {"website"}),
    ({"website": "https://[verein"}, {"website"}),
    ({"website": f"https://verein.example/{'x' * 200}"}, {"website"}),
    ({"kontakt_name": "+cmd"}, {"kontakt_name"}),
    ({"kontakt_email": "ada(at)buecher.example"}, {"kontakt_email"}),
    ({"kontakt_email": "ada@buecher"}, {"kontakt_email"}),
    ({"geprueft_am": "2026-11-25"}, {"geprueft_am"}),
    ({"geprueft_am": "31.02.2026"}, {"geprueft_am"}),
    ({"geprueft_am": "gestern"}, {"geprueft_am"}),
    ({"geprueft_am": "1926-05-01"}, {"geprueft_am"}),
    ({"sektor": "kirche", "plz": "123", "kontakt_email": "ada"}, {"sektor", "plz", "kontakt_email"}),
]


async def test_every_bad_row_is_named_and_stops_no_good_one(database: Database, tmp_path: Path) -> None:
    records, expected = [GOOD | {"id": "good-1"}], set()
    for number, (changes, columns) in enumerate(BAD):
        records.append(record(number, **changes))
        expected |= {(len(records), column) for column in columns}
        records.append(GOOD | {"id": f"good-after-{number}"})
    report = await run(database, write_csv(tmp_path / "a.csv", records))
    assert {(finding.row, finding.column) for finding in report.rejected} == expected
    assert len(report.rejected) == len(expected)
    assert report.rejected_records == len(BAD)
    assert report.imported == len(BAD) + 1
    stored = (await contents(database))["organisations"]
    assert set(stored) == {"good-1", *(f"good-after-{number}" for number in range(len(BAD)))}
    for finding in report.rejected:
        assert len(finding.value) <= 60
        assert finding.value.isprintable()
        assert finding.error.endswith(".")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sektor": "kirche"}, "verwaltung, wirtschaft, zivilgesellschaft"),
        ({"reichweite": "weltweit"}, "lokal, kreis, land, bund"),
        ({"themen": "bildunk"}, "Ähnlich: bildung"),
        ({"themen": "Nachhilfe"}, "Ähnlich: bildung"),
        ({"plz": "1067", "ort": "Dresden"}, "01067"),
        ({"ort": "Dortmnud"}, "Dortmund"),
        ({"plz": "10115"}, "(Berlin), nicht Dortmund"),
        ({"bietet": "x" * 250}, "auf 200 kürzen"),
        ({"id": "a2"}, "Datensatz 1"),
    ],
)
async def test_an_error_says_how_to_mend_it(
    database: Database, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    report = await run(database, write_csv(tmp_path / "a.csv", [record(2), record(3, **changes)]))
    (finding,) = report.rejected
    assert says in finding.error


async def test_rows_that_are_no_records_do_not_take_others_with_them(database: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [record(1)])
    good = path.read_text(encoding="utf-8").splitlines()[1]
    lines = [
        'b1,"offen,zivilgesellschaft', good.replace("a1", "a2", 1), "b2,zu,wenig", good.replace("a1", "a3", 1) + ",mehr",
        "", ",,,,,,,,,,,,,,", good.replace("a1", "a4", 1), 'b3,"zu" viel,x', good.replace("a1", "a5", 1), 'b4,"bis zum Ende',
    ]  # fmt: skip
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(lines), encoding="utf-8")
    report = await run(database, path)
    assert [(finding.row, finding.column) for finding in report.rejected] == [
        (row, "Zeile") for row in (2, 4, 5, 8, 10)
    ]
    assert set((await contents(database))["organisations"]) == {"a1", "a2", "a4", "a5"}


async def test_what_a_record_says_is_stored(database: Database, tmp_path: Path) -> None:
    odd = record(
        1,
        name="  Bücher-\u00adBrücke\n e. V.  ",
        sektor="Zivilgesellschaft",
        beschreibung='Erste Zeile\r\nZweite, mit „Gänsefüßen“ und "Strichen"; Fußnote',
        bietet="Lagerhalle am Wochenende (bis 2027-03-31);\n Beamer (bis 31.03.2027) ;; 20 gebrauchte Laptops; Seminarraum (bis 50); beamer",
        sucht="bis zu 2.500 Euro (bis 2.500); '-Zeichen am Anfang",
        kontakt_email="Ada@BUECHER.example",
        geprueft_am="1.5.2026",
    )
    report = await run(database, write_csv(tmp_path / "a.csv", [odd]))
    assert not report.rejected
    assert [(finding.row, finding.column, finding.value) for finding in report.warnings] == [(1, "bietet", "beamer")]
    stored = await contents(database)
    partner = stored["organisations"]["a1"]
    assert partner["name"] == "Bücher-Brücke e. V."
    assert partner["sector"] == "zivilgesellschaft"
    assert partner["description"] == 'Erste Zeile Zweite, mit „Gänsefüßen“ und "Strichen"; Fußnote'
    assert partner["themes"] == ["bildung", "kultur"]
    assert partner["state"] == "NW"
    assert Places.load().find("44139")[0].latitude == partner["latitude"]
    assert partner["contact_email"] == "Ada@buecher.example"
    assert (partner["source"], partner["status"]) == ("a.csv", "active")
    assert partner["verified_on"].isoformat() == "2026-05-01"
    phrases = [
        (phrase["side"], phrase["position"], phrase["text"], phrase["until"]) for phrase in stored["phrases"]["a1"]
    ]
    end = date(2027, 3, 31)
    assert phrases == [
        ("offer", 0, "Lagerhalle am Wochenende", end),
        ("offer", 1, "Beamer", end),
        ("offer", 2, "20 gebrauchte Laptops", None),
        ("offer", 3, "Seminarraum (bis 50)", None),
        ("need", 0, "bis zu 2.500 Euro (bis 2.500)", None),
        ("need", 1, "-Zeichen am Anfang", None),
    ]


@pytest.mark.parametrize(
    ("postcode", "place", "state"),
    [
        ("06108", "Halle", "ST"),
        ("33790", "Halle", "NW"),
        ("60311", "Frankfurt", "HE"),
        ("15230", "Frankfurt", "BB"),
        ("49632", "Essen", "NI"),
        ("22765", "Hamburg-Altona", "HH"),
        ("89231", "Neu-Ulm", "BY"),
        ("28195", "Bremen", "HB"),
    ],
)
async def test_namesakes_are_told_apart_by_the_postcode(
    database: Database, tmp_path: Path, postcode: str, place: str, state: str
) -> None:
    report = await run(database, write_csv(tmp_path / "a.csv", [record(1, plz=postcode, ort=place)]))
    assert not report.rejected
    partner = (await contents(database))["organisations"]["a1"]
    assert (partner["state"], partner["place"]) == (state, place)


@pytest.mark.parametrize(("postcode", "place"), [("11011", "Berlin"), ("44122", "Dortmund")])
async def test_a_large_recipients_postcode_is_taken_with_a_warning(
    database: Database, tmp_path: Path, postcode: str, place: str
) -> None:
    records = [record(1, plz=postcode, ort=place), record(2, plz=postcode, ort="München")]
    report = await run(database, write_csv(tmp_path / "a.csv", records))
    assert [(finding.row, finding.column) for finding in report.warnings] == [(1, "plz")]
    assert [(finding.row, finding.column) for finding in report.rejected] == [(2, "plz")]


async def test_the_same_file_twice_changes_nothing(database: Database) -> None:
    reader = FakeReader()
    first = await run(database, SAMPLES, reader)
    before = await contents(database)
    assert (first.imported, first.rejected, first.warnings) == (150, [], [])
    assert len(reader.calls) == 1  # of a batch, in one call
    assert len(set(reader.calls[0])) == len(reader.calls[0])
    second = await run(database, SAMPLES, reader)
    assert (second.imported, second.updated, second.unchanged) == (0, 0, 150)
    assert await contents(database) == before
    assert len(reader.calls) == 1


async def test_vectors_are_kept_once_and_as_float16(database: Database, tmp_path: Path) -> None:
    reader = FakeReader()
    await run(database, write_csv(tmp_path / "a.csv", [record(1), record(2)]), reader)
    await run(database, write_csv(tmp_path / "b.csv", [record(3, bietet="Lesepaten; Neues")]), reader)
    assert reader.calls == [["Lesepaten", "Saal mit Bühne", "Transporter"], ["Neues"]]
    stored = await contents(database)
    assert {model for _, model in stored["vectors"]} == {"fake"}
    vector = np.frombuffer(stored["vectors"][text_digest("Neues"), "fake"], dtype=np.float16)
    assert vector == pytest.approx(FakeReader().embed(["Neues"])[0], abs=1e-3)
    assert stored["phrases"]["a3"][1]["resource"] == reader.resources(reader.embed(["Neues"]))[0]


async def test_another_model_gets_its_own_vectors(database: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [record(1)])
    await run(database, path)
    other = FakeReader()
    other.model = "other"
    report = await run(database, path, other)
    assert report.unchanged == 1
    assert other.calls == [["Lesepaten", "Saal mit Bühne", "Transporter"]]


async def test_an_update_replaces_phrases_and_keeps_what_people_entered(database: Database, tmp_path: Path) -> None:
    await run(database, write_csv(tmp_path / "a.csv", [record(1), record(2)]))
    async with database.write() as session:
        saal = Phrase.text == "Saal mit Bühne"
        await session.execute(update(Phrase).where(saal).values(resource="raeume", corrected=True, amount="1"))
        await session.execute(update(Organisation).where(Organisation.id == "a1").values(languages=["de"]))
    changed = record(1, name="Neuer Name", bietet="Neues; Saal mit Bühne", sucht="")
    report = await run(database, write_csv(tmp_path / "b.csv", [changed, record(2)]))
    assert (report.updated, report.unchanged) == (1, 1)
    stored = await contents(database)
    partner = stored["organisations"]["a1"]
    assert (partner["name"], partner["source"], partner["languages"]) == ("Neuer Name", "b.csv", ["de"])
    new, kept = stored["phrases"]["a1"]
    assert (new["text"], new["corrected"], new["amount"]) == ("Neues", False, None)
    assert (kept["text"], kept["position"], kept["resource"]) == ("Saal mit Bühne", 1, "raeume")
    assert (kept["corrected"], kept["amount"]) == (True, "1")
    assert stored["organisations"]["a2"]["source"] == "a.csv"


async def test_what_a_file_does_not_say_stays(database: Database, tmp_path: Path) -> None:
    await run(database, write_csv(tmp_path / "a.csv", [record(1)]))
    async with database.write() as session:
        await session.execute(update(Organisation).values(status=REMOVED))
    silent = record(1, kontakt_name="", kontakt_email="", geprueft_am="2026-04-01")
    report = await run(database, write_csv(tmp_path / "b.csv", [silent]))
    assert report.unchanged == 1
    path = tmp_path / "c.csv"
    path.write_text(
        "id,name,sektor,plz,ort,reichweite\na1,Neuer Name,zivilgesellschaft,44139,Dortmund,bund\n", encoding="utf-8"
    )
    report = await run(database, path)
    assert report.updated == 1
    assert {finding.column for finding in report.warnings} == set(COLUMNS) - {
        "id",
        "name",
        "sektor",
        "plz",
        "ort",
        "reichweite",
    }
    stored = await contents(database)
    partner = stored["organisations"]["a1"]
    assert (partner["name"], partner["reach"], partner["status"]) == ("Neuer Name", "bund", REMOVED)
    assert (partner["contact_name"], partner["contact_email"]) == ("Ada Muster", "ada@buecher.example")
    assert partner["verified_on"].isoformat() == "2026-05-01"
    assert partner["website"] == "https://buecher.example"
    assert len(stored["phrases"]["a1"]) == 3


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 6, 7])
async def test_killed_anywhere_and_run_again_is_as_if_run_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(importer, "BATCH", 3)
    records = [record(number, bietet=f"Ding {number}; Lesepaten") for number in range(10)]
    path = write_csv(tmp_path / "a.csv", [*records[:4], record(99, plz="1"), *records[4:]])
    transactions = 0

    @asynccontextmanager
    async def killing() -> AsyncIterator[AsyncSession]:
        nonlocal transactions
        transactions += 1
        async with database.write() as session:
            yield session
            if transactions == at:  # all is written, but not committed
                raise KilledError

    await run(database, SAMPLES)
    with pytest.raises(KilledError):
        await import_file(path, killing, FakeReader(), Places.load(), TAXONOMY, today=TODAY)
    between = set((await contents(database))["organisations"])
    complete = max(0, at - 1) // 2  # batches: one transaction to look, one to store
    assert len(between & {entry["id"] for entry in records}) == len(records[: [0, 3, 5, 8][complete]])
    report = await run(database, path)
    assert report.imported + report.unchanged == 10
    await _is_as_if_run_once(database, path, tmp_path)


async def _is_as_if_run_once(database: Database, path: Path, folder: Path) -> None:
    clean = Database(f"sqlite+aiosqlite:///{folder / 'clean.db'}")
    await clean.migrate()
    await run(clean, SAMPLES)
    await run(clean, path)
    assert await contents(database) == await contents(clean)
    await clean.close()


async def test_a_dry_run_says_all_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    await run(database, SAMPLES)
    await run(database, write_csv(tmp_path / "a.csv", [record(1), record(2)]))
    before = await contents(database)
    reader = FakeReader()
    path = write_csv(tmp_path / "b.csv", [record(1, name="Neu"), record(2), record(3), record(4, plz="1")])
    report = await run(database, path, reader, dry_run=True)
    assert (report.imported, report.updated, report.unchanged, report.rejected_records) == (1, 1, 1, 1)
    assert await contents(database) == before
    assert reader.calls == []


async def test_the_first_real_record_removes_the_samples(database: Database, tmp_path: Path) -> None:
    await run(database, SAMPLES)
    report = await run(database, write_csv(tmp_path / "bad.csv", [record(1, plz="1")]))
    assert report.imported == 0
    assert len((await contents(database))["organisations"]) == 150
    real = record(1, id="p001", kontakt_name="", kontakt_email="")  # the id of a sample
    report = await run(database, write_csv(tmp_path / "a.csv", [real]))
    assert (report.imported, report.updated) == (1, 0)
    stored = await contents(database)
    assert list(stored["organisations"]) == list(stored["phrases"]) == ["p001"]
    assert stored["organisations"]["p001"]["contact_name"] is None
    assert len(stored["phrases"]["p001"]) == 3


async def test_samples_that_a_real_file_lists_become_its_own(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 20)
    await run(database, SAMPLES)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(SAMPLES.read_bytes())
    assert (await run(database, copy)).unchanged == 150
    assert {partner["source"] for partner in (await contents(database))["organisations"].values()} == {"Muster"}
    lines = SAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    real = write_csv(tmp_path / "real.csv", [record(1)]).read_text(encoding="utf-8").splitlines(keepends=True)[1]
    copy.write_text("".join([*lines[:51], real, *lines[51:141]]), encoding="utf-8")
    report = await run(database, copy)
    assert report.imported + report.unchanged == 141
    before = await contents(database)
    assert len(before["organisations"]) == 141
    assert {partner["source"] for partner in before["organisations"].values()} == {"copy.csv"}
    assert (await run(database, copy)).unchanged == 141
    assert await contents(database) == before


# --- kinds of files ---


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_csv_of_any_usual_kind_is_read(database: Database, tmp_path: Path, delimiter: str, encoding: str) -> None:
    report = await run(database, write_csv(tmp_path / "a.csv", [record(1), record(2)], delimiter, encoding))
    assert (report.imported, report.rejected) == (2, [])
    assert [(finding.row, finding.value) for finding in report.warnings] == (
        [(0, "Windows-1252")] if encoding == "cp1252" else []
    )
    assert (await contents(database))["organisations"]["a1"]["name"] == GOOD["name"]


GERMAN = "Größere Städte fördern Büchereien, Straßenfeste und öffentliche Plätze: Übung, Ärzte, Öfen, Köln"


def header_and(*lines: str) -> str:
    return "\n".join([",".join(COLUMNS), *lines])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "leer"),
        (b" \n\n", "leer"),
        (header_and(GERMAN).encode("utf-16"), "UTF-16"),
        (header_and(GERMAN).encode("cp850"), "weder in UTF-8 noch in Windows-1252"),
        (header_and("Städte und Köln").encode("cp850"), "weder in UTF-8 noch in Windows-1252"),
        (header_and(GERMAN).encode("mac-roman"), "weder in UTF-8 noch in Windows-1252"),
        (header_and("Привет").encode("cp1251"), "weder in UTF-8 noch in Windows-1252"),
        (header_and(GERMAN).encode() + b"\n\xe4\n", "Zeile 3"),
        (b"id,name,sektor,ort\na,b,c,d\n", "plz, reichweite"),
        (b"a1,Verein,zivilgesellschaft\n", "In der Kopfzeile fehlt: id, name, sektor, plz, ort, reichweite"),
        (b"id,name,name,sektor,plz,ort,reichweite\n", "mehrfach: name"),
        (b"PK\x03\x04 no archive", "keine lesbare Excel-Datei"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "alte oder verschl"),
        (b'{"contents": 5}', "HSDS"),
        (b'[{"id": ', "kein gültiges JSON"),
        (b"[" * 200_000, "kein gültiges JSON"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_a_reason(
    database: Database, tmp_path: Path, data: bytes, says: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(ImportFileError, match=says):
        await run(database, path)


async def test_odd_headers_are_understood_or_reported(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Bemerkung, ID ,Name,Sektor,PLZ,Ort,Reichweite,geprüft am\nx,a1,Verein,wirtschaft,44139,Dortmund,bund,01.02.2026\n",
        encoding="utf-8",
    )
    report = await run(database, path)
    assert report.imported == 1
    assert "Bemerkung" in [finding.value for finding in report.warnings] + [
        finding.column for finding in report.warnings
    ]
    path.write_text(header_and(""), encoding="utf-8")
    report = await run(database, path)
    assert [finding.error for finding in report.warnings] == ["Die Datei enthält keinen Datensatz."]
    with pytest.raises(ImportFileError, match="kann nicht gelesen werden"):
        await run(database, tmp_path / "gibt-es-nicht.csv")


async def test_xlsx_cells_are_read_by_their_values(database: Database, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(list(COLUMNS))
    dresden: dict[str, Any] = {
        **record(1),
        "id": 17,
        "plz": 1067,
        "ort": "Dresden",
        "geprueft_am": datetime(2026, 9, 16),  # noqa: DTZ001 - Excel knows no zones
    }
    sheet.append(list(dresden.values()))
    sheet.append(list((record(2) | {"plz": 44139.0, "geprueft_am": ""}).values()))
    sheet.append([])
    sheet.append(list(record(3, name="=1+1").values()))  # a formula that was never calculated
    error = list(record(4).values())
    sheet.append(error)
    sheet.cell(6, 2).value = "#REF!"
    sheet.append(list(record(5).values()))
    sheet.cell(7, 3).value = "=A1"  # replaced below by what Excel writes
    sheet.append([*record(6).values(), "mehr"])
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    _calculate(path, "C7", "wirtschaft")
    report = await run(database, path)
    assert [(finding.row, finding.column) for finding in report.rejected] == [(4, "name"), (5, "name"), (7, "Zeile")]
    stored = (await contents(database))["organisations"]
    assert set(stored) == {"17", "a2", "a5"}
    assert stored["17"]["postcode"] == "01067"
    assert stored["17"]["verified_on"].isoformat() == "2026-09-16"
    assert stored["a2"]["postcode"] == "44139"
    assert stored["a5"]["sector"] == "wirtschaft"


def _calculate(path: Path, cell: str, value: str) -> None:
    """Put a result beside a formula, as a spreadsheet program does on saving; openpyxl cannot."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    start = sheet.index(f'<c r="{cell}"')
    end = sheet.index("</c>", start)
    new = f'<c r="{cell}" t="str"><f>A1</f><v>{value}</v>'
    parts["xl/worksheets/sheet1.xml"] = (sheet[:start] + new + sheet[end:]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def hsds(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An organisation as other directories export it."""
    return {
        "id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610",
        "name": "Tafel Dortmund",
        "description": "- Lebensmittel\n- Beratung",
        "email": "info@tafel.example",
        "website": "https://tafel.example",
        "legal_status": "e. V.",
        "services": [
            {"id": "1", "name": "Ausgabe", "description": "Lebensmittel; jeden Tag", "status": "active",
             "schedules": [{"id": "x", "valid_to": "2027-03-31"}], "assured_date": "2026-03-01"},
            {"id": "2", "name": "Beratung", "description": "x" * 300, "status": "active"},
            {"id": "3", "name": "Früher", "status": "defunct"},
        ],
        "locations": [
            {"id": "1", "addresses": [
                {"id": "1", "city": "Berlin", "postal_code": "10115", "address_type": "postal"},
                {"id": "2", "city": "Dortmund", "postal_code": "44139", "address_type": "physical"},
            ]},
        ],
        "contacts": [{"id": "1", "name": "Ada Muster", "email": "ada@tafel.example"}],
        "attributes": [
            {"id": "1", "taxonomy_term": {"id": "1", "code": "armut-soziales", "name": "x"}},
            {"id": "2", "taxonomy_term": {"id": "2", "code": "99", "name": "Bildung & Schule"}},
            {"id": "3", "taxonomy_term": {"id": "3", "code": "food-bank", "name": "Food bank"}},
            {"id": "4", "value": "Zivilgesellschaft"},
        ],
    } | changes  # fmt: skip


@pytest.mark.parametrize("paged", [False, True])
async def test_hsds_is_mapped(database: Database, tmp_path: Path, paged: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"contents": [hsds()], "size": 1} if paged else [hsds()]), encoding="utf-8")
    report = await run(database, path)
    assert report.rejected == []
    assert [finding.column for finding in report.warnings] == ["reichweite"]
    stored = await contents(database)
    ((identity, partner),) = stored["organisations"].items()
    assert identity == hsds()["id"]
    assert partner["name"] == "Tafel Dortmund"
    assert partner["description"] == "- Lebensmittel - Beratung"
    assert (partner["sector"], partner["legal_form"], partner["reach"]) == ("zivilgesellschaft", "e. V.", "lokal")
    assert (partner["postcode"], partner["place"]) == ("44139", "Dortmund")
    assert partner["themes"] == ["armut-soziales", "bildung"]
    assert (partner["contact_name"], partner["contact_email"]) == ("Ada Muster", "ada@tafel.example")
    assert partner["verified_on"].isoformat() == "2026-03-01"
    phrases = [(phrase["side"], phrase["text"], str(phrase["until"])) for phrase in stored["phrases"][identity]]
    assert phrases == [("offer", "Ausgabe: Lebensmittel, jeden Tag", "2027-03-31"), ("offer", "Beratung", "None")]


async def test_hsds_that_is_not_as_it_should_be_is_reported(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    odd = [
        hsds(id="ok"), 5, hsds(id="b", services="x", locations=None, attributes=[5], contacts={}), hsds(id=None),
        hsds(id="c", attributes=[]), hsds(id="d", description="Wort " * 200), hsds(id="e", name="\ud800"),
    ]  # fmt: skip
    path.write_text(json.dumps(odd), encoding="utf-8")
    report = await run(database, path)
    assert [(finding.row, finding.column) for finding in report.rejected] == [
        (2, "Zeile"), (3, "sektor"), (3, "plz"), (3, "ort"), (4, "id"), (5, "sektor"), (7, "name"),
    ]  # fmt: skip
    stored = (await contents(database))["organisations"]
    assert set(stored) == {"ok", "d"}
    assert len(stored["d"]["description"]) <= 600
    report = await run(database, path, sector="verwaltung")
    assert report.imported == 1
    assert (await contents(database))["organisations"]["c"]["sector"] == "verwaltung"


async def test_progress_goes_by_records_in_file_order(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 4)
    steps: list[tuple[str, int, int]] = []
    path = write_csv(tmp_path / "a.csv", [record(number) for number in range(10)])
    await run(database, path, progress=lambda *step: steps.append(step))
    assert steps == [("Partner", 4, 10), ("Partner", 8, 10), ("Partner", 10, 10)]
