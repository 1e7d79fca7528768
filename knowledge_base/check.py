"""`lotse check`: everything that is to mend in the knowledge base, for all files at once."""

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from knowledge_base.figures import Figures, named_in, spelled_out
from knowledge_base.guide import CITATION, HEADINGS, LAW, ROOT, SUMMARY, Guide, Knowledge, Parsed, Problem, load

SUMMARY_LIMIT = 600
# A section opens in place in a message of at most 4096 UTF-16 units, together with title and sources.
SECTION_LIMIT = 2400
WORDS = (500, 900)
MINIMUM_QUESTIONS = 64
# Cosine of two questions' character 4-grams from which they are one question in other words: seen by reading pairs.
TOO_CLOSE = 0.8
NOTICE = timedelta(days=30)
MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|\]\(|^\s*\||`|^\s*>|^ {2,}[-\d]|__", re.MULTILINE)


def check(root: Path = ROOT, today: date | None = None) -> list[Problem]:
    """All problems of the knowledge base under `root`, errors and warnings, in the order of files and lines."""
    day = today or date.today()  # noqa: DTZ011 - validity is counted in local days
    knowledge, parsed_guides, problems = load(root)
    for parsed in parsed_guides:
        if parsed.guide:
            problems += _check_guide(parsed, parsed.guide, day)
    problems += _check_banks(root, parsed_guides)
    if knowledge:
        problems += _check_references(knowledge, parsed_guides)
        problems += _check_glossary(knowledge)
        problems += _check_houses(knowledge)
        problems += _check_figures(knowledge.figures, parsed_guides, day)
    return sorted(set(problems))


def _check_guide(parsed: Parsed, guide: Guide, day: date) -> list[Problem]:
    found: list[Problem] = []

    def report(line: int, name: str, message: str, mend: str) -> None:
        found.append(Problem(parsed.file, line, name, message, mend))

    def warn(line: int, name: str, message: str, mend: str) -> None:
        found.append(Problem(parsed.file, line, name, message, mend, "warning"))

    folder, name = parsed.file.split("/")[-2:]
    if name != f"{guide.id}.md":
        report(
            parsed.lines["id"],
            "id",
            f"Die Datei heißt {name}, die id ist {guide.id}.",
            f"Datei in {guide.id}.md umbenennen oder id angleichen.",
        )
    if folder != guide.chapter:
        report(
            parsed.lines["chapter"],
            "chapter",
            f"Die Datei liegt im Ordner {folder}.",
            f"Nach guides/{guide.chapter}/ verschieben oder chapter angleichen.",
        )
    if guide.as_of > day:
        report(
            parsed.lines["as_of"], "as_of", "Der Stand liegt in der Zukunft.", "Den Tag der letzten Prüfung eintragen."
        )
    if guide.review_by < day:
        warn(
            parsed.lines["review_by"],
            "review_by",
            f"Die Prüfung war am {guide.review_by:%d.%m.%Y} fällig.",
            "Inhalt prüfen, dann as_of und review_by neu setzen.",
        )
    for position, sentence in enumerate(guide.easy):
        if len(sentence.split()) > 15:
            warn(
                parsed.lines.get(f"easy.{position}", 0),
                f"easy.{position}",
                "Der Satz ist zu lang für Leichte Sprache.",
                "In zwei kurze Sätze teilen.",
            )
    words = sum(len(text.split()) for text in guide.sections.values())
    if not WORDS[0] <= words <= WORDS[1]:
        warn(
            parsed.lines[f"## {SUMMARY}"],
            "Text",
            f"Der Text hat {words} Wörter.",
            f"{WORDS[0]} bis {WORDS[1]} sind vorgesehen.",
        )
    for heading, text in guide.sections.items():
        line = parsed.lines[f"## {heading}"]
        limit = SUMMARY_LIMIT if heading == SUMMARY else SECTION_LIMIT
        if len(CITATION.sub("", text)) > limit:
            report(line, heading, f"Der Abschnitt hat mehr als {limit} Zeichen.", "Kürzen.")
        if markup := MARKUP.search(text):
            report(
                line,
                heading,
                f"Nicht vorgesehene Auszeichnung: „{markup[0].strip()}“.",
                "Nur Absätze, einfache Listen und **fett** verwenden.",
            )
        if text.count("**") % 2:
            report(line, heading, "Eine fett gesetzte Stelle ist nicht geschlossen.", "Zweites ** ergänzen.")
    cited = {source for text in guide.sections.values() for source in CITATION.findall(text)}
    if guide.state_law:
        cited |= {rule.source for rule in guide.state_law.rules.values()}
    known = [source.id for source in guide.sources]
    for source in sorted(cited - set(known)):
        report(
            parsed.lines["sources"],
            "sources",
            f"Die zitierte Quelle „{source}“ fehlt.",
            "Quelle im Kopf ergänzen oder das Zitat berichtigen.",
        )
    for position, source in enumerate(known):
        if known.index(source) != position:
            report(
                parsed.lines[f"sources.{position}"],
                "sources",
                f"Die Quelle „{source}“ steht zweimal da.",
                "Eine der beiden umbenennen oder streichen.",
            )
        elif source not in cited:
            report(
                parsed.lines[f"sources.{position}"],
                "sources",
                f"Die Quelle „{source}“ wird nirgends zitiert.",
                f"Im Text mit [^{source}] zitieren oder streichen.",
            )
    for offset, fact in enumerate(guide.sections[LAW].split("\n")):
        if fact.startswith("- ") and not CITATION.search(fact):
            report(
                parsed.lines[f"## {LAW}"] + 1 + offset,
                LAW,
                "Eine Aussage ohne Quelle.",
                "Am Ende mit [^quelle] belegen.",
            )
    return found


def _check_banks(root: Path, parsed_guides: list[Parsed]) -> list[Problem]:
    found: list[Problem] = []
    guides = {parsed.guide.id: parsed.guide for parsed in parsed_guides if parsed.guide}
    asked: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for path in sorted((root / "questions").glob("*.txt")):
        file = path.relative_to(root).as_posix()
        # A guide that does not parse is reported by itself; its bank is not an orphan for that.
        unreadable = any(parsed.file.endswith(f"/{path.stem}.md") for parsed in parsed_guides)
        if path.stem != "_none" and path.stem not in guides and not unreadable:
            found.append(
                Problem(
                    file,
                    0,
                    "Datei",
                    "Zu dieser Fragenbank gibt es keinen Leitfaden.",
                    "Datei nach der id eines Leitfadens benennen.",
                )
            )
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except UnicodeDecodeError:
            continue  # reported by the loader
        for number, line in enumerate(lines, 1):
            if line.strip():
                asked[" ".join(line.lower().split())].append((file, number))
    for places in asked.values():
        for file, number in places[1:]:
            found.append(
                Problem(
                    file,
                    number,
                    "Frage",
                    f"Dieselbe Frage steht in {places[0][0]}:{places[0][1]}.",
                    "Eine der beiden streichen: Eine Frage hat einen Leitfaden.",
                )
            )
    found += _too_close([(text, *places[0]) for text, places in asked.items()])
    for guide in guides.values():
        if len(guide.questions) < MINIMUM_QUESTIONS:
            file = f"questions/{guide.id}.txt"
            found.append(
                Problem(
                    file,
                    0,
                    "Datei",
                    f"Die Fragenbank hat {len(guide.questions)} Fragen.",
                    f"Mindestens {MINIMUM_QUESTIONS} Beispielfragen sammeln.",
                )
            )
    return found


def _too_close(asked: list[tuple[str, str, int]]) -> list[Problem]:
    """Pairs of (question, file, line) that differ in little more than a word, within a bank and across banks."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(asked) < 2:
        return []
    # What many questions have in common tells none apart, and makes most of the work.
    common = 0.02 if len(asked) > 1000 else 1.0
    features = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(4, 4), max_df=common, sublinear_tf=True, dtype=np.float32
    )
    rows = features.fit_transform(text for text, _, _ in asked)
    found: list[Problem] = []
    for start in range(0, len(asked), 512):
        near = (rows[start : start + 512] @ rows.T).tocoo()
        for row, column, cosine in zip(near.row + start, near.col, near.data, strict=True):
            if row > column and cosine >= TOO_CLOSE:
                (_, file, line), (other, other_file, other_line) = asked[row], asked[column]
                message = f"Fast dieselbe Frage steht in {other_file}:{other_line}: „{other[:80]}“."
                mend = "Eine der beiden streichen oder nach etwas anderem fragen."
                found.append(Problem(file, line, "Frage", message, mend, "warning"))
    return found


def _check_references(knowledge: Knowledge, parsed_guides: list[Parsed]) -> list[Problem]:
    found: list[Problem] = []
    for parsed in parsed_guides:
        guide = parsed.guide
        if guide is None:
            continue
        if guide.chapter not in knowledge.taxonomy.chapters:
            found.append(
                Problem(
                    parsed.file,
                    parsed.lines["chapter"],
                    "chapter",
                    f"Das Kapitel „{guide.chapter}“ gibt es nicht.",
                    "Eines aus taxonomy.yaml wählen.",
                )
            )
        for theme in guide.themes:
            if theme not in knowledge.taxonomy.themes:
                found.append(
                    Problem(
                        parsed.file,
                        parsed.lines["themes"],
                        "themes",
                        f"Das Thema „{theme}“ gibt es nicht.",
                        "Eines aus taxonomy.yaml wählen.",
                    )
                )
        for other in guide.related:
            if other not in knowledge.guides or other == guide.id:
                found.append(
                    Problem(
                        parsed.file,
                        parsed.lines["related"],
                        "related",
                        f"Der Leitfaden „{other}“ gibt es nicht.",
                        "id eines anderen Leitfadens eintragen.",
                    )
                )
            elif guide.id not in knowledge.guides[other].related:
                found.append(
                    Problem(
                        parsed.file,
                        parsed.lines["related"],
                        "related",
                        f"Der Leitfaden „{other}“ verweist nicht zurück.",
                        f"Dort {guide.id} unter related ergänzen oder hier streichen.",
                    )
                )
    return found


def _check_glossary(knowledge: Knowledge) -> list[Problem]:
    found: list[Problem] = []
    owner: dict[str, str] = {}
    for word, term in knowledge.terms.items():
        for form in (word, *term.also):
            if owner.setdefault(form.casefold(), word) != word:
                message = f"„{form}“ steht auch bei „{owner[form.casefold()]}“."
                found.append(Problem("glossar.yaml", 0, word, message, "Bei einem der beiden Wörter streichen."))
        for guide in term.guides:
            if guide not in knowledge.guides:
                message = f"Den Leitfaden „{guide}“ gibt es nicht."
                found.append(Problem("glossar.yaml", 0, word, message, "id eines Leitfadens eintragen."))
    return found


def _check_houses(knowledge: Knowledge) -> list[Problem]:
    found: list[Problem] = []
    ids = Counter(house.id for house in knowledge.houses)
    for house_id in (house_id for house_id, count in ids.items() if count > 1):
        message = f"Die id „{house_id}“ kommt mehrmals vor."
        found.append(Problem("houses.yaml", 0, house_id, message, "Eine andere id vergeben."))
    for state, label in knowledge.taxonomy.states.items():
        if not any(state in house.states for house in knowledge.houses):
            message = f"Für {label} ist keine Stelle eingetragen."
            found.append(Problem("houses.yaml", 0, state, message, "Eine Stelle ergänzen.", "warning"))
    return found


def _check_figures(figures: Figures, parsed_guides: list[Parsed], day: date) -> list[Problem]:
    found: list[Problem] = []
    for parsed in parsed_guides:
        guide = parsed.guide
        if guide is None:
            continue
        places = [(heading, parsed.lines[f"## {heading}"], guide.sections[heading]) for heading in HEADINGS]
        places += [
            ("summary_en", parsed.lines["summary_en"], guide.summary_en),
            ("easy", parsed.lines["easy"], " ".join(guide.easy)),
        ]
        if guide.state_law:
            texts = (guide.state_law.differs, *(rule.text for rule in guide.state_law.rules.values()))
            places.append(("state_law", parsed.lines["state_law"], "\n".join(texts)))
        for name, line, text in places:
            for figure_id in named_in(text):
                if figure_id not in figures:
                    found.append(
                        Problem(
                            parsed.file,
                            line,
                            name,
                            f"Die Zahl „{figure_id}“ steht nicht in zahlen.yaml.",
                            "Schreibweise prüfen oder die Zahl dort anlegen.",
                        )
                    )
            for written, figure_id in spelled_out(text, figures):
                if written not in guide.plain_figures:
                    found.append(
                        Problem(
                            parsed.file,
                            line,
                            name,
                            f"„{written}“ ist ein Wert aus zahlen.yaml ({figure_id}).",
                            f"Als {{{{ zahl.{figure_id} }}}} schreiben; ist etwas anderes gemeint, unter plain_figures aufführen.",
                        )
                    )
            if "{{" in re.sub(r"\{\{\s*zahl\.[a-z0-9_]+\s*\}\}", "", text):
                found.append(
                    Problem(
                        parsed.file,
                        line,
                        name,
                        "Ein Platzhalter ist falsch geschrieben.",
                        "Als {{ zahl.<id> }} schreiben.",
                    )
                )
    for name, figure in figures.items():
        current = figure.on(day)
        if current is None:
            found.append(
                Problem("zahlen.yaml", 0, name, "Für heute gilt kein Wert.", "Neuen Wert mit Fundstelle eintragen.")
            )
        elif current.until and current.until - day <= NOTICE:
            follows = figure.on(current.until + timedelta(days=1))
            message = f"Der Wert „{current.value}“ gilt nur bis {current.until:%d.%m.%Y}."
            mend = (
                f"Danach gilt „{follows.value}“: Fundstelle noch einmal prüfen."
                if follows
                else "Den Folgewert mit Fundstelle eintragen."
            )
            found.append(Problem("zahlen.yaml", 0, name, message, mend, "warning"))
    return found
