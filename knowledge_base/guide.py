"""Guides: their schema, the files they are read from, and the problems found on the way."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge_base.figures import Figure, Figures, Language, fill
from knowledge_base.glossary import Glossary, Term
from knowledge_base.houses import House, StateId

ROOT = Path(__file__).parent
SUMMARY = "Kurz gesagt"
STEPS = "Schritte"
VIEWS = {
    "verwaltung": "Blick der Verwaltung",
    "wirtschaft": "Blick der Wirtschaft",
    "zivilgesellschaft": "Blick der Zivilgesellschaft",
}
PITFALLS = "Fallstricke"
LAW = "Recht und Zahlen"
EXAMPLE = "Beispiel"
HEADINGS = (SUMMARY, STEPS, *VIEWS.values(), PITFALLS, LAW, EXAMPLE)
TODO = "TODO"  # what a stub says where text is to be written
STUB = "Muster"  # the field under which that is reported
CITATION = re.compile(r"\[\^([a-z0-9_-]+)\]")

SectorId = Literal["verwaltung", "wirtschaft", "zivilgesellschaft"]
SECTORS: tuple[SectorId, ...] = get_args(SectorId)


@dataclass(frozen=True, order=True)
class Problem:
    """Something to mend in a file: where, in which field, what is wrong and how to mend it. Line 0: the whole file."""

    file: str
    line: int
    field: str
    message: str
    mend: str
    level: Literal["error", "warning"] = "error"


class Source(BaseModel):
    """Where facts come from; `as_of` is the day on which it was read or published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_-]{1,30}$")
    title: str = Field(min_length=3, max_length=200)
    publisher: str = Field(min_length=2, max_length=120)
    kind: Literal["law", "publication", "experience"]
    as_of: date


class StateRule(BaseModel):
    """What one state's law says; `source` is the id of one of the guide's sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=10, max_length=300)
    source: str


class StateLaw(BaseModel):
    """Where the answer depends on the law of the asker's state: what differs, and the rules that are known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    differs: str = Field(min_length=10, max_length=200)
    rules: dict[StateId, StateRule] = {}


class FrontMatter(BaseModel):
    """The YAML head of a guide's file.

    `plain_figures` are amounts in the text that only look like a figure of zahlen.yaml, such as a sum in an example.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    title: str = Field(min_length=5, max_length=80)
    chapter: str
    sectors: tuple[SectorId, ...] = Field(min_length=1)
    themes: tuple[str, ...] = Field(min_length=1, max_length=6)
    summary_en: str = Field(min_length=50, max_length=1500)
    easy: tuple[str, ...] = Field(min_length=5, max_length=8)
    sources: tuple[Source, ...] = Field(min_length=1)
    as_of: date
    review_by: date
    related: tuple[str, ...] = Field(max_length=6)
    plain_figures: tuple[str, ...] = ()
    state_law: StateLaw | None = None


class Guide(FrontMatter):
    """One guide. `sections` maps each heading of `HEADINGS`, in that order, to its text; `version` changes with the text."""

    sections: dict[str, str]
    questions: tuple[str, ...] = ()
    version: str

    def source(self, source_id: str) -> Source | None:
        return next((source for source in self.sources if source.id == source_id), None)

    def filled(self, figures: Figures, day: date, language: Language = "de") -> "Guide":
        """This guide with every figure replaced by its value on `day` (the English summary by English values)."""
        law = self.state_law
        if law:
            rules = {
                state: rule.model_copy(update={"text": fill(rule.text, figures, day)})
                for state, rule in law.rules.items()
            }
            law = law.model_copy(update={"differs": fill(law.differs, figures, day), "rules": rules})
        return self.model_copy(
            update={
                "state_law": law,
                "sections": {heading: fill(text, figures, day) for heading, text in self.sections.items()},
                "easy": tuple(fill(sentence, figures, day) for sentence in self.easy),
                "summary_en": fill(self.summary_en, figures, day, "en"),
            }
        )


class Chapter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    letter: str
    title: str
    title_en: str


class SectorLabel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    title_en: str


class Topic(BaseModel):
    """A theme or a kind of resource: its label, and everyday words for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    words: tuple[str, ...]


