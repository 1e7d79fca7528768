"""From a query as it is stored (personal data replaced) to a draft in German that staff can send to the client."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from bot.answering import Asked, questions_in
from bot.library import Library
from bot.redaction import PLACEHOLDER
from bot.translation import translator
from bot.views.base import source_line
from indexer.passages import plain
from indexer.text import clean, split_sentences
from knowledge_base.guide import CITATION, LAW, STEPS, SUMMARY, Guide, Source

if TYPE_CHECKING:
    from bot.answering import Answer, Answerer

SALUTATION = "Guten Tag,"
CLOSING = "Mit freundlichen Grüßen"
UNANSWERED = (
    "Dazu haben wir in unseren Leitfäden keine gesicherte Antwort. "
    "Eine Kollegin oder ein Kollege sieht sich Ihre Frage an und meldet sich bei Ihnen."
)
MOST_STEPS = 4
MOST_SOURCES = 5
# Heads of forwarded e-mails say nothing about what is asked.
_MAIL_HEAD = re.compile(r"^[> ]*(?:Von|An|Cc|Gesendet|Datum|From|To|Sent|Date)[ ]?:.*$|^[> ]*-{3,}.*$", re.MULTILINE)
_STEP = re.compile(r"^(?:\d+\.|[-*•])\s+", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]+(?=[ \t,.;:!?)])|(?<=[ \t])[ \t]+")


@dataclass(frozen=True)
class Part:
    """One question of the query, with the answer found and the text for the client.

    `guide`: the guide whose text this is, None where none answers.
    """

    question: str
    answer: "Answer"
    guide: Guide | None
    text: str


@dataclass(frozen=True)
class Draft:
    """`text` is the whole message, ready to send; `parts` and `sources` are what it was made from."""

    salutation: str
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]
    text: str


def draft(text: str, answerer: "Answerer", library: Library, *, notice: str, day: date) -> Draft:
    """The draft for a query. Blocking and CPU-bound, like the answerer; `text` has placeholders for personal data.

    Each question is answered by itself; several with the same guide get its text once. `notice` is the institution's own on
    legal and tax advice, figures are those of `day`.
    """
    return compose(answered(text, answerer), library, notice=notice, day=day)


def answered(text: str, answerer: "Answerer") -> "list[tuple[str, Answer]]":
    """The questions in `text`, each with its answer: at least one, which is the whole text where nothing else is asked."""
    text = clean(text)
    pieces = questions_in(_MAIL_HEAD.sub("", text)) or [text]
    found = []
    asked = [Asked(_searchable(piece)) for piece in pieces]
    for piece, answers in zip(pieces, answerer.answer(asked), strict=True):
        # One piece may still ask several things; then each answer names the question it belongs to.
        several = len(answers) > 1
        whole = _question(piece) if len(pieces) > 1 else piece
        found += [(_question(answer.question) if several else whole, answer) for answer in answers]
    return found


def compose(found: "Sequence[tuple[str, Answer]]", library: Library, *, notice: str, day: date) -> Draft:
    """The draft from questions and their answers."""
    parts: list[Part] = []
    for question, answer in found:
        guide = library.guide(answer.guide, day) if answer.status == "answer" else None
        told = guide is not None and any(part.guide is not None and part.guide.id == guide.id for part in parts)
        text = "" if told else _answer_text(guide) if guide else UNANSWERED
        parts.append(Part(question, answer, guide, text))
    sources = _sources([part.guide for part in parts if part.guide and part.text])
    return Draft(SALUTATION, tuple(parts), sources, _message(parts, sources, notice))


def _message(parts: Sequence[Part], sources: Sequence[Source], notice: str) -> str:
    shown = [part for part in parts if part.text]
    blocks = [SALUTATION, "vielen Dank für Ihre Anfrage."]
    for number, part in enumerate(shown, 1):
        asked = _short(part.question)
        blocks.append(f"{number}. Zu Ihrer Frage „{asked}“:\n{part.text}" if len(shown) > 1 else part.text)
    if sources:
        german = translator("de")
        blocks.append("\n".join(["Quellen:", *(f"– {source_line(source, german)}" for source in sources)]))
    return "\n\n".join([*blocks, *([notice.strip()] if notice.strip() else []), CLOSING])


def _answer_text(guide: Guide) -> str:
    steps = [plain(step) for step in _STEP.split(guide.sections[STEPS]) if step.strip()][:MOST_STEPS]
    numbered = "\n".join(f"{number}) {' '.join(step.split())}" for number, step in enumerate(steps, 1))
    return f"{plain(guide.sections[SUMMARY])}\n\nSo können Sie vorgehen:\n{numbered}"


def _sources(guides: Sequence[Guide]) -> tuple[Source, ...]:
    """Those cited in what is shown, then those that the guides' law rests on; without repetition."""
    chosen: dict[str, Source] = {}
    for guide in {guide.id: guide for guide in guides}.values():
        cited = CITATION.findall(guide.sections[SUMMARY] + guide.sections[STEPS])
        ids = list(dict.fromkeys([*cited, *CITATION.findall(guide.sections[LAW])]))[:MOST_SOURCES]
        for source in filter(None, map(guide.source, ids)):
            chosen.setdefault(f"{source.title} ({source.publisher})", source)
    return tuple(chosen.values())


def _searchable(text: str) -> str:
    """A piece of the query without what disturbs the search: placeholders, and the heads of e-mails."""
    return clean(_BLANKS.sub("", PLACEHOLDER.sub(" ", _MAIL_HEAD.sub("", text))))


def _question(piece: str) -> str:
    """The question itself, without the sentences that lead up to it."""
    return split_sentences(piece, shortest=1)[-1] if piece.strip() else piece


def _short(question: str) -> str:
    # A client is not addressed by a placeholder.
    bare = _searchable(question)
    return bare if len(bare) <= 160 else f"{bare[:159].rstrip()}…"
