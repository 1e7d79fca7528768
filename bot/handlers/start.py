"""Who the assistant is, and the settings of a conversation."""

from typing import cast

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import CallbackQuery, Message

from bot.callbacks import NO_PASSAGE, OpenChapter, OpenChapters, SetLanguage, SetSector
from bot.dialogue import LanguageMode, Turn
from bot.library import Library
from bot.views import Views
from knowledge_base.figures import day_of
from knowledge_base.guide import VIEWS


def create_router() -> Router:
    router = Router(name="start")
    router.message.register(start, CommandStart())
    router.message.register(help_, Command("hilfe", "help"))
    router.message.register(cancel, Command("abbrechen", "cancel"))
    router.message.register(impressum, Command("impressum"))
    router.message.register(sector, Command("sektor"))
    router.message.register(language, Command("sprache", "language"))
    router.message.register(chapters, Command("themen", "topics"))
    router.callback_query.register(set_sector, SetSector.filter(F.sector.in_({*VIEWS, "-"})))
    router.callback_query.register(set_language, SetLanguage.filter(F.language.in_({"de", "en", "easy"})))
    router.callback_query.register(open_chapters, OpenChapters.filter())
    router.callback_query.register(open_chapter, OpenChapter.filter())
    return router


async def start(message: Message, command: CommandObject, turn: Turn, views: Views, library: Library) -> None:
    if turn.dialogue.language is None and message.from_user and message.from_user.language_code == "en":
        turn.dialogue.language = "en"
    prefix, _, target = (command.args or "").partition("_")
    guide_id, _, best = target.partition("_")
    guide = library.guide(guide_id, day_of(turn.now)) if prefix == "g" else None
    if guide is None:
        views.start(turn)
        return
    turn.dialogue.remember(guide.id, turn.now)
    views.answer(turn, guide, best or NO_PASSAGE)


async def help_(message: Message, turn: Turn, views: Views) -> None:
    views.help(turn)


async def cancel(message: Message, turn: Turn, views: Views) -> None:
    turn.dialogue.guide = turn.dialogue.guide_at = turn.dialogue.asked_for = turn.dialogue.form = None
    views.cancelled(turn)


async def impressum(message: Message, turn: Turn, views: Views) -> None:
    views.impressum(turn)


async def sector(message: Message, turn: Turn, views: Views) -> None:
    views.sector(turn)


async def language(message: Message, turn: Turn, views: Views) -> None:
    views.language(turn)


async def chapters(message: Message, turn: Turn, views: Views) -> None:
    views.chapters(turn)


async def set_sector(query: CallbackQuery, callback_data: SetSector, turn: Turn, views: Views) -> None:
    turn.dialogue.sector = None if callback_data.sector == "-" else callback_data.sector
    views.sector_set(turn, query)


async def set_language(query: CallbackQuery, callback_data: SetLanguage, turn: Turn, views: Views) -> None:
    turn.dialogue.language = cast("LanguageMode", callback_data.language)
    views.language_set(turn, query)


async def open_chapters(query: CallbackQuery, turn: Turn, views: Views) -> None:
    views.chapters(turn, query)


async def open_chapter(
    query: CallbackQuery, callback_data: OpenChapter, turn: Turn, views: Views, library: Library
) -> None:
    if callback_data.chapter in library.chapters():
        views.chapter(turn, query, callback_data.chapter)
    else:
        views.stale(turn, query)
