"""Partners: what was understood of a request, suggestions with what speaks for and against them, alliances."""

from collections.abc import Sequence
from typing import cast

from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import ChangeRequest, FindAlliance, FindMore, RequestPlace, RequestSector, ShowPartner, WidenSearch
from bot.dialogue import Turn
from bot.translation import Translate
from bot.views.base import Keyboard, Speaker, button, in_german
from knowledge_base.guide import SECTORS, Guide, SectorId, Taxonomy
from matching.matcher import Alliance, Reason, Suggestion
from matching.places import Place
from matching.requests import Request

LABEL = 30  # characters of a partner's name on a button


class PartnerViews(Speaker):
    def ask_request(self, turn: Turn, guide: Guide | None = None) -> None:
        _ = self._translate(turn.dialogue)
        text = Text()
        if guide:
            text += Text(Bold(_("Partners for: {topic}").format(topic=guide.title)), "\n\n")
        text += Text(
            _(
                "Who are you, where, what are you looking for, and what could you offer in return? Two sentences are enough."
            ),
            "\n\n",
            Italic(
                _(
                    "For example: We are a sports club in Dortmund, need rooms on Saturdays and can help at your summer party."
                )
            ),
        )
        self._say(turn, text)

    def ask_request_place(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(_("In which place shall the partners work? Write a town or a postcode.")))

    def which_request_place(self, turn: Turn, places: Sequence[tuple[Place, str]]) -> None:
        self._which_place(turn, places, lambda number, _place: RequestPlace(number=number))

    def ask_request_sector(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        rows = [[button(self._sector(sector, turn), RequestSector(sector=sector))] for sector in SECTORS]
        self._say(turn, Text(_("Which sector do you work in?")), rows)

    def suggestions(self, turn: Turn, request: Request, found: Sequence[Suggestion], *, more: bool) -> None:
        """`more`: these come after others that have been shown."""
        _ = self._translate(turn.dialogue)
        text = Text() if more else Text(*self._understood(turn, request, _), "\n\n")
        if not found:
            text += Text(
                _("I know no further partner for this.") if more
                else _("I know no partner in my directory who fits. That does not mean that there is none."),
                "\n\n",
                _("A wider area or other words may help."),
            )  # fmt: skip
        for number, one in enumerate(found, 1):
            text += Text(f"{number}. ", *self._card(turn, one, _), "\n\n")
        if found:
            text += Text(Italic(_("Suggestions from the directory, no recommendation. Please talk to them yourself.")))
        if any(one.partner.sample for one in found):
            text += Text("\n", Italic(_("These are invented samples: a real directory has not been imported yet.")))
        rows: Keyboard = [
            [button(f"{number}. {_short(one.partner.name)}", ShowPartner(id=one.partner.id))]
            for number, one in enumerate(found, 1)
        ]
        if found:
            rows.append([button(_("More"), FindMore()), button(_("Wider area"), WidenSearch())])
        else:
            rows.append([button(_("Wider area"), WidenSearch())])
        rows.append([button(_("All three sectors"), FindAlliance())])
        rows.append(
            [
                button(_("Change place"), ChangeRequest(field="place")),
                button(_("Change sector"), ChangeRequest(field="sector")),
                button(_("Describe anew"), ChangeRequest(field="text")),
            ]
        )
        self._say(turn, text, rows)

    def why(self, turn: Turn, one: Suggestion) -> None:
        """All that is known of a partner, and all reasons."""
        _ = self._translate(turn.dialogue)
        text = Text(*self._card(turn, one, _))
        if one.partner.description:
            text += Text("\n\n", one.partner.description)
        if one.partner.website:
            text += Text("\n", one.partner.website)
        self._say(turn, text)

    def alliance(self, turn: Turn, request: Request, alliance: Alliance) -> None:
        _ = self._translate(turn.dialogue)
        text = Text(Bold(_("An alliance of the three sectors")), "\n", *self._understood(turn, request, _))
        if request.sector:
            brings = ", ".join(request.offers) or _("the plan")
            text += Text("\n\n", Bold(self._sector(request.sector, turn)), ": ", _("you"), f" – {brings}")
        for one in alliance.members:
            text += Text("\n\n", Bold(self._sector(one.partner.sector, turn)), ": ", *self._card(turn, one, _))
        for sector in alliance.missing:
            missing = _("still missing: nobody in my directory fits.")
            text += Text("\n\n", Bold(self._sector(sector, turn)), ": ", Italic(missing))
        rows: Keyboard = [
            [button(_short(one.partner.name), ShowPartner(id=one.partner.id))] for one in alliance.members
        ]
        rows.append([button(_("Wider area"), WidenSearch())])
        self._say(turn, text, rows)

    def no_directory(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(_("No directory of partners has been imported yet, so I cannot suggest any.")))

    def _understood(self, turn: Turn, request: Request, _: Translate) -> list[Text | str]:
        parts = []
        if request.sector:
            parts.append(_("you: {sector}").format(sector=self._sector(request.sector, turn)))
        if request.seeks:
            parts.append(_("looking for: {what}").format(what="; ".join(request.seeks)))
        if request.offers:
            parts.append(_("offering: {what}").format(what="; ".join(request.offers)))
        parts.append(request.place.name if request.place else _("place not known"))
        return [Italic(_("Understood"), ": ", " · ".join(parts))]

    def _card(self, turn: Turn, one: Suggestion, _: Translate) -> list[Text | str]:
        partner = one.partner
        lines: list[Text | str] = [
            Bold(partner.name), f" ({self._sector(partner.sector, turn)}, {partner.place})",
        ]  # fmt: skip
        lines += [f"\n+ {reason_text(reason, self.library.taxonomy, _)}" for reason in one.reasons]
        lines += [f"\n– {reason_text(reason, self.library.taxonomy, _)}" for reason in one.counter_reasons]
        return lines

    def _sector(self, sector: str, turn: Turn) -> str:
        label = self.library.taxonomy.sectors[cast("SectorId", sector)]
        return label.title_en if self._interface(turn.dialogue) == "en" else label.title


def reason_text(reason: Reason, taxonomy: Taxonomy, _: Translate) -> str:
    """One reason for or against a partner in words; what it quotes is the stored text."""
    match reason.kind:
        case "offers":
            return _("offers: {what}").format(what=reason.text)
        case "needs":
            return _("looks for: {what}").format(what=reason.text)
        case "distance":
            return _("{km} km away").format(km=reason.number)
        case "reach":
            return _("works in all of Germany") if reason.text == "bund" else _("works in the whole state")
        case "sector":
            return _("brings another sector: {sector}").format(
                sector=taxonomy.sectors[cast("SectorId", reason.text)].title
            )
        case "same_sector":
            return _("of the same sector as you")
        case "theme":
            return _("common theme: {theme}").format(theme=taxonomy.themes[reason.text].title)
        case "verified":
            return _("last verified {months} months ago").format(months=reason.number)
        case "unverified":
            return _("not verified yet")
        case "until":
            return _("ends on {date}").format(date=in_german(reason.day) if reason.day else "")


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[: LABEL - 1].rstrip()}…"
