"""Broken guides: `lotse check` names each place and how to mend it, and nothing half-read is used."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from knowledge_base.check import check
from knowledge_base.figures import fill
from knowledge_base.guide import ROOT, KnowledgeError, Problem, load, load_or_raise, load_taxonomy
from knowledge_base.stub import write_stub

TODAY = date(2026, 11, 24)
SPONSORING = Path("guides/recht-steuern/spende-oder-sponsoring.md")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the real knowledge base, to break."""
    for name in ("guides", "questions"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("taxonomy.yaml", "zahlen.yaml", "glossar.yaml", "houses.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_knowledge_base_is_clean() -> None:
    assert [problem for problem in check(today=TODAY) if problem.level == "error"] == []


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("kind: law", "kind: gesetz", "sources.0.kind", "nicht vorgesehen"),
        ("review_by: 2027-05-31", "review_by: bald", "review_by", "kein Datum"),
        ("review_by: 2027-05-31\n", "", "review_by", "fehlt"),
        ("chapter: recht-steuern", "chapter: steuerrecht", "chapter", "Ordner"),
        ("as_of: 2026-11-24\n", "as_of: 2030-01-01\n", "as_of", "Zukunft"),
        ("zahl.freigrenze_wgb", "zahl.freigrenze", "summary_en", "steht nicht in zahlen.yaml"),
        ("[^erlass]", "[^erlas]", "sources", "fehlt"),
        ("## Fallstricke", "## Tipps", "Überschrift", "keine vorgesehene"),
        ("## Beispiel\nAngenommen", "## Beispiel\n<b>Angenommen</b>", "Beispiel", "Auszeichnung"),
        ("title: Spende, Sponsoring", "title: [Spende", "front matter", "YAML"),
        ("## Beispiel\nAngenommen", "## Beispiel\nBis 50.000 € ist Angenommen", "Beispiel", "zahlen.yaml"),
        ("related: [zuwendungsbestaetigung", "related: [quittung", "related", "gibt es nicht"),
    ],
)
def test_each_fault_is_reported_with_its_place(root: Path, old: str, new: str, field: str, says: str) -> None:
    edit(root / SPONSORING, old, new)
    problems = [problem for problem in check(root, TODAY) if problem.field == field and says in problem.message]
    assert problems
    assert all(problem.file == SPONSORING.as_posix() and problem.line > 0 and problem.mend for problem in problems)


def test_all_files_are_checked_at_once(root: Path) -> None:
    edit(root / SPONSORING, "kind: law", "kind: gesetz")
    edit(root / "guides/fuehren-lernen/konflikte.md", "## Beispiel", "## Exempel")
    files = {problem.file for problem in check(root, TODAY) if problem.level == "error"}
    assert files == {SPONSORING.as_posix(), "guides/fuehren-lernen/konflikte.md"}


def double(root: Path) -> None:
    shutil.copy(root / SPONSORING, root / "guides/recht-steuern/zwilling.md")


def unsourced(root: Path) -> None:
    edit(root / SPONSORING, "[^bfh]\n", "\n")


def latin(root: Path) -> None:
    path = root / "questions/konflikte.txt"
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1", "replace"))


def without_bank(root: Path) -> None:
    (root / "questions/konflikte.txt").unlink()


def asked_twice(root: Path) -> None:
    with (root / "questions/konflikte.txt").open("a", encoding="utf-8") as file:
        file.write((root / "questions/spende-oder-sponsoring.txt").read_text(encoding="utf-8").split("\n")[3] + "\n")


def asked_in_other_words(root: Path) -> None:
    with (root / "questions/konflikte.txt").open("a", encoding="utf-8") as file:
        file.write("Dürfen wir den Streit am runden Tisch denn öffentlich austragen?\n")
        file.write("Dürfen wir denn den Streit am runden Tisch öffentlich austragen?\n")


def few_questions(root: Path) -> None:
    path = root / "questions/konflikte.txt"
    path.write_text("\n".join(path.read_text(encoding="utf-8").split("\n")[:63]), encoding="utf-8")


