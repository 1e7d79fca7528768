import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text import clean, split_sentences

ANYTHING = st.text(alphabet=st.characters(codec=None))


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("Verein\x00 gründen", "Verein gründen"),
        ("halb\ud83d", "halb"),
        ("Spen\u00addenquit\u200btung", "Spendenquittung"),
        ("\u202eabc\u2066", "abc"),
        ("Ve\u200drein", "Verein"),
        ("\ufeff  Amt \t und\u00a0Firma  ", "Amt und Firma"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\n\n\n \n\nb", "a\n\nb"),
        ("Ko\u0308ln", "Köln"),
        ("\u200b \u2060", ""),
    ],
)
def test_clean_mends_what_breaks_the_engine_or_hides(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


def test_clean_keeps_joined_emoji() -> None:
    family = "👩\u200d👧 fragt"
    assert clean(family) == family


@given(ANYTHING)
def test_cleaned_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    cleaned.encode("utf-8")
    assert cleaned == unicodedata.normalize("NFC", cleaned)
    assert clean(cleaned) == cleaned


def test_sentences_end_where_they_end() -> None:
    text = (
        "Nach § 64 Abs. 3 AO gilt eine Grenze. Der Verein zahlt z. B. Steuern auf Werbung! "
        "„Darf der das überhaupt?“ Das entscheidet am 3. Mai das Finanzamt."
    )
    assert split_sentences(text, shortest=10) == [
        "Nach § 64 Abs. 3 AO gilt eine Grenze.",
        "Der Verein zahlt z. B. Steuern auf Werbung!",
        "„Darf der das überhaupt?“",
        "Das entscheidet am 3. Mai das Finanzamt.",
    ]


def test_a_line_ends_a_sentence_and_a_scrap_joins_its_neighbour() -> None:
    items = "- Mit beiden Seiten einzeln sprechen und zuhören\n- Eine gemeinsame Lösung suchen und aufschreiben"
    assert len(split_sentences(items)) == 2
    assert split_sentences("Ja. Das geht in der Regel ohne Probleme und Kosten.") == [
        "Ja. Das geht in der Regel ohne Probleme und Kosten."
    ]


@given(ANYTHING)
def test_splitting_loses_no_word(text: str) -> None:
    cleaned = clean(text)
    assert " ".join(split_sentences(cleaned)).split() == cleaned.split()
