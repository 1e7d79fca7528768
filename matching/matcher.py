"""Who fits a request: the directory in memory, hard rules first, then a score from both sides, with reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge_base.guide import SECTORS
from matching.models import ACTIVE, OFFER, SAMPLE_SOURCE, Organisation, Phrase, PhraseVector, text_digest
from matching.phrases import Phrases
from matching.places import Place, on_sphere
from matching.requests import Request

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# How far a partner works from its place, as the crow flies; `land` is the state, `bund` all of Germany.
REACH_KM = {"lokal": 20.0, "kreis": 45.0}
EARTH_KM = 6371.0
# The fit of a phrase: the logistic of a weighted sum of how likely both are about the same resource (log) and how near
# their embeddings are (cosine, in steps of 0.03). Fitted on the tuning half of tests/quality/partners.
RESOURCE_WEIGHT, COSINE_WEIGHT, COSINE_STEP, COSINE_USUAL, BIAS = 0.6, 0.45, 0.03, 0.84, 1.6
SHARPNESS = 2.0  # the heads are less sure of themselves than they could be: probabilities are raised to this power
LEAST_FIT = 0.15  # below, an offer is no reason to suggest anybody
UNKNOWN_FIT = 0.1  # of the other side, where nobody says what they want in return
TWO_SIDES = 0.25  # the weight of what they get beside what they give
LEAST_SHARE = 0.4  # of the best one's score: what is so much weaker is not worth a line beside it
COMPETES = 0.95  # whoever seeks the same so much more than they give it is no partner but a competitor
# Money given and money for advertising are never taken for one another.
OPPOSED = ("geld-spende", "sponsoring")
CLEARLY = 1.2  # times likelier than the other: then that one is meant
FAR_KM = 25.0
ENDS_SOON_DAYS = 60

ReasonKind = Literal[
    "offers", "needs", "distance", "reach", "sector", "same_sector", "theme", "verified", "unverified", "until"
]


@dataclass(frozen=True)
class Reason:
    """What speaks for or against a suggestion, each tied to a stored field.

    `text`: the phrase, the reach, the sector's or theme's id; `number`: kilometres or months; `day`: the end of an offer.
    """

    kind: ReasonKind
    text: str = ""
    number: int = 0
    day: date | None = None


@dataclass(frozen=True)
class Partner:
    """What a suggestion shows of an organisation: nothing of its contact, which is shared only when both agree."""

    id: str
    name: str
    sector: str
    legal_form: str
    description: str
    place: str
    website: str | None
    sample: bool


@dataclass(frozen=True)
class Suggestion:
    """`score`: 0..1, comparable within one request; `distance_km` is None where the asker's place is not known."""

    partner: Partner
    score: float
    distance_km: float | None
    reasons: tuple[Reason, ...]
    counter_reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Alliance:
    """Partners of different sectors for one need, the best of each; `missing`: sectors for which nobody was found."""

    members: tuple[Suggestion, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Listed:
    """One phrase of one organisation."""

    organisation: int
    side: str
    text: str
    until: date | None


class Matcher:
    """Ranks the directory's organisations. Immutable: a changed directory is loaded anew."""

    def __init__(self, organisations: Sequence[Organisation], vectors: dict[str, Floats], phrases: Phrases) -> None:
        self._phrases = phrases
        self._partners = [_partner(organisation) for organisation in organisations]
        self._reach = [organisation.reach for organisation in organisations]
        self._states = np.array([organisation.state for organisation in organisations], dtype="U2")
        self._themes = [frozenset(organisation.themes) for organisation in organisations]
        self._verified = [organisation.verified_on for organisation in organisations]
        degrees = np.array([[organisation.latitude, organisation.longitude] for organisation in organisations])
        self._points = on_sphere(degrees.reshape(-1, 2))
        self._radius = np.array([REACH_KM.get(reach, np.inf) for reach in self._reach])
        self._in_state = np.array([reach == "land" for reach in self._reach], dtype=bool)
        self._listed: list[_Listed] = []
        kept: list[Phrase] = []
        for number, organisation in enumerate(organisations):
            for phrase in organisation.phrases:
                self._listed.append(_Listed(number, phrase.side, phrase.text, phrase.until))
                kept.append(phrase)
        texts = list(dict.fromkeys(phrase.text for phrase in kept))
        missing = [text for text in texts if text_digest(text) not in vectors]
        vectors = vectors | dict(zip(map(text_digest, missing), phrases.embed(missing), strict=True))
        rows = [vectors[text_digest(phrase.text)] for phrase in kept]
        self._vectors = np.array(rows, dtype=np.float32).reshape(len(kept), -1) if rows else phrases.embed([])
        self._likely = phrases.probabilities(self._vectors) if rows else np.zeros((0, len(phrases.ids)), np.float32)
        for row, phrase in enumerate(kept):
            if phrase.corrected:
                self._likely[row] = np.eye(len(phrases.ids), dtype=np.float32)[phrases.ids.index(phrase.resource)]
        self._resource = self._likely.argmax(axis=1) if rows else np.zeros(0, dtype=np.int64)
        self._owner = np.array([listed.organisation for listed in self._listed], dtype=np.int64)
        self._offers = np.array([listed.side == OFFER for listed in self._listed], dtype=bool)

    @classmethod
    async def load(cls, session: AsyncSession, phrases: Phrases) -> Matcher:
        """The matcher of the active organisations with the embeddings that are stored for them."""
        query = select(Organisation).where(Organisation.status == ACTIVE).order_by(Organisation.id)
        organisations = list((await session.execute(query)).scalars())
        stored = select(PhraseVector.digest, PhraseVector.vector).where(PhraseVector.model == phrases.model)
        vectors = {
            digest: np.frombuffer(vector, dtype=np.float16).astype(np.float32)
            for digest, vector in (await session.execute(stored)).all()
        }
        return await asyncio.to_thread(cls, organisations, vectors, phrases)

    def __len__(self) -> int:
        return len(self._partners)

    def suggest(
        self,
        request: Request,
        today: date,
        *,
        most: int | None = None,
        without: Collection[str] = (),
        widen_km: float = 0.0,
    ) -> list[Suggestion]:
        """The partners that fit a request, best first, at most `most`; [] when nobody does. `widen_km` adds to every partner's reach.

        Left out whatever they score: who is out of reach, whose fitting offer has ended, and who seeks the same.
        """
        if not self._partners or not (request.text or request.seeks or request.offers):
            return []
        distances = self._distances(request.place)
        allowed = self._reachable(request.place, distances, widen_km)
        allowed &= np.array([partner.id not in without for partner in self._partners], dtype=bool)
        holds = np.array([listed.until is None or listed.until >= today for listed in self._listed], dtype=bool)
        seeks = bool(request.seeks) or not request.offers
        given = self._fits(request, seeks=True) if seeks else np.zeros(len(self._listed), np.float32)
        wanted = self._fits(request, seeks=False) if request.offers else np.zeros(len(self._listed), np.float32)
        gives, gives_row = self._best(given, self._offers & holds)
        competes, _ = self._best(given, ~self._offers & holds)
        takes, takes_row = self._best(wanted, ~self._offers & holds)
        main = gives if seeks else takes
        allowed &= main >= LEAST_FIT
        if seeks:
            allowed &= competes * COMPETES <= gives
        other = np.where(takes_row >= 0, np.maximum(takes, UNKNOWN_FIT), UNKNOWN_FIT) if seeks else main
        score = 1 / ((1 - TWO_SIDES) / np.maximum(main, 1e-6) + TWO_SIDES / np.maximum(other, 1e-6))
        score *= self._circumstances(request, distances, today)
        score[~allowed] = -1.0
        allowed &= score >= LEAST_SHARE * score.max()
        score[~allowed] = -1.0
        order = np.argsort(-score, kind="stable")[:most]
        return [
            self._suggestion(
                int(number), float(score[number]), request, distances, today,
                gives_row[number] if seeks else -1, takes_row[number] if takes[number] >= LEAST_FIT else -1,
            )
            for number in order if score[number] > 0
        ]  # fmt: skip

    def _fits(self, request: Request, *, seeks: bool) -> Floats:
        """How well each phrase serves what is sought (or takes what is offered): shape (phrases,), 0..1."""
        parts = []
        if seeks:
            # The whole text first, where there is one.
            told = 1 if request.text else 0
            vectors = self._phrases.embed([*[request.text][:told], *request.seeks])
            if told:
                parts.append(self._phrases.probabilities(vectors[:told], "wish")[0])
            if request.seeks:
                parts.append(self._phrases.probabilities(vectors[told:]).mean(axis=0))
            likely = np.stack(parts).mean(axis=0) ** SHARPNESS
            likely = (likely / likely.sum()).astype(np.float32)
        else:
            vectors = self._phrases.embed(request.offers)
            likely = self._phrases.probabilities(vectors).mean(axis=0)
        cosines = (self._vectors @ vectors.T).max(axis=1)
        same = np.log(self._likely @ likely + 1e-3)
        total = BIAS + RESOURCE_WEIGHT * same + COSINE_WEIGHT * (cosines - COSINE_USUAL) / COSINE_STEP
        fits: Floats = (1 / (1 + np.exp(-total))).astype(np.float32)
        one, two = (self._phrases.ids.index(resource) for resource in OPPOSED)
        meant, not_meant = (one, two) if likely[one] >= likely[two] else (two, one)
        if likely[meant] > CLEARLY * likely[not_meant]:
            fits[self._resource == not_meant] = 0.0
        return fits

    def _best(self, fits: Floats, rows: Mask) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Each organisation's best fit among `rows`, and its row; 0 and -1 for none."""
        best = np.zeros(len(self._partners), dtype=np.float32)
        row = np.full(len(self._partners), -1, dtype=np.int64)
        chosen = np.flatnonzero(rows)
        ordered = chosen[np.argsort(fits[chosen], kind="stable")]
        best[self._owner[ordered]] = fits[ordered]  # the last, best one of an organisation stays
        row[self._owner[ordered]] = ordered
        return best, row

    def _distances(self, place: Place | None) -> npt.NDArray[np.float64] | None:
        """Kilometres from `place`, shape (organisations,)."""
        if place is None:
            return None
        point = on_sphere(np.array([[place.latitude, place.longitude]]))[0]
        found: npt.NDArray[np.float64] = EARTH_KM * np.arccos(np.clip(self._points @ point, -1.0, 1.0))
        return found

    def _reachable(self, place: Place | None, distances: npt.NDArray[np.float64] | None, widen_km: float) -> Mask:
        if place is None or distances is None:
            return np.ones(len(self._partners), dtype=bool)
        found: Mask = distances <= self._radius + widen_km
        found &= ~self._in_state | (self._states == place.state) | (distances <= widen_km)
        return found

    def _circumstances(
        self, request: Request, distances: npt.NDArray[np.float64] | None, today: date
    ) -> npt.NDArray[np.float64]:
        """A factor around 1 for each organisation: near, of another sector, with a common theme, lately verified."""
        factor = np.ones(len(self._partners))
        if distances is not None:
            factor *= 0.8 + 0.2 * np.exp(-distances / 60.0)
        if request.sector:
            factor *= np.array([0.93 if partner.sector == request.sector else 1.0 for partner in self._partners])
        if request.themes:
            wanted = set(request.themes)
            factor *= np.array([1.04 if wanted & themes else 1.0 for themes in self._themes])
        # Over a year unconfirmed: last, whatever the fit.
        factor *= np.array([0.3 if _months(day, today) > 12 else 1.0 for day in self._verified])
        return factor

    def _suggestion(
        self,
        number: int,
        score: float,
        request: Request,
        distances: npt.NDArray[np.float64] | None,
        today: date,
        gives: int,
        takes: int,
    ) -> Suggestion:
        partner = self._partners[number]
        distance = None if distances is None else float(distances[number])
        reasons, counter = [], []
        if gives >= 0:
            reasons.append(Reason("offers", self._listed[gives].text))
        if takes >= 0:
            reasons.append(Reason("needs", self._listed[takes].text))
        if distance is not None and distance <= FAR_KM:
            reasons.append(Reason("distance", number=round(distance)))
        elif self._reach[number] in ("land", "bund"):
            reasons.append(Reason("reach", self._reach[number]))
        if request.sector and partner.sector != request.sector:
            reasons.append(Reason("sector", partner.sector))
        if common := sorted(self._themes[number] & set(request.themes)):
            reasons.append(Reason("theme", common[0]))
        verified = self._verified[number]
        months = _months(verified, today)
        if verified is None:
            counter.append(Reason("unverified"))
        elif months > 12:
            counter.append(Reason("verified", number=months))
        until = self._listed[gives if gives >= 0 else takes].until if max(gives, takes) >= 0 else None
        if until and (until - today).days <= ENDS_SOON_DAYS:
            counter.append(Reason("until", day=until))
        if distance is not None and distance > FAR_KM:
            counter.append(Reason("distance", number=round(distance)))
        if request.sector and partner.sector == request.sector:
            counter.append(Reason("same_sector", partner.sector))
        return Suggestion(partner, score, distance, tuple(reasons[:3]), tuple(counter[:1]))


def alliance_of(found: Sequence[Suggestion], sector: str | None) -> Alliance:
    """The best of each sector but the asker's own, of all that fit a request, best first."""
    wanted = [other for other in SECTORS if other != sector]
    members = [next((one for one in found if one.partner.sector == other), None) for other in wanted]
    missing = tuple(other for other, member in zip(wanted, members, strict=True) if member is None)
    return Alliance(tuple(sorted(filter(None, members), key=lambda one: -one.score)), missing)


def _partner(organisation: Organisation) -> Partner:
    names = ("id", "name", "sector", "legal_form", "description", "place", "website")
    return Partner(**{name: getattr(organisation, name) for name in names}, sample=organisation.source == SAMPLE_SOURCE)


def _months(verified: date | None, today: date) -> int:
    """Whole months since an entry was verified; a never verified one counts as just within the year."""
    return (
        12
        if verified is None
        else (today.year - verified.year) * 12 + today.month - verified.month - (today.day < verified.day)
    )
