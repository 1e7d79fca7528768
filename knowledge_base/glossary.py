"""Words that the three sectors use in different meanings (`glossar.yaml`)."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field


class Term(BaseModel):
    """What a word means in each sector. `also` are further forms by which it is recognised; `guides` explain it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    also: tuple[str, ...] = ()
    verwaltung: str = Field(min_length=10, max_length=300)
    wirtschaft: str = Field(min_length=10, max_length=300)
    zivilgesellschaft: str = Field(min_length=10, max_length=300)
    tip: str = Field(min_length=10, max_length=200)
    guides: tuple[str, ...] = Field(min_length=1, max_length=3)


class Glossary:
    """Looks up words and finds them in texts."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self.terms = terms
        self._forms = {form.casefold(): word for word, term in terms.items() for form in (word, *term.also)}

    def find(self, word: str) -> str | None:
        """The entry for `word` in any of its forms, or None."""
        return self._forms.get(" ".join(word.split()).casefold())

    def near(self, word: str, most: int = 3) -> list[str]:
        """Entries that are spelled like `word`, nearest first: for a typing error."""
        found = get_close_matches(word.casefold(), list(self._forms), n=9, cutoff=0.65)
        return list(dict.fromkeys(self._forms[form] for form in found))[:most]

    def used_in(self, text: str) -> list[str]:
        """The entries that `text` uses, in the order of their first use. Capitals count: "nutzen" is no "Nutzen"."""
        return list(dict.fromkeys(self._forms[match.casefold()] for match in self._pattern.findall(text)))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        forms = [form for word, term in self.terms.items() for form in (word, *term.also)]
        longest_first = sorted(forms, key=len, reverse=True)
        return re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b")
