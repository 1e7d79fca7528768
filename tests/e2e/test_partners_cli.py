"""`lotse partners` as people and scripts call it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.database import Database
from matching.importer import SAMPLES
from tests.e2e.test_commands import lotse
from tests.unit.matching.fakes import GOOD, record, run, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a directory of two partners, read without a model."""
    import asyncio

    folder = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        database = Database(f"sqlite+aiosqlite:///{folder / 'lotse.db'}")
        await database.migrate()
        company = record(
            2, name="Müller GmbH", sektor="wirtschaft", plz="50667", ort="Köln", bietet="Saal (bis 2027-03-31)"
        )
        await run(database, write_csv(folder / "partner.csv", [record(1), company]))
        await database.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(filled, tmp_path / "data")
    return tmp_path / "data"


def partners(folder: Path, *arguments: str, code: int = 0) -> str:
    done = lotse("partners", *arguments, folder=folder)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(partners(folder, "list", "--json", *arguments))
    return found


def test_a_dry_run_reports_as_json_and_by_its_exit_code(folder: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "neu.csv", [record(1), record(2, plz="1234"), record(3)])
    report = json.loads(partners(folder, "import", str(path), "--dry-run", "--json", code=1))
    assert set(report) == {"imported", "updated", "unchanged", "rejected", "warnings"}
    assert (report["imported"], report["updated"], report["unchanged"], report["warnings"]) == (1, 0, 1, [])
    (finding,) = report["rejected"]
    assert finding == {"row": 2, "column": "plz", "value": "1234"} | {"error": finding["error"]}
    said = partners(folder, "import", str(path), "--dry-run", code=1)
    assert "Datensatz 2, plz „1234“ (abgelehnt): Eine Postleitzahl hat fünf Ziffern." in said
    assert "1 neu, 0 geändert, 1 unverändert, 1 abgelehnt. Probelauf: nichts gespeichert." in said
    assert len(listed(folder)) == 2
    partners(folder, "import", str(write_csv(path, [record(1)])), "--dry-run")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("import", "gibt-es-nicht.csv"), 2, "kann nicht gelesen werden"),
        (("import", "README.md", "--dry-run"), 2, "In der Kopfzeile fehlt: id, name"),
        (("import", "README.md", "--sector", "kirche"), 2, "Den Sektor „kirche“ gibt es nicht"),
        (("list", "--sector", "kirche"), 2, "Den Sektor „kirche“ gibt es nicht"),
        (("export", "x.csv", "--format", "pdf"), 2, "Das Format „pdf“ gibt es nicht"),
        (("export", "/gibt/es/nicht/x.csv"), 2, "kann nicht geschrieben werden"),
        (("show", "gibt-es-nicht"), 1, "gibt es nicht"),
        (("verify", "gibt-es-nicht"), 1, "gibt es nicht"),
    ],
)
def test_wrong_use_gets_one_clear_message(filled: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    assert says in partners(filled, *arguments, code=code)


def test_partners_are_listed_and_shown(filled: Path) -> None:
    assert [partner["id"] for partner in listed(filled)] == ["a1", "a2"]
    assert [partner["id"] for partner in listed(filled, "--sector", "wirtschaft")] == ["a2"]
    for place in ("KÖLN", "50", "50667"):
        assert [partner["id"] for partner in listed(filled, "--place", place)] == ["a2"]
    assert listed(filled, "--place", "Halle") == []
    assert "a2  Müller GmbH · wirtschaft · 50667 Köln" in partners(filled, "list")
    shown = partners(filled, "show", "a2")
    for line in ("Name: Müller GmbH", "Ort: 50667 Köln (NW)", "E-Mail: ada@buecher.example", "Quelle: partner.csv"):
        assert line in shown
    assert "bietet: Saal (bis 2027-03-31) [" in shown


def test_a_verification_lasts(folder: Path, tmp_path: Path) -> None:
    partners(folder, "verify", "a1")
    first, _ = listed(folder)
    assert first["verified_on"] > GOOD["geprueft_am"]
    for path in (folder / "partner.csv", tmp_path / "export.csv"):
        if path.name == "export.csv":
            assert "ohne Ansprechpersonen" in partners(folder, "export", str(path))
        report = json.loads(partners(folder, "import", str(path), "--dry-run", "--json"))
        assert (report["imported"], report["updated"], report["unchanged"]) == (0, 0, 2)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.json"])
def test_an_export_is_an_import_without_changes(filled: Path, tmp_path: Path, name: str) -> None:
    partners(filled, "export", str(tmp_path / name), "--with-contacts")
    report = json.loads(partners(filled, "import", str(tmp_path / name), "--dry-run", "--json"))
    assert report == {"imported": 0, "updated": 0, "unchanged": 2, "rejected": [], "warnings": []}


def test_the_samples_come_in_by_the_real_model(tmp_path: Path) -> None:
    report = json.loads(partners(tmp_path, "import", str(SAMPLES), "--json"))
    assert report == {"imported": 150, "updated": 0, "unchanged": 0, "rejected": [], "warnings": []}
    assert "[geraete-leihe]" in partners(tmp_path, "show", "p001")  # it lends cargo bikes
    report = json.loads(partners(tmp_path, "import", str(SAMPLES), "--json"))
    assert report["unchanged"] == 150


def test_partners_are_matched_for_scripts(tmp_path: Path) -> None:
    empty = lotse("match", "Wir suchen Räume", folder=tmp_path)
    assert empty.returncode == 1
    assert "lotse partners import" in empty.stderr
    assert lotse("partners", "import", "matching/sample_partners.csv", folder=tmp_path).returncode == 0
    lines = [
        "Wir sind ein Sportverein in Dortmund und suchen jemanden, der uns Räume gibt",
        '{"id": 7, "text": "Wir brauchen Laptops für Senioren", "sector": "zivilgesellschaft", "plz": "06108"}',
        '{"id": 8, "text": "Laptops", "plz": "00000"}',
        '{"text": ',
    ]
    file = tmp_path / "anfragen.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    done = lotse("match", "--json", "--batch", str(file), folder=tmp_path)
    assert done.returncode == 1
    assert "Zeile 3: Den Ort „00000“ kenne ich nicht" in done.stderr
    assert "Zeile 4: Das ist kein JSON. So sieht eine Zeile aus" in done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["request"]["sector"] == "zivilgesellschaft"
    assert first["request"]["places"] == ["Dortmund, NW"]
    assert second["id"] == "7"
    best = second["partners"][0]
    assert set(best) == {"id", "name", "sector", "score", "distance_km", "reasons", "counter_reasons"}
    assert best["name"].startswith("Saalebit")
    assert best["reasons"][0].startswith("bietet: 20 gebrauchte Laptops")
    assert set(second["constellation"]) == {"members", "missing"}
