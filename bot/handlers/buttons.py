"""The buttons under answers, and every button that is out of date."""

import hashlib

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.callbacks import (
    CODES,
    NO_PASSAGE,
    OTHER_VIEWS,
    RELATED,
    Judge,
    NoneOfThese,
    OpenAnswer,
    OpenGuide,
    OpenSection,
)
from bot.database import FeedbackRow
from bot.dialogue import Turn
from bot.library import Library
from bot.views import Views
from knowledge_base.figures import day_of
from knowledge_base.guide import Guide


def create_router() -> Router:
    router = Router(name="buttons")
    router.callback_query.register(open_section, OpenSection.filter())
    router.callback_query.register(open_answer, OpenAnswer.filter())
    router.callback_query.register(open_guide, OpenGuide.filter())
    router.callback_query.register(judge, Judge.filter())
    router.callback_query.register(none_of_these, NoneOfThese.filter())
    router.callback_query.register(stale)
    return router


def _current(library: Library, turn: Turn, guide_id: str, version: str) -> Guide | None:
    """The guide that a button belongs to, unless it has changed since the button was made."""
    guide = library.guide(guide_id, day_of(turn.now))
    return guide if guide and guide.version == version else None


async def open_section(
    query: CallbackQuery, callback_data: OpenSection, turn: Turn, library: Library, views: Views
) -> None:
    guide = _current(library, turn, callback_data.guide, callback_data.version)
    if guide is None or callback_data.section not in {*CODES, OTHER_VIEWS, RELATED}:
        views.stale(turn, query)
    elif callback_data.section == RELATED:
        views.related(turn, query, guide, callback_data.best)
    else:
        views.section(turn, query, guide, callback_data.section, callback_data.best)


async def open_answer(
    query: CallbackQuery, callback_data: OpenAnswer, turn: Turn, library: Library, views: Views
) -> None:
    guide = _current(library, turn, callback_data.guide, callback_data.version)
    if guide is None:
        views.stale(turn, query)
    else:
        views.answer(turn, guide, callback_data.best, query=query)


async def open_guide(
    query: CallbackQuery, callback_data: OpenGuide, turn: Turn, library: Library, views: Views
) -> None:
    guide = library.guide(callback_data.guide, day_of(turn.now))
    if guide is None:
        views.stale(turn, query)
        return
    turn.dialogue.remember(guide.id, turn.now)
    views.taken(turn, query)
    views.answer(turn, guide, NO_PASSAGE)


async def judge(query: CallbackQuery, callback_data: Judge, turn: Turn, library: Library, views: Views) -> None:
    guide = _current(library, turn, callback_data.guide, callback_data.version)
    if guide is None or query.message is None:
        views.stale(turn, query)
        return
    # The judgement is tied to the message, not to the person; a second one replaces the first.
    place = f"{query.message.chat.id}:{query.message.message_id}".encode()
    turn.rows.append(
        FeedbackRow(
            answer=hashlib.blake2b(place, digest_size=16).hexdigest(),
            guide=guide.id,
            version=guide.version,
            helpful=callback_data.helpful,
            judged_on=day_of(turn.now).isoformat(),
        )
    )
    views.judged(turn, query, callback_data.helpful)


async def none_of_these(query: CallbackQuery, turn: Turn, views: Views) -> None:
    views.no_answer(turn, [], query=query)


async def stale(query: CallbackQuery, turn: Turn, views: Views) -> None:
    views.stale(turn, query)
