"""Results as text, entities and keyboards: the only place where words meet the user."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import TypeVar

from aiogram.filters.callback_data import CallbackData
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import (
    BotCommand,
    CallbackQuery,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import (
    CODES,
    NO_PASSAGE,
    OTHER_VIEWS,
    RELATED,
    Judge,
    NoneOfThese,
    OpenAnswer,
    OpenChapter,
    OpenChapters,
    OpenGuide,
    OpenSection,
    SetLanguage,
    SetSector,
)
from bot.dialogue import Dialogue, Turn
from bot.library import Library, passage_by_code
from bot.richtext import from_markup, split
from bot.translation import Translate, languages, translator
from knowledge_base.figures import day_of
from knowledge_base.guide import CITATION, EXAMPLE, LAW, PITFALLS, STEPS, SUMMARY, VIEWS, Guide

Keyboard = list[list[InlineKeyboardButton]]
Call = TypeVar("Call", SendMessage, EditMessageText)
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
# Texts of the assistant exist in these; guides are German with an English summary.
INTERFACE_LANGUAGES = ("de", "en")
# All sources of a guide stand under its sections; an answer names the first of them.
MOST_SOURCES = 5
COMMANDS = ("start", "hilfe", "themen", "sektor", "sprache", "impressum", "abbrechen")


class Views:
    """Renders everything the assistant says into the outgoing calls of a turn."""

    def __init__(self, library: Library, username: str, impressum: str) -> None:
        self.library = library
        self._username = username
        self._impressum = impressum

    # Conversation around the answers

    def start(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        text = Text(
            Bold(_("I am the Kooperationslotse.")),
            "\n\n",
            _(
                "I answer questions about cooperation between public administration, business and civil society in Germany: how to find partners, agree on things, handle money and law, and work together."
            ),
            "\n\n",
            _(
                "I am a computer program, an AI system (Art. 50 of the EU AI Act), not a person. I search checked guides and show their text with its sources. I write nothing myself, and I say so when I do not know something."
            ),
            "\n\n",
            _("I give information. I do not give legal or tax advice (RDG, StBerG)."),
            "\n\n",
            _(
                "What I store: your Telegram number with your choice of sector and language and the topic of your last answer. Your messages are stored encrypted until they are answered, and then deleted."
            ),
        )
        self._say(turn, text)
        self.sector(turn)

    def sector(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        rows = [[_button(label, SetSector(sector=sector))] for sector, label in self._sectors(_)]
        rows.append([_button(_("Skip"), SetSector(sector="-"))])
        self._say(turn, Text(_("Which sector do you work in? Then I also show you your own sector's view.")), rows)

    def sector_set(self, turn: Turn, query: CallbackQuery) -> None:
        _ = self._translate(turn.dialogue)
        label = dict(self._sectors(_)).get(turn.dialogue.sector or "")
        chosen = _("Your sector: {sector}.").format(sector=label) if label else _("Fine, without a sector.")
        self._replace(
            turn, query, Text(chosen, " ", _("Ask me your question in your own words, or choose from /themen."))
        )

    def language(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        rows = [[_button(label, SetLanguage(language=mode))] for mode, label in self._modes()]
        self._say(turn, Text(_("In which language shall I answer?")), rows)

    def language_set(self, turn: Turn, query: CallbackQuery) -> None:
        _ = self._translate(turn.dialogue)
        label = dict(self._modes())[turn.dialogue.language or "de"]
        text = Text(_("Language: {language}.").format(language=label))
        if turn.dialogue.language == "easy":
            text += Text("\n\n", Italic(_easy_label(_)))
        self._replace(turn, query, text)

    def help(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        lines = [f"/{command} – {text}" for command, text in self._command_texts(_)]
        text = Text(
            _(
                "Write your question as you would ask a colleague. A situation is enough, you need not know the right term."
            ),
            "\n\n",
            "\n".join(lines),
            "\n\n",
            _("In groups I answer commands, mentions and replies to my messages only."),
        )
        self._say(turn, text)

    def cancelled(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(_("Done, I have forgotten what we were talking about. Ask me something new.")))

    def impressum(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(self._impressum or _("The operator of this bot has not entered an imprint yet.")))

    def chapters(self, turn: Turn, query: CallbackQuery | None = None) -> None:
        _ = self._translate(turn.dialogue)
        taxonomy, english = self.library.taxonomy, self._interface(turn.dialogue) == "en"
        rows = []
        for chapter in self.library.chapters():
            title = taxonomy.chapters[chapter].title_en if english else taxonomy.chapters[chapter].title
            rows.append([_button(title, OpenChapter(chapter=chapter))])
        text = Text(_("My topics by chapter:"))
        self._replace(turn, query, text, rows) if query else self._say(turn, text, rows)

    def chapter(self, turn: Turn, query: CallbackQuery, chapter: str) -> None:
        _ = self._translate(turn.dialogue)
        taxonomy = self.library.taxonomy.chapters[chapter]
        title = taxonomy.title_en if self._interface(turn.dialogue) == "en" else taxonomy.title
        rows = [[_button(guide.title, OpenGuide(guide=guide.id))] for guide in self.library.chapter(chapter)]
        rows.append([_button(_("← All chapters"), OpenChapters())])
        self._replace(turn, query, Text(Bold(title)), rows)

    def smalltalk(self, turn: Turn, kind: str, message: Message | None, *, edit: bool = False) -> None:
        _ = self._translate(turn.dialogue)
        texts = {
            "greeting": _("Hello! What would you like to know about working together across sectors?"),
            "thanks": _("You are welcome. Ask me whenever you have another question."),
            "farewell": _("Goodbye, and good luck with your plans!"),
            "machine": _(
                "No, I am a computer program. I search checked guides and show their text with its sources. I write nothing myself."
            ),
            "ability": _(
                "I answer questions about cooperation between public administration, business and civil society, for example on agreements, donations, funding or first talks. /themen shows everything I know about."
            ),
            "wellbeing": _(
                "Thank you for asking. I am a program, so I am always the same. What can I look up for you?"
            ),
            "insult": _("I am sorry that I was no help. Tell me in a sentence what you need, and I will look again."),
            "empty": _("Please write me your question in a sentence."),
        }
        self._say(turn, Text(texts[kind]), answers=message, edit=edit)

    def unsupported(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(
                _(
                    "I can only read text, so I cannot use photos, voice messages, stickers or documents. Please write your question as a message; I will gladly look it up in my guides."
                )
            ),
        )

    def slowed(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(
                _(
                    "You are asking very quickly. I answer everything, one after the other, but a little more slowly now."
                )
            ),
        )

    def failure(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(_("Something went wrong on my side, and I could not handle your message. Please try again later.")),
        )

    # Answers

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
            text += Text(Italic(_easy_label(_)), "\n\n", "\n".join(guide.easy))
        else:
            summary = Text(guide.summary_en.strip()) if mode == "en" else self._section_text(guide, SUMMARY)
            text += summary
            if mode == "en" and more:
                text += Text("\n\n", Italic(_("The following parts are in German.")))
            for heading, part in more:
                text += Text("\n\n", Bold(heading), "\n", self._marked_up(guide, part))
        shown = [guide.sections[SUMMARY], *(part for _heading, part in more)]
        text += Text("\n\n", *self._sources(guide, self._answer_sources(guide, shown), _), *self._checked(guide, _))
        keyboard = self._answer_keyboard(guide, best, turn.dialogue.sector, _)
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
        rows = [[_button(other.title, OpenGuide(guide=other.id))] for other in others if other]
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
        rows = [[_button(guide.title, OpenGuide(guide=guide.id))] for guide in guides]
        rows.append([_button(_("None of these"), NoneOfThese())])
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
        rows = [[_button(guide.title, OpenGuide(guide=guide.id))] for guide in nearest]
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

    def commands(self, language: str) -> list[BotCommand]:
        """The commands for Telegram's menu in `language`."""
        return [BotCommand(command=name, description=text) for name, text in self._command_texts(translator(language))]

    # Parts

    def _command_texts(self, _: Translate) -> list[tuple[str, str]]:
        texts = {
            "start": _("Who I am, and what I store"),
            "hilfe": _("How to ask, and all commands"),
            "themen": _("Browse the topics by chapter"),
            "sektor": _("Choose your sector"),
            "sprache": _("German, English or simple German"),
            "impressum": _("Who operates this bot"),
            "abbrechen": _("Stop, and start over"),
        }
        return [(command, texts[command]) for command in COMMANDS]

    def _sectors(self, _: Translate) -> list[tuple[str, str]]:
        return [
            ("verwaltung", _("Public administration")),
            ("wirtschaft", _("Business")),
            ("zivilgesellschaft", _("Civil society")),
        ]

    def _modes(self) -> list[tuple[str, str]]:
        # Each language is named in itself, whatever the current one is.
        return [("de", "Deutsch"), ("en", "English"), ("easy", "Leichte Sprache")]

    def _interface(self, dialogue: Dialogue) -> str:
        return "en" if dialogue.language == "en" else "de"

    def _translate(self, dialogue: Dialogue) -> Translate:
        return translator(self._interface(dialogue))

    def _mode(self, dialogue: Dialogue, language: str | None) -> str:
        """The chosen language, else English for a question in English, else German."""
        return dialogue.language or ("en" if language == "en" else "de")

    def _notice(self, mode: str, language: str | None) -> list[Text]:
        """One sentence for a person whose language has no texts: in it, or in English."""
        if mode != "de" or language in (None, "de"):
            return []
        _ = translator(language if language in languages() else "en")
        return [
            Italic(_("I understood your question. My guides are in German, so here is the German text.")),
            Text("\n\n"),
        ]

    def _overdue(self, guide: Guide, day: date, _: Translate) -> list[Text]:
        if guide.review_by >= day:
            return []
        text = _("Please note: this guide should have been reviewed by {date}. Details may be out of date.")
        return [Bold(text.format(date=_date(guide.review_by))), Text("\n\n")]

    def _checked(self, guide: Guide, _: Translate) -> list[Text]:
        text = _("Last checked on {date}. Information, not legal or tax advice.").format(date=_date(guide.as_of))
        return [Italic(text)]

    def _sources(self, guide: Guide, cited: Collection[str], _: Translate) -> list[Text | str]:
        """The sources in `cited` with their numbers, one a line."""
        parts: list[Text | str] = [Bold(_("Sources")), "\n"]
        for number, source in enumerate(guide.sources, 1):
            if source.id in cited:
                stand = _("as of {date}").format(date=_date(source.as_of))
                kind = ", " + _("experience, not a source of law") if source.kind == "experience" else ""
                parts += [f"[{number}] {source.title} ({source.publisher}, {stand}{kind})", "\n"]
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

    def _answer_keyboard(self, guide: Guide, best: str, sector: str | None, _: Translate) -> Keyboard:
        def open_section(label: str, section: str) -> InlineKeyboardButton:
            return _button(label, OpenSection(guide=guide.id, section=section, best=best, version=guide.version))

        letters = {heading: letter for letter, heading in CODES.items()}
        views = _("Views of the other sectors") if sector else _("Views of the sectors")
        link = f"https://t.me/{self._username}?start={deep_link(guide, best)}"
        keyboard = [
            [open_section(_("Steps"), letters[STEPS]), open_section(_("Pitfalls"), letters[PITFALLS])],
            [open_section(views, OTHER_VIEWS)],
            [open_section(_("Law and figures"), letters[LAW]), open_section(_("Example"), letters[EXAMPLE])],
            [InlineKeyboardButton(text=_("Copy link to pass on"), copy_text=CopyTextButton(text=link))],
            [
                _button(_("👍 helpful"), Judge(guide=guide.id, helpful=True, version=guide.version)),
                _button(_("👎 not helpful"), Judge(guide=guide.id, helpful=False, version=guide.version)),
            ],
        ]
        if guide.related:
            keyboard.insert(3, [open_section(_("Related topics"), RELATED)])
        return keyboard

    def _back(self, guide: Guide, best: str, _: Translate) -> InlineKeyboardButton:
        return _button(_("← Back to the answer"), OpenAnswer(guide=guide.id, best=best, version=guide.version))

    # Into the turn

    def _say(
        self,
        turn: Turn,
        text: Text,
        keyboard: Keyboard | None = None,
        *,
        answers: Message | None = None,
        edit: bool = False,
    ) -> None:
        """Send `text`, in as many messages as it takes; the keyboard hangs on the first one.

        `answers` is the question: in a group the answer replies to it, and when it is edited (`edit`) its answer changes.
        """
        chat_id = turn.dialogue.chat_id
        markup = InlineKeyboardMarkup(inline_keyboard=keyboard) if keyboard else None
        for number, piece in enumerate(split(*text.render())):
            key = answer_key(answers) if answers and number == 0 else None
            entities = piece.entities or None
            if edit and key:
                method = EditMessageText(chat_id=chat_id, text=piece.text, link_preview_options=NO_PREVIEW)
                turn.send(_with(method, entities, markup), key=None, edits=key)
                continue
            reply = None
            if answers and number == 0 and answers.chat.type != "private":
                reply = ReplyParameters(message_id=answers.message_id, allow_sending_without_reply=True)
            message = SendMessage(chat_id=chat_id, text=piece.text, link_preview_options=NO_PREVIEW)
            if reply:
                message.reply_parameters = reply
            turn.send(_with(message, entities, markup if number == 0 else None), key=key)

    def _replace(self, turn: Turn, query: CallbackQuery, text: Text, keyboard: Keyboard | None = None) -> None:
        """Show `text` in place of the message whose button was tapped."""
        turn.send(AnswerCallbackQuery(callback_query_id=query.id))
        if query.message is None:
            return
        first, *rest = split(*text.render())
        method = EditMessageText(
            chat_id=query.message.chat.id,
            message_id=query.message.message_id,
            text=first.text,
            link_preview_options=NO_PREVIEW,
        )
        markup = InlineKeyboardMarkup(inline_keyboard=keyboard) if keyboard else None
        turn.send(_with(method, first.entities or None, markup))
        for piece in rest:
            message = SendMessage(chat_id=query.message.chat.id, text=piece.text, link_preview_options=NO_PREVIEW)
            turn.send(_with(message, piece.entities or None, None))


def deep_link(guide: Guide, best: str) -> str:
    """The payload of a link that opens the same answer; at most 64 of `A-Za-z0-9_-`."""
    return f"g_{guide.id}_{best}" if best != NO_PASSAGE else f"g_{guide.id}"


def answer_key(question: Message) -> str:
    """The outbox key under which the answer to a question is found when the question is edited."""
    return f"answer:{question.chat.id}:{question.message_id}"


def _easy_label(_: Translate) -> str:
    return _("Modelled on Leichte Sprache. Not yet tested with readers.")


def _button(label: str, data: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=label, callback_data=data.pack())


def _quoted(question: str | None) -> list[Text]:
    return [Italic(f"„{question}“"), Text("\n\n")] if question else []


def _date(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _with(method: Call, entities: list[MessageEntity] | None, markup: InlineKeyboardMarkup | None) -> Call:
    # Only what is set is stored and sent.
    if entities:
        method.entities = entities
    if markup:
        method.reply_markup = markup
    return method
