"""Guides to passages: what is embedded, searched and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.text import clean, split_sentences

LONGEST = 1200  # characters of a passage's text: about 300 tokens, so title and heading fit into 512 as well
_CITATION = re.compile(r"\s?\[\^[A-Za-z0-9_-]+\]")


class Guide(Protocol):
    """What the index needs to know of a guide (`knowledge_base.guide.Guide` has it); figures are already filled in."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def chapter(self) -> str: ...
    @property
    def sections(self) -> Mapping[str, str]: ...
    @property
    def version(self) -> str: ...
    @property
    def questions(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Passage:
    """A piece of a guide. `guide` is the guide's id, `heading` the heading of its section, `text` its plain text."""

    id: str
    guide: str
    title: str
    heading: str
    text: str

    @property
    def embedded_text(self) -> str:
        """Title, heading and text: a passage out of its guide does not say what it is about."""
        return "\n".join(part for part in (self.title, self.heading, self.text) if part)

    @property
    def sentences(self) -> list[str]:
        """The sentences of `text`, each of which gets a vector of its own beside the passage's."""
        return split_sentences(self.text)


def plain(text: str) -> str:
    """`text` without citation marks and asterisks."""
    return clean(_CITATION.sub("", text).replace("**", ""))


def passages_of(guide: Guide) -> list[Passage]:
    """One passage a section in the guide's order; a section longer than LONGEST is split where a sentence ends."""
    passages: list[Passage] = []
    for heading, section in guide.sections.items():
        for text in _pieces(plain(section)):
            passage_id = f"{guide.id}:{len(passages)}"
            passages.append(Passage(passage_id, guide.id, guide.title, heading, text))
    return passages


def _pieces(text: str) -> list[str]:
    if len(text) <= LONGEST:
        return [text] if text else []
    pieces: list[str] = []
    for line in text.split("\n"):
        for position, sentence in enumerate(split_sentences(line)):
            joint = "\n" if position == 0 else " "
            if pieces and len(pieces[-1]) + len(sentence) < LONGEST:
                pieces[-1] += joint + sentence
            else:
                pieces.append(sentence)
    return pieces
