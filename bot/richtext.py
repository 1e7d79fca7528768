"""Text with entities: from the small markup of the guides, and cut to what Telegram takes in one message."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aiogram.types import MessageEntity
from aiogram.utils.formatting import Bold, Text

from knowledge_base.guide import CITATION

# Telegram counts UTF-16 code units: https://core.telegram.org/api/entities#entity-length
MESSAGE_LIMIT = 4096
ENTITY_LIMIT = 100
NUMBERED = re.compile(r"^- ", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """What fits into one message."""

    text: str
    entities: list[MessageEntity]


def units(text: str) -> int:
    """The length of `text` in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def from_markup(text: str, number_of: Callable[[str], int | None]) -> Text:
    """The text of a section for showing: lists with bullets, `**bold**`, and `[^id]` as the source's number."""

    def cite(match: re.Match[str]) -> str:
        number = number_of(match[1])
        return f" [{number}]" if number else ""

    shown = CITATION.sub(cite, NUMBERED.sub("• ", text)).replace("] [", "][")
    parts = shown.split("**")
    return Text(*(Bold(part) if position % 2 else part for position, part in enumerate(parts) if part))


def split(text: str, entities: list[MessageEntity], limit: int = MESSAGE_LIMIT) -> list[Piece]:
    """Cut rich text into pieces of at most `limit` UTF-16 units and 100 entities, at paragraph ends where there are any.

    Nothing is lost but the blank space at the cuts; an entity that spans a cut goes on in the next piece.
    """
    raw = text.encode("utf-16-le")
    pieces = []
    for start, end in _cuts(raw, entities, limit):
        cut = raw[2 * start : 2 * end].decode("utf-16-le")
        lead = units(cut) - units(cut.lstrip())
        shown = cut.strip()
        if not shown:
            continue
        base, length = start + lead, units(shown)
        inside = []
        for entity in entities:
            first, last = max(entity.offset, base), min(entity.offset + entity.length, base + length)
            if first < last:
                inside.append(entity.model_copy(update={"offset": first - base, "length": last - first}))
        pieces.append(Piece(shown, inside))
    return pieces


def _cuts(raw: bytes, entities: list[MessageEntity], limit: int) -> Iterator[tuple[int, int]]:
    start, total = 0, len(raw) // 2
    while start < total:
        end = min(start + limit, total)
        later = sorted(entity.offset for entity in entities if entity.offset >= start)
        if len(later) > ENTITY_LIMIT - 1:  # one may reach in from before
            end = min(end, later[ENTITY_LIMIT - 1])
        if end < total:
            end = start + _good_end(raw[2 * start : 2 * end])
        yield start, end
        start = end


def _good_end(window: bytes) -> int:
    """Where to cut a full window: after a paragraph, else a line, a sentence, a word; never inside a character."""
    for mark in ("\n\n", "\n", ". ", " "):
        cut = _rfind_aligned(window, mark.encode("utf-16-le"))
        if cut > len(window) // 4:  # a piece of reasonable size
            return (cut + len(mark) * 2) // 2
    last = int.from_bytes(window[-2:], "little")
    return len(window) // 2 - (1 if 0xD800 <= last <= 0xDBFF else 0)


def _rfind_aligned(window: bytes, mark: bytes) -> int:
    cut = window.rfind(mark)
    while cut % 2 and cut != -1:
        cut = window.rfind(mark, 0, cut + len(mark) - 1)
    return cut
