"""gettext catalogues, read from their .po files: no compiled file has to be built or shipped."""

import gettext
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"
Translate = Callable[[str], str]


def languages() -> list[str]:
    """The languages that have a catalogue; those besides de and en hold the notice on the language alone."""
    return sorted(path.parent.parent.name for path in LOCALES.glob("*/LC_MESSAGES/lotse.po"))


@cache
def translator(language: str) -> Translate:
    """The function that gives a message in `language`; the message itself where it is not translated."""
    path = LOCALES / language / "LC_MESSAGES" / "lotse.po"
    if not path.exists():
        return lambda message: message
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    binary.seek(0)
    return gettext.GNUTranslations(binary).gettext
