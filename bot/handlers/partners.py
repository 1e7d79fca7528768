"""`/partner` and `/buendnis`: a request in free text, suggestions, and corrections with a tap.

A search is kept in the dialogue's form, so that it survives a restart: its text, what has been corrected, who was shown.
A button whose search is over is answered by the router of buttons that are out of date.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import (
    ChangeRequest,
    FindAlliance,
    FindMore,
    FindPartners,
    RequestPlace,
    RequestSector,
    ShowPartner,
    WidenSearch,
)
from bot.dialogue import Turn
from bot.handlers.places import is_no_place
from bot.library import Library
from bot.partnering import PartnerService
from bot.views import Views
from bot.views.partners import PartnerViews
from knowledge_base.figures import day_of
from knowledge_base.guide import SECTORS
from matching.matcher import Matcher, Suggestion, alliance_of
from matching.places import Place, Places
from matching.requests import Request, RequestReader

KIND = "partners"
SHOWN_AT_ONCE = 3
WIDER_KM = 40.0
WIDEST_KM = 400.0
FIELDS = ("text", "place", "sector")


def create_router() -> Router:
    router = Router(name="partners")
    router.message.register(partners, Command("partner"))
    router.message.register(alliance, Command("buendnis"))
    router.message.register(entered, F.text, ~F.text.startswith("/"), F.chat.type == "private", is_awaited)
    router.callback_query.register(find_partners, FindPartners.filter())
    router.callback_query.register(change, ChangeRequest.filter(F.field.in_(FIELDS)), is_searching)
    router.callback_query.register(take_place, RequestPlace.filter(), is_searching)
    router.callback_query.register(take_sector, RequestSector.filter(F.sector.in_(SECTORS)), is_searching)
    router.callback_query.register(more, FindMore.filter(), is_searching)
    router.callback_query.register(widen, WidenSearch.filter(), is_searching)
    router.callback_query.register(show_alliance, FindAlliance.filter(), is_searching)
    router.callback_query.register(why, ShowPartner.filter(), is_searching)
    return router


async def is_awaited(message: Message, turn: Turn) -> bool:
    return turn.dialogue.form is not None and turn.dialogue.form.get("kind") == KIND and "step" in turn.dialogue.form


async def is_searching(query: CallbackQuery, turn: Turn) -> bool | dict[str, Any]:
    """Whether there is a request that a button may refer to; passes on its form."""
    form = turn.dialogue.form
    return {"form": form} if form and form.get("kind") == KIND and form.get("text") else False


async def partners(
    message: Message, command: CommandObject, turn: Turn, partners: PartnerService, partner_views: PartnerViews
) -> None:
    await _begin(turn, command.args, {"kind": KIND}, partners, partner_views)


async def alliance(
    message: Message, command: CommandObject, turn: Turn, partners: PartnerService, partner_views: PartnerViews
) -> None:
    await _begin(turn, command.args, {"kind": KIND, "alliance": True}, partners, partner_views)


async def find_partners(
    query: CallbackQuery,
    callback_data: FindPartners,
    turn: Turn,
    library: Library,
    views: Views,
    partner_views: PartnerViews,
) -> None:
    views.taken(turn, query)
    turn.dialogue.form = {"kind": KIND, "step": "text"}
    partner_views.ask_request(turn, library.guide(callback_data.guide, day_of(turn.now)))


async def entered(message: Message, turn: Turn, partners: PartnerService, partner_views: PartnerViews) -> None:
    """The text that a step waits for: the request itself, or its place."""
    form = turn.dialogue.form or {}
    text = message.text or ""
    if form.pop("step") == "text":
        await _begin(turn, text, {"kind": KIND, "alliance": form.get("alliance", False)}, partners, partner_views)
        return
    if is_no_place(text):
        raise SkipHandler
    found = Places.load().find(text)
    if not found:
        form["step"] = "place"
        partner_views.ask_request_place(turn)
    elif len(found) > 1:
        _ask_which(turn, found, partner_views)
    else:
        form["place"] = _stored(found[0])
        await _show(turn, partners, partner_views)


async def change(
    query: CallbackQuery,
    callback_data: ChangeRequest,
    form: dict[str, Any],
    turn: Turn,
    views: Views,
    partner_views: PartnerViews,
) -> None:
    views.taken(turn, query)
    if callback_data.field == "sector":
        partner_views.ask_request_sector(turn)
        return
    form["step"] = callback_data.field
    if callback_data.field == "place":
        partner_views.ask_request_place(turn)
    else:
        partner_views.ask_request(turn)


async def take_place(
    query: CallbackQuery,
    callback_data: RequestPlace,
    form: dict[str, Any],
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    places = form.get("places", [])
    if not 0 <= callback_data.number < len(places):
        views.stale(turn, query)
        return
    views.taken(turn, query)
    form["place"] = places[callback_data.number]
    form.pop("places")
    form.pop("step", None)
    await _show(turn, partners, partner_views)


async def take_sector(
    query: CallbackQuery,
    callback_data: RequestSector,
    form: dict[str, Any],
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    views.taken(turn, query)
    form["sector"] = callback_data.sector
    await _show(turn, partners, partner_views)


async def more(
    query: CallbackQuery, turn: Turn, views: Views, partners: PartnerService, partner_views: PartnerViews
) -> None:
    views.taken(turn, query)
    await _show(turn, partners, partner_views, more=True)


async def widen(
    query: CallbackQuery,
    form: dict[str, Any],
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    views.taken(turn, query)
    form["widen_km"] = min(max(2 * form.get("widen_km", 0.0), WIDER_KM), WIDEST_KM)
    await _show(turn, partners, partner_views)


async def show_alliance(
    query: CallbackQuery, turn: Turn, views: Views, partners: PartnerService, partner_views: PartnerViews
) -> None:
    views.taken(turn, query)
    await _show(turn, partners, partner_views, alliance=True)


async def why(
    query: CallbackQuery,
    callback_data: ShowPartner,
    form: dict[str, Any],
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    others = [identity for identity in form.get("shown", []) if identity != callback_data.id]
    search = await _search(turn, partners, without=others)
    one = next((one for one in search[1] if one.partner.id == callback_data.id), None) if search else None
    if one is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    partner_views.why(turn, one)


async def _begin(
    turn: Turn, text: str | None, form: dict[str, Any], partners: PartnerService, partner_views: PartnerViews
) -> None:
    turn.dialogue.form = form
    if not text:
        form["step"] = "text"
        partner_views.ask_request(turn)
        return
    form["text"] = text
    request = await partners.ask(lambda reader, _matcher: _request(form, reader, turn))
    if len(request.places) > 1:
        _ask_which(turn, request.places, partner_views)
        return
    await _show(turn, partners, partner_views)


async def _show(
    turn: Turn, partners: PartnerService, partner_views: PartnerViews, *, more: bool = False, alliance: bool = False
) -> None:
    """Show what the form asks for: suggestions that were not shown before (`more`), the best ones, or an alliance."""
    form = turn.dialogue.form or {}
    all_sectors = alliance or form.get("alliance")
    shown = form.get("shown", []) if more else []
    search = await _search(turn, partners, without=() if all_sectors else shown)
    if search is None:
        turn.dialogue.form = None
        partner_views.no_directory(turn)
        return
    request, found = search
    if all_sectors:
        partner_views.alliance(turn, request, alliance_of(found, request.sector))
        return
    form["shown"] = [*shown, *(one.partner.id for one in found[:SHOWN_AT_ONCE])]
    partner_views.suggestions(turn, request, found[:SHOWN_AT_ONCE], more=more)


async def _search(
    turn: Turn, partners: PartnerService, *, without: Collection[str]
) -> tuple[Request, list[Suggestion]] | None:
    """The request of the form, and all who fit it, best first; None when there is no directory."""
    form, today = turn.dialogue.form or {}, day_of(turn.now)

    def find(reader: RequestReader, matcher: Matcher) -> tuple[Request, list[Suggestion]] | None:
        if not len(matcher):
            return None
        request = _request(form, reader, turn)
        return request, matcher.suggest(request, today, without=without, widen_km=form.get("widen_km", 0.0))

    return await partners.ask(find)


def _ask_which(turn: Turn, found: Sequence[Place], partner_views: PartnerViews) -> None:
    """One of the places offered is tapped, or another one written."""
    form = turn.dialogue.form or {}
    form["places"], form["step"] = [_stored(place) for place in found], "place"
    partner_views.which_request_place(turn, Places.load().told_apart(found))


def _request(form: dict[str, Any], reader: RequestReader, turn: Turn) -> Request:
    """The request as read from the text, with what was corrected since, and with what is known of the asker."""
    request = reader.read(form["text"])
    sector = form.get("sector") or request.sector or turn.dialogue.sector
    if "place" in form:
        places: tuple[Place, ...] = (Place(**form["place"]),)
    else:
        known = Places.load().find(turn.dialogue.place) if turn.dialogue.place else []
        places = request.places or tuple(known[:1])
    return replace(request, sector=sector, places=places)


def _stored(place: Place) -> dict[str, Any]:
    return {"name": place.name, "state": place.state, "latitude": place.latitude, "longitude": place.longitude}
