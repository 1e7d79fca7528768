import json
from pathlib import Path

import pytest

from indexer.evaluation import calibrate, evaluate_beir, figures, outcomes, read_golden, wilson
from indexer.retriever import Retriever
from tests.unit.indexer.fakes import GUIDES, NEGATIVES, FakeEmbedder, as_embedder


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    words = ["Mediation", "Satzung", "Haushalt", "Sponsoring"]
    write_lines(folder / "corpus.jsonl", [{"_id": word, "title": "", "text": f"Über {word}."} for word in words])
    # The fourth question is asked with the words of another document, so it must count as missed.
    asked = [*words[:3], "Mediation"]
    write_lines(folder / "queries.jsonl", [{"_id": f"q{n}", "text": word} for n, word in enumerate(asked)])
    (folder / "qrels").mkdir()
    lines = [f"q{n}\t{word}\t1\n" for n, word in enumerate(words)]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines), encoding="utf-8")
    return folder


def test_beir_figures(beir: Path, tmp_path: Path, fake: FakeEmbedder) -> None:
    shares = evaluate_beir(beir, None, as_embedder(fake), tmp_path / "index")
    assert shares["questions"] == 4
    assert shares["recall@1"] == 0.75
    assert shares["recall@10"] == 1
    assert 0.75 < shares["mrr@10"] <= 0.75 + 0.25 / 2
    assert 0.75 < shares["ndcg@10"] < 1


def test_beir_halves_do_not_overlap(beir: Path, tmp_path: Path, fake: FakeEmbedder) -> None:
    tune = evaluate_beir(beir, None, as_embedder(fake), tmp_path / "index", half="tune")
    test = evaluate_beir(beir, None, as_embedder(fake), tmp_path / "index", half="test")
    assert (tune["questions"], tune["recall@1"]) == (2, 1)
    assert (test["questions"], test["recall@1"]) == (2, 0.5)


def test_beir_with_other_queries(beir: Path, tmp_path: Path, fake: FakeEmbedder) -> None:
    write_lines(beir / "queries.en.jsonl", [{"_id": "q1", "text": "Satzung"}])
    shares = evaluate_beir(beir, beir / "queries.en.jsonl", as_embedder(fake), tmp_path / "index")
    assert (shares["questions"], shares["recall@1"]) == (1, 1)


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    rows: list[dict[str, object]] = []
    for half in ("tune", "test"):
        rows += [
            {"question": question, "guides": [guide.id], "kind": "in_scope", "half": half}
            for guide in GUIDES
            for question in guide.questions
        ]
        rows += [{"question": question, "guides": [], "kind": "near_miss", "half": half} for question in NEGATIVES]
    write_lines(tmp_path / "golden.jsonl", rows)
    return tmp_path / "golden.jsonl"


def test_golden_figures(golden: Path, retriever: Retriever) -> None:
    shares = figures(outcomes(read_golden(golden, "test"), retriever))
    assert shares["in_scope"] == 12
    assert shares["right_first"] == shares["right_in_3"] == 1
    assert shares["right_first_low"] < 1 == shares["right_first_high"]
    assert shares["answered"] == shares["answered_right"] + shares["answered_wrong"]


def test_calibrating_on_the_tuning_half_tells_known_questions_apart(
    golden: Path, retriever: Retriever, fake: FakeEmbedder
) -> None:
    fitted = Retriever(retriever.snapshot, as_embedder(fake), calibrate(golden, retriever))
    shares = figures(outcomes(read_golden(golden, "tune"), fitted))
    assert shares["answered_right"] == 1
    assert shares["near_miss_answered"] <= 1 / len(NEGATIVES)


def test_wilson_interval() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # Wilson 1927, 8 of 10
    assert wilson(0, 20)[0] == 0
    assert wilson(20, 20)[1] == 1