class Taxonomy(BaseModel):
    """The ids and labels that guides and partners may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chapters: dict[str, Chapter]
    sectors: dict[SectorId, SectorLabel]
    themes: dict[str, Topic]
    resources: dict[str, Topic]
    states: dict[StateId, str]


class Knowledge(BaseModel):
    """Everything the index is built from and answers are taken from."""

    model_config = ConfigDict(frozen=True)

    guides: dict[str, Guide]
    taxonomy: Taxonomy
    figures: Figures
    negatives: tuple[str, ...] = ()
    terms: dict[str, Term]
    houses: tuple[House, ...]

    @cached_property
    def glossary(self) -> Glossary:
        return Glossary(self.terms)

    def filled(self, day: date) -> list[Guide]:
        """All guides with their figures as of `day`."""
        return [guide.filled(self.figures, day) for guide in self.guides.values()]


@dataclass
class Parsed:
    """A guide's file as read: the guide if it is usable, the lines its parts stand on, and what is to mend."""

    file: str
    guide: Guide | None = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def unfinished(self) -> bool:
        """Whether it is still in the making: a hint of the stub is left in it."""
        return any(problem.field == STUB for problem in self.problems)

    def report(self, line: int, name: str, message: str, mend: str) -> None:
        self.problems.append(Problem(self.file, line, name, message, mend))


class KnowledgeError(Exception):
    """The knowledge base cannot be used as it is; `problems` says what to mend."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(
            f"{len(problems)} Fehler in der Wissensbasis, der erste in {first.file}:{first.line} "
            f"({first.field}): {first.message} – `lotse check` zeigt alle."
        )


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with a leading byte order mark taken off. Raises UnicodeDecodeError."""
    return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")


def parse_guide(text: str, file: str) -> Parsed:
    """Parse the text of a guide's file. Schema problems are collected, never raised."""
    parsed = Parsed(file)
    match = re.match(r"---\n(.*?)\n---\n(.*)\Z", text, re.DOTALL)
    if not match:
        parsed.report(1, "front matter", "Der Kopf zwischen zwei Zeilen --- fehlt.", "Kopf wie im Muster davorsetzen.")
        return parsed
    head = _parse_head(match[1], parsed)
    body_line = match[1].count("\n") + 4
    for number, line in enumerate(text.split("\n"), 1):
        _, marked, hint = line.partition(f"{TODO}:")
        if marked:
            parsed.report(number, STUB, f"Hier fehlt noch: {hint.strip()}", "Den Hinweis durch Text ersetzen.")
    sections = _parse_sections(match[2], body_line, parsed)
    if head is not None and not parsed.problems:
        version = hashlib.sha256(text.encode()).hexdigest()[:8]
        parsed.guide = Guide(**dict(head), sections=sections, version=version)
    return parsed


def _parse_head(text: str, parsed: Parsed) -> FrontMatter | None:
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        problem = getattr(error, "problem", None) or error
        parsed.report(
            line,
            "front matter",
            f"Kein gültiges YAML: {problem}.",
            "Einrückung, Anführungszeichen und Doppelpunkte prüfen.",
        )
        return None
    if not isinstance(data, dict):
        parsed.report(1, "front matter", "Der Kopf besteht nicht aus Feldern.", "Je Zeile „Feld: Wert“ schreiben.")
        return None
    for key, value in node.value if node else ():
        parsed.lines[str(key.value)] = key.start_mark.line + 2
        if isinstance(value, yaml.SequenceNode):
            for position, item in enumerate(value.value):
                parsed.lines[f"{key.value}.{position}"] = item.start_mark.line + 2
    try:
        return FrontMatter.model_validate(data)
    except ValidationError as error:
        report_validation(error, parsed)
        return None


def report_validation(error: ValidationError, parsed: Parsed) -> None:
    """Add one problem for each of pydantic's, in German, on the line of the field that it names."""
    for detail in error.errors():
        path = [str(part) for part in detail["loc"]]
        line = next(
            (parsed.lines[key] for n in range(len(path), 0, -1) if (key := ".".join(path[:n])) in parsed.lines), 1
        )
        message, mend = _in_german(dict(detail))
        parsed.report(line, ".".join(path), message, mend)


