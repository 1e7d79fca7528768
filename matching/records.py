"""A partner's record: its columns in files, what is checked in them, and the form in which two records are compared."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from knowledge_base.guide import SECTORS, Taxonomy
from matching.models import NEED, OFFER, REACHES, Organisation, Phrase
from matching.places import Place, Places, normalised, short_name

COLUMNS = {
    "id": "id", "name": "name", "sektor": "sector", "rechtsform": "legal_form", "beschreibung": "description",
    "plz": "postcode", "ort": "place", "reichweite": "reach", "themen": "themes", "bietet": "offers", "sucht": "needs",
    "website": "website", "kontakt_name": "contact_name", "kontakt_email": "contact_email", "geprueft_am": "verified_on",
}  # fmt: skip
REQUIRED = ("id", "name", "sektor", "plz", "ort", "reichweite")
CONTACT = ("kontakt_name", "kontakt_email")
STORED_AS_THEY_ARE = [name for name in COLUMNS.values() if name not in ("themes", "offers", "needs")]
SEPARATOR = ";"
MOST_PHRASES = 8  # a side
NEAR_KM = 25.0  # so far may a postcode's middle lie from the place that it is said to belong to
EARLIEST = date(2000, 1, 1)
FARTHEST_END = timedelta(days=50 * 365)
SHOWN = 60  # characters of a value in a finding

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
# Umlauts that were saved as UTF-8 and read as Windows-1252 once, and what is left where reading failed.
_GARBLED = re.compile("Ã[¤¶¼Ÿ„–œ\u0084\u0096\u009c\u009f]|â€|Â[§°´·]|\ufffd")
_MARKUP = re.compile(r"<[a-zA-Z/!?][^<>]*>")
# What a spreadsheet program would calculate; the full-width forms too, which some of them read alike.
_FORMULA = re.compile(r"[=+\-@＝＋－＠]")
_BEFORE_A_FORMULA = re.compile(r"\t|\r(?!\n)")
_ESCAPED_FORMULA = re.compile(rf"'+{_FORMULA.pattern}")
_NUMBER = re.compile(r"[+-]?(?=.*\d)[\d\s().,/-]+")
# Only what is written like a date: "(bis 50)" and "(bis 2.500)" say how much.
_UNTIL = re.compile(r"\s*\(bis\s+(\d{1,4}[./-]\s?\d{1,2}[./-]\s?\d{1,4})\)\s*$", re.IGNORECASE)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_HOST = re.compile(r"(?:\w(?:[\w-]{0,61}\w)?\.)+(?:[^\W\d_]{2,}|xn--[a-z0-9-]+)", re.IGNORECASE)
_DISTRICT = re.compile(r"-|\s+OT\s+|\s*,", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """What is wrong, or worth knowing, about a value. `row` is the number of the data record from 1; 0: the whole file."""

    row: int
    column: str
    value: str
    error: str


@dataclass
class Row:
    """A record as read from a file, and what has been found about it; with errors it is rejected as a whole."""

    number: int
    cells: dict[str, str]
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def reject(self, column: str, value: str, error: str) -> None:
        self.errors.append(Finding(self.number, column, shortened(value), error))

    def warn(self, column: str, value: str, message: str) -> None:
        self.warnings.append(Finding(self.number, column, shortened(value), message))


class Item(NamedTuple):
    """An offer or a need; `until` is the last day on which it holds."""

    text: str
    until: date | None = None

    def __str__(self) -> str:
        return f"{self.text} (bis {self.until})" if self.until else self.text


@dataclass(frozen=True)
class Record:
    """A checked record. `at` is where it lies: known from the gazetteer, so it is no part of what is compared."""

    id: str
    name: str
    sector: str
    legal_form: str
    description: str
    postcode: str
    place: str
    reach: str
    themes: tuple[str, ...]
    offers: tuple[Item, ...]
    needs: tuple[Item, ...]
    website: str | None
    contact_name: str | None
    contact_email: str | None
    verified_on: date | None
    at: Place = field(compare=False)

    @classmethod
    def of(cls, organisation: Organisation) -> Record:
        """The record of what is stored."""
        own = {name: getattr(organisation, name) for name in STORED_AS_THEY_ARE}
        sides: dict[str, list[Item]] = {OFFER: [], NEED: []}
        for phrase in organisation.phrases:
            sides[phrase.side].append(Item(phrase.text, phrase.until))
        return cls(
            **own,
            themes=tuple(organisation.themes),
            offers=tuple(sides[OFFER]),
            needs=tuple(sides[NEED]),
            at=Place(organisation.place, organisation.state, organisation.latitude, organisation.longitude),
        )

    @property
    def phrases(self) -> list[tuple[str, int, Item]]:
        """Side, position and text of every phrase."""
        sides = ((OFFER, self.offers), (NEED, self.needs))
        return [(side, position, item) for side, items in sides for position, item in enumerate(items)]

    def completed(self, stored: Record, absent: Collection[str]) -> Record:
        """This record with what it does not say taken from `stored`: columns that are absent, contacts that are empty.

        The later of two days of verification counts, so that an old file does not undo one.
        """
        kept = [COLUMNS[column] for column in absent]
        kept += [COLUMNS[column] for column in CONTACT if getattr(self, COLUMNS[column]) is None]
        days = [day for day in (self.verified_on, stored.verified_on) if day]
        known = {name: getattr(stored, name) for name in kept} | {"verified_on": max(days, default=None)}
        return replace(self, **known)

    def digest(self) -> str:
        """A hash of everything in the record: equal records, equal digests. 32 hexadecimal characters."""
        values = [getattr(self, name) for name in COLUMNS.values()]
        text = json.dumps(values, ensure_ascii=False, default=str)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def cells(self, *, with_contacts: bool) -> dict[str, str]:
        """The record as the cells of a table, none of which a spreadsheet program takes for a formula."""
        cells = {}
        for column, name in COLUMNS.items():
            value = getattr(self, name)
            if isinstance(value, tuple):
                # A separator inside a phrase would make two of it.
                cells[column] = f"{SEPARATOR} ".join(escaped(str(part).replace(SEPARATOR, ",")) for part in value)
            else:
                cells[column] = "" if value is None else escaped(str(value))
        return cells if with_contacts else cells | dict.fromkeys(CONTACT, "")


class Checker:
    """Checks the records of one file. `today` bounds dates, `sector` is taken where a record names none."""

    def __init__(self, places: Places, taxonomy: Taxonomy, today: date, sector: str | None = None) -> None:
        self._places = places
        self._themes = list(taxonomy.themes)
        self._theme_names = {
            name.casefold(): theme
            for theme, topic in taxonomy.themes.items()
            for name in (*topic.words, *topic.title.replace("&", " ").split(), topic.title, theme)
        }
        self._states: dict[str, str] = dict(taxonomy.states)
        self._today = today
        self._sector = sector
        self._rows: dict[str, int] = {}
        self._region = cache(self._postcodes_starting)

    def check(self, row: Row) -> Record | None:
        """The record of `row`; None when something in it is wrong. The row's errors and warnings say what."""
        if row.errors:  # it could not even be read
            return None
        identity = self._text(row, "id")
        if identity and not _ID.fullmatch(identity):
            row.reject(
                "id", identity, "Nur Buchstaben a-z, Ziffern und . _ : - sind erlaubt, am Anfang Buchstabe oder Ziffer."
            )
        if identity:
            first = self._rows.setdefault(identity, row.number)
            if first != row.number:
                row.reject(
                    "id",
                    identity,
                    f"Diese id hat schon der Datensatz {first}. Bitte eine andere id vergeben oder einen von beiden streichen.",
                )
        if self._sector and not row.cells.get("sektor", "").strip():
            row.cells["sektor"] = self._sector
        name, legal_form, description = (self._text(row, column) for column in ("name", "rechtsform", "beschreibung"))
        sector, reach = self._choice(row, "sektor", SECTORS), self._choice(row, "reichweite", REACHES)
        postcode, place = self._text(row, "plz"), self._text(row, "ort")
        at = self._locate(row, postcode, place) if postcode and place else None
        themes = self._read_themes(row)
        offers, needs = self._items(row, "bietet"), self._items(row, "sucht")
        website, email = self._website(row), self._email(row)
        contact_name = self._text(row, "kontakt_name")
        verified_on = self._verified_on(row)
        if row.errors or at is None:
            return None
        return Record(
            id=identity, name=name, sector=sector, legal_form=legal_form, description=description, postcode=postcode,
            place=place, reach=reach, themes=themes, offers=offers, needs=needs, website=website or None,
            contact_name=contact_name or None, contact_email=email or None, verified_on=verified_on, at=at,
        )  # fmt: skip

    def _text(self, row: Row, column: str) -> str:
        """The cell in normal form; "" when it is empty or wrong."""
        raw = row.cells.get(column, "")
        value = self._clean(row, column, raw, _limit(column)) if raw.strip() else ""
        if value == "" and column in REQUIRED:
            row.reject(column, "", "Diese Angabe fehlt. Bitte ergänzen.")
        return value or ""

    def _clean(self, row: Row, column: str, raw: str, limit: int) -> str | None:
        """`raw` without superfluous spaces; None, and reported, when it is not to be taken."""
        value = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", raw)).split())
        if found := _CONTROL.search(raw):
            row.reject(
                column, raw, f"Das Steuerzeichen U+{ord(found[0]):04X} gehört nicht in einen Text. Bitte entfernen."
            )
        elif _GARBLED.search(raw):
            row.reject(
                column,
                raw,
                "Umlaute sind beim Speichern verloren gegangen. Bitte als UTF-8 speichern und den Wert neu schreiben.",
            )
        elif _BEFORE_A_FORMULA.match(raw) or (_FORMULA.match(value) and not _NUMBER.fullmatch(value)):
            row.reject(
                column, raw,
                "Der Wert könnte in einer Tabelle als Formel ausgeführt werden. Bitte = + - @ am Anfang streichen oder ein ' davorsetzen.",
            )  # fmt: skip
        elif _MARKUP.search(value):
            row.reject(column, raw, "Auszeichnung wie <b> ist nicht erlaubt. Bitte nur Text angeben.")
        else:
            value = value.removeprefix("'") if _ESCAPED_FORMULA.match(value) else value
            length = len(value)
            if length <= limit:
                return value
            row.reject(column, raw, f"Der Wert ist mit {length} Zeichen zu lang. Bitte auf {limit} kürzen.")
        return None

    def _choice(self, row: Row, column: str, allowed: tuple[str, ...]) -> str:
        value = self._text(row, column)
        if value and value.casefold() not in allowed:
            row.reject(column, value, f"Diesen Wert gibt es hier nicht. Erlaubt: {', '.join(allowed)}.")
        return value.casefold()

    def _items(self, row: Row, column: str) -> tuple[Item, ...]:
        """The phrases of a cell, each once."""
        items: dict[str, Item] = {}
        for part in _parts(row.cells.get(column, "")):
            text, until = part, None
            if found := _UNTIL.search(part):
                text, until = part[: found.start()], read_date(found[1])
                if until is None or not EARLIEST <= until <= self._today + FARTHEST_END:
                    row.reject(
                        column,
                        part,
                        "Das Enddatum gibt es nicht. Bitte als (bis 2027-03-31) oder (bis 31.03.2027) schreiben.",
                    )
                    continue
                if until < self._today:
                    row.warn(column, part, "Das Enddatum ist vorbei: Der Eintrag wird nicht mehr vorgeschlagen.")
            cleaned = self._clean(row, column, text, text_length(Phrase, "text")) if text.strip() else ""
            if cleaned and cleaned.casefold() in items:
                row.warn(column, part, "Der Eintrag steht zweimal da. Er wird einmal übernommen.")
            elif cleaned:
                items[cleaned.casefold()] = Item(cleaned, until)
        if len(items) > MOST_PHRASES:
            row.reject(
                column, row.cells[column], f"Das sind {len(items)} Einträge. Bitte höchstens {MOST_PHRASES} nennen."
            )
        return tuple(items.values())

    def _read_themes(self, row: Row) -> tuple[str, ...]:
        themes = []
        for part in _parts(row.cells.get("themen", "")):
            theme = self._clean(row, "themen", part, SHOWN)
            if theme is None:
                continue
            if theme.casefold() in self._themes:
                themes.append(theme.casefold())
                continue
            near = get_close_matches(theme.casefold(), self._theme_names, n=3, cutoff=0.6)
            ids = list(dict.fromkeys(self._theme_names[name] for name in near))
            hint = f"Ähnlich: {', '.join(ids)}." if ids else f"Erlaubt: {', '.join(self._themes)}."
            row.reject("themen", theme, f"Dieses Thema gibt es nicht. {hint}")
        return tuple(dict.fromkeys(themes))

    def _website(self, row: Row) -> str:
        url = self._text(row, "website")
        if url and (problem := _url_problem(url)):
            row.reject("website", url, problem)
        return url

    def _email(self, row: Row) -> str:
        value = self._text(row, "kontakt_email")
        if not value:
            return ""
        try:
            # Whether mail arrives there is not asked: an import needs no network.
            return validate_email(value, check_deliverability=False).normalized
        except EmailNotValidError:
            row.reject(
                "kontakt_email", value, "Das ist keine E-Mail-Adresse. Bitte in der Form name@beispiel.de angeben."
            )
            return ""

    def _verified_on(self, row: Row) -> date | None:
        value = self._text(row, "geprueft_am")
        if not value:
            return None
        day = read_date(value)
        if day is None:
            row.reject(
                "geprueft_am", value, "Dieses Datum gibt es nicht. Bitte als 2026-03-31 oder 31.03.2026 schreiben."
            )
        elif day > self._today:
            row.reject(
                "geprueft_am", value, "Das Datum liegt in der Zukunft. Bitte den Tag angeben, an dem geprüft wurde."
            )
        elif day < EARLIEST:
            row.reject("geprueft_am", value, f"Das Datum liegt vor {EARLIEST.year}. Bitte prüfen.")
        else:
            return day
        return None

    def _locate(self, row: Row, postcode: str, name: str) -> Place | None:
        """Where the record lies. None, and reported, when postcode and place do not fit together."""
        if not re.fullmatch(r"[0-9]{5}", postcode):
            lost = f" Fehlt die führende Null (0{postcode})?" if re.fullmatch(r"[0-9]{4}", postcode) else ""
            row.reject("plz", postcode, f"Eine Postleitzahl hat fünf Ziffern.{lost} Bitte berichtigen.")
            return None
        if re.search(r"\d", name):
            row.reject("ort", name, "Bitte nur den Namen des Ortes angeben, ohne Ziffern.")
            return None
        known = self._places.find(postcode)
        # "Hamburg-Altona" is in no list, but Hamburg is.
        named = self._places.find(name) or self._places.find(_DISTRICT.split(name)[0])
        if not known:
            region = self._region(postcode[:2])
            place = next((place for place in named if any(place.distance_km(code) <= NEAR_KM for code in region)), None)
            if place is None:
                row.reject("plz", postcode, "Diese Postleitzahl gibt es nicht. Bitte prüfen.")
                return None
            row.warn(
                "plz",
                postcode,
                f"Diese Postleitzahl steht in keinem Verzeichnis; sie wird als die eines Großempfängers in {place.name} übernommen.",
            )
            return replace(place, name=name)
        at = known[0]
        around = at.name.partition(" ")[2]
        there = f"{around} ({self._states[at.state]})"
        nearest = min(named, key=at.distance_km, default=None)
        if nearest is not None and at.distance_km(nearest) <= NEAR_KM:
            return replace(at, name=name, state=nearest.state)
        # A small place with a large city's name: of "Essen" the gazetteer only gives the city.
        if short_name(around) == normalised(name):
            return replace(at, name=name)
        if nearest is None:
            row.reject(
                "ort",
                name,
                f"Diesen Ort kennt das Ortsverzeichnis nicht. Bitte die Stadt oder Gemeinde angeben, zu der er gehört; bei {postcode} liegt {there}.",
            )
        else:
            row.reject(
                "plz",
                postcode,
                f"Postleitzahl und Ort passen nicht zusammen: Bei {postcode} liegt {there}, nicht {name}. Bitte eines von beiden berichtigen.",
            )
        return None

    def _postcodes_starting(self, digits: str) -> list[Place]:
        # 11 is the federal institutions' in Berlin and has no areas of its own.
        digits = "10" if digits == "11" else digits
        return [place for rest in range(1000) for place in self._places.find(f"{digits}{rest:03d}")]


