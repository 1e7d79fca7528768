"""Hard rules, both sides and reasons of the matching, with a reader whose embeddings are its words."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from matching.matcher import Matcher, Reason, alliance_of
from matching.models import NEED, OFFER, Organisation, Phrase
from matching.phrases import Phrases
from matching.places import Place
from matching.requests import Request

TODAY = date(2026, 11, 24)
RESOURCES = ["raeume", "geld-spende", "sponsoring", "it-technik", "zeitspende"]
WORDS = {"raum": 0, "saal": 0, "spende": 1, "logo": 2, "laptop": 3, "helfer": 4}
HALLE = Place("Halle (Saale)", "ST", 51.48, 11.97)


class WordPhrases:
    """Each known word points to the dimension of its resource: what the real reader learns, this one is told."""

    model = "words"
    ids = RESOURCES

    def embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        vectors = np.full((len(texts), len(RESOURCES)), 0.3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word, number in WORDS.items():
                vectors[row, number] += 2.0 * (word in text.casefold())
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        found: npt.NDArray[np.float32] = vectors / np.maximum(norms, 1e-6)
        return found

    def probabilities(self, vectors: npt.NDArray[np.float32], of: str = "phrase") -> npt.NDArray[np.float32]:
        found = np.full((len(vectors), len(RESOURCES)), 0.02, dtype=np.float32)
        for row, number in enumerate(vectors.argmax(axis=1)):
            found[row, int(number)] = 0.92
        return found


def organisation(identity: str, offers: str = "", needs: str = "", **values: object) -> Organisation:
    phrases = [
        Phrase(side=side, position=0, text=text, resource="raeume")
        for side, text in ((OFFER, offers), (NEED, needs))
        if text
    ]
    fields: dict[str, object] = {
        "name": identity, "sector": "wirtschaft", "legal_form": "", "description": "", "postcode": "06108",
        "place": "Halle (Saale)", "state": "ST", "latitude": 51.48, "longitude": 11.97, "reach": "lokal", "themes": [],
        "verified_on": date(2026, 9, 1), "source": "test", "status": "active",
    }  # fmt: skip
    return Organisation(id=identity, phrases=phrases, **(fields | values))


def suggested(request: Request, *organisations: Organisation, widen_km: float = 0.0) -> list[str]:
    reader: Phrases = WordPhrases()  # type: ignore[assignment]
    found = Matcher(organisations, {}, reader).suggest(request, TODAY, widen_km=widen_km)
    return [one.partner.id for one in found]


SEEKS_ROOM = Request(text="Wir suchen einen Raum", seeks=("einen Raum",), places=(HALLE,), sector="zivilgesellschaft")


def test_a_local_partner_far_away_is_not_suggested() -> None:
    near = organisation("near", "ein Saal")
    far = organisation("far", "ein Saal", latitude=48.1, longitude=11.6, state="BY")
    assert suggested(SEEKS_ROOM, near, far) == ["near"]
    assert suggested(SEEKS_ROOM, far, widen_km=500.0) == ["far"]


def test_a_partner_of_another_state_is_not_suggested() -> None:
    own = organisation("own", "ein Saal", latitude=52.13, longitude=11.62, reach="land")
    other = organisation("other", "ein Saal", latitude=51.34, longitude=12.37, reach="land", state="SN")
    assert suggested(SEEKS_ROOM, own, other) == ["own"]


def test_an_offer_that_has_ended_is_not_suggested() -> None:
    ended = organisation("ended", "ein Saal")
    ended.phrases[0].until = date(2026, 11, 23)
    last_day = organisation("last-day", "ein Saal")
    last_day.phrases[0].until = TODAY
    assert suggested(SEEKS_ROOM, ended, last_day) == ["last-day"]


def test_one_that_seeks_the_same_is_not_suggested() -> None:
    assert suggested(SEEKS_ROOM, organisation("rival", "helfer am Samstag", "ein Raum")) == []


@pytest.mark.parametrize(("sought", "expected"), [("eine Spende", "gift"), ("Firma, deren Logo wir zeigen", "advert")])
def test_a_donation_and_sponsoring_are_never_mixed_up(sought: str, expected: str) -> None:
    gift, advert = organisation("gift", "Spende im Advent"), organisation("advert", "Geld gegen Logo")
    assert suggested(Request(text=sought, seeks=(sought,)), gift, advert) == [expected]


def test_who_wants_what_is_offered_comes_first() -> None:
    request = Request(
        text="Wir suchen einen Raum", seeks=("einen Raum",), offers=("laptop reparieren",), places=(HALLE,)
    )
    wants_other = organisation("a", "ein Saal", "helfer")
    wants_this = organisation("b", "ein Saal", "laptop")
    assert suggested(request, wants_other, wants_this)[0] == "b"


def test_who_only_offers_finds_those_who_seek_it() -> None:
    request = Request(text="Wir geben laptop ab", offers=("laptop",), places=(HALLE,))
    assert suggested(request, organisation("a", "ein Saal"), organisation("b", "ein Saal", "laptop")) == ["b"]


def test_an_entry_unconfirmed_for_a_year_comes_last_and_says_so() -> None:
    old = organisation("old", "ein Raum und ein Saal", verified_on=date(2025, 9, 1))
    reader: Phrases = WordPhrases()  # type: ignore[assignment]
    found = Matcher([old], {}, reader).suggest(SEEKS_ROOM, TODAY)
    assert found[0].counter_reasons == (Reason("verified", number=14),)
    assert found[0].reasons[0] == Reason("offers", "ein Raum und ein Saal")
    assert Reason("distance", number=0) in found[0].reasons


def test_an_alliance_names_the_sector_that_is_missing() -> None:
    reader: Phrases = WordPhrases()  # type: ignore[assignment]
    found = Matcher([organisation("firm", "ein Saal")], {}, reader).suggest(SEEKS_ROOM, TODAY)
    alliance = alliance_of(found, SEEKS_ROOM.sector)
    assert [one.partner.id for one in alliance.members] == ["firm"]
    assert alliance.missing == ("verwaltung",)
