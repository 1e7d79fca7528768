"""`lotse guides new`: the beginning of a guide, with what belongs in each place."""

import re
from datetime import date, timedelta
from pathlib import Path

from knowledge_base.guide import EXAMPLE, LAW, PITFALLS, STEPS, SUMMARY, TODO, VIEWS, Taxonomy

REVIEW_AFTER = timedelta(days=182)
_HINTS = {
    SUMMARY: "Die Antwort in zwei bis fünf Sätzen, höchstens 600 Zeichen. Sie muss allein verständlich sein.",
    STEPS: "Als Liste „1. …“: Was zuerst? Wer entscheidet? Was wird aufgeschrieben?",
    **dict.fromkeys(VIEWS.values(), "Was dieser Sektor braucht, fürchtet und beachten muss."),
    PITFALLS: "Als Liste „- …“: Was in der Praxis schiefgeht, und wie man es vermeidet.",
    LAW: "Je Zeile „- “ eine Aussage, am Ende mit ihrer Quelle belegt: [^gesetz]. Zahlen als {{ zahl.<id> }}.",
    EXAMPLE: "Ein erfundenes Beispiel mit glaubwürdigen Orten und Zahlen: „Angenommen, …“",
}


def write_stub(root: Path, guide_id: str, chapter: str, taxonomy: Taxonomy, today: date) -> list[Path]:
    """Write the stub of a guide and its empty question bank under `root`; returns both paths.

    Raises ValueError with a message for the editor when the id or the chapter is not possible or already taken.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", guide_id) or len(guide_id) > 40:
        raise ValueError(
            f"„{guide_id}“ geht nicht als id: höchstens 40 Zeichen, nur Kleinbuchstaben a-z, Ziffern und Bindestriche, "
            "zum Beispiel foerderverein-gruenden."
        )
    if chapter not in taxonomy.chapters:
        raise ValueError(f"Das Kapitel „{chapter}“ gibt es nicht. Möglich sind: {', '.join(taxonomy.chapters)}.")
    bank = root / "questions" / f"{guide_id}.txt"
    if taken := [*(root / "guides").glob(f"*/{guide_id}.md"), *([bank] if bank.exists() else [])]:
        raise ValueError(f"Den Leitfaden „{guide_id}“ gibt es schon: {taken[0]}.")
    guide = root / "guides" / chapter / f"{guide_id}.md"
    guide.parent.mkdir(parents=True, exist_ok=True)
    guide.write_text(_stub(guide_id, chapter, today), encoding="utf-8")
    bank.write_text("", encoding="utf-8")
    return [guide, bank]


def _stub(guide_id: str, chapter: str, today: date) -> str:
    sections = "\n\n".join(f"## {heading}\n{TODO}: {hint}" for heading, hint in _HINTS.items())
    return f"""---
id: {guide_id}
title: "{TODO}: Das Thema in einfachen Worten, höchstens 80 Zeichen"
chapter: {chapter}
sectors: [verwaltung, wirtschaft, zivilgesellschaft] # wen es angeht
themes: [engagement-infrastruktur] # ein bis sechs aus taxonomy.yaml
summary_en: >-
  {TODO}: The answer in plain English, 60 to 120 words.
easy: # fünf bis acht Sätze in Anlehnung an Leichte Sprache: ein Gedanke je Satz, höchstens zwölf Wörter
  - "{TODO}: erster Satz"
  - "{TODO}: zweiter Satz"
  - "{TODO}: dritter Satz"
  - "{TODO}: vierter Satz"
  - "{TODO}: fünfter Satz"
sources: # kind: law (Gesetz), publication (Veröffentlichung) oder experience (Erfahrung); jede wird im Text zitiert
  - {{id: gesetz, title: "{TODO}: Gesetz mit §", publisher: Bundesrepublik Deutschland, kind: law, as_of: {today}}}
as_of: {today} # Tag der letzten Prüfung
review_by: {today + REVIEW_AFTER} # Tag der nächsten Prüfung
related: [] # ids verwandter Leitfäden, höchstens sechs; dort auch diesen eintragen
---
{sections}
"""
