"""What is exported comes back as it was, without contacts unless asked for, and no program takes it for a formula."""

import csv
import json
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from matching import exporter
from matching.exporter import FORMATS, export_file
from matching.importer import SAMPLES
from matching.models import REMOVED, Organisation
from matching.records import Record
from tests.unit.matching.fakes import TAXONOMY, contents, record, run, write_csv

NAMES = {"csv": "a.csv", "xlsx": "a.xlsx", "hsds": "a.json"}
ODD = record(
    1, name="'=1+1", beschreibung="''+Plus", rechtsform="-", bietet="'-Strich; Saal (bis 2027-03-31); '@at", sucht="+49 231 123",
    website="", kontakt_name="'-Ada", geprueft_am="", themen="",
) | {"rechtsform": ""}  # fmt: skip


async def export(database: Database, path: Path, file_format: str, *, with_contacts: bool = False) -> int:
    async with database.read() as connection, AsyncSession(connection) as session:
        return await export_file(path, session, TAXONOMY, file_format, with_contacts=with_contacts)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("with_contacts", [False, True])
@pytest.mark.parametrize("file_format", FORMATS)
async def test_an_export_comes_back_as_it_was(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str, with_contacts: bool
) -> None:
    monkeypatch.setattr(exporter, "PAGE", 40)
    await run(database, write_csv(tmp_path / "odd.csv", [ODD]))
    await run(database, SAMPLES)
    before = await contents(database)
    assert before["organisations"]["a1"]["name"] == "=1+1"
    path = tmp_path / NAMES[file_format]
    assert await export(database, path, file_format, with_contacts=with_contacts) == 151
    again = await run(database, path, source="odd.csv")
    assert (again.unchanged, again.rejected, again.warnings) == (151, [], [])

    fresh = Database(f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}")
    await fresh.migrate()
    report = await run(fresh, path)
    assert (report.imported, report.rejected, report.warnings) == (151, [], [])
    after = await contents(fresh)
    await fresh.close()
    for partners in (before, after):
        for partner in partners["organisations"].values():
            partner["source"] = ""
            if not with_contacts:
                partner["contact_name"] = partner["contact_email"] = partner["digest"] = ""
    assert after == before


@pytest.mark.parametrize("file_format", FORMATS)
async def test_samples_alone_come_back_as_samples(database: Database, tmp_path: Path, file_format: str) -> None:
    await run(database, SAMPLES)
    before = await contents(database)
    path = tmp_path / NAMES[file_format]
    await export(database, path, file_format)
    assert (await run(database, path)).unchanged == 150
    assert await contents(database) == before


@pytest.mark.parametrize("file_format", FORMATS)
async def test_contacts_leave_only_when_asked_for(database: Database, tmp_path: Path, file_format: str) -> None:
    await run(database, write_csv(tmp_path / "in.csv", [record(1)]))
    path = tmp_path / NAMES[file_format]

    async def exported(*, with_contacts: bool) -> str:
        await export(database, path, file_format, with_contacts=with_contacts)
        if file_format != "xlsx":
            return path.read_text(encoding="utf-8")
        return str(list(openpyxl.load_workbook(path).worksheets[0].values))

    for contact in ("Ada Muster", "ada@buecher.example"):
        assert contact not in await exported(with_contacts=False)
        assert contact in await exported(with_contacts=True)


async def test_no_cell_is_a_formula(database: Database, tmp_path: Path) -> None:
    await run(database, write_csv(tmp_path / "in.csv", [ODD]))
    await export(database, tmp_path / "a.csv", "csv", with_contacts=True)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["sucht"]) == ("'=1+1", "'+49 231 123")
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())
    await export(database, tmp_path / "a.xlsx", "xlsx", with_contacts=True)
    for cell in list(openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0].rows)[1]:
        assert cell.data_type != "f"
        assert not str(cell.value or "").startswith(("=", "+", "-", "@"))


async def test_only_active_partners_are_exported(database: Database, tmp_path: Path) -> None:
    await run(database, write_csv(tmp_path / "in.csv", [record(1), record(2)]))
    async with database.write() as session:
        await session.execute(update(Organisation).where(Organisation.id == "a1").values(status=REMOVED))
    await export(database, tmp_path / "a.json", "hsds")
    assert [partner["id"] for partner in json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))] == ["a2"]


async def test_a_failed_export_leaves_the_old_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(database, write_csv(tmp_path / "in.csv", [record(1)]))
    path = tmp_path / "a.csv"
    await export(database, path, "csv")
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Record, "cells", fail)
    with pytest.raises(OSError, match="disk full"):
        await export(database, path, "csv")
    assert path.read_bytes() == before
    assert not [name for name in names_in(tmp_path) if name.endswith(".part")]