def _in_german(detail: dict[str, Any]) -> tuple[str, str]:
    context = detail.get("ctx", {})
    given = str(detail.get("input"))[:60]
    match detail["type"]:
        case "missing":
            return "Das Feld fehlt.", "Feld ergänzen; das Muster steht in `lotse guides new`."
        case "extra_forbidden":
            return "Dieses Feld gibt es nicht.", "Schreibweise prüfen oder die Zeile streichen."
        case "literal_error":
            return f"„{given}“ ist hier nicht vorgesehen.", f"Erlaubt: {context.get('expected')}."
        case "string_too_long" | "too_long":
            return "Der Eintrag ist zu lang.", f"Höchstens {context.get('max_length')} (Zeichen oder Einträge)."
        case "string_too_short" | "too_short":
            return "Der Eintrag ist zu kurz.", f"Mindestens {context.get('min_length')} (Zeichen oder Einträge)."
        case "string_pattern_mismatch" if "BW|" in context.get("pattern", ""):
            codes = context["pattern"].strip("^()$").replace("|", ", ")
            return f"„{given}“ ist kein Kürzel eines Landes.", f"Erlaubt: {codes}."
        case "string_pattern_mismatch":
            return f"„{given}“ hat nicht die vorgesehene Form.", "Nur Kleinbuchstaben a-z, Ziffern und Bindestriche."
        case kind if kind.startswith("date"):
            return f"„{given}“ ist kein Datum.", "Datum als JJJJ-MM-TT schreiben."
        case _:
            return (
                f"„{given}“ passt nicht: {detail['msg']}.",
                "Eintrag nach dem Muster der anderen Leitfäden schreiben.",
            )


def _parse_sections(body: str, first_line: int, parsed: Parsed) -> dict[str, str]:
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(body.split("\n"), first_line):
        if line.startswith("#"):
            heading = line.removeprefix("## ").strip()
            if not line.startswith("## ") or heading not in HEADINGS:
                parsed.report(
                    number,
                    "Überschrift",
                    f"„{line.strip()}“ ist keine vorgesehene Überschrift.",
                    "Vorgesehen: ## " + ", ## ".join(HEADINGS) + ".",
                )
            elif heading in sections:
                parsed.report(number, heading, "Der Abschnitt kommt zweimal vor.", "Beide Abschnitte zusammenführen.")
            current = sections.setdefault(heading, [])
            parsed.lines.setdefault(f"## {heading}", number)
        elif current is None and line.strip():
            parsed.report(number, "Text", "Text vor der ersten Überschrift.", f"Unter „## {SUMMARY}“ stellen.")
        elif current is not None:
            current.append(line.rstrip())
    texts = {heading: "\n".join(lines).strip() for heading, lines in sections.items()}
    for heading in HEADINGS:
        if not texts.get(heading):
            parsed.report(
                parsed.lines.get(f"## {heading}", 0),
                heading,
                "Der Abschnitt fehlt oder ist leer.",
                "Abschnitt schreiben.",
            )
    known = [heading for heading in texts if heading in HEADINGS]
    if known != sorted(known, key=HEADINGS.index):
        parsed.report(
            parsed.lines[f"## {known[0]}"],
            "Überschrift",
            "Die Abschnitte stehen nicht in der vorgesehenen Reihenfolge.",
            "Reihenfolge: " + ", ".join(HEADINGS) + ".",
        )
    return texts


