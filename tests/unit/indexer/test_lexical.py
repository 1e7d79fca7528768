from pathlib import Path

import numpy as np
import pytest

from indexer.lexical import Lexical, content_words, stems

TEXTS = [
    "Die Gründung eines Vereins braucht eine Satzung.",
    "Die Spendenquittung stellt der Vorstand aus.",
    "Der Gemeinderat beschließt den Haushalt der Straße.",
    "Eine Mediation hilft bei einem Streit.",
]


@pytest.fixture(scope="module")
def lexical() -> Lexical:
    return Lexical.build(TEXTS)


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("Vereinsgründung", 0),  # a compound of two words
        ("Spendenquitung", 1),  # misspelt
        ("Quittung für Spenden", 1),  # a compound taken apart
        ("wer beschliesst was für die Strasse", 2),  # ss for ß
        ("STREITIGKEITEN schlichten", 3),
        ("Gruendung", 0),  # ue for ü, by the rest of the word
    ],
)
def test_finds_the_text_whatever_the_form_of_the_word(lexical: Lexical, question: str, document: int) -> None:
    assert int(lexical.scores(question).argmax()) == document


def test_scores_are_shares_and_words_of_another_language_score_next_to_nothing(lexical: Lexical) -> None:
    assert 0.4 < lexical.scores(TEXTS[1]).max() <= 1
    assert lexical.scores("Бюджет общины утверждает совет").max() == 0
    assert lexical.scores("").max() == 0
    assert lexical.scores("Streit und außerdem lauter fremde Wörter").max() < lexical.scores("Streit").max()


def test_coverage_is_the_known_share(lexical: Lexical) -> None:
    assert lexical.coverage("Satzung") == 1
    assert lexical.coverage("Quantenphysik") == 0
    assert 0 < lexical.coverage("Satzung der Quantenphysik") < 1


def test_stop_words_and_inflection_do_not_count() -> None:
    assert content_words("Was ist denn der Verein?") == ["verein"]
    assert stems("Vereine Vereinen") == stems("Verein Vereins")


def test_a_pasted_letter_is_answered_too(lexical: Lexical) -> None:
    letter = " ".join(f"Wort{number} Streit Mediation" for number in range(3000))
    assert int(lexical.scores(letter).argmax()) == 3


def test_saved_and_loaded_it_scores_the_same(lexical: Lexical, tmp_path: Path) -> None:
    lexical.save(tmp_path)
    loaded = Lexical.load(tmp_path)
    for question in ("Spendenquitung vom Verein", "nichts davon"):
        np.testing.assert_array_equal(loaded.scores(question), lexical.scores(question))
        assert loaded.coverage(question) == lexical.coverage(question)
