"""Builds the lists of names and ordinary words in `personal_data/`; run by hand when the lists typed there change.

pip install faker
python -m bot.build_personal_data
"""

import importlib
import re
from collections.abc import Iterable, Iterator

from bot.person_names import FOLDER
from indexer.passages import plain
from knowledge_base.guide import load

# Whose names are common in Germany, and written in Latin letters there.
FIRST_NAMES = (
    "de_DE", "de_AT", "de_CH", "de_LU", "tr_TR", "pl_PL", "ro_RO", "it_IT", "es_ES", "fr_FR", "pt_PT", "hr_HR",
    "cs_CZ", "sk_SK", "hu_HU", "nl_NL", "sv_SE", "da_DK", "en_GB", "en_US", "en_PK", "vi_VN",
)  # fmt: skip
SURNAMES = (
    "de_DE", "de_AT", "de_CH", "de_LU", "tr_TR", "pl_PL", "ro_RO", "it_IT", "hr_HR", "cs_CZ", "hu_HU", "nl_NL",
    "sv_SE", "da_DK", "en_GB", "en_PK", "vi_VN",
)  # fmt: skip
_NAME = re.compile(r"[^\W\d_]{2,}(?:[-'’][^\W\d_]{2,})*")
_WORD = re.compile(r"[^\W\d_]{3,}")


def main() -> None:
    first, last = set(_typed("known_first_names.txt")), set(_typed("known_surnames.txt"))
    _write("first_names.txt", {*first, *_listed("first_name", FIRST_NAMES)})
    _write("surnames.txt", {*last, *_listed("last_name", SURNAMES)})
    knowledge, _, problems = load()
    if knowledge is None:
        raise SystemExit(f"The guides must be sound first: {problems[0]}")
    texts = (
        text
        for guide in knowledge.guides.values()
        for text in (*guide.sections.values(), *guide.easy, *guide.questions)
    )
    # A name that stands in a guide's example is no ordinary word; those that are both stand in everyday_words.txt.
    names = {name.casefold() for name in first | last}
    _write("guide_words.txt", {w for text in texts for w in _WORD.findall(plain(text)) if w.casefold() not in names})


def _typed(file: str) -> Iterator[str]:
    yield from (FOLDER / file).read_text("utf-8").split()


def _listed(kind: str, locales: Iterable[str]) -> Iterator[str]:
    for locale in locales:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute, values in vars(provider).items():
            if kind in attribute and not callable(values) and not isinstance(values, classmethod | staticmethod):
                yield from (value for value in values if isinstance(value, str) and _NAME.fullmatch(value))


def _write(file: str, words: Iterable[str]) -> None:
    (FOLDER / file).write_text("\n".join(sorted({word.casefold() for word in words})) + "\n", "utf-8")


if __name__ == "__main__":
    main()
