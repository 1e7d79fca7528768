from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer import retriever as module
from indexer.calibration import Calibration
from indexer.passages import Passage
from indexer.retriever import Retriever
from indexer.snapshot import Snapshot, build, build_corpus
from tests.unit.indexer.fakes import AMT, GUIDES, NEGATIVES, SPENDE, FakeEmbedder, as_embedder


@pytest.mark.parametrize(
    ("question", "guide"),
    [
        ("Die Firma will ihr Logo auf dem Trikot sehen", "spende"),
        ("Zwei reden nicht mehr miteinander, wer vermittelt?", "streit"),
        ("Warum ist im Rathaus keiner zuständig?", "amt"),
    ],
)
def test_the_guide_whose_questions_are_like_it_comes_first(retriever: Retriever, question: str, guide: str) -> None:
    ranking = retriever.search(question)
    assert ranking.guides[0].id == guide
    assert len(ranking.guides) == len(GUIDES)
    assert [ranked.score for ranked in ranking.guides] == sorted((r.score for r in ranking.guides), reverse=True)


def test_a_question_no_guide_answers_is_less_sure_than_one_that_a_guide_answers(retriever: Retriever) -> None:
    inside = [retriever.search(guide.questions[0]).confidence for guide in GUIDES]
    outside = [retriever.search(question).confidence for question in NEGATIVES]
    assert min(inside) > max(outside)
    assert all(0 <= confidence <= 1 for confidence in inside + outside)


def test_the_passages_of_the_first_guide_are_all_its_own_best_first(retriever: Retriever) -> None:
    ranking = retriever.search("Logo auf dem Trikot, ist das eine Gegenleistung?")
    own = ranking.passages_in("spende")
    assert {ranked.passage.guide for ranked in own} == {"spende"}
    assert own[0].passage.heading == "Recht"
    assert len(own) == 2
    assert ranking.passages[0].passage == own[0].passage
    assert ranking.passages_in("gibt-es-nicht") == []


@pytest.mark.parametrize("question", ["", "  \n", "\u200b", "\x00"])
def test_an_empty_question_has_no_answer(retriever: Retriever, question: str) -> None:
    ranking = retriever.search(question)
    assert (ranking.status, ranking.guides, ranking.passages) == ("no_answer", [], [])
    assert retriever.rank_passages(question) == []


@pytest.mark.parametrize("question", ["?", "🤔", "и", "\ud800x\x00", "a" * 20_000, "Streit " * 5_000])
def test_odd_questions_are_ranked_too(retriever: Retriever, question: str) -> None:
    ranking = retriever.search(question)
    assert len(ranking.guides) == len(GUIDES)
    assert np.isfinite(ranking.confidence)


def test_a_given_vector_is_used_instead_of_embedding(retriever: Retriever, fake: FakeEmbedder) -> None:
    question = "Wer vermittelt bei Zoff?"
    (vector,) = retriever.embed([question])
    fake.texts.clear()
    ranking = retriever.search(question, vector=vector)
    assert fake.texts == []
    assert ranking == retriever.search(question)


def test_a_short_follow_up_is_read_with_what_was_asked_before(retriever: Retriever) -> None:
    context, follow_up = "Der Vorstand und das Amt haben sich verkracht", "Und wer hilft dabei?"
    alone, continued = retriever.search(follow_up), retriever.search(follow_up, context=context)
    assert continued.confidence > alone.confidence
    assert continued.guides[0].id == "streit"


def test_a_long_question_stands_on_its_own(retriever: Retriever) -> None:
    question = "Sagt mal bitte ganz ehrlich wann genau kommt bei uns hier eigentlich die Müllabfuhr?"
    assert retriever.search(question, context=SPENDE.questions[0]) == retriever.search(question)


def test_statuses_follow_the_thresholds(snapshot: Snapshot, fake: FakeEmbedder) -> None:
    calibration = Calibration.load()
    question = SPENDE.questions[0]
    for answer, clarify, status in ((0.0, 0.0, "answer"), (1.1, 0.0, "clarify"), (1.1, 1.1, "no_answer")):
        retriever = Retriever(snapshot, as_embedder(fake), replace(calibration, answer=answer, clarify=clarify))
        assert retriever.search(question).status == status


def test_one_guide_alone_can_be_searched(tmp_path: Path, fake: FakeEmbedder) -> None:
    for negatives in ((), NEGATIVES):
        retriever = Retriever(build([AMT], negatives, tmp_path, as_embedder(fake)).snapshot, as_embedder(fake))
        assert [ranked.id for ranked in retriever.search(AMT.questions[0]).guides] == ["amt"]


def test_searching_from_many_threads_gives_the_same(retriever: Retriever) -> None:
    questions = [question for guide in GUIDES for question in guide.questions] * 5
    expected = [retriever.search(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(retriever.search, questions)) == expected


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """1,200 bare passages about one number each."""
    passages = [
        Passage(f"d{n}", f"d{n}", "", "", f"Der Bericht {n} handelt vom Ort{n} und vom Fluss{n * 7}.")
        for n in range(1200)
    ]
    return build_corpus(passages, tmp_path_factory.mktemp("corpus"), as_embedder(FakeEmbedder())).snapshot


def test_bare_passages_are_ranked_best_first(corpus: Snapshot, fake: FakeEmbedder) -> None:
    found = Retriever(corpus, as_embedder(fake)).rank_passages("Was steht im Bericht über den Ort777?", most=5)
    assert len(found) == 5
    assert found[0][0].id == "d777"
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_candidates_are_ranked_as_all_passages_would_be(
    corpus: Snapshot, fake: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = Retriever(corpus, as_embedder(fake))
    questions = ["Ort12 am Fluss84", "Bericht 1100", "Fluss700"]
    some = [retriever.rank_passages(question, most=3) for question in questions]
    monkeypatch.setattr(module, "CANDIDATES", len(corpus.passages))
    assert [retriever.rank_passages(question, most=3) for question in questions] == some


def test_a_large_bank_is_compared_for_the_likely_guides_only(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = retriever.search(SPENDE.questions[0])
    monkeypatch.setattr(module, "BANK_AT_ONCE", 1)
    monkeypatch.setattr(module, "LIKELY_GUIDES", 2)
    assert retriever.search(SPENDE.questions[0]).guides[0] == whole.guides[0]