def escaped(text: str) -> str:
    """`text` with an apostrophe before what a spreadsheet program would take for a formula; the checker takes it off."""
    return f"'{text}" if _FORMULA.match(text) or _ESCAPED_FORMULA.match(text) else text


def read_date(text: str) -> date | None:
    """The day in "2027-03-31" or "31.3.2027"; None if it is none."""
    text = text.strip()
    try:
        if found := _ISO_DATE.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _GERMAN_DATE.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass
    return None


def shortened(value: str) -> str:
    """What a finding shows of a value: one line, not too long, nothing that a terminal would obey."""
    value = " ".join(_CONTROL.sub("\ufffd", value).split())
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"


def _parts(cell: str) -> list[str]:
    """The parts of a list, blank ones left out. A tab in front stays, for the check for formulas."""
    return [part.strip(" \n") for part in cell.split(SEPARATOR) if part.strip()]


def _limit(column: str) -> int:
    """How long a text the database takes. Where the form decides, a complaint about the length would only mislead."""
    return (
        SHOWN
        if column in ("sektor", "plz", "reichweite", "geprueft_am")
        else text_length(Organisation, COLUMNS[column])
    )


@cache
def text_length(table: type[Organisation | Phrase], column: str) -> int:
    """How many characters the database takes there."""
    return int(getattr(table.__table__.c[column].type, "length"))  # noqa: B009 - only types of text have one


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        has_login = parts.username is not None or parts.password is not None
        _ = parts.port  # raises for what is no number
    except ValueError:
        return "Das ist keine gültige Webadresse. Bitte prüfen."
    if parts.scheme not in ("http", "https"):
        return "Nur Webadressen mit https:// oder http:// am Anfang sind erlaubt. Bitte ergänzen oder streichen."
    if has_login:
        return "Die Webadresse enthält Zugangsdaten. Bitte ohne Benutzername und Passwort angeben."
    if not _HOST.fullmatch(parts.hostname or "") or re.search(r"[\s\"'<>\\^`{|}]", url):
        return "Das ist keine gültige Webadresse. Bitte in der Form https://www.beispiel.de angeben."
    return None
