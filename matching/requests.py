"""What somebody is looking for: read from a text by meaning, field by field, so that each can be corrected."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from indexer.text import clean, split_sentences
from knowledge_base.guide import Taxonomy
from matching.phrases import Phrases
from matching.places import Place, Places

MOST_PHRASES = 4
# A theme is read from a text when its words stand in it, or when it is nearer to it by so much than the usual theme.
THEME_MARGIN = 0.035
LONGEST_NAME = 5  # words of a place's name

_SECTOR_WORDS = {
    "zivilgesellschaft": r"""
        \w*verein\w*|e\.\s?v\.|\w*initiative\w*|\w*stiftung\w*|ngo|\w*gruppe|chor|\w*feuerwehr|kirchengemeinde|pfarrei|
        \w*verband|tafel|\w*club|\w*hilfe|ehrenamtliche\w*|elternbeirat|freiwilligenagentur|ggmbh|bürgerbus|
        \w*nachbarschaft\w*|kita|jugendzentrum|jugendtreff|mehrgenerationenhaus|moschee\w*|synagoge\w*|
        association|charity|club|volunteers|foundation
    """,
    "wirtschaft": r"""
        \w*firma|\w*firmen|\w*unternehmen|\w*betrieb|\w*betriebe|gmbh|ag|handwerk\w*|\w*laden|\w*geschäft|start-?up|
        \w*bäckerei|\w*schreinerei|\w*tischlerei|\w*bank|sparkasse|\w*werk|\w*agentur|kanzlei|\w*praxis|hotel|
        \w*restaurant|\w*markt|spedition|\w*brauerei|gärtnerei|apotheke|wir\s+produzieren|company|firm|shop|business
    """,
    "verwaltung": r"""
        stadt|stadtverwaltung|gemeinde|gemeindeverwaltung|kommune|landkreis|kreis|rathaus|\w*amt|\w*behörde|
        ministerium|\w*schule|gymnasium|\w*bibliothek|bücherei|jobcenter|volkshochschule|vhs|bezirk\w*|landratsamt|
        kreisverwaltung|museum|city|council|municipality
    """,
}
SECTOR_WORDS = {
    sector: re.compile(rf"\b({''.join(words.split())})\b", re.IGNORECASE) for sector, words in _SECTOR_WORDS.items()
}
_WHO = re.compile(
    r"\b(wir\s+(?:sind|als)|ich\s+bin|bin|als|unser|unsere|unserem|unseren|unserer|für\s+unser\w*|vom|von\s+der|im|beim|we\s+are|our)\b",
    re.IGNORECASE,
)
_SEEKS = re.compile(
    r"\b(such(?:en|t|e)|gesucht|brauch(?:en|t|e)|bräucht(?:en|e)|benötig(?:en|t|e)|wünsch(?:en|t|e)|fehl(?:en|t)|hätt(?:en|e)|"
    r"möcht(?:en|e)|woll(?:en)?|wer\s+(?:kann|könnte|hat|gibt|hilft)|need(?:s)?|look(?:ing)?\s+for|seek(?:s|ing)?)\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"\b(biet(?:en|et|e)|anbieten|dafür|im\s+gegenzug|als\s+gegenleistung|geb(?:en|e)\s+(?:ab|wir)|abgeben|abzugeben|spend(?:en|et|e)|"
    r"zur\s+verfügung|verschenk(?:en|t|e)|verleih(?:en|t|e)|verleihen|hab(?:en|e)\s+(?:noch|übrig)|übrig|stell(?:en|t|e)|"
    r"könn(?:en|ten)\s+(?:wir|dafür|ihnen)|revanchieren|offer(?:s|ing)?|in\s+return|give\s+away)\b",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[;,]?\s+(?:und|aber|dafür|im Gegenzug|als Gegenleistung|in return|and)\s+", re.IGNORECASE)
_FILLER = re.compile(
    r"^(?:(?:wir|ich|sie|man|uns|jemand(?:en)?|der|die|das|dass|noch|gern|gerne|dringend|aktuell|derzeit|zur\s?zeit|dafür|auch|"
    r"können|könnten|kann|könnte|würden|würde|haben|hat|gibt|es|nach|eine?[nmrs]?|someone|somebody|who|can|for|a|an|we|the)\b[\s,]*)+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Request:
    """What is looked for. `places`: where the asker may be, several while the name is not clear, none if not given.

    `seeks` and `offers` are phrases, `themes` ids of the taxonomy. `text` is the whole of what was written: what it is
    about often shows in the situation, not in the phrase.
    """

    text: str = ""
    seeks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    sector: str | None = None
    places: tuple[Place, ...] = ()
    themes: tuple[str, ...] = ()

    @property
    def place(self) -> Place | None:
        return self.places[0] if self.places else None


class RequestReader:
    """Reads texts into requests."""

    def __init__(self, phrases: Phrases, places: Places, taxonomy: Taxonomy) -> None:
        self.phrases = phrases
        self._places = places
        self._taxonomy = taxonomy
        words = [
            (number, word)
            for number, topic in enumerate(taxonomy.themes.values())
            for word in (topic.title, *topic.words)
        ]
        self._theme_numbers = np.array([number for number, _ in words])
        self._theme_vectors = phrases.embed([word for _, word in words])
        self._theme_words = [
            re.compile("|".join(rf"\b{re.escape(word.casefold())}" for word in topic.words))
            for topic in taxonomy.themes.values()
        ]

    def read(self, text: str) -> Request:
        """The request in `text`; a text without any cue is taken as what is sought."""
        text = clean(text)
        places, rest = self._place(text)
        seeks, offers = _clauses(rest)
        if not seeks and not offers and rest:
            seeks = [rest]
        return Request(
            text=text,
            seeks=tuple(seeks[:MOST_PHRASES]),
            offers=tuple(offers[:MOST_PHRASES]),
            sector=_sector(text),
            places=places,
            themes=self._themes(text),
        )

    def _place(self, text: str) -> tuple[tuple[Place, ...], str]:
        """Where the asker is, and the text without it: a postcode, or the longest name of a place after "in" or "aus"."""
        code = re.search(r"\b(\d{5})\b(?:\s+[A-ZÄÖÜ][\w-]+)?", text)
        if code and (found := self._places.find(code[1])):
            return tuple(found), _without(text, code.start(), code.end())
        for cue in re.finditer(r"\b(?:in|aus|bei|nahe|um|Raum|from|near)\s+(?=[\wÄÖÜäöü])", text, re.IGNORECASE):
            words = list(re.finditer(r"[\w()./-]+", text[cue.end() :]))[:LONGEST_NAME]
            for count in range(len(words), 0, -1):
                name = text[cue.end() : cue.end() + words[count - 1].end()].rstrip(".,")
                # In a sentence a name is written with a capital; all in lower case is the way of a chat.
                if (name[0].isupper() or text.islower()) and (found := self._places.find(name)):
                    return tuple(found), _without(text, cue.start(), cue.end() + words[count - 1].end())
        return (), text

    def _themes(self, text: str) -> tuple[str, ...]:
        ids = list(self._taxonomy.themes)
        named = [ids[number] for number, words in enumerate(self._theme_words) if words.search(text.casefold())]
        cosines = self._theme_vectors @ self.phrases.embed([text])[0]
        best = np.array([cosines[self._theme_numbers == number].max() for number in range(len(ids))])
        near = [ids[number] for number in np.argsort(-best)[:2] if best[number] - np.median(best) >= THEME_MARGIN]
        return tuple(dict.fromkeys([*named, *near]))[:3]


def _without(text: str, start: int, end: int) -> str:
    return " ".join(f"{text[:start]} {text[end:]}".split())


def _clauses(text: str) -> tuple[list[str], list[str]]:
    """What is sought and what is offered: a clause belongs to the cue in it, or to that of the clause before."""
    seeks: list[str] = []
    offers: list[str] = []
    current: list[str] | None = None
    for sentence in split_sentences(text, shortest=1):
        for clause in _JOINT.split(sentence.strip(" .?!")):
            seek, offer = _SEEKS.search(clause), _OFFERS.search(clause)
            if offer and (not seek or offer.start() < seek.start()):
                current = offers
                cue = offer
            elif seek:
                current = seeks
                cue = seek
            elif current is None or _WHO.match(clause):
                continue
            else:
                cue = None
            if phrase := _phrase(clause, cue):
                current.append(phrase)
    return seeks, offers


def _phrase(clause: str, cue: re.Match[str] | None) -> str:
    """The clause without cue and filler: what stands after the cue, or before it where nothing follows."""
    if cue is None:
        return _FILLER.sub("", clause).strip(" ,")
    after = _FILLER.sub("", clause[cue.end() :].strip(" ,")).strip(" ,")
    before = _FILLER.sub("", clause[: cue.start()].strip(" ,")).strip(" ,")
    return after if len(after) > 3 else before


def _sector(text: str) -> str | None:
    """The asker's sector: that of the first word for an organisation after "wir sind", "unser" and the like."""
    best: tuple[int, str] | None = None
    for who in _WHO.finditer(text):
        window = text[who.end() : who.end() + 60]
        if stop := _SEEKS.search(window):
            window = window[: stop.start()]
        for sector, words in SECTOR_WORDS.items():
            if (found := words.search(window)) and (best is None or who.end() + found.start() < best[0]):
                best = (who.end() + found.start(), sector)
    return best[1] if best else None
