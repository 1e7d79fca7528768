from pathlib import Path

import numpy as np
import pytest

from indexer.heads import Heads
from tests.unit.indexer.fakes import GUIDES, NEGATIVES, FakeEmbedder

QUESTIONS = [question for guide in GUIDES for question in guide.questions]
LABELS = [number for number, guide in enumerate(GUIDES) for _ in guide.questions]


def train(questions: list[str], labels: list[int], guides: int) -> Heads:
    return Heads.train(FakeEmbedder().encode_query(questions), questions, labels, [], [], guides)


@pytest.fixture(scope="module")
def heads() -> Heads:
    return train([*QUESTIONS, *NEGATIVES], [*LABELS, *[len(GUIDES)] * len(NEGATIVES)], len(GUIDES))


def test_both_heads_know_their_guides_questions(heads: Heads) -> None:
    for question, label in zip(QUESTIONS, LABELS, strict=True):
        opinions = heads.opinions(question, FakeEmbedder().encode_query([question])[0])
        assert int(opinions.dense.argmax()) == label
        assert int(opinions.character.argmax()) == label
        assert opinions.dense[label] > opinions.dense_none
        assert opinions.character[label] > opinions.character_none


def test_both_heads_know_what_no_guide_answers(heads: Heads) -> None:
    for question in NEGATIVES:
        opinions = heads.opinions(question, FakeEmbedder().encode_query([question])[0])
        assert opinions.dense_none > opinions.dense.max()
        assert opinions.character_none > opinions.character.max()


def test_the_dense_head_gives_probabilities(heads: Heads) -> None:
    opinions = heads.opinions("Irgendwas", FakeEmbedder().encode_query(["Irgendwas"])[0])
    assert np.exp(opinions.dense).sum() + np.exp(opinions.dense_none) == pytest.approx(1)


def test_without_negatives_and_with_two_guides() -> None:
    heads = train(QUESTIONS[:8], LABELS[:8], 2)
    for question, label in zip(QUESTIONS[:8], LABELS[:8], strict=True):
        opinions = heads.opinions(question, FakeEmbedder().encode_query([question])[0])
        assert int(opinions.dense.argmax()) == int(opinions.character.argmax()) == label
        assert opinions.dense_none < opinions.dense.max()


def test_saved_and_loaded_they_say_the_same(heads: Heads, tmp_path: Path) -> None:
    heads.save(tmp_path)
    loaded = Heads.load(tmp_path)
    for question in (QUESTIONS[0], "ganz fremde Frage", "漢字"):
        vector = FakeEmbedder().encode_query([question])[0]
        before, after = heads.opinions(question, vector), loaded.opinions(question, vector)
        np.testing.assert_array_equal(before.dense, after.dense)
        np.testing.assert_array_equal(before.character, after.character)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="class"):
        train(QUESTIONS[:4], LABELS[:4], 1)
