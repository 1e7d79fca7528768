"""Places: asking for one, the offices that are responsible there, and what its state's law says."""

from collections.abc import Sequence

from aiogram.types import CallbackQuery
from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import OFFICES, REMEMBER, ForgetPlace, OpenGuide, TakePlace
from bot.dialogue import Turn
from bot.translation import Translate
from bot.views.base import Keyboard, Speaker, button, in_german, source_line
from knowledge_base.guide import Guide
from knowledge_base.houses import House, responsible
from matching.places import Place

STATES_IN_A_ROW = 2


class PlaceViews(Speaker):
    def ask_place(self, turn: Turn, purpose: str, guide: str = "") -> None:
        _ = self._translate(turn.dialogue)
        states = self.library.taxonomy.states.items()
        buttons = [
            button(label, TakePlace(purpose=purpose, state=state, latitude=0, longitude=0, guide=guide))
            for state, label in states
        ]
        rows = [buttons[start : start + STATES_IN_A_ROW] for start in range(0, len(buttons), STATES_IN_A_ROW)]
        kept = (
            _("A location is used once and not kept.")
            if purpose == OFFICES
            else _("I keep only the town and the state; /ort shows and deletes them.")
        )
        question = _("For which place? Write a town or a postcode, send a location, or choose the state.")
        self._say(turn, Text(question, "\n\n", kept), rows)

    def which_place(self, turn: Turn, places: Sequence[tuple[Place, str]], purpose: str, guide: str) -> None:
        """Several places have the name."""
        self._which_place(turn, places, lambda _number, place: take(purpose, place, guide))

    def unknown_place(self, turn: Turn, name: str, near: Sequence[str]) -> None:
        _ = self._translate(turn.dialogue)
        text = Text(_("I do not know a place “{name}”. Its postcode helps.").format(name=name[:60]))
        if near:
            text += Text(" ", _("Did you mean {names}?").format(names=", ".join(dict.fromkeys(near))))
        self._say(turn, text)

    def abroad(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(_("That place is not in Germany. I only know offices and rules in Germany.")))

    def place(self, turn: Turn) -> None:
        """What is remembered."""
        _ = self._translate(turn.dialogue)
        text = Text(_("I have remembered: {place}. Nothing else about where you are.").format(place=self._kept(turn)))
        self._say(turn, text, [[button(_("Delete the place"), ForgetPlace())]])

    def place_forgotten(self, turn: Turn, query: CallbackQuery) -> None:
        _ = self._translate(turn.dialogue)
        self._replace(turn, query, Text(_("Deleted. I no longer know your place.")))

    def offices(
        self, turn: Turn, state: str, place: Place | None, houses: Sequence[tuple[House, float | None]]
    ) -> None:
        """The offices responsible for a place, with their distances in kilometres where both ends are known."""
        _ = self._translate(turn.dialogue)
        where = f"{place.name}, {self._state(state)}" if place else self._state(state)
        text = Text(Bold(_("Offices for {place}").format(place=where)))
        for house, distance in houses:
            if house.states:
                text += Text("\n\n", *self._house(house, distance, _))
        text += Text("\n\n", Bold(_("For all of Germany")))
        for house, _distance in houses:
            if not house.states:
                text += Text("\n• ", f"{house.name}: {house.website}" if house.website else house.name)
        rows: Keyboard = []
        if turn.dialogue.state != state or turn.dialogue.place != (place.name if place else None):
            choice = take(REMEMBER, place) if place else TakePlace(
                purpose=REMEMBER, state=state, latitude=0, longitude=0, guide=""
            )  # fmt: skip
            rows.append([button(_("Remember this place"), choice)])
        self._say(turn, text, rows)

    def state_law(self, turn: Turn, guide: Guide, houses: Sequence[tuple[House, float | None]]) -> None:
        """What the law of the remembered state says on a guide's topic, and who can say more."""
        _ = self._translate(turn.dialogue)
        text = Text(Bold(guide.title), "\n\n", *self._law_of_state(turn, guide, _))
        rule = guide.state_law.rules.get(turn.dialogue.state or "") if guide.state_law else None
        if source := guide.source(rule.source) if rule else None:
            text += Text("\n\n", Bold(_("Sources")), f"\n{source_line(source, _)}")
        for house, distance in sorted(houses, key=lambda pair: not pair[0].confirmed)[:1]:
            text += Text("\n\n", Bold(_("Who can say more")), "\n", *self._house(house, distance, _))
        text += Text(
            "\n\n", Italic(_("I have remembered {place}; /ort shows and deletes it.").format(place=self._kept(turn)))
        )
        self._say(turn, text, [[button(guide.title, OpenGuide(guide=guide.id))]])

    def _law_of_state(self, turn: Turn, guide: Guide, _: Translate) -> list[Text | str]:
        """The paragraph on state law under an answer; empty for a guide that does not depend on it."""
        law, state = guide.state_law, turn.dialogue.state
        if law is None:
            return []
        if state is None:
            return [Bold(_("Depends on the state")), "\n", law.differs]
        rule = law.rules.get(state)
        said = rule.text if rule else f"{law.differs} " + _("I do not have the rule of this state.")
        office = next((house for house in responsible(self.library.houses, state) if house.confirmed), None)
        asks = " " + _("You can ask: {office} (/anlaufstellen).").format(office=office.name) if office else ""
        return [Bold(self._state(state)), "\n", said + asks]

    def _house(self, house: House, distance: float | None, _: Translate) -> list[Text | str]:
        parts: list[Text | str] = [Bold(house.name), f"\n{house.area}"]
        if distance is not None:
            parts.append(", " + _("about {km} km away").format(km=round(distance)))
        parts.append(f"\n{house.helps_with}")
        if house.website:
            parts.append(f"\n{house.website}")
        parts += [
            "\n",
            Italic(
                _("Source: {source}, checked on {date}").format(source=house.source, date=in_german(house.checked_on))
            ),
        ]
        if not house.confirmed:
            parts += ["\n", Italic(_("Please check before you rely on it: the source is not recent."))]
        return parts

    def _kept(self, turn: Turn) -> str:
        state = self._state(turn.dialogue.state or "")
        return f"{turn.dialogue.place}, {state}" if turn.dialogue.place else state


def take(purpose: str, place: Place, guide: str = "") -> TakePlace:
    """The callback data by which `place` is found again."""
    latitude, longitude = round(place.latitude, 3), round(place.longitude, 3)
    return TakePlace(purpose=purpose, state=place.state, latitude=latitude, longitude=longitude, guide=guide)
