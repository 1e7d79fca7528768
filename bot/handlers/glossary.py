"""`/glossar`: one word, three meanings."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import OpenTerm
from bot.dialogue import Turn
from bot.library import Library
from bot.views import Views
from knowledge_base.figures import day_of


def create_router() -> Router:
    router = Router(name="glossary")
    router.message.register(glossary, Command("glossar", "glossary"))
    router.callback_query.register(open_term, OpenTerm.filter())
    return router


async def glossary(message: Message, command: CommandObject, turn: Turn, library: Library, views: Views) -> None:
    if not command.args:
        views.terms(turn)
    elif word := library.glossary.find(command.args):
        views.term(turn, word, day_of(turn.now))
    else:
        views.unknown_term(turn, command.args, library.glossary.near(command.args))


async def open_term(query: CallbackQuery, callback_data: OpenTerm, turn: Turn, library: Library, views: Views) -> None:
    if callback_data.word in library.glossary.terms:
        views.taken(turn, query)
        views.term(turn, callback_data.word, day_of(turn.now))
    else:
        views.stale(turn, query)
