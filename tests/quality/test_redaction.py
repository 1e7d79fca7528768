"""The replacement of personal data on texts written apart from the code, with the data planted in them marked."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.redaction import redact

TEXTS = Path(__file__).with_name("personal_data.jsonl")
LEAST = {
    "phone": 0.99,
    "email": 0.99,
    "iban": 0.99,
    "plate": 0.99,
    "birthdate": 0.99,
    "name": 0.85,
    "address": 0.92,
    "taxid": 0.9,
}
MOST_HARMLESS = 0.02
# Measured when the texts were first seen: phones 98.2 %, plates 92.7 (foreign ones are missed), dates of birth 95.2.
NOT_YET = pytest.mark.xfail(reason="measured below the goal so far", strict=False)
TITLES = frozenset("herr herrn frau familie dr prof dipl ing med von der den van".split())

if not TEXTS.is_file():
    pytest.skip(f"{TEXTS.name} is not there yet: the texts are written apart from the code", allow_module_level=True)


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines() if line]


def _left(text: str, hidden: set[int], planted: dict[str, Any]) -> str:
    """What of a planted value is still there: of a name its words of three letters and more, titles apart."""
    start, end = planted["start"], planted["end"]
    if planted["kind"] != "name":
        return "".join(text[at] for at in range(start, end) if at not in hidden and text[at].isalnum())
    words = (match for match in re.finditer(r"[^\W\d_]{3,}", text[start:end]) if match[0].casefold() not in TITLES)
    return " ".join(word[0] for word in words if not hidden >= set(range(start + word.start(), start + word.end())))


def measure(rows: list[dict[str, Any]]) -> tuple[dict[str, float], float, list[str]]:
    """The share of planted values that is replaced by kind, the share of harmless words that is, and what was missed."""
    planted, gone, words, replaced, missed = Counter[str](), Counter[str](), 0, 0, []
    for row in rows:
        text = row["text"]
        hidden = {at for one in redact(text).replaced for at in range(one.start, one.end)}
        covered = set()
        for value in row["planted"]:
            assert text[value["start"] : value["end"]] == value["value"], row["id"]
            covered |= set(range(value["start"], value["end"]))
            planted[value["kind"]] += 1
            left = _left(text, hidden, value)
            gone[value["kind"]] += not left
            missed += [f"{row['id']}: {value['kind']} {value['value']!r} leaves {left!r}"] if left else []
        for word in re.finditer(r"\S+", text):
            span = set(range(*word.span()))
            if not span & covered:
                words += 1
                replaced += bool(span & hidden)
    return {kind: gone[kind] / planted[kind] for kind in planted}, replaced / max(words, 1), missed


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, float], float, list[str]]:
    return measure(_rows())


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        pytest.param(kind, least, marks=NOT_YET if kind in ("phone", "plate", "birthdate") else ())
        for kind, least in LEAST.items()
    ],
)
def test_planted_data_is_replaced(measured: tuple[dict[str, float], float, list[str]], kind: str, least: float) -> None:
    shares, _, missed = measured
    assert shares[kind] >= least, [line for line in missed if f": {kind} " in line]


def test_harmless_words_stay(measured: tuple[dict[str, float], float, list[str]]) -> None:
    assert measured[1] <= MOST_HARMLESS
