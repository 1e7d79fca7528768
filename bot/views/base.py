"""What all views share: the language, and the way of a text into the turn."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from aiogram.filters.callback_data import CallbackData
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from aiogram.utils.formatting import Italic, Text

from bot.dialogue import Dialogue, Turn
from bot.library import Library
from bot.richtext import split
from bot.translation import Translate, languages, translator
from knowledge_base.guide import Source
from matching.places import Place

Keyboard = list[list[InlineKeyboardButton]]
Call = TypeVar("Call", SendMessage, EditMessageText)
MOST_NAMESAKES = 6
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Speaker:
    """Renders results into the outgoing calls of a turn."""

    def __init__(self, library: Library, username: str, impressum: str) -> None:
        self.library = library
        self._username = username
        self._impressum = impressum

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

    def _which_place(
        self, turn: Turn, places: Sequence[tuple[Place, str]], choice: Callable[[int, Place], CallbackData]
    ) -> None:
        """Ask which of several places is meant; each comes with its postcode where its state does not tell it apart.

        `choice` gives the data of a place's button, from its number in the list and the place.
        """
        _ = self._translate(turn.dialogue)
        rows = [
            [button(f"{postcode} {place.name}, {self._state(place.state)}".strip(), choice(number, place))]
            for number, (place, postcode) in enumerate(places[:MOST_NAMESAKES])
        ]
        text = Text(_("There are several places of that name. Which one do you mean?"))
        if len(places) > MOST_NAMESAKES:
            text += Text(" ", _("With its postcode I find any other one."))
        self._say(turn, text, rows)

    def _state(self, state: str) -> str:
        return self.library.taxonomy.states.get(state, state)


def answer_key(question: Message) -> str:
    """The outbox key under which the answer to a question is found when the question is edited."""
    return f"answer:{question.chat.id}:{question.message_id}"


def button(label: str, data: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=label, callback_data=data.pack())


def source_line(source: Source, _: Translate) -> str:
    """A source with its publisher and date, and whether it is no source of law."""
    stand = _("as of {date}").format(date=in_german(source.as_of))
    kind = ", " + _("experience, not a source of law") if source.kind == "experience" else ""
    return f"{source.title} ({source.publisher}, {stand}{kind})"


def in_german(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _with(method: Call, entities: list[MessageEntity] | None, markup: InlineKeyboardMarkup | None) -> Call:
    # Only what is set is stored and sent.
    if entities:
        method.entities = entities
    if markup:
        method.reply_markup = markup
    return method
