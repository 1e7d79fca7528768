"""The single door for text: what a person typed or an editor wrote, made safe and regular before anything uses it."""

import re
import unicodedata

# Zero-width characters, bidirectional controls, soft hyphen and byte-order mark: invisible, and each one splits a word
# in two for the tokenizer. ZERO WIDTH JOINER is kept where it joins emoji, which is outside of words.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINER_IN_WORD = re.compile(r"(?<=\w)\u200d|\u200d(?=\w)")
# C0 and C1 controls but tab and newline; NUL would end the text for a C library.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n(?:[ \n]*\n)?")

# A sentence ends at . ! ? … (and closing quotes) before white space and a capital letter, digit or opening quote.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'“”»«)\]]*\s+(?=[\"'„“‚»«(\[]*[A-ZÄÖÜ0-9])|\n+")
# German abbreviations and ordinals after which a capital letter does not begin a sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:abs|art|az|bspw|bzw|ca|dr|evtl|ggf|hrsg|inkl|jh|mio|mrd|nr|prof|rn|s|sog|st|str|tel|u\.\s?a|usw|vgl|z\.\s?b"
    r"|d\.\s?h|v\.\s?chr|n\.\s?chr|i\.\s?d\.\s?r|e\.\s?v|z\.\s?t|u\.\s?u)|\b\d{1,2}|\b[a-zäöü])\.$",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return `text` without what breaks an engine or hides from a reader.

    Line ends become "\\n", NUL and other control characters, lone surrogates, zero-width and bidirectional control
    characters go, the rest is normalised to NFC, runs of blanks become one, and the ends are stripped. Never raises;
    the result may be empty. Idempotent.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = _SURROGATE.sub("", text)
    text = _CONTROL.sub(" ", text)
    text = _JOINER_IN_WORD.sub("", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", text)
    text = _BLANK_LINES.sub(lambda match: "\n\n" if match.group().count("\n") > 1 else "\n", _BLANKS.sub(" ", text))
    return text.strip()


def split_sentences(text: str, shortest: int = 40) -> list[str]:
    """Split German text into sentences; a line end ends one, too.

    A piece shorter than `shortest` characters joins its predecessor, so that a heading-like scrap does not become a
    sentence of its own.
    """
    pieces: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        piece = text[start : end.start()].strip()
        if "\n" not in end.group() and _ABBREVIATION.search(piece):
            continue
        if piece:
            pieces.append(text[start : end.end()].strip())
        start = end.end()
    if rest := text[start:].strip():
        pieces.append(rest)
    sentences: list[str] = []
    for piece in pieces:
        if sentences and min(len(piece), len(sentences[-1])) < shortest:
            sentences[-1] += " " + piece
        else:
            sentences.append(piece)
    return sentences
