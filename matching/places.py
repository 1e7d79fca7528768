"""Places in Germany, offline: postcodes and names of towns to coordinates and states.

`gazetteer/` holds the data (sources and licences there), `build_gazetteer.py` makes it.
"""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parent / "gazetteer"
EARTH_KM = 6371.0
# A name belongs to one place alone if that has so many times the inhabitants of the next one: nobody who writes
# "Berlin" means the hamlet in Holstein, but "Halle" and "Frankfurt" have to be asked about.
CLEARLY_LARGER = 20
FARTHEST_KM = 60.0  # a point farther from every place is not in Germany
_SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_ADDITION = re.compile(r"\s*[(/,].*|\s+(am|an|auf|bei|beim|im|in|ob|unter|vor|[abiv]\.)\s.*", re.IGNORECASE)
_ABBREVIATIONS = {
    " st. ": " sankt ", " a.m. ": " am main ", " a. m. ": " am main ", " i.br. ": " im breisgau ",
    " i. br. ": " im breisgau ", " a.d. ": " an der ", " a. d. ": " an der ", " v.d.h. ": " vor der hoehe ",
    " v. d. h. ": " vor der hoehe ", " i.w. ": " westf. ", " b. ": " bei ",
}  # fmt: skip
_TITLE = re.compile(
    r"^(lutherstadt|hansestadt|landeshauptstadt|universitätsstadt|stadt|gemeinde|markt|ostseebad|seebad|nordseebad)\s+|\s+lutherstadt$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """A place with its state's ISO code (without "DE-"), in degrees; `name` says which of its namesakes it is."""

    name: str
    state: str
    latitude: float
    longitude: float
    population: int = 0

    def distance_km(self, other: "Place") -> float:
        """Great-circle distance by the haversine formula, in kilometres."""
        one, two = np.radians([self.latitude, self.longitude]), np.radians([other.latitude, other.longitude])
        half = np.sin((two - one) / 2) ** 2
        return float(2 * EARTH_KM * np.arcsin(np.sqrt(half[0] + np.cos(one[0]) * np.cos(two[0]) * half[1])))


class Places:
    """The gazetteer. Reading it takes about 0.1 s; `load` keeps it."""

    def __init__(self, places: list[Place], forms: list[list[str]], postcodes: dict[str, Place]) -> None:
        self._places = places
        self._postcodes = postcodes
        self._by_name: dict[str, list[int]] = {}
        self._by_short_name: dict[str, list[int]] = {}
        for number, names in enumerate(forms):
            known = [*names, *(_TITLE.sub("", name) for name in names)]
            for name in dict.fromkeys(map(normalised, known)):
                self._by_name.setdefault(name, []).append(number)
            for name in dict.fromkeys(map(short_name, known)):
                self._by_short_name.setdefault(name, []).append(number)
        self._points = on_sphere(np.array([[place.latitude, place.longitude] for place in places]))
        self._codes = list(postcodes)
        self._code_points = on_sphere(np.array([[at.latitude, at.longitude] for at in postcodes.values()]))

    @classmethod
    @cache
    def load(cls) -> Self:
        places, forms = [], []
        rows = _read("places.csv.gz")
        bearers = Counter(row["name"] for row in rows)
        for row in rows:
            also = row["also"].split("|") if row["also"] else []
            longer = next((name for name in also if name.startswith(f"{row['name']} (")), row["name"])
            shown = longer if bearers[row["name"]] > 1 else row["name"]
            place = Place(shown, row["state"], float(row["latitude"]), float(row["longitude"]), int(row["population"]))
            places.append(place)
            forms.append([row["name"], *also])
        postcodes = {}
        for row in _read("postcodes.csv.gz"):
            near = places[int(row["place"])]
            postcodes[row["postcode"]] = Place(
                f"{row['postcode']} {near.name}", near.state, float(row["latitude"]), float(row["longitude"])
            )
        return cls(places, forms, postcodes)

    def find(self, text: str) -> list[Place]:
        """The places that `text` may name, the most populous first: a postcode, a town, or both; [] for none.

        One place is returned where the name leaves no real doubt (see CLEARLY_LARGER).
        """
        text = " ".join(text.split())
        code = re.match(r"(?:D-)?(\d{5})\b\s*(.*)", text)
        if code:
            at = self._postcodes.get(code[1])
            if at or not code[2]:
                return [at] if at else []
            text = code[2]
        text = _TITLE.sub("", text) if normalised(text) not in self._by_name else text
        numbers = self._by_name.get(normalised(text)) or []
        # A full name ("Frankfurt (Oder)") is meant exactly; a bare one may also be the short form of others.
        if not numbers or normalised(text) == short_name(text):
            numbers = sorted({*numbers, *self._by_short_name.get(normalised(text), [])})
        found = sorted((self._places[number] for number in numbers), key=lambda place: -place.population)
        if len(found) > 1 and found[0].population >= CLEARLY_LARGER * max(found[1].population, 500):
            return found[:1]
        return found

    def spelled_like(self, text: str, most: int = 3) -> list[str]:
        """Names of places that are spelled much like `text`, for a typing error."""
        near = get_close_matches(normalised(text), list(self._by_name), n=most, cutoff=0.8)
        return [self._places[self._by_name[name][0]].name for name in near]

    def postcode(self, place: Place) -> str:
        """The postcode whose area's middle is nearest to `place`."""
        point = on_sphere(np.array([[place.latitude, place.longitude]]))[0]
        return self._codes[int((self._code_points @ point).argmax())]

    def told_apart(self, found: Sequence[Place]) -> list[tuple[Place, str]]:
        """Places with what has to stand before their names: a postcode where name and state do not tell them apart."""
        alike = Counter((place.name, place.state) for place in found)
        return [(place, self.postcode(place) if alike[place.name, place.state] > 1 else "") for place in found]

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place nearest to a point; None when the point is not in Germany."""
        closeness = self._points @ on_sphere(np.array([[latitude, longitude]]))[0]
        place = self._places[int(closeness.argmax())]
        return place if place.distance_km(Place("", "", latitude, longitude)) <= FARTHEST_KM else None


def normalised(name: str) -> str:
    """A name as it is compared: case, umlauts, hyphens and "St." do not matter."""
    folded = f" {name.casefold().translate(_SPELLINGS)} "
    for short, long in _ABBREVIATIONS.items():
        folded = folded.replace(short, long)
    return " ".join(re.split(r"[-\s()/,]+", folded)).strip()


def short_name(name: str) -> str:
    """The compared name without what tells it from its namesakes: "Halle (Saale)" and "Halle an der Saale" are "halle"."""
    return normalised(_ADDITION.sub("", name)) or normalised(name)


def _read(name: str) -> list[dict[str, str]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def on_sphere(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Unit vectors of shape (points, 3): the nearest point is the one with the greatest inner product."""
    latitude, longitude = np.radians(degrees).T
    cosine = np.cos(latitude)
    return np.stack([cosine * np.cos(longitude), cosine * np.sin(longitude), np.sin(latitude)], axis=1)
