"""What speaks against a new index, and which guide is blamed."""

from pathlib import Path

import pytest

from indexer.evaluation import Golden, Outcome
from indexer.reindex import NONE, Changes, Comparison, Limits, compare, find_copied
from indexer.retriever import Status
from indexer.snapshot import build, text_hash
from tests.unit.indexer.fakes import AMT, NEGATIVES, SPENDE, STREIT, FakeEmbedder, FakeGuide, as_embedder

LIMITS = Limits(lost=0.005, lost_by_a_guide=4)


def outcome(number: int, right: str, *found: str, status: Status = "answer") -> Outcome:
    guides = (right,) if right else ()
    return Outcome(Golden(f"Frage {number}", guides, "in_scope" if right else "near_miss", "test"), found, status, 0.9)


def compared(*pairs: tuple[Outcome, Outcome], changes: Changes) -> Comparison:
    """The pairs, among a thousand questions that stay as they were."""
    same = outcome(0, "x", "x")
    rows = [*pairs, *[(same, same)] * 1000]
    return compare([old for old, _ in rows], [new for _, new in rows], changes, [], LIMITS)


def test_a_guide_that_takes_five_questions_from_another_is_refused_and_named() -> None:
    pairs = [(outcome(n, "spende", "spende", "neu"), outcome(n, "spende", "neu", "spende")) for n in range(5)]
    found = compared(*pairs, changes=Changes(added=("neu",), changed=("amt",)))
    assert [reason.guide for reason in found.reasons] == ["neu"]
    assert found.reasons[0].lost == 5
    assert {(move.before, move.after, move.blamed) for move in found.lost} == {("spende", "neu", "neu")}


def test_a_guide_that_got_worse_itself_is_to_blame_not_the_unchanged_one_that_gains() -> None:
    pairs = [(outcome(n, "spende", "spende", "amt"), outcome(n, "spende", "amt", "spende")) for n in range(5)]
    found = compared(*pairs, changes=Changes(changed=("spende", "streit")))
    assert [reason.guide for reason in found.reasons] == ["spende"]


def test_what_one_guide_gains_does_not_excuse_what_it_takes() -> None:
    taken = [(outcome(n, "spende", "spende"), outcome(n, "spende", "neu", "spende")) for n in range(5)]
    own = [(outcome(n, "neu", "amt", status="no_answer"), outcome(n, "neu", "neu")) for n in range(20)]
    assert [r.guide for r in compared(*taken, *own, changes=Changes(added=("neu",))).reasons] == ["neu"]


def test_a_removed_guide_is_to_blame_for_its_questions() -> None:
    pairs = [(outcome(n, "amt", "amt"), outcome(n, "amt", "spende", status="clarify")) for n in range(5)]
    assert [r.guide for r in compared(*pairs, changes=Changes(removed=("amt",))).reasons] == ["amt"]


def test_a_small_improvement_that_flips_two_questions_passes() -> None:
    better = [(outcome(n, "spende", "amt", "spende"), outcome(n, "spende", "spende")) for n in range(3)]
    worse = [(outcome(n, "streit", "streit"), outcome(n, "streit", "spende", "streit")) for n in range(2)]
    found = compared(*better, *worse, changes=Changes(changed=("spende",)))
    assert found.reasons == ()
    assert (len(found.lost), len(found.gained)) == (2, 3)


def test_an_offer_with_the_right_guide_instead_of_an_answer_counts_half() -> None:
    def asked_back(count: int) -> Comparison:
        pairs = [
            (outcome(n, "spende", "spende"), outcome(n, "spende", "neu", "spende", status="clarify"))
            for n in range(count)
        ]
        return compared(*pairs, changes=Changes(added=("neu",)))

    assert asked_back(8).reasons == ()
    assert asked_back(9).reasons[0].lost == 4.5


def test_answering_what_no_guide_answers_is_a_loss() -> None:
    pairs = [(outcome(n, "", "neu", status="no_answer"), outcome(n, "", "neu")) for n in range(5)]
    assert [r.guide for r in compared(*pairs, changes=Changes(added=("neu",))).reasons] == ["neu"]


def test_negatives_that_silence_guides_are_named() -> None:
    pairs = [(outcome(n, "amt", "amt"), outcome(n, "amt", "amt", status="no_answer")) for n in range(5)]
    assert [r.guide for r in compared(*pairs, changes=Changes(changed=(NONE,))).reasons] == [NONE]


def test_many_losses_that_no_single_guide_caused_are_refused_together() -> None:
    pairs = [(outcome(n, f"g{n}", f"g{n}"), outcome(n, f"g{n}", "x", status="no_answer")) for n in range(9)]
    (reason,) = compared(*pairs, changes=Changes(changed=("a", "b"))).reasons
    assert (reason.guide, reason.lost) == (None, 9)


def test_changes_are_seen_by_comparing_guides() -> None:
    changes = Changes.between({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 1, "d": 1})
    assert changes == Changes(added=("d",), changed=("b",), removed=("a",))


@pytest.mark.parametrize("thief", ["new", "changed"])
def test_a_bank_copied_from_another_guide_is_found(tmp_path: Path, fake: FakeEmbedder, thief: str) -> None:
    live = build((SPENDE, STREIT, AMT), NEGATIVES, tmp_path, as_embedder(fake)).snapshot
    stolen = tuple(f"{question}!" for question in SPENDE.questions)
    base = STREIT if thief == "changed" else FakeGuide("neu", "Ganz neu", dict(STREIT.sections))
    copy = FakeGuide(base.id, base.title, base.sections, (*base.questions, *stolen))
    others = [guide for guide in (SPENDE, STREIT, AMT) if guide.id != copy.id]
    new = build((*others, copy), NEGATIVES, tmp_path, as_embedder(fake), activate=False).snapshot
    texts = {text_hash("query", text): text for guide in (*others, copy) for text in (guide.title, *guide.questions)}
    found = find_copied(live, new, {copy.id, "amt"}, texts)
    assert [(one.guide, one.question, one.other, one.other_question) for one in found] == [
        (copy.id, f"{question}!", "spende", question) for question in SPENDE.questions
    ]
    assert find_copied(new, new, {copy.id}, texts) == []
