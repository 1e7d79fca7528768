"""Whether a new snapshot may go live: what became of the golden questions, and which guide is to blame."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.snapshot import NO_GUIDE, Snapshot

if TYPE_CHECKING:
    from indexer.evaluation import Outcome

# A right answer that becomes an offer with the right guide in it still helps: it counts half.
WEAKER = 0.5
# With few golden questions a share is less than one of them; one or two may always flip.
FLIPS = 2
# Cosine from which two example questions are one in other words. The nearest two of different guides are at 0.96 (10,900
# questions of 64 guides); copies with a greeting before and "was tun?" behind are at 0.99.
SAME = 0.97
NONE = "_none"  # stands among the ids of guides for the questions that no guide answers


@dataclass(frozen=True)
class Limits:
    """What may get worse. `lost`: share of the golden questions lost beyond those gained; `lost_by_a_guide`: questions
    that one guide may cost, and questions of its bank that may be another guide's."""

    lost: float
    lost_by_a_guide: int


@dataclass(frozen=True)
class Changes:
    """Ids of the guides that differ between two snapshots."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def between(cls, before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
        """From both snapshots' guides by their ids; guides that are equal have not changed."""
        return cls(
            tuple(sorted(after.keys() - before.keys())),
            tuple(sorted(guide for guide in before.keys() & after.keys() if before[guide] != after[guide])),
            tuple(sorted(before.keys() - after.keys())),
        )

    @property
    def present(self) -> frozenset[str]:
        """The guides that are new or different, and there."""
        return frozenset((*self.added, *self.changed))


@dataclass(frozen=True)
class Move:
    """A golden question that is answered better or worse than before.

    guides: the right ones. before, after: the first guide found. blamed: the changed guide that brought it about, as far
    as that can be told: one that now stands before the right guide, else the right guide itself.
    """

    question: str
    guides: tuple[str, ...]
    before: str | None
    before_status: str
    after: str | None
    after_status: str
    weight: float
    blamed: str | None


@dataclass(frozen=True)
class Copied:
    """A new example question of `guide` that means what one of `other` means."""

    guide: str
    question: str
    other: str
    other_question: str


@dataclass(frozen=True)
class Reason:
    """Why a snapshot must not go live. `guide` is the one to blame (None: no single one); `lost` and `copied` count."""

    guide: str | None
    lost: float = 0.0
    copied: int = 0
    limit: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """How two snapshots compare. Without `reasons` the new one may go live."""

    lost: tuple[Move, ...] = ()
    gained: tuple[Move, ...] = ()
    copied: tuple[Copied, ...] = ()
    reasons: tuple[Reason, ...] = ()


def compare(
    before: Sequence[Outcome],
    after: Sequence[Outcome],
    changes: Changes,
    copied: Sequence[Copied],
    limits: Limits,
) -> Comparison:
    """Compare the outcomes of the same golden questions, in the same order, with the old and with the new snapshot."""
    lost: list[Move] = []
    gained: list[Move] = []
    for old, new in zip(before, after, strict=True):
        if old.worth == new.worth:
            continue
        worse = new.worth < old.worth
        blamed = _blamed(new, changes) if worse else None
        (lost if worse else gained).append(
            Move(
                question=new.golden.question,
                guides=new.golden.guides,
                before=_first(old),
                before_status=old.status,
                after=_first(new),
                after_status=new.status,
                weight=WEAKER if {old.worth, new.worth} == {2, 3} else 1.0,
                blamed=blamed,
            )
        )
    reasons = _reasons(lost, gained, copied, len(before), changes, limits)
    return Comparison(tuple(lost), tuple(gained), tuple(copied), tuple(reasons))


def suspects(compared: Comparison, changes: Changes, limits: Limits) -> list[str]:
    """The changed guides that may have cost more than they may: those that took questions, and those that lost theirs.

    Where both have changed, only a trial of each alone can tell; empty when no more than one guide has.
    """
    there = {*changes.present, *changes.removed}
    if len(there) < 2:
        return []
    costs: dict[str, float] = defaultdict(float)
    for move in compared.lost:
        for guide in {move.blamed, move.after, *move.guides} & there:
            costs[str(guide)] += move.weight
    return sorted(guide for guide in costs if costs[guide] > limits.lost_by_a_guide)


