"""The guides as they are shown: figures filled in for the day, passages found again by their short code."""

from datetime import date
from functools import lru_cache

from bot.callbacks import CODES, NO_PASSAGE
from indexer.passages import passages_of, plain
from indexer.text import split_sentences
from knowledge_base.glossary import Glossary
from knowledge_base.guide import Guide, Knowledge, Taxonomy
from knowledge_base.houses import House

# Enough of a sentence to tell it from the others of its section.
BEGINNING = 30


class Library:
    """Read access to one state of the knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._filled = lru_cache(maxsize=512)(self._fill)

    @property
    def taxonomy(self) -> Taxonomy:
        return self._knowledge.taxonomy

    @property
    def glossary(self) -> Glossary:
        return self._knowledge.glossary

    @property
    def houses(self) -> tuple[House, ...]:
        return self._knowledge.houses

    @property
    def titles(self) -> dict[str, str]:
        """The title of each guide by its id."""
        return {guide.id: guide.title for guide in self._knowledge.guides.values()}

    @property
    def chapter_titles(self) -> dict[str, str]:
        """The title of each guide's chapter by the guide's id."""
        chapters = self.taxonomy.chapters
        return {guide.id: chapters[guide.chapter].title for guide in self._knowledge.guides.values()}

    def guide(self, guide_id: str | None, day: date) -> Guide | None:
        """The guide with its figures as of `day`, or None for an id that does not exist (any more)."""
        return self._filled(guide_id, day) if guide_id in self._knowledge.guides else None

    def all(self) -> list[Guide]:
        """All guides, their figures not filled in."""
        return list(self._knowledge.guides.values())

    def chapter(self, chapter_id: str) -> list[Guide]:
        """The guides of a chapter, by title."""
        found = [guide for guide in self._knowledge.guides.values() if guide.chapter == chapter_id]
        return sorted(found, key=lambda guide: guide.title)

    def chapters(self) -> list[str]:
        """The ids of the chapters that have guides, in their order."""
        used = {guide.chapter for guide in self._knowledge.guides.values()}
        return [chapter for chapter in self._knowledge.taxonomy.chapters if chapter in used]

    def _fill(self, guide_id: str, day: date) -> Guide:
        return self._knowledge.guides[guide_id].filled(self._knowledge.figures, day)


def passage_code(guide: Guide, heading: str, text: str) -> str:
    """The short code of a passage of `guide`: the letter of its section and its number in it."""
    parts = _parts(guide, heading)
    letter = next(letter for letter, known in CODES.items() if known == heading)
    return f"{letter}{parts.index(text)}" if text in parts and parts.index(text) < 10 else NO_PASSAGE


def passage_by_code(guide: Guide, code: str) -> tuple[str, str] | None:
    """Heading and text of the passage that `code` names, or None when the guide has no such passage.

    The text is the guide's own with its marks: the lines of the section that have a sentence in the passage.
    """
    heading = CODES.get(code[:1])
    parts = _parts(guide, heading)
    if heading is None or len(code) != 2 or not code[1].isdecimal() or int(code[1]) >= len(parts):
        return None
    part = parts[int(code[1])]
    lines = guide.sections[heading].split("\n")
    return heading, "\n".join(
        line for line in lines if any(sentence[:BEGINNING] in part for sentence in split_sentences(plain(line)))
    )


def _parts(guide: Guide, heading: str | None) -> list[str]:
    return [passage.text for passage in passages_of(guide) if passage.heading == heading]