def load(root: Path = ROOT) -> tuple[Knowledge | None, list[Parsed], list[Problem]]:
    """Read the knowledge base under `root`.

    Returns the knowledge if all of it is usable (None otherwise), every guide's file as parsed, and the problems found.
    A guide in the making is left out of the knowledge, and its problems stop no other.
    """
    problems: list[Problem] = []
    taxonomy = _read_yaml(root / "taxonomy.yaml", root, TypeAdapter(Taxonomy), problems)
    figures = _read_yaml(root / "zahlen.yaml", root, TypeAdapter(dict[str, Figure]), problems)
    terms = _read_yaml(root / "glossar.yaml", root, TypeAdapter(dict[str, Term]), problems)
    houses = _read_yaml(root / "houses.yaml", root, TypeAdapter(tuple[House, ...]), problems)
    parsed_guides = []
    for path in sorted((root / "guides").glob("*/*.md")):
        file = path.relative_to(root).as_posix()
        try:
            parsed = parse_guide(read_text(path), file)
        except UnicodeDecodeError:
            parsed = Parsed(file)
            parsed.report(0, "Datei", "Die Datei ist nicht in UTF-8 gespeichert.", "Im Editor als UTF-8 speichern.")
        if parsed.guide:
            bank = read_lines(root / "questions" / f"{parsed.guide.id}.txt", root, problems)
            parsed.guide = parsed.guide.model_copy(update={"questions": bank})
        parsed_guides.append(parsed)
        problems += parsed.problems
    guides: dict[str, Guide] = {}
    for parsed in parsed_guides:
        if parsed.guide and parsed.guide.id in guides:
            problems.append(
                Problem(
                    parsed.file,
                    parsed.lines["id"],
                    "id",
                    f"Die id „{parsed.guide.id}“ gibt es schon.",
                    "Eine andere id vergeben.",
                )
            )
        elif parsed.guide:
            guides[parsed.guide.id] = parsed.guide
    if not parsed_guides:
        problems.append(
            Problem("guides", 0, "Datei", "Kein Leitfaden gefunden.", f"Leitfäden unter {root / 'guides'} ablegen.")
        )
    negatives = (
        read_lines(root / "questions" / "_none.txt", root, problems)
        if (root / "questions" / "_none.txt").exists()
        else ()
    )
    making = {parsed.file for parsed in parsed_guides if parsed.unfinished}
    if any(problem.file not in making for problem in problems):
        return None, parsed_guides, problems
    knowledge = Knowledge(
        guides=guides, taxonomy=taxonomy, figures=figures, negatives=negatives, terms=terms, houses=houses
    )
    return knowledge, parsed_guides, problems


def load_taxonomy(root: Path = ROOT) -> Taxonomy:
    """The taxonomy under `root` alone. Raises KnowledgeError when it does not validate."""
    problems: list[Problem] = []
    taxonomy: Taxonomy | None = _read_yaml(root / "taxonomy.yaml", root, TypeAdapter(Taxonomy), problems)
    if taxonomy is None:
        raise KnowledgeError(problems)
    return taxonomy


def load_or_raise(root: Path = ROOT) -> Knowledge:
    """The knowledge base under `root`. Raises KnowledgeError when something in it does not validate."""
    knowledge, parsed_guides, problems = load(root)
    if knowledge is None:
        making = {parsed.file for parsed in parsed_guides if parsed.unfinished}
        raise KnowledgeError([problem for problem in problems if problem.file not in making])
    return knowledge


def read_lines(path: Path, root: Path, problems: list[Problem]) -> tuple[str, ...]:
    """The non-empty lines of a question bank; a missing or unreadable file is a problem."""
    file = path.relative_to(root).as_posix()
    try:
        return tuple(line.strip() for line in read_text(path).split("\n") if line.strip())
    except FileNotFoundError:
        problems.append(Problem(file, 0, "Datei", "Die Fragenbank fehlt.", "Datei anlegen, je Zeile eine Frage."))
    except UnicodeDecodeError:
        problems.append(
            Problem(file, 0, "Datei", "Die Datei ist nicht in UTF-8 gespeichert.", "Im Editor als UTF-8 speichern.")
        )
    return ()


def _read_yaml(path: Path, root: Path, adapter: TypeAdapter[Any], problems: list[Problem]) -> Any:  # noqa: ANN401 - what the adapter yields
    parsed = Parsed(path.relative_to(root).as_posix())
    try:
        text = read_text(path)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if isinstance(node, yaml.SequenceNode):
            parsed.lines |= {str(number): item.start_mark.line + 1 for number, item in enumerate(node.value)}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            parsed.lines[str(key.value)] = key.start_mark.line + 1
            for inner, _ in value.value if isinstance(value, yaml.MappingNode) else ():
                parsed.lines[f"{key.value}.{inner.value}"] = inner.start_mark.line + 1
        return adapter.validate_python(yaml.load(text, Loader=yaml.CSafeLoader))
    except FileNotFoundError:
        parsed.report(0, "Datei", "Die Datei fehlt.", "Datei aus der Versionsverwaltung wiederherstellen.")
    except UnicodeDecodeError:
        parsed.report(0, "Datei", "Die Datei ist nicht in UTF-8 gespeichert.", "Im Editor als UTF-8 speichern.")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        parsed.report(
            mark.line + 1 if mark else 1, "YAML", "Kein gültiges YAML.", "Einrückung und Anführungszeichen prüfen."
        )
    except ValidationError as error:
        report_validation(error, parsed)
    problems += parsed.problems
    return None
