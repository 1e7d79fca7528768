"""`/partner` and `/buendnis`: a request in free text, suggestions, and corrections with a tap.

A search is kept in the dialogue's form, so that it survives a restart: its text, what has been corrected, who was shown.
"""

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
from bot.library import Library
from bot.partnering import PartnerService
from bot.views import Views
from bot.views.partners import PartnerViews
from knowledge_base.figures import day_of
from knowledge_base.guide import SECTORS
from matching.matcher import Alliance, Matcher, Suggestion
from matching.places import Place, Places
from matching.requests import Request, RequestReader

KIND = "partners"
SHOWN_AT_ONCE = 3
WIDER_KM = 40.0
WIDEST_KM = 400.0
MOST_WORDS = 6  # of a place's name
FIELDS = ("text", "place", "sector")


def create_router() -> Router:
    router = Router(name="partners")
    router.message.register(partners, Command("partner"))
    router.message.register(alliance, Command("buendnis"))
    router.message.register(entered, F.text, ~F.text.startswith("/"), F.chat.type == "private", is_awaited)
    router.callback_query.register(find_partners, FindPartners.filter())
    router.callback_query.register(change, ChangeRequest.filter(F.field.in_(FIELDS)))
    router.callback_query.register(take_place, RequestPlace.filter())
    router.callback_query.register(take_sector, RequestSector.filter(F.sector.in_(SECTORS)))
    router.callback_query.register(more, FindMore.filter())
    router.callback_query.register(widen, WidenSearch.filter())
    router.callback_query.register(show_alliance, FindAlliance.filter())
    router.callback_query.register(why, ShowPartner.filter())
    return router


async def is_awaited(message: Message, turn: Turn) -> bool:
    return turn.dialogue.form is not None and turn.dialogue.form.get("kind") == KIND and "step" in turn.dialogue.form


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
    step = form.pop("step")
    if step == "place" and (len(text.split()) > MOST_WORDS or text.endswith("?")):
        raise SkipHandler  # no place but the next question
    if step == "text":
        await _begin(turn, text, {"kind": KIND, "alliance": form.get("alliance", False)}, partners, partner_views)
        return
    found = Places.load().find(text)
    if not found:
        form["step"] = "place"
        partner_views.ask_request_place(turn)
    elif len(found) > 1:
        form["places"] = [_stored(place) for place in found]
        partner_views.which_request_place(turn, Places.load().told_apart(found))
    else:
        form["place"] = _stored(found[0])
        await _show(turn, partners, partner_views)


async def change(
    query: CallbackQuery, callback_data: ChangeRequest, turn: Turn, views: Views, partner_views: PartnerViews
) -> None:
    form = _form(turn)
    if form is None:
        views.stale(turn, query)
        return
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
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    form = _form(turn)
    places = form.get("places", []) if form else []
    if form is None or not 0 <= callback_data.number < len(places):
        views.stale(turn, query)
        return
    views.taken(turn, query)
    form["place"] = places[callback_data.number]
    del form["places"]
    await _show(turn, partners, partner_views)


async def take_sector(
    query: CallbackQuery,
    callback_data: RequestSector,
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    form = _form(turn)
    if form is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    form["sector"] = callback_data.sector
    await _show(turn, partners, partner_views)


async def more(
    query: CallbackQuery, turn: Turn, views: Views, partners: PartnerService, partner_views: PartnerViews
) -> None:
    if _form(turn) is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    await _show(turn, partners, partner_views, more=True)


async def widen(
    query: CallbackQuery, turn: Turn, views: Views, partners: PartnerService, partner_views: PartnerViews
) -> None:
    form = _form(turn)
    if form is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    form["widen_km"] = min(max(2 * form.get("widen_km", 0.0), WIDER_KM), WIDEST_KM)
    await _show(turn, partners, partner_views)


async def show_alliance(
    query: CallbackQuery, turn: Turn, views: Views, partners: PartnerService, partner_views: PartnerViews
) -> None:
    form = _form(turn)
    if form is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    await _show(turn, partners, partner_views, alliance=True)


async def why(
    query: CallbackQuery,
    callback_data: ShowPartner,
    turn: Turn,
    views: Views,
    partners: PartnerService,
    partner_views: PartnerViews,
) -> None:
    form = _form(turn)
    today = day_of(turn.now)

    def find(reader: RequestReader, matcher: Matcher) -> Suggestion | None:
        if form is None:
            return None
        found = matcher.suggest(
            _request(form, reader, turn), today, most=len(matcher), widen_km=form.get("widen_km", 0.0)
        )
        return next((one for one in found if one.partner.id == callback_data.id), None)

    one = await partners.ask(find)
    if one is None:
        views.stale(turn, query)
        return
    views.taken(turn, query)
    partner_views.why(turn, query, one)


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
        form["places"] = [_stored(place) for place in request.places]
        partner_views.which_request_place(turn, Places.load().told_apart(request.places))
        return
    await _show(turn, partners, partner_views)


async def _show(
    turn: Turn, partners: PartnerService, partner_views: PartnerViews, *, more: bool = False, alliance: bool = False
) -> None:
    """Show what the form asks for: suggestions that were not shown before (`more`), the best ones, or an alliance."""
    form = turn.dialogue.form or {}
    today, widen_km = day_of(turn.now), form.get("widen_km", 0.0)
    without = form.get("shown", []) if more else []

    def find(reader: RequestReader, matcher: Matcher) -> tuple[int, Request, list[Suggestion] | Alliance]:
        request = _request(form, reader, turn)
        if alliance or form.get("alliance"):
            return len(matcher), request, matcher.alliance(request, today, widen_km=widen_km)
        found = matcher.suggest(request, today, most=SHOWN_AT_ONCE, without=without, widen_km=widen_km)
        return len(matcher), request, found

    known, request, found = await partners.ask(find)
    if not known:
        turn.dialogue.form = None
        partner_views.no_directory(turn)
    elif isinstance(found, Alliance):
        partner_views.alliance(turn, request, found)
    else:
        form["shown"] = [*without, *(one.partner.id for one in found)]
        partner_views.suggestions(turn, request, found, more=more)


def _form(turn: Turn) -> dict[str, Any] | None:
    form = turn.dialogue.form
    return form if form and form.get("kind") == KIND and form.get("text") else None


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
