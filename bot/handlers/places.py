"""The asker's place: given once, deletable; and what depends on it: offices and the law of the state."""

import asyncio
from typing import cast

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Location, Message

from bot.callbacks import OFFICES, PURPOSES, REMEMBER, STATE_LAW, AskPlace, ForgetPlace, TakePlace
from bot.dialogue import Turn
from bot.library import Library
from bot.views import Views
from knowledge_base.figures import day_of
from knowledge_base.houses import House, responsible
from matching.places import Place, Places

MOST_WORDS = 6


def create_router() -> Router:
    router = Router(name="places")
    router.message.register(place, Command("ort", "place"))
    router.message.register(offices, Command("anlaufstellen", "offices"))
    router.message.register(location, F.location, F.chat.type == "private")
    router.message.register(named, F.text, ~F.text.startswith("/"), F.chat.type == "private", place_is_awaited)
    router.callback_query.register(ask_for_state_law, AskPlace.filter())
    router.callback_query.register(take_place, TakePlace.filter(F.purpose.in_(PURPOSES)))
    router.callback_query.register(forget_place, ForgetPlace.filter())
    return router


def is_no_place(text: str) -> bool:
    """Whether a text that comes while a place is awaited is rather the next question."""
    return len(text.split()) > MOST_WORDS or text.endswith("?")


async def place_is_awaited(message: Message, turn: Turn) -> bool:
    return turn.dialogue.asked_for is not None


async def place(message: Message, command: CommandObject, turn: Turn, library: Library, views: Views) -> None:
    if command.args:
        await _take_name(command.args, REMEMBER, "", turn, library, views)
    elif turn.dialogue.state:
        views.place(turn)
    else:
        _ask(turn, views, REMEMBER)


async def offices(message: Message, command: CommandObject, turn: Turn, library: Library, views: Views) -> None:
    if command.args:
        await _take_name(command.args, OFFICES, "", turn, library, views)
    elif turn.dialogue.state:
        where = (await _places()).find(turn.dialogue.place) if turn.dialogue.place else []
        found = where[0] if where else None
        views.offices(turn, turn.dialogue.state, found, await _near(library, turn.dialogue.state, found))
    else:
        _ask(turn, views, OFFICES)


async def location(message: Message, turn: Turn, library: Library, views: Views) -> None:
    """A location names the offices of its state, or answers the question for a place. Only the town is ever kept."""
    point = cast("Location", message.location)
    found = (await _places()).nearest(point.latitude, point.longitude)
    if found is None:
        views.abroad(turn)
        return
    purpose, guide = _asked_for(turn) if turn.dialogue.asked_for else (OFFICES, "")
    await _take(found.state, found, purpose, guide, turn, library, views)


async def named(message: Message, turn: Turn, library: Library, views: Views) -> None:
    """A text while a place is awaited: a place, or else the next question."""
    text = message.text or ""
    purpose, guide = _asked_for(turn)
    if is_no_place(text):
        turn.dialogue.asked_for = None
        raise SkipHandler
    await _take_name(text, purpose, guide, turn, library, views)


async def ask_for_state_law(query: CallbackQuery, callback_data: AskPlace, turn: Turn, views: Views) -> None:
    views.taken(turn, query)
    _ask(turn, views, STATE_LAW, callback_data.guide)


async def take_place(
    query: CallbackQuery, callback_data: TakePlace, turn: Turn, library: Library, views: Views
) -> None:
    chosen = callback_data
    where = (await _places()).nearest(chosen.latitude, chosen.longitude) if chosen.latitude else None
    if chosen.state not in library.taxonomy.states:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    await _take(chosen.state, where, chosen.purpose, chosen.guide, turn, library, views)


async def forget_place(query: CallbackQuery, turn: Turn, views: Views) -> None:
    turn.dialogue.place = turn.dialogue.state = turn.dialogue.asked_for = None
    views.place_forgotten(turn, query)


def _ask(turn: Turn, views: Views, purpose: str, guide: str = "") -> None:
    turn.dialogue.asked_for = f"{purpose}:{guide}"
    views.ask_place(turn, purpose, guide)


def _asked_for(turn: Turn) -> tuple[str, str]:
    purpose, _, guide = (turn.dialogue.asked_for or "").partition(":")
    return purpose, guide


async def _take_name(name: str, purpose: str, guide: str, turn: Turn, library: Library, views: Views) -> None:
    places = await _places()
    state = next(
        (state for state, label in library.taxonomy.states.items() if label.casefold() == name.casefold()), None
    )
    found = places.find(name)
    if state and (len(found) != 1 or found[0].state != state):
        await _take(state, None, purpose, guide, turn, library, views)
    elif not found:
        views.unknown_place(turn, name, places.spelled_like(name))
    elif len(found) > 1:
        views.which_place(turn, places.told_apart(found), purpose, guide)
    else:
        await _take(found[0].state, found[0], purpose, guide, turn, library, views)


async def _take(
    state: str, where: Place | None, purpose: str, guide_id: str, turn: Turn, library: Library, views: Views
) -> None:
    """Do what the place was asked for."""
    turn.dialogue.asked_for = None
    guide = library.guide(guide_id, day_of(turn.now))
    houses = await _near(library, state, where)
    if purpose == OFFICES:
        views.offices(turn, state, where, houses)
        return
    turn.dialogue.state, turn.dialogue.place = state, where.name if where else None
    if purpose == STATE_LAW and guide and guide.state_law:
        views.state_law(turn, guide, houses)
    else:
        views.place(turn)


async def _near(library: Library, state: str, where: Place | None) -> list[tuple[House, float | None]]:
    """The houses responsible for a place with their distances, the state's own first, the nearest of them first."""
    places = await _places()
    found: list[tuple[House, float | None]] = []
    for house in responsible(library.houses, state):
        seat = places.find(house.place) if house.place and where else []
        found.append((house, seat[0].distance_km(where) if seat and where else None))
    found.sort(key=lambda pair: (not pair[0].states, pair[1] if pair[1] is not None else float("inf")))
    return found


async def _places() -> Places:
    # Read from disk on first use only.
    return await asyncio.to_thread(Places.load)
