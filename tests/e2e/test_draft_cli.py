"""`lotse draft` as people and scripts call it."""

import json
from pathlib import Path

import pytest

from tests.e2e.test_commands import lotse

pytestmark = pytest.mark.slow

QUERY = """Sehr geehrte Damen und Herren,
mein Name ist Petra Wischnewski, Lindenstr. 12a, 06108 Halle, Tel. 0345/123456, petra@wischnewski.example.
Die Firma will ihr Logo auf unseren Trikots: Spende oder Sponsoring? Wie backe ich einen Apfelkuchen mit Streuseln?
Viele Grüße
Petra Wischnewski"""
PERSONAL = ("Wischnewski", "Petra", "Lindenstr", "123456", "petra@")


def test_a_batch_gives_one_object_a_line_and_bad_lines_are_named(data: Path, tmp_path: Path) -> None:
    good = {"id": "a", "text": QUERY}
    lines = [
        json.dumps(good),
        "kein JSON",
        '{"id": "b"}',
        "[1]",
        '{"text": "x"}',
        json.dumps({"id": 7, "text": "Danke!"}),
    ]
    file = tmp_path / "anfragen.jsonl"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    done = lotse("draft", "--json", "--batch", str(file), folder=data, LOTSE_DESK_NOTICE="Kein Rat im Einzelfall.")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for number, says in ((2, "kein JSON"), (3, "„text“ fehlt"), (4, "kein JSON-Objekt"), (5, "„id“ fehlt")):
        assert f"Zeile {number}: " in done.stderr
        assert says in done.stderr
    first, last = (json.loads(line) for line in done.stdout.splitlines())
    assert set(first) == {"id", "text", "replaced", "questions", "draft", "sources"}
    assert first["id"] == "a"
    assert last["id"] == 7
    assert not any(piece in done.stdout + done.stderr for piece in PERSONAL)
    assert {one["placeholder"] for one in first["replaced"]} == {"[Name 1]", "[Adresse 1]", "[Telefon 1]", "[E-Mail 1]"}
    answered, unanswered = first["questions"]
    assert answered["status"] == "answer"
    assert answered["guide"] == "spende-oder-sponsoring"
    assert answered["confidence"] > unanswered["confidence"]
    assert unanswered["guide"] is None
    draft = first["draft"]
    assert draft.startswith("Guten Tag,")
    for piece in (
        "Entscheidend ist die Gegenleistung.",
        "1) ",
        "keine gesicherte Antwort",
        "Stand 19.08.2026",
        "Kein Rat im Einzelfall.",
    ):
        assert piece in draft
    assert not any(mark in draft for mark in ("[^", "**", "[Name", "{"))
    assert set(first["sources"][0]) == {"title", "publisher", "as_of", "url"}
    assert all(source["title"] in draft for source in first["sources"])


def test_a_text_is_read_from_the_input_and_shown_readably(data: Path) -> None:
    done = lotse("draft", folder=data, stdin=QUERY)
    assert done.returncode == 0, done.stderr
    assert "mein Name ist [Name 1], [Adresse 1], Tel. [Telefon 1], [E-Mail 1]." in done.stdout
    assert "Entwurf:\n\nGuten Tag," in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("draft", "x", "--batch", "y"), "entweder einen Text oder --batch"),
        (("draft", "--batch", "/gibt/es/nicht"), "kann nicht gelesen werden"),
        (("draft", "  "), "Bitte eine Anfrage angeben"),
    ],
)
def test_wrong_use_gets_one_clear_message(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = lotse(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
