from indexer.passages import LONGEST, passages_of
from tests.unit.indexer.fakes import SPENDE, FakeGuide


def test_a_section_is_a_passage_without_marks_and_with_its_title() -> None:
    guide = FakeGuide("g", "Titel", {"Kurz gesagt": "Das ist **wichtig**.[^ao64]", "Leer": " "})
    (passage,) = passages_of(guide)
    assert passage.text == "Das ist wichtig."
    assert passage.embedded_text == "Titel\nKurz gesagt\nDas ist wichtig."
    assert passage.guide == "g"


def test_a_long_section_is_split_at_sentence_ends_and_loses_nothing() -> None:
    sentences = [f"Satz Nummer {word} handelt von der Zusammenarbeit im Ort." for word in range(60)]
    guide = FakeGuide("g", "Titel", {"Recht": " ".join(sentences)})
    passages = passages_of(guide)
    assert len(passages) > 1
    assert all(len(passage.text) <= LONGEST for passage in passages)
    assert all(passage.text.endswith("Ort.") for passage in passages)
    assert " ".join(passage.text for passage in passages) == " ".join(sentences)


def test_ids_are_unique_and_stable() -> None:
    first, second = passages_of(SPENDE), passages_of(SPENDE)
    assert [passage.id for passage in first] == [passage.id for passage in second]
    assert len({passage.id for passage in first}) == len(first)