def form_of_two_words(root: Path) -> None:
    edit(root / "glossar.yaml", "also: [Anträge", "also: [Zuwendungen, Anträge")


def state_without_office(root: Path) -> None:
    path = root / "houses.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("states: [SL]", "states: [RP]"), encoding="utf-8")


def one_sided(root: Path) -> None:
    edit(root / SPONSORING, "related: [zuwendungsbestaetigung", "related: [bedarf-klaeren")


def rule_without_source(root: Path) -> None:
    edit(root / "guides/recht-steuern/spenden-an-verwaltung-und-korruption.md", "source: gemobw", "source: gemo")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (double, "gibt es schon"),
        (unsourced, "ohne Quelle"),
        (latin, "UTF-8"),
        (without_bank, "Fragenbank fehlt"),
        (asked_twice, "Dieselbe Frage"),
        (asked_in_other_words, "Fast dieselbe Frage"),
        (few_questions, "hat 63 Fragen"),
        (form_of_two_words, "steht auch bei „Zuwendung“"),
        (state_without_office, "Für Saarland ist keine Stelle"),
        (one_sided, "„bedarf-klaeren“ verweist nicht zurück"),
        (rule_without_source, "„gemo“ fehlt"),
    ],
)
def test_faults_beyond_a_single_field(root: Path, break_it: Callable[[Path], None], says: str) -> None:
    break_it(root)
    assert any(says in problem.message for problem in check(root, TODAY))


def test_a_stub_says_what_is_missing_and_is_not_used(root: Path) -> None:
    taxonomy = load_taxonomy(root)
    guide, bank = write_stub(root, "foerderverein-gruenden", "formate", taxonomy, TODAY)
    assert guide.parent.name == "formate"
    assert bank.read_text(encoding="utf-8") == ""
    problems = [problem for problem in check(root, TODAY) if problem.level == "error"]
    assert {problem.file for problem in problems} == {"guides/formate/foerderverein-gruenden.md"}
    assert sum(problem.field == "Muster" for problem in problems) == 16
    knowledge = load_or_raise(root)
    assert "foerderverein-gruenden" not in knowledge.guides
    assert "konflikte" in knowledge.guides
    with pytest.raises(ValueError, match="gibt es schon"):
        write_stub(root, "foerderverein-gruenden", "grundlagen", taxonomy, TODAY)
    with pytest.raises(ValueError, match="Bindestriche"):
        write_stub(root, "../x", "formate", taxonomy, TODAY)
    with pytest.raises(ValueError, match="Möglich sind"):
        write_stub(root, "neu", "recht", taxonomy, TODAY)


def test_a_broken_knowledge_base_is_not_used(root: Path) -> None:
    edit(root / SPONSORING, "kind: law", "kind: gesetz")
    assert load(root)[0] is None
    with pytest.raises(KnowledgeError, match="lotse check"):
        load_or_raise(root)


def test_figures_are_filled_in_for_the_day() -> None:
    figures = load_or_raise().figures
    text = "je Stunde {{ zahl.mindestlohn }}"
    assert fill(text, figures, date(2026, 12, 31)) == "je Stunde 13,90 Euro"
    assert fill(text, figures, date(2027, 1, 1)) == "je Stunde 14,60 Euro"
    assert fill(text, figures, date(2025, 1, 1)) == "je Stunde (aktueller Wert liegt nicht vor)"
    assert fill(text, figures, date(2027, 1, 1), "en") == "je Stunde EUR 14.60"


def test_a_figure_that_ends_soon_is_announced() -> None:
    def about_wage(day: date) -> list[Problem]:
        return [problem for problem in check(today=day) if problem.field == "mindestlohn"]

    assert about_wage(date(2026, 11, 30)) == []
    (problem,) = about_wage(date(2026, 12, 1))
    assert problem.level == "warning"
    assert "14,60 Euro" in problem.mend
