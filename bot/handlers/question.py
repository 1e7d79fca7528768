"""Questions in free text, new or edited, in private chats and where the bot is addressed in groups."""

import re
from collections.abc import Callable

from aiogram import Bot, F, Router
from aiogram.types import Message

from bot.answering import Answer, AnswerService, Asked
from bot.callbacks import NO_PASSAGE
from bot.dialogue import Turn
from bot.library import Library, passage_code
from bot.views import Views
from knowledge_base.figures import day_of
from knowledge_base.guide import SUMMARY, Guide

# Who sees a text is told at once that it is being worked on; the chat's id.
Typing = Callable[[int], None]
MOST_NEAREST = 3


def create_router() -> Router:
    router = Router(name="question")
    for observer in (router.message, router.edited_message):
        observer.register(question, F.text, ~F.text.startswith("/"), addressed)
    router.message.register(unknown_command, F.text.startswith("/"), F.chat.type == "private")
    router.message.register(unsupported, ~F.text, addressed, attachment)
    return router


async def addressed(message: Message, bot: Bot) -> bool | dict[str, str]:
    """Whether the bot is spoken to; in a group only by a mention or a reply to it. Passes on the text without mention."""
    text = message.text or ""
    if message.chat.type == "private":
        return {"text": text}
    me = await bot.me()
    mention = re.compile(rf"@{re.escape(me.username or '')}\b", re.IGNORECASE)
    replies = message.reply_to_message and message.reply_to_message.from_user
    if mention.search(text + (message.caption or "")) or (replies and replies.id == me.id):
        return {"text": mention.sub(" ", text)}
    return False


async def attachment(message: Message) -> bool:
    """Whether somebody sent something; not a service message such as a new member or a pinned text."""
    return message.content_type in {
        "animation", "audio", "contact", "dice", "document", "location", "paid_media", "photo", "poll", "sticker",
        "story", "venue", "video", "video_note", "voice",
    }  # fmt: skip


async def question(
    message: Message, text: str, turn: Turn, answers: AnswerService, library: Library, views: Views, typing: Typing
) -> None:
    typing(message.chat.id)
    found = await answers.ask(Asked(text, turn.dialogue.recent_guide(turn.now)))
    for number, answer in enumerate(found):
        # The first answer takes the place of the former one when the question was edited.
        edit = message.edit_date is not None and number == 0
        quote = answer.question if len(found) > 1 else None
        show(answer, turn, library, views, message=message, edit=edit, quote=quote)


def show(
    answer: Answer,
    turn: Turn,
    library: Library,
    views: Views,
    *,
    message: Message | None = None,
    edit: bool = False,
    quote: str | None = None,
) -> None:
    """Render an answer. `message` is the question; `edit`: it has been edited, so its answer changes in place."""
    day = day_of(turn.now)
    guides = [guide for guide in (library.guide(guide_id, day) for guide_id in answer.guides) if guide]
    if answer.smalltalk:
        views.smalltalk(turn, answer.smalltalk, message, edit=edit)
    elif answer.status == "answer" and guides:
        turn.dialogue.remember(guides[0].id, turn.now)
        views.answer(
            turn, guides[0], _best(guides[0], answer), language=answer.language, message=message, edit=edit, quote=quote
        )
    elif answer.status == "clarify" and guides:
        views.clarify(turn, guides[:MOST_NEAREST], language=answer.language, message=message, edit=edit, quote=quote)
    else:
        nearest = guides[:MOST_NEAREST]
        views.no_answer(turn, nearest, language=answer.language, message=message, edit=edit, quote=quote)


def _best(guide: Guide, answer: Answer) -> str:
    """The code of the passage that answers the very question better than the summary does, or `-`."""
    if answer.best is None or answer.best.heading == SUMMARY:
        return NO_PASSAGE
    return passage_code(guide, answer.best.heading, answer.best.text)


async def unknown_command(message: Message, turn: Turn, views: Views) -> None:
    views.help(turn)


async def unsupported(message: Message, turn: Turn, views: Views) -> None:
    views.unsupported(turn)