def with_trials(compared: Comparison, alone: Mapping[str, Comparison], limits: Limits) -> Comparison:
    """`compared`, with the blame as it comes out when each suspect alone is changed.

    When none does harm alone, they do together, and the blame stays as it was.
    """
    costs = {guide: sum(move.weight for move in trial.lost if move.blamed == guide) for guide, trial in alone.items()}
    copies = Counter(one.guide for one in compared.copied)
    most = limits.lost_by_a_guide
    named = {*costs, *copies}
    guilty = [guide for guide in sorted(named) if costs.get(guide, 0) > most or copies[guide] > most]
    if not compared.reasons or not guilty:
        return compared
    cleared = alone.keys() - set(guilty)
    lost = [
        replace(move, blamed=next((guide for guide in move.guides if guide in guilty), None))
        if move.blamed in cleared
        else move
        for move in compared.lost
    ]
    reasons = [Reason(guide, costs.get(guide, 0.0), copies[guide], most) for guide in guilty]
    reasons.sort(key=lambda reason: (-reason.lost, -reason.copied))
    return replace(compared, lost=tuple(lost), reasons=tuple(reasons))


def find_copied(before: Snapshot, after: Snapshot, guides: Collection[str], texts: Mapping[str, str]) -> list[Copied]:
    """New example questions of `guides` that mean what an example question of another guide means.

    `texts` are the questions by the hash under which a snapshot knows them.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for key, owner in zip(before.bank_vectors.hashes, before.bank_owner, strict=True):
        known[before.guides[owner] if owner != NO_GUIDE else NONE].add(key)
    matrix, owners, keys = after.bank_vectors.matrix, after.bank_owner, after.bank_vectors.hashes
    found = []
    for number, guide in enumerate(after.guides):
        if guide not in guides:
            continue
        own = [row for row in np.flatnonzero(owners == number) if keys[row] not in known[guide]]
        others = np.flatnonzero((owners != number) & (owners != NO_GUIDE))
        if not own or not len(others):
            continue
        cosines = matrix[own] @ matrix[others].T
        for position, row in enumerate(own):
            nearest = int(cosines[position].argmax())
            if cosines[position, nearest] >= SAME:
                other = others[nearest]
                found.append(Copied(guide, texts[keys[row]], after.guides[owners[other]], texts[keys[other]]))
    return found


def _blamed(new: Outcome, changes: Changes) -> str | None:
    before_right = []
    for guide in new.found[:3]:
        if guide in new.golden.guides:
            break
        before_right.append(guide)
    taker = next((guide for guide in before_right if guide in changes.present), None)
    if taker:
        return taker
    own = [guide for guide in new.golden.guides if guide in changes.present or guide in changes.removed]
    if own:
        return own[0]
    # Behind the right guide, and so near that this one is no longer sure enough.
    near = next((guide for guide in new.found[:3] if guide in changes.present - set(new.golden.guides)), None)
    silenced = NONE in changes.present and new.golden.guides and new.status != "answer"
    return near or (NONE if silenced else None)


def _reasons(
    lost: Sequence[Move],
    gained: Sequence[Move],
    copied: Sequence[Copied],
    questions: int,
    changes: Changes,
    limits: Limits,
) -> list[Reason]:
    costs: dict[str, float] = defaultdict(float)
    for move in lost:
        if move.blamed:
            costs[move.blamed] += move.weight
    copies = Counter(one.guide for one in copied)
    most = limits.lost_by_a_guide
    guilty = [guide for guide in sorted({*costs, *copies}) if costs[guide] > most or copies[guide] > most]
    reasons = [Reason(guide, costs[guide], copies[guide], most) for guide in guilty]
    reasons.sort(key=lambda reason: (-reason.lost, -reason.copied))
    total = sum(move.weight for move in lost) - sum(move.weight for move in gained)
    allowed = max(FLIPS, limits.lost * questions)
    if total > allowed and not reasons:
        alone = [*changes.present, *changes.removed]
        guide = alone[0] if len(alone) == 1 else max(costs, key=costs.__getitem__, default=None)
        reasons.append(Reason(guide, total, 0, allowed))
    return reasons


def _first(outcome: Outcome) -> str | None:
    return outcome.found[0] if outcome.found else None
