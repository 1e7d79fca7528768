"""Places by postcode and name: nobody is sent to the wrong state."""

import pytest

from matching.places import Place, Places


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


@pytest.mark.parametrize(
    ("text", "name", "state"),
    [
        ("06108", "06108 Halle (Saale)", "ST"),
        ("06108 Halle", "06108 Halle (Saale)", "ST"),
        ("D-89231", "89231 Neu-Ulm", "BY"),
        ("Berlin", "Berlin", "BE"),
        ("köln", "Köln", "NW"),
        ("Muenchen", "München", "BY"),
        ("Halle/Saale", "Halle (Saale)", "ST"),
        ("Halle an der Saale", "Halle (Saale)", "ST"),
        ("Frankfurt a. M.", "Frankfurt am Main", "HE"),
        ("frankfurt oder", "Frankfurt (Oder)", "BB"),
        ("St. Ingbert", "Sankt Ingbert", "SL"),
        ("Lutherstadt Wittenberg", "Wittenberg", "ST"),
        ("Stadt Bonn", "Bonn", "NW"),
    ],
)
def test_a_place_is_found_however_it_is_written(places: Places, text: str, name: str, state: str) -> None:
    (found,) = places.find(text)
    assert (found.name, found.state) == (name, state)


@pytest.mark.parametrize(("text", "states"), [("Halle", {"ST", "NW", "NI"}), ("Frankfurt", {"HE", "BB"})])
def test_namesakes_are_all_offered_the_largest_first(places: Places, text: str, states: set[str]) -> None:
    found = places.find(text)
    assert {place.state for place in found} == states
    assert [place.population for place in found] == sorted((place.population for place in found), reverse=True)


@pytest.mark.parametrize("text", ["", "00000", "Entenhausen", "gibt es nicht", "123456", "(((", "x" * 5000])
def test_what_is_no_place_is_not_found(places: Places, text: str) -> None:
    assert places.find(text) == []


def test_a_typing_error_gets_a_suggestion(places: Places) -> None:
    assert "Dortmund" in places.spelled_like("Dortmnud")


def test_the_nearest_place_of_a_point_and_none_abroad(places: Places) -> None:
    dresden = places.nearest(51.05, 13.74)
    assert dresden is not None
    assert dresden.state == "SN"
    assert places.nearest(48.21, 16.37) is None


def test_distances_are_great_circles() -> None:
    berlin, hamburg = Place("Berlin", "BE", 52.5200, 13.4050), Place("Hamburg", "HH", 53.5511, 9.9937)
    assert berlin.distance_km(hamburg) == pytest.approx(255.3, abs=0.5)
    assert berlin.distance_km(berlin) == 0
