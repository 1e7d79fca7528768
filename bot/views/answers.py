"""Answers: a guide, a choice of guides, or that none is known."""

from collections.abc import Collection, Sequence
from datetime import date

from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, CopyTextButton, InlineKeyboardButton, Message
from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import (
    CODES,
    NO_PASSAGE,
    OTHER_VIEWS,
    RELATED,
    AskPlace,
    FindPartners,
    Judge,
    NoneOfThese,
    OpenAnswer,
    OpenGuide,
    OpenSection,
    OpenTerm,
)
from bot.dialogue import Dialogue, Turn
from bot.library import passage_by_code
from bot.richtext import from_markup
from bot.translation import Translate, translator
from bot.views.base import Keyboard, button, in_german, source_line
from bot.views.conversation import easy_label
from bot.views.places import PlaceViews
from knowledge_base.figures import day_of
from knowledge_base.guide import CITATION, EXAMPLE, LAW, PITFALLS, STEPS, SUMMARY, VIEWS, Guide

# All sources of a guide stand under its sections; an answer names the first of them.
MOST_SOURCES = 5


class AnswerViews(PlaceViews):
    def answer(
        self,
        turn: Turn,
        guide: Guide,
        best: str,
        *,
        language: str | None = None,
        message: Message | None = None,
        query: CallbackQuery | None = None,
        edit: bool = False,
        quote: str | None = None,
    ) -> None:
        """The answer that a guide gives. `best` is the code of a passage shown besides the summary, or `-`.

        `message` is the question, `query` the tap that leads (back) to the answer; `language` is that of the question;
        `quote` is the part of the message that is answered, where it asks several things.
        """
        day = day_of(turn.now)
        mode = self._mode(turn.dialogue, language)
        _ = translator("en" if mode == "en" else "de")
        lead = (*_quoted(quote), *self._notice(mode, language), *self._overdue(guide, day, _))
        text = Text(*lead, Bold(guide.title), "\n\n")
        more = [] if mode == "easy" else self._more(guide, best, turn.dialogue.sector)
        if mode == "easy":
            text += Text(Italic(easy_label(_)), "\n\n", "\n".join(guide.easy))
        else:
            summary = Text(guide.summary_en.strip()) if mode == "en" else self._section_text(guide, SUMMARY)
            text += summary
            if mode == "en" and more:
                text += Text("\n\n", Italic(_("The following parts are in German.")))
            for heading, part in more:
                text += Text("\n\n", Bold(heading), "\n", self._marked_up(guide, part))
        shown = [guide.sections[SUMMARY], *(part for _heading, part in more)]
        if mode == "easy" and guide.state_law:
            text += Text("\n", _("Your state may have other rules."))
        elif law := self._law_of_state(turn, guide, _):
            text += Text("\n\n", *law)
        word = self._ambiguous_word(guide, shown) if mode == "de" else None
        if word:
            hint = _("“{word}” means something else in each sector: /glossar {word}").format(word=word)
            text += Text("\n\n", Italic(hint))
        text += Text("\n\n", *self._sources(guide, self._answer_sources(guide, shown), _), *self._checked(guide, _))
        keyboard = self._answer_keyboard(guide, best, turn.dialogue, word, _)
        if query:
            self._replace(turn, query, text, keyboard)
        else:
            self._say(turn, text, keyboard, answers=message, edit=edit)

    def section(self, turn: Turn, query: CallbackQuery, guide: Guide, section: str, best: str) -> None:
        """Sections of a guide in place of the answer."""
        day = day_of(turn.now)
        _ = self._translate(turn.dialogue)
        if section == OTHER_VIEWS:
            own = VIEWS.get(turn.dialogue.sector or "")
            headings = [heading for heading in VIEWS.values() if heading != own]
        else:
            headings = [CODES[section]]
        text = Text(*self._overdue(guide, day, _), Bold(guide.title))
        for heading in headings:
            text += Text("\n\n", Bold(heading), "\n", self._section_text(guide, heading))
        cited = {name for heading in headings for name in CITATION.findall(guide.sections[heading])}
        text += Text("\n\n", *(self._sources(guide, cited, _) if cited else ()), *self._checked(guide, _))
        self._replace(turn, query, text, [[self._back(guide, best, _)]])

    def related(self, turn: Turn, query: CallbackQuery, guide: Guide, best: str) -> None:
        _ = self._translate(turn.dialogue)
        others = [self.library.guide(other, day_of(turn.now)) for other in guide.related]
        rows = [[button(other.title, OpenGuide(guide=other.id))] for other in others if other]
        rows.append([self._back(guide, best, _)])
        self._replace(turn, query, Text(Bold(guide.title), "\n\n", _("Related topics:")), rows)

    def clarify(
        self,
        turn: Turn,
        guides: Sequence[Guide],
        *,
        language: str | None,
        message: Message | None = None,
        edit: bool = False,
        quote: str | None = None,
    ) -> None:
        mode = self._mode(turn.dialogue, language)
        _ = translator("en" if mode == "en" else "de")
        rows = [[button(guide.title, OpenGuide(guide=guide.id))] for guide in guides]
        rows.append([button(_("None of these"), NoneOfThese())])
        text = Text(*_quoted(quote), *self._notice(mode, language), _("Did you mean one of these topics?"))
        self._say(turn, text, rows, answers=message, edit=edit)

    def no_answer(
        self,
        turn: Turn,
        nearest: Sequence[Guide],
        *,
        language: str | None = None,
        message: Message | None = None,
        query: CallbackQuery | None = None,
        edit: bool = False,
        quote: str | None = None,
    ) -> None:
        mode = self._mode(turn.dialogue, language)
        _ = translator("en" if mode == "en" else "de")
        text = Text(
            *_quoted(quote),
            *self._notice(mode, language),
            _("I do not know that: none of my guides answers this question. I do not guess."),
            "\n\n",
        )
        if nearest:
            text += Text(_("These topics come nearest, but they are not an answer to it:"))
        else:
            text += Text(_("/themen shows everything I know about."))
        rows = [[button(guide.title, OpenGuide(guide=guide.id))] for guide in nearest]
        if query:
            self._replace(turn, query, text, rows)
        else:
            self._say(turn, text, rows, answers=message, edit=edit)

    def taken(self, turn: Turn, query: CallbackQuery) -> None:
        """The tap is seen; what it asks for comes in a message of its own."""
        turn.send(AnswerCallbackQuery(callback_query_id=query.id))

    def judged(self, turn: Turn, query: CallbackQuery, helpful: bool) -> None:
        _ = self._translate(turn.dialogue)
        good, bad = _("Thank you, good to know."), _("Thank you. That helps us to make the guide better.")
        turn.send(AnswerCallbackQuery(callback_query_id=query.id, text=good if helpful else bad))

    def stale(self, turn: Turn, query: CallbackQuery) -> None:
        """The button belongs to a text that has changed since, or was never ours."""
        _ = self._translate(turn.dialogue)
        text = _("This button is out of date. Please ask your question again.")
        turn.send(AnswerCallbackQuery(callback_query_id=query.id, text=text, show_alert=True))

    def _overdue(self, guide: Guide, day: date, _: Translate) -> list[Text]:
        if guide.review_by >= day:
            return []
        text = _("Please note: this guide should have been reviewed by {date}. Details may be out of date.")
        return [Bold(text.format(date=in_german(guide.review_by))), Text("\n\n")]

    def _checked(self, guide: Guide, _: Translate) -> list[Text]:
        text = _("Last checked on {date}. Information, not legal or tax advice.").format(date=in_german(guide.as_of))
        return [Italic(text)]

    def _sources(self, guide: Guide, cited: Collection[str], _: Translate) -> list[Text | str]:
        """The sources in `cited` with their numbers, one a line."""
        parts: list[Text | str] = [Bold(_("Sources")), "\n"]
        for number, source in enumerate(guide.sources, 1):
            if source.id in cited:
                parts += [f"[{number}] {source_line(source, _)}", "\n"]
        return parts

    def _answer_sources(self, guide: Guide, shown: Sequence[str]) -> list[str]:
        """The ids of the sources under an answer: those cited in what is shown, then what the guide's law rests on."""
        cited = [name for text in shown for name in CITATION.findall(text)]
        resting = CITATION.findall(guide.sections[LAW])
        return list(dict.fromkeys([*cited, *resting]))[: max(MOST_SOURCES, len(set(cited)))]

    def _section_text(self, guide: Guide, heading: str) -> Text:
        return self._marked_up(guide, guide.sections[heading])

    def _marked_up(self, guide: Guide, text: str) -> Text:
        numbers = {source.id: number for number, source in enumerate(guide.sources, 1)}
        return from_markup(text, numbers.get)

    def _more(self, guide: Guide, best: str, sector: str | None) -> list[tuple[str, str]]:
        """What is shown below the summary: the passage that answers the question better, and the own sector's view."""
        own = VIEWS.get(sector or "")
        parts = []
        passage = passage_by_code(guide, best) if best != NO_PASSAGE else None
        if passage and passage[0] not in (SUMMARY, own):
            parts.append(passage)
        if own:
            parts.append((own, guide.sections[own]))
        return parts

    def _ambiguous_word(self, guide: Guide, shown: Sequence[str]) -> str | None:
        """A word in what is shown that the sectors understand differently, first of all one that the guide explains."""
        glossary = self.library.glossary
        used = glossary.used_in("\n".join(shown))
        return next((word for word in used if guide.id in glossary.terms[word].guides), used[0] if used else None)

    def _answer_keyboard(self, guide: Guide, best: str, dialogue: Dialogue, word: str | None, _: Translate) -> Keyboard:
        def open_section(label: str, section: str) -> InlineKeyboardButton:
            return button(label, OpenSection(guide=guide.id, section=section, best=best, version=guide.version))

        letters = {heading: letter for letter, heading in CODES.items()}
        views = _("Views of the other sectors") if dialogue.sector else _("Views of the sectors")
        link = f"https://t.me/{self._username}?start={deep_link(guide, best)}"
        keyboard = [
            [open_section(_("Steps"), letters[STEPS]), open_section(_("Pitfalls"), letters[PITFALLS])],
            [open_section(views, OTHER_VIEWS)],
            [open_section(_("Law and figures"), letters[LAW]), open_section(_("Example"), letters[EXAMPLE])],
            [InlineKeyboardButton(text=_("Copy link to pass on"), copy_text=CopyTextButton(text=link))],
            [
                button(_("👍 helpful"), Judge(guide=guide.id, helpful=True, version=guide.version)),
                button(_("👎 not helpful"), Judge(guide=guide.id, helpful=False, version=guide.version)),
            ],
        ]
        extras = [button(_("🤝 Find partners"), FindPartners(guide=guide.id))]
        if guide.related:
            extras.append(open_section(_("Related topics"), RELATED))
        if guide.state_law:
            label = _("📍 Another state") if dialogue.state else _("📍 For my state")
            extras.append(button(label, AskPlace(guide=guide.id)))
        if word:
            extras.append(button(f"📖 {word}", OpenTerm(word=word)))
        keyboard[3:3] = [extras[start : start + 2] for start in range(0, len(extras), 2)]
        return keyboard

    def _back(self, guide: Guide, best: str, _: Translate) -> InlineKeyboardButton:
        return button(_("← Back to the answer"), OpenAnswer(guide=guide.id, best=best, version=guide.version))


def deep_link(guide: Guide, best: str) -> str:
    """The payload of a link that opens the same answer; at most 64 of `A-Za-z0-9_-`."""
    return f"g_{guide.id}_{best}" if best != NO_PASSAGE else f"g_{guide.id}"


def _quoted(question: str | None) -> list[Text]:
    return [Italic(f"„{question}“"), Text("\n\n")] if question else []
