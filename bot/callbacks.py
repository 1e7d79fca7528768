"""What buttons carry. Telegram allows 64 bytes; ids of guides have at most 40."""

from aiogram.filters.callback_data import CallbackData

from knowledge_base.guide import HEADINGS

# One letter a heading, in the order of HEADINGS.
CODES = dict(zip("ksvwzfrb", HEADINGS, strict=True))
OTHER_VIEWS = "o"
RELATED = "v"
NO_PASSAGE = "-"
# What a place is asked for: to be remembered, to name offices, to say what the law of its state is.
REMEMBER, OFFICES, STATE_LAW = PURPOSES = ("k", "h", "l")


class OpenAnswer(CallbackData, prefix="a"):
    """Show the answer itself again. `best`: the code of the passage shown with it and its number, or `-`."""

    guide: str
    best: str
    version: str


class OpenSection(CallbackData, prefix="s"):
    """Show a section in place of the answer, from which `best` leads back."""

    guide: str
    section: str
    best: str
    version: str


class OpenGuide(CallbackData, prefix="g"):
    """Answer with a guide in a new message: from a list, or chosen at a `Meinten Sie`."""

    guide: str


class NoneOfThese(CallbackData, prefix="n"):
    """None of the guides offered at a `Meinten Sie` is meant."""


class Judge(CallbackData, prefix="f"):
    guide: str
    helpful: bool
    version: str


class OpenChapters(CallbackData, prefix="k"):
    """Show the list of chapters."""


class OpenChapter(CallbackData, prefix="c"):
    chapter: str


class SetSector(CallbackData, prefix="sec"):
    """`sector` is `-` for none."""

    sector: str


class SetLanguage(CallbackData, prefix="lang"):
    language: str


class AskPlace(CallbackData, prefix="pa"):
    """The asker wants to know what holds in their state for `guide`."""

    guide: str


class TakePlace(CallbackData, prefix="pl"):
    """A place is chosen. `purpose` is one of PURPOSES; without coordinates (both 0) only the state is known.

    Three decimals, about 100 metres, keep the data within 64 bytes.
    """

    purpose: str
    state: str
    latitude: float
    longitude: float
    guide: str


class ForgetPlace(CallbackData, prefix="pf"):
    """Delete the place that is remembered."""


class OpenTerm(CallbackData, prefix="t"):
    """Explain a word of the glossary."""

    word: str


class FindPartners(CallbackData, prefix="pp"):
    """Look for partners for what `guide` is about."""

    guide: str


class ChangeRequest(CallbackData, prefix="pc"):
    """Correct a field of the request for partners: text, place or sector."""

    field: str


class RequestPlace(CallbackData, prefix="po"):
    """Of the places offered for the request, the one with this number is meant."""

    number: int


class RequestSector(CallbackData, prefix="pz"):
    sector: str


class FindMore(CallbackData, prefix="pm"):
    """Show further partners for the same request."""


class WidenSearch(CallbackData, prefix="pw"):
    """Look for the same in a wider area."""


class FindAlliance(CallbackData, prefix="pb"):
    """Propose partners of all sectors for the same request."""


class ShowPartner(CallbackData, prefix="px"):
    """Show all of a suggested partner, and why it is suggested."""

    id: str
