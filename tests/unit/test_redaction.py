"""Personal data in texts: what is replaced, what stays, how it is numbered, and how fast."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.redaction import KINDS, PLACEHOLDER, Redacted, redact

# A text, with what must be gone in [[…]].
PERSONAL = {
    "phone": [
        "Tel. [[0345 / 12 34 56-7]], gerne abends",
        "mobil [[0151-23456789]] oder [[+49 (0)176 99 88 77 66]]",
        "Ruf mich an: [[0049 30 1234567]]",
        "[[(030) 901820]] ist die Nummer",
        "WhatsApp [[+380 67 123 45 67]]",
        "Fax: [[03461/99887]], Durchwahl -[[23]]",
        "[[01 51 23 45 67 89]] bitte nach 17.00 Uhr",
        "meine nummer ist [[48 29 13]]",
        "Sie erreichen mich unter [[0341.4455667]].",
        "[[+43 664 1234567]] aus Wien",
        "unter der [[o345 778899]]",
        "Handy:[[017612345678]]",
        "null ... [[null eins fünf eins zwei drei vier fünf]]",
    ],
    "email": [
        "schreiben Sie an [[petra.wolff@web.de]] bis morgen",
        "[[P.WISCHNEWSKI@GMX.NET]]",
        "[[anja(at)verein-halle.de]]",
        "[[hans.meier[at]posteo.de]]",
        "[[petra punkt wolff at gmx punkt de]]",
        "mail: [[jürgen@müller-bäckerei.de]],",
        "[[info @ halle-hilft.de]]",
        "<[[s.kramer+verein@t-online.de]]>",
        "[[murat(ät)web(punkt)de]]",
    ],
    "iban": [
        "IBAN [[DE89 3704 0044 0532 0130 00]] bei der Sparkasse",
        "[[DE89370400440532013000]]",
        "iban: [[de12 5001 0517 0648 4898 90]]",
        "Konto [[AT61 1904 3002 3457 3201]]",
        "[[NL91 ABNA 0417 1643 00]] ist die IBAN",
        "[[DE89-3704-0044-0532-0130-00]], BIC COBADEFFXXX",
        "[[DE8937040044053201300]] (da fehlt eine Ziffer)",
        "[[CH93 0076 2011 6238 5295 7]]",
    ],
    "plate": [
        "mein Wagen [[HAL-KL 123]]",
        "der Transporter [[B MW 1234]] steht da",
        "[[M-AB 1234E]]",
        "[[HH XY 99 H]]",
        "Kennzeichen [[l-xy 42]]",
        "das Auto mit [[HALKL123]]",
    ],
    "birthdate": [
        "geb. [[12.03.1961]]",
        "sie, *[[12.3.61]]",
        "geboren am [[12. März 1961]] in Halle",
        "Geburtsdatum: [[1961-03-12]]",
        "Mein Geburtstag ist der [[3. Mai 1979]].",
        "Ich bin am [[7.8.1990]] in Kiel geboren",
        "Geb.-Datum [[01/02/1955]]",
        "born [[March 12, 1961]]",
    ],
    "address": [
        "Ich wohne [[Lindenstr. 12a]]",
        "[[Am Alten Markt 3]], gleich links",
        "[[Straße des 17. Juni 135]]",
        "Anschrift: [[Hauptstraße 5, 06108 Halle]]",
        "wir treffen uns [[An der Kirche 7]].",
        "[[Postfach 10 12 34, 39104 Magdeburg]]",
        "[[Große Ulrichstraße 51]]",
        "[[Karl-Liebknecht-Straße 8-10\n04107 Leipzig]]",
        "wohne in der [[lindenstraße 4]] in halle",
        "[[Rosenweg 9]]",
        "[[Lindenhof 3, 17033 Neubrandenburg]]",
        "[[Dorfstraße Nr. 5]]",
        "[[Platz der Republik 1, 11011 Berlin]]",
        "[[Im Winkel 2, 60311 Frankfurt am Main]]",
    ],
    "taxid": [
        "Steuernummer [[133/8150/8159]]",
        "St.-Nr. [[110 / 141 / 01234]]",
        "Steuernummer [[93815/08152]]",
        "Steuer-ID [[65 929 970 489]]",
        "USt-IdNr. [[DE123456789]]",
        "StNr. [[75 815 08152]]",
        "Steuernr: [[2866081508156]]",
        "IdNr [[12345678911]]",
    ],
    "name": [
        "Herr Dr. [[Öztürk]] sagt",
        "Frau [[von der Heide]] war da",
        "Sehr geehrte Frau Ministerialrätin [[Schnabelweide]],",
        "Liebe [[Petra]], danke",
        "Hallo [[Jürgen]],\nwie geht's?",
        "Viele Grüße\n[[Murat Yıldırım]]",
        "i. A. [[S. Kramer]]",
        "mein Name ist [[Koch]]",
        "ich bin die [[Petra]] vom Verein",
        "unsere Kassiererin [[Anja Wolff]] hat",
        "Ansprechpartner: [[Hans Meier]]",
        "[[Meier]], [[Hans]]",
        "ich heiße [[nguyen thi lan]]",
        "[[Petras]] Idee",
        "Frau [[Müllers]] Antrag",
        "Gespräch mit [[Oleksandr Kovalenko]] am Montag",
        "Frau [[Koch]] und Herr [[Richter]] kommen",
        "LG [[Kalle]]",
        "[[@petra_w]] hat geschrieben",
        "siehe [[facebook.com/petra.wischnewski]]",
        "[12.03.24, 14:02] [[Wischi]]: kommst du?",
        "unser Kassenwart [[Schnabelweide]] ist krank",
        "hallo [[sabine]], ich bin's",
        "gez. [[Agnieszka Wójcik]]",
        "[[Karl-Heinz Schulze-Boysen]] ist dabei",
        "frau [[müller]] meint",
        "Mit freundlichen Grüßen\n\n[[Dorothea Quastenberg]]\nVorsitzende",
        "Familie [[Al-Masri]]",
        "z. Hd. Frau [[Lindqvist]]",
        "c/o [[Wischnewski]]",
    ],
}
HARMLESS = [
    "Wir haben 2.000 Euro am 12.05.2026 bekommen, § 57 Abs. 3 AO.",
    "Wir sitzen in 06108 Halle und suchen bis zum 31.12.2026 Partner.",
    "Der Koch, ein Bauer und der Richter kamen im Winter; der Vogel singt, die Wege sind lang und klein.",
    "Bäckerei Müller GmbH, Friedrich-Ebert-Stiftung und Peter-Paul-Schule helfen mit.",
    "EU 2024, AG 12, Nr. 5, DIN A 4, KW 42, HRB 1234, VR 567.",
    "Am 3. Mai 2026 um 9.00 - 17.00 Uhr, Im Jahr 2024, Seite 5, Verordnung (EU) 2023/2831.",
    "Die Stadt Leipzig und der Landkreis Harz fördern das Projekt mit 12.500,00 EUR.",
    "Sehr geehrte Damen und Herren, vielen Dank für Ihre Hilfe. Mit freundlichen Grüßen",
    "Liebe Kolleginnen und Kollegen, hallo zusammen, liebes Team!",
    "Notruf 112. Der Weihnachtsmarkt 2025 war gut, Arbeitsplatz 3 ist frei.",
    "Meine Frau arbeitet im Verein. Ich bin Kassenwart im Sportverein.",
    "Jahrgang 1961, der 1. Vorsitzende hat 45 Mitglieder angeschrieben.",
    "Wie sammeln wir beim Sommerfest am Sonntag Spenden, und was gilt bei § 10b EStG?",
]


def _planted(marked: str) -> tuple[str, list[tuple[int, int]]]:
    text, spans = "", []
    for number, piece in enumerate(marked.replace("]]", "[[").split("[[")):
        if number % 2:
            spans.append((len(text), len(text) + len(piece)))
        text += piece
    return text, spans


@pytest.mark.parametrize(("kind", "marked"), [(kind, marked) for kind, texts in PERSONAL.items() for marked in texts])
def test_personal_data_is_replaced_and_the_rest_stays(kind: str, marked: str) -> None:
    text, spans = _planted(marked)
    found = redact(text)
    hidden = {at for one in found.replaced for at in range(one.start, one.end)}
    for start, end in spans:
        left = "".join(text[at] if at not in hidden else " " for at in range(start, end))
        assert not any(character.isalnum() for character in left), (found.text, left)
        assert any(one.kind == kind for one in found.replaced if one.start < end and one.end > start), found
    wanted = {at for start, end in spans for at in range(start, end)}
    assert not [at for at in hidden - wanted if text[at].isalnum()], found.text


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_and_figures_stay(text: str) -> None:
    assert redact(text).text == text


def test_one_person_has_one_number() -> None:
    text = "Frau Wischnewski kam. Wischnewski fragte. Petra Wischnewski ging, Herr Wischnewski blieb. Anja Wolff auch."
    found = redact(text).text
    assert found == "Frau [Name 1] kam. [Name 1] fragte. [Name 1] ging, Herr [Name 2] blieb. [Name 3] auch."
    assert redact("0345 123456, +49 345/123456 und 0345 99887766").text == "[Telefon 1], [Telefon 1] und [Telefon 2]"


def test_staff_can_mark_and_release() -> None:
    text = "Knirbel fragt: Hat Knirbel recht? Knirbelweg bleibt. Petra Wolff nicht, Anja Wulff schon."
    found = redact(text)
    released = found.release(text, "[Name 1]")
    assert "Petra Wolff" in released.text
    assert "[Name 2]" in released.text
    marked = released.mark(text, "Knirbel", "name")
    assert marked.text.startswith("[Name 3] fragt: Hat [Name 3] recht? Knirbelweg")
    for start, end, one in marked.shown():
        assert marked.text[start:end] == one.placeholder
    with pytest.raises(ValueError, match="does not stand"):
        marked.mark(text, "Knirbel", "name")
    with pytest.raises(ValueError, match="no such placeholder"):
        found.release(text, "[IBAN 1]")


def _check(text: str, found: Redacted) -> None:
    rebuilt, position = "", 0
    for one in found.replaced:
        assert position <= one.start < one.end <= len(text)
        assert one.kind in KINDS
        assert PLACEHOLDER.fullmatch(one.placeholder)
        rebuilt += text[position : one.start] + one.placeholder
        position = one.end
    assert rebuilt + text[position:] == found.text


_PIECES = [marked.replace("[[", "").replace("]]", "") for texts in PERSONAL.values() for marked in texts] + HARMLESS


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=40)), max_size=6).map("\n".join))
def test_nothing_outside_of_what_is_replaced_changes(text: str) -> None:
    _check(text, redact(text))


HOSTILE = [
    "0" * 6000, "1 " * 3000, "a" * 6000, "A." * 3000, "@" * 6000, "a@" * 3000, "a.b-" * 1500, "(at)" * 1500, "Am " * 2000, "Straße " * 850,
    "Am der " * 850, "12. " * 1500, "12.3." * 1200, "DE12" * 1500, "DE 12 " * 1000, "A-B " * 1500, "Petra " * 1000, "von der " * 750,
    "+49 (" * 1200, "geb. " * 1200, "\n" * 6000, "Xy Zq " * 1000, "Herr " * 1200, "null " * 1200, "x at y punkt " * 460, "Grüße, " * 850,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_the_time_is_linear(text: str) -> None:
    redact("warm Petra")
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 1.5  # 0.1 s at most on a free machine; quadratic ones took many seconds


def test_a_message_takes_milliseconds() -> None:
    text = ("\n".join(_PIECES) * 2)[:1000]
    redact(text)
    started = time.process_time()
    for _ in range(5):
        redact(text)
    assert (time.process_time() - started) / 5 < 0.06  # 20 ms on a free machine
