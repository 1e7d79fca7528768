"""Figures that change by law: one place (`zahlen.yaml`), a value per period of validity, named in guides as `{{ zahl.<id> }}`."""

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

# The law that the figures come from changes at midnight German time.
BERLIN = ZoneInfo("Europe/Berlin")
Language = Literal["de", "en"]
PLACEHOLDER = re.compile(r"\{\{\s*zahl\.([a-z0-9_]+)\s*\}\}")


class Period(BaseModel):
    """The value of a figure from one day to another, both included; an open end is None."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    value: str = Field(min_length=1, max_length=60)
    value_en: str = Field(min_length=1, max_length=60)
    since: date | None = Field(default=None, alias="from")
    until: date | None = None

    def covers(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Figure(BaseModel):
    """A figure of the law with its reference and its values over time, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(min_length=3)
    reference: str = Field(min_length=3)
    checked: date
    values: tuple[Period, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _periods_in_order(self) -> Self:
        for earlier, later in zip(self.values, self.values[1:], strict=False):
            if earlier.until is None or later.since is None or later.since <= earlier.until:
                raise ValueError("Zeiträume überschneiden sich oder stehen nicht in zeitlicher Reihenfolge")
        return self

    def on(self, day: date) -> Period | None:
        """The period valid on `day`, or None where none is."""
        return next((period for period in self.values if period.covers(day)), None)


Figures = dict[str, Figure]


def day_of(now: float) -> date:
    """The German calendar day of `now` (seconds since the epoch)."""
    return datetime.fromtimestamp(now, UTC).astimezone(BERLIN).date()


def named_in(text: str) -> list[str]:
    """The ids of the figures that `text` names, in order, repeats included."""
    return PLACEHOLDER.findall(text)


def spelled_out(text: str, figures: Figures) -> list[tuple[str, str]]:
    """The figures that `text` states by themselves instead of naming them: (as written, id), in any of their periods."""
    found: dict[str, str] = {}
    for figure_id, figure in figures.items():
        for period in figure.values:
            for value in (period.value, period.value_en):
                if match := _as_written(value).search(text):
                    found.setdefault(match[0], figure_id)
    return list(found.items())


@cache
def _as_written(value: str) -> re.Pattern[str]:
    """A value in all its spellings: with or without thousands separator, with the word or the sign of its unit."""
    pattern = re.escape(value).replace(r"\ ", r"\s*")
    pattern = re.sub(r"(?<=\d)(\\\.|,)(?=\d{3})", r"\1?", pattern)
    for word, spellings in (("Euro", "(?:Euro|€|EUR)"), ("EUR", "(?:EUR|€)"), ("Prozent", "(?:Prozent|%)")):
        pattern = re.sub(rf"\b{word}\b", spellings, pattern)
    return re.compile(rf"(?<![\d.,]){pattern}(?!\w)")


def fill(text: str, figures: Figures, day: date, language: Language = "de") -> str:
    """Return `text` with every named figure replaced by its value on `day`.

    A figure without a value on that day is shown as such rather than with an outdated one.
    """

    def value(match: re.Match[str]) -> str:
        figure = figures.get(match[1])
        period = figure.on(day) if figure else None
        if period is None:
            return "(current figure not available)" if language == "en" else "(aktueller Wert liegt nicht vor)"
        return period.value_en if language == "en" else period.value

    return PLACEHOLDER.sub(value, text)
