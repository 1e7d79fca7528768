"""Writes docs/gespraeche.md: conversations in each language mode as they run with the assistant of today."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from rich.console import Console

from bot.console import chat
from bot.live import Live, open_live
from bot.settings import Settings, load_settings

# A number taps a button of the latest message.
CONVERSATIONS: dict[str, tuple[tuple[str, Sequence[str]], ...]] = {
    "Deutsch": (
        (
            "Eine Kassenwartin fragt nach dem Baumarkt",
            (
                "/sektor",
                "3",
                "Der Chef vom Baumarkt würd uns was geben, will aber sein Schild am Zaun sehen. Geht das so einfach?",
                "4",
                "1",
                "und was heißt das für die Steuer?",
                "danke, sehr hilfreich",
            ),
        ),
        (
            "Ein Amt fragt, wer über eine Spende entscheidet",
            (
                "/sektor",
                "1",
                "Eine Baufirma will unserer Gemeinde 5.000 Euro für den Spielplatz geben. Wer bei uns darf das annehmen?",
                "8",
                "Freiburg im Breisgau",
                "/anlaufstellen",
                "/ort",
                "1",
            ),
        ),
        (
            "Was kein Leitfaden beantwortet, und was unklar ist",
            (
                "Wie hoch ist die Hundesteuer in Kassel?",
                "Bei uns sitzen Firma, Amt und zwei Vereine am Tisch, niemand ist Vorgesetzter. Wie kommen wir zu Beschlüssen?",
                "/glossar Zuwendung",
            ),
        ),
        (
            "Ein Verein sucht Laptops",
            ("/partner Unser Verein in Halle sucht Laptops für Senioren", "1", "1", "/abbrechen"),
        ),
    ),
    "English": (
        (
            "A company asks about its logo",
            (
                "/sprache",
                "2",
                "We give a sports club money and they print our logo on the shirts. Can they give us a donation receipt?",
                "4",
            ),
        ),
        (
            "An association asks about a grant",
            (
                "/sprache",
                "2",
                "The city has approved money for our project. What do we have to watch out for before we start spending it?",
                "And if something is left over at the end?",
            ),
        ),
        (
            "Something that no guide answers",
            ("/sprache", "2", "How do I register my dog for the dog tax?", "/topics", "1"),
        ),
    ),
    "Leichte Sprache": (
        ("Geld von einer Firma", ("/sprache", "3", "Eine Firma will uns Geld geben. Was muss ich tun?", "4")),
        ("Ein Unfall", ("/sprache", "3", "Ein Helfer hat sich verletzt. Wer bezahlt den Arzt?", "1")),
        ("Streit", ("/sprache", "3", "Wir haben Streit mit der Firma. Was machen wir?")),
    ),
}
HEAD = """# Gespräche

So antwortet der Kooperationslotse: Gespräche, wie sie im Terminal (`lotse chat`) abgelaufen sind, geschrieben von `python docs/conversations.py`.
`>` ist, was die Person schreibt; eine Zahl drückt den Knopf mit dieser Nummer. Die Begrüßung am Anfang ist weggelassen.
"""


async def _typed(lines: Sequence[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


def transcript(live: Live, lines: Sequence[str]) -> str:
    """What is shown in a conversation in which a person types `lines`, from the first of them on."""
    console = Console(record=True, width=116, highlight=False, markup=False, emoji=False, file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)
        asyncio.run(chat(settings, live, _typed(lines), console, echo=True))
    shown = "\n".join(line.rstrip() for line in console.export_text().splitlines())
    return shown[shown.index(f"> {lines[0]}") :].strip()


def main() -> None:
    live = open_live(load_settings())
    page = [HEAD]
    for language, conversations in CONVERSATIONS.items():
        page.append(f"## {language}\n")
        for title, lines in conversations:
            page.append(f"### {title}\n\n```text\n{transcript(live, lines)}\n```\n")
    Path(__file__).with_name("gespraeche.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
