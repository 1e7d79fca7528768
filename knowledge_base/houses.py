"""Advice centres and state offices that the assistant can name (`houses.yaml`)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

# ISO 3166-2 codes of the states, without "DE-".
StateId = Annotated[str, Field(pattern="^(BW|BY|BE|BB|HB|HH|HE|MV|NI|NW|RP|SL|SN|ST|SH|TH)$")]


class House(BaseModel):
    """An office that one can turn to. `states` it is responsible for; none: all of Germany.

    `place` is its seat, where that is known; `confirmed` is False when its source is old and it may have changed since.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    name: str = Field(min_length=3, max_length=120)
    kind: Literal[
        "landesstelle", "landesnetzwerk", "agenturverband", "stiftung", "ministerium", "beratungsstelle", "verband"
    ]
    states: tuple[StateId, ...] = ()
    area: str = Field(min_length=2, max_length=120)
    place: str | None = Field(default=None, max_length=80)
    website: HttpUrl | None = None
    helps_with: str = Field(min_length=10, max_length=200)
    source: str = Field(min_length=3, max_length=200)
    checked_on: date
    confirmed: bool = True
    note: str | None = Field(default=None, max_length=200)


def responsible(houses: Iterable[House], state: str) -> list[House]:
    """The houses of the state in the file's order, then those for all of Germany."""
    known = list(houses)
    return [house for house in known if state in house.states] + [house for house in known if not house.states]
