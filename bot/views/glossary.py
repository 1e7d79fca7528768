"""Words that the sectors use in different meanings."""

from collections.abc import Sequence
from datetime import date

from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import OpenGuide, OpenTerm
from bot.dialogue import Turn
from bot.views.base import Speaker, button
from knowledge_base.guide import VIEWS


class GlossaryViews(Speaker):
    def term(self, turn: Turn, word: str, day: date) -> None:
        _ = self._translate(turn.dialogue)
        term = self.library.glossary.terms[word]
        text = Text(Bold(word), "\n", _("The same word, three meanings:"))
        for sector in VIEWS:
            label = self.library.taxonomy.sectors[sector].title  # type: ignore[index]
            text += Text("\n\n", Bold(label), "\n", getattr(term, sector))
        text += Text("\n\n", Italic(term.tip))
        guides = [self.library.guide(guide, day) for guide in term.guides]
        self._say(turn, text, [[button(guide.title, OpenGuide(guide=guide.id))] for guide in guides if guide])

    def terms(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        words = ", ".join(sorted(self.library.glossary.terms, key=str.casefold))
        intro = _("Words that mean different things to the three sectors. Write for example: /glossar Zuwendung")
        self._say(turn, Text(intro, "\n\n", words))

    def unknown_term(self, turn: Turn, word: str, near: Sequence[str]) -> None:
        _ = self._translate(turn.dialogue)
        text = Text(_("The word “{word}” is not in my glossary.").format(word=word[:60]))
        text += Text(" ", _("Did you mean one of these?") if near else _("/glossar shows all words."))
        self._say(turn, text, [[button(other, OpenTerm(word=other))] for other in near])
