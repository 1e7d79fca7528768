"""Personal data in a German text, replaced by placeholders: "[Name 1]", "[Telefon 1]", numbered per distinct value.

What was replaced is held nowhere here: `Redacted` can be kept where the original must not be. All patterns repeat only
what consumes a character and have upper bounds, so the time is linear in the text's length. Sources and licences of the
lists are in `personal_data/README.md`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from bot.person_names import FOLDER, MASK, Mention, find_names, is_town, persons
from matching.places import Places

Kind = Literal["name", "phone", "email", "iban", "address", "plate", "birthdate", "taxid"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LABELS: dict[Kind, str] = {
    "name": "Name", "phone": "Telefon", "email": "E-Mail", "iban": "IBAN", "address": "Adresse", "plate": "Kennzeichen",
    "birthdate": "Geburtsdatum", "taxid": "Steuernummer",
}  # fmt: skip
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(LABELS.values())}) \d+\]")


@dataclass(frozen=True)
class Replacement:
    """A piece that was replaced: [start, end) in characters of the original text."""

    kind: Kind
    start: int
    end: int
    placeholder: str


@dataclass(frozen=True)
class Redacted:
    """A text with placeholders, and what they stand for, in the order of the text. Nothing of the replaced text is in it."""

    text: str
    replaced: tuple[Replacement, ...]

    def shown(self) -> list[tuple[int, int, Replacement]]:
        """Each replacement with [start, end) of its placeholder in `text`."""
        shift, places = 0, []
        for one in self.replaced:
            start = one.start + shift
            places.append((start, start + len(one.placeholder), one))
            shift += len(one.placeholder) - (one.end - one.start)
        return places

    def mark(self, original: str, piece: str, kind: Kind) -> "Redacted":
        """Also replace `piece` wherever it stands as words of its own in `original`, the text this was made from.

        Raises ValueError when it stands nowhere outside of what is replaced already.
        """
        piece = piece.strip()
        pattern = rf"(?<!\w){re.escape(piece)}(?!\w)" if piece else r"(?!)"
        taken = [(one.start, one.end) for one in self.replaced]
        found = [
            match.span()
            for match in re.finditer(pattern, original)
            if all(match.end() <= start or match.start() >= end for start, end in taken)
        ]
        if not found:
            raise ValueError("this piece does not stand in the text")
        same = (
            one.placeholder
            for one in self.replaced
            if one.kind == kind and _value(kind, original[one.start : one.end]) == _value(kind, piece)
        )
        numbers = [int(one.placeholder.rsplit(" ", 1)[1][:-1]) for one in self.replaced if one.kind == kind]
        placeholder = next(same, _placeholder(kind, max(numbers, default=0) + 1))
        return _applied(original, [*self.replaced, *(Replacement(kind, *span, placeholder) for span in found)])

    def release(self, original: str, placeholder: str) -> "Redacted":
        """Show again what `placeholder` stands for. The others keep their numbers. Raises ValueError for an unknown one."""
        kept = [one for one in self.replaced if one.placeholder != placeholder]
        if len(kept) == len(self.replaced):
            raise ValueError("there is no such placeholder in the text")
        return _applied(original, kept)


def redact(text: str) -> Redacted:
    """`text` with its personal data replaced. Never raises."""
    work = _Work(text)
    for kind, find in _FINDERS:
        work.take(kind, find(work))
    mentions = find_names(work.masked, work.hints())
    mentions = sorted([*mentions, *work.handles], key=lambda mention: mention.start)
    numbers = dict(zip(((m.start, m.end) for m in mentions), persons(mentions), strict=True))
    spans: list[tuple[Kind, int, int]] = [*work.found, *(("name", m.start, m.end) for m in mentions)]
    replaced: list[Replacement] = []
    seen: dict[tuple[str, str], int] = {}
    for kind, start, end in sorted(spans, key=lambda span: span[1]):
        if kind == "name":
            number = numbers[start, end]
        else:
            key = kind, _value(kind, text[start:end])
            number = seen.setdefault(key, sum(known == kind for known, _ in seen) + 1)
        replaced.append(Replacement(kind, start, end, _placeholder(kind, number)))
    return _applied(text, replaced)


def _applied(text: str, replaced: Iterable[Replacement]) -> Redacted:
    ordered = tuple(sorted(replaced, key=lambda one: one.start))
    pieces, position = [], 0
    for one in ordered:
        pieces += [text[position : one.start], one.placeholder]
        position = one.end
    return Redacted("".join([*pieces, text[position:]]), ordered)


def _placeholder(kind: Kind, number: int) -> str:
    return f"[{LABELS[kind]} {number}]"


def _value(kind: Kind, piece: str) -> str:
    """What two pieces have in common that mean the same: "0345 123" and "+49 345/123"."""
    low = piece.casefold()
    if kind == "phone":
        digits = re.sub(r"\D", "", low.replace("(0)", ""))
        return re.sub(r"^(?:0049|49(?=\d{9})|0)", "", digits)
    if kind == "email":
        return re.sub(r"\s|[()\[\]{}]", "", low)
    return re.sub(r"[^\w]", "", low.replace("straße", "str").replace("strasse", "str"))


class _Work:
    """A text of which more and more is found. `masked` holds MASK for each character that is."""

    def __init__(self, text: str) -> None:
        self.text = self.masked = text
        self.found: list[tuple[Kind, int, int]] = []
        self.handles: list[Mention] = []
        self._dates: list[tuple[int, int]] | None = None

    def take(self, kind: Kind, spans: Iterable[tuple[int, int]]) -> None:
        for start, end in spans:
            while start < end and (self.text[end - 1].isspace() or (kind == "address" and self.text[end - 1] in ".,")):
                end -= 1
            if self.text[start] == "(" and ")" not in self.text[start:end]:
                start += 1
            if start >= end or MASK in self.masked[start:end]:
                continue
            if kind == "name":
                self.handles.append(Mention(start, end, frozenset({self.text[start:end].casefold()})))
            else:
                self.found.append((kind, start, end))
            self.masked = self.masked[:start] + MASK * (end - start) + self.masked[end:]

    def hints(self) -> set[str]:
        """Words from e-mail addresses that may be names."""
        return {
            word
            for kind, start, end in self.found
            if kind == "email"
            for word in re.findall(r"[^\W\d_]{4,}", re.split(r"@|\(|\[| at ", self.text[start:end].casefold())[0])
        }

    def dates(self) -> list[tuple[int, int]]:
        if self._dates is None:
            self._dates = [match.span() for match in _DATE.finditer(self.masked)]
        return self._dates

    def numbers(self) -> Iterator[tuple[int, int]]:
        """Runs of digits with what may stand inside a number; dates, times and sums are none."""
        bare = list(self.masked)
        for start, end in [*self.dates(), *(match.span() for match in _NO_NUMBER.finditer(self.masked))]:
            bare[start:end] = MASK * (end - start)
        for match in _NUMBER.finditer("".join(bare)):
            start, end = match.span()
            run = match[0]
            # Two numbers with a blank or slash between them.
            for cut in re.finditer(
                r"(?<=\d)[ \xa0]*[/|–-]?[ \xa0]+(?=\(?0[1-9]\d{1,3}|\+)|(?<=\d)[ ]?/[ ]?(?=\(?0[1-9]\d{2,3}[ /-])", run
            ):
                digits = len(re.sub(r"\D", "", run[: cut.start()]))
                if (
                    digits >= 7
                    and len(re.sub(r"\D", "", run[cut.end() :])) >= 6
                    and digits >= len(re.sub(r"\D", "", self.text[start : match.start() + cut.start()]))
                ):
                    yield start, match.start() + cut.start()
                    start = match.start() + cut.end()
            yield start, end


# E-mail addresses, web addresses and names on platforms

_AT = r"(?:[ ]?@[ ]?|＠|\s?[(\[{<]\s?(?:at|ät|@)\s?[)\]}>]\s?)"
_DOT = r"(?:\.|\s?[(\[{]\s?(?:dot|punkt|\.)\s?[)\]}]\s?|[ ](?:punkt|dot)[ ])"
_LOCAL = r"[^\W_](?:[\w.!#$%&'*+/=?^`|~-]|[ ](?:punkt|dot|unterstrich|minus|bindestrich)[ ](?=\w)){0,63}"
_DOMAIN = rf"[^\W_](?:[\w-]{{0,62}}(?:{_DOT}|,(?=(?:de|com|net|org)\b))){{1,5}}[^\W\d_]{{2,24}}(?![\w-])"
_EMAIL = re.compile(
    rf"(?<![\w.+%-]){_LOCAL}(?:{_AT}{_DOMAIN}|@[\w-]{{2,63}}(?:\.[\w-]{{1,63}}){{0,4}}|[ ](?:at|ät|Klammeraffe)[ ](?:[\w-]{{2,40}}{_DOT}){{1,3}}[a-z]{{2,6}}\b)",
    re.IGNORECASE,
)
_LONG_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_HANDLE = re.compile(r"(?<![\w.@/])@[^\W_][\w.]{1,40}(?<!\.)")
_GROUPS = re.compile(r"@(?:all|alle|everyone|here|channel|team|admin|\w*bot)\Z", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:https?://)?(?:[\w-]{1,20}\.){0,2}(?:facebook\.com|fb\.com|instagram\.com|linkedin\.com|xing\.com|twitter\.com|x\.com|tiktok\.com|t\.me|telegram\.me|wa\.me|youtube\.com|"
    r"github\.com|threads\.net|pinterest\.(?:de|com)|snapchat\.com|bsky\.app|mastodon\.social|steamcommunity\.com|soundcloud\.com|flickr\.com|reddit\.com/u(?:ser)?)/[^\s<>\"\x00]{2,100}(?<![.,;:!?)])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:insta(?:gram)?|facebook|twitter|telegram|skype|discord|tiktok|threema|snapchat|(?:benutzer|nutzer|user|nick)[ -]?name|nick|login|handle|account|kennung)(?:-(?:name|id|account|handle))?[ ]?[:=][ ]?(?P<name>[\w.-]{3,40}\w)",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:https?://)?(?:www\.)?(?P<host>[^\W_][\w-]{2,60})\.(?:de|com|net|org|eu|info|online|blog|me|name|at|ch)(?:/[^\s<>\x00]{0,100}(?<![.,;:!?)]))?(?!\w)",
    re.IGNORECASE,
)


def _emails(work: _Work) -> Iterator[tuple[int, int]]:
    for pattern in (_EMAIL, _LONG_EMAIL):
        yield from (match.span() for match in pattern.finditer(work.masked))


def _handles(work: _Work) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _PROFILE.finditer(work.masked))
    yield from (match.span() for match in _HANDLE.finditer(work.masked) if not _GROUPS.match(match[0]))
    yield from (match.span("name") for match in _ACCOUNT.finditer(work.masked))
    for match in _HOST.finditer(work.masked):
        parts = [part for part in re.split(r"[-_\d]+", match["host"]) if part]
        found = find_names(" ".join(part.capitalize() for part in parts)) if len(parts) == 2 else []
        if len(found) == 1 and found[0].end - found[0].start == len(" ".join(parts)):
            yield match.span()


# Accounts

_LENGTHS = {
    "DE": 22, "AT": 20, "CH": 21, "LI": 21, "NL": 18, "BE": 16, "FR": 27, "IT": 27, "ES": 24, "PT": 25, "PL": 28, "CZ": 24, "SK": 24,
    "HU": 28, "RO": 24, "BG": 22, "HR": 21, "SI": 19, "GR": 27, "TR": 26, "GB": 22, "IE": 22, "LU": 20, "DK": 18, "SE": 24, "NO": 15,
    "FI": 18, "EE": 20, "LV": 21, "LT": 20, "MT": 31, "CY": 28, "UA": 29, "RS": 22, "BA": 20, "AL": 28, "XK": 20, "MK": 19, "ME": 22,
    "MD": 24, "GE": 22, "AE": 23, "SA": 24, "IL": 23, "LB": 28, "JO": 30, "TN": 24, "PK": 24, "AZ": 28, "KZ": 20, "MC": 27, "SM": 27,
}  # fmt: skip
_WITH_LETTERS = frozenset("NL FR IT RO BG GR TR GB IE LU LV MT CY UA MK MD GE SA LB JO PK AZ KZ MC SM CH LI".split())
_IBAN_START = re.compile(
    r"(?<![^\W_])(?:IBAN)?(?P<country>[A-Za-z]{2})[ \xa0.:-]{0,2}(?P<check>[\dOo]{2})(?=[ \xa0./-]{0,2}\w)",
    re.IGNORECASE,
)
_ACCOUNT_NUMBER = re.compile(
    r"\b(?:IBAN|Konto(?:[ -]?(?:nr\.?|nummer))?|Kto\.?(?:[ -]?nr\.?)?|BLZ|Bankleitzahl)(?:[ ](?:lautet|ist|lautete))?[ \t]*[:=.]?\s?(?P<number>\d(?:[ \xa0./-]{0,2}[\dXx*]){4,28})(?!\w)",
    re.IGNORECASE,
)


def _ibans(work: _Work) -> Iterator[tuple[int, int]]:
    text = work.masked
    for match in _IBAN_START.finditer(text):
        country = match["country"].upper()
        length = _LENGTHS.get(country, 0) - 4
        position = end = match.end()
        count = digits = gap = 0
        while length > 0 and position < len(text) and count < length + 2:
            character = text[position]
            letter = character.isalpha() and character.isascii()
            if character.isdecimal() or character in "OoXx*" or (letter and country in _WITH_LETTERS):
                if count >= length and (gap or letter):
                    break
                count, gap, end = count + 1, 0, position + 1
                digits += character.isdecimal()
            elif character in " \xa0\u202f./-–\n" and gap < 2:
                gap += 1
            else:
                break
            position += 1
        if length > 0 and count >= length - 4 and digits >= 8:
            yield match.start("country"), end
    yield from (match.span("number") for match in _ACCOUNT_NUMBER.finditer(work.masked))


# Addresses

_HOUSE = (
    r"(?:Nr\.?[ ]?|Hausnr\.?[ ]?|Hausnummer[ ]|№[ ]?)?(?P<number>\d{1,4})(?:[ ]?[a-zA-Z](?![\w.]\w|[^\W\d_]))?(?:[ ]?[-–/+][ ]?\d{1,4}(?:[ ]?[a-zA-Z](?![^\W_]))?)?(?![\d]|[.,]\d|[^\W\d_]{2})"
    r"(?![ ]?(?:Uhr|Euro|EUR|€|%|Prozent|Personen|Leute|Jahre|Kinder|Mitglieder|Monate|Tage|Stunden|km|m²|qm|Minuten|Teilnehmer|Plätze|Mal\b|x\b|ff?\b|Abs|Satz|AO\b|EStG|BGB))"
)
_WORD = r"[^\W\d_][\w.’'-]{0,40}"
_STREET = r"(?:[\w.’'-]{0,60}?(?:stra(?:ß|ss|s)?e|str(?:a(?:ß|ss))?\.?|strße|staße|stasse))"
_SURE = r"(?:[\w.’'-]{0,60}?(?:weg|allee|gasse|gässchen|gäßchen|chaussee|promenade|damm|ufer|steig|stieg|twiete|pfad|redder))"
_MAYBE = (
    r"(?:[\w.’'-]{0,60}?(?:platz|ring|hof|berg|berge|graben|wall|markt|park|garten|gärten|höhe|winkel|kamp|brücke|tor|anger|brink|zeile|feld|felde|wiese|wiesen|grund|hang|bogen|blick|"
    r"siedlung|au|aue|leite|leiten|rain|kai|esplanade|terrasse|terrassen|hain|busch|bruch|moor|see|teich|bach|stiege|loh|horst|heide|deich|schleuse|mühle|kirche|eck|ecke|stadt|fleet|koppel|dorf|wald|"
    r"straat|lände|plan|freiheit|kolonie|acker|rondell|passage|weiler|burg|hafen|kuhle|kuhl|reihe|ende|viertel|linden|stein|tal|thal|quelle|börn|born|warft|wurt|sand|hagen|wik|kehre|rinne|schlag|haus|häuser|bahnhof|post|schule))"
)
_NOT_A_STREET = re.compile(
    r"(?:um|aus|hin|rück|rechts?|förder|dienst|post|lösungs?|bildungs?|verwaltungs?|klage|mittel|arbeits?|park|stell|spiel|ausbildungs?|sport|listen|studien|praktikums?|steh|sitz|betreuungs?|pflege|heim|kita|"
    r"wohn|job|markt|jahres|spenden|haushalts?|finanz|zeit|förder|wirtschafts?|projekt|weihnachts?|floh|kunst|arbeitsplan|dienst|wochen|kosten|stunden|trainings|lehr|stunden|sommer|fach|verteil|kurs|neben|schul|frei|wege|gesamt|einzel|doppel|bauern|wochen|mutter|sand|ober|sach|haft|vor|ab|zu)(?:weg|platz|markt|plan|feld|wald|see|grund|tor|haus|hof)\Z"
    r"|(?:seite|absatz|abs|ziffer|punkt|artikel|kapitel|abschnitt|jahre?n?|jahrgang|alter|schnitt|umfang|wert|monate?|tage?n?|wochen?|quartal|semester|stufe|klasse|gruppe|raum|zimmer|haus|teil|anhang|anlage|formular|satz|wahl|höhe|"
    r"zeitraum|haushaltsjahr|geschäftsjahr|januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|sommer|winter|herbst|frühjahr|frühling|"
    r"ende|termin|schritt|fall|paragraf|paragraph|nummer|platz|anfang|plan|projekt|verein|stadt|viertel|spiel|deutschland|europa|bundesland|team|rahmen|durchschnitt|idealfall|schuljahr|vorjahr|gesetz|bereich|runde)\Z",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(
    r"(?:Groß|Klein|Alt|Neu|Ober|Unter|Lang|Kurz|Breit|Hoh|Inner|Äußer|Hinter|Vorder|Mittler|Recht|Link|Erst|Zweit|Dritt|Schmal|Grün|Rot|Weiß|Schwarz|Enge?|Krumm|Tief|Still|Schön|Bunt|Alte|Steil)(?:e[rnsm]?|r)\Z|(?:Bad|St\.|Sankt|Dr\.|Prof\.|Am|An|Auf|Im|In|Zum|Zur)\Z"
)
_PREPOSITION = r"(?:Am|An der|An den|An dem|Auf dem|Auf der|Auf den|Auf’m|Im|In der|In den|In dem|Zum|Zur|Unter den|Unter der|Unter dem|Unterm|Hinter der|Hinter dem|Hinter den|Hinterm|Vor dem|Vor der|Vorm|Bei der|Bei den|Bei dem|Beim|Über den|Über der|Neben der|Neben dem|Zu den|Ob der|Obere[rsn]?|Untere[rsn]?|Alte[rs]?|Neue[rs]?|Große[rs]?|Kleine[rs]?|Hohe[rs]?|Lange[rs]?|Breite[rs]?)"
_TOWN = (
    r"(?:(?:Bad|St\.|Sankt|Markt|Neu|Groß|Klein|Alt|Hohen|Lutherstadt|Hansestadt|Stadt|Ostseebad)[ ])?[^\W\d_][\w.’'-]{1,40}(?:[ ](?:am|an der|an|im|in|ob der|bei|b\.|a\.[ ]?d\.|a\.|i\.|v\.[ ]?d\.|vor der)[ ]"
    r"(?:Main|Rhein|Neckar|Inn|Lech|Ammersee|Bodensee|Chiemsee|See|Harz|Berg|Saale|Oder|Elbe|Donau|Weser|Ruhr|Havel|Spree|Lahn|Aller|Weinstraße|Fils|Brenz|Steige|Isar|Mosel|Saar|Sieg|Wald|Teutoburger Wald|Breisgau|Westfalen|Westf\.|Allgäu|Holstein|Br\.|Höhe|H\.|Taunus|Odenwald|Ostfriesland|Vogtland|Erzgebirge|M\.|Rh\.|S\.))?"
    r"(?:[ ]?\([^)\n]{2,25}\)|/[A-ZÄÖÜ]\w{1,20})?(?:,?[ ]OT[ ][\w-]{2,30})?"
)
_POSTCODE = r"(?:(?:D|DE|A|CH)[ –-]{1,3})?(?<!\d)\d{5}(?!\d)"
_REST = re.compile(
    r"(?:[ ]?[,;/|·-]?[ ]?\(?(?:(?:im )?(?:Hinterhaus|Vorderhaus|Hinterhof|Seitenflügel|HH|VH|EG|DG|Aufgang [A-Z0-9]{1,2}|Erdgeschoss|Dachgeschoss|\d{1,2}\.[ ]?(?:OG|Stock|Etage|Obergeschoss)(?:[ ](?:links|rechts|mitte))?|(?:Whg|App|Wohnung|Apartment|Zimmer)\.?[ ]?\d{1,4}[a-z]?))\b\)?){0,2}"
    rf"(?:\s{{0,2}}[,;|·–/-]?\s{{0,3}}(?:in[ ])?{_POSTCODE}[ ]{{1,2}}{_TOWN})?",
    re.IGNORECASE,
)
_TOWN_BEFORE = re.compile(rf"{_POSTCODE}[ ]{_TOWN}[,;]?\s{{1,2}}\Z")
_LIVING = re.compile(
    r"(?:wohn|adress|anschrift|gemeldet|zieh|zog|zuhause|lebe|büro|sitz|praxis|briefkasten|post an|schick|liefer|abhol|straße|treffpunkt|haus)[^\n\x00]{0,40}\Z",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[ ]?(?:\Z|\n|[,;)!?|](?!\d)|\.(?!\d)|[ ]*(?:in|im|,)[ ]+(?:\d{5}|[A-ZÄÖÜ])|[ ]\d{5}\b|\x00)")


_STREET_NAMES = (
    (re.compile(rf"(?<![\w-])(?P<name>{_STREET})[ ,]{{0,2}}{_HOUSE}", re.IGNORECASE), "sure"),
    (re.compile(rf"(?<![\w-])(?P<name>(?:[\w.’'-]{{0,60}}(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Pp]latz|[Aa]llee|[Ww]eg|[Rr]ing|[Uu]fer|[Hh]of|[Gg]arten))[ ](?:des|der|dem|den|am|an der|zum|zur|von|im|in der|d\.)[ ](?:\d{{1,2}}\.[ ])?{_WORD}(?:[ -][A-ZÄÖÜ][\w-]{{1,30}}){{0,2}}?)[ ]{_HOUSE}"), "sure"),
    (re.compile(rf"(?<![\w-])(?P<name>{_PREPOSITION}[ ](?:[\w-]{{1,30}}[ ]){{0,2}}?[A-ZÄÖÜ][\w.’'-]{{1,40}})[ ]{_HOUSE}"), "context"),
    (re.compile(rf"(?<![\w-])(?P<name>{_PREPOSITION}[ ](?:[\w-]{{1,30}}(?:en|er|em|e|s)[ ]){{0,2}}?[\w.’'-]{{3,40}})[ ]{_HOUSE}", re.IGNORECASE), "living"),
    (re.compile(rf"(?<![\w-])(?P<name>{_SURE})[ ]{_HOUSE}"), "capital"),
    (re.compile(rf"(?<![\w-])(?P<name>{_SURE}|{_MAYBE})[ ]{_HOUSE}", re.IGNORECASE), "context"),
    (re.compile(rf"(?<![\w-])(?P<name>{_WORD}(?:[ ]{_WORD}){{0,3}})[ ]{_HOUSE}(?=[ ]?[,;|·–-]?\s{{1,3}}{_POSTCODE}[ ][^\W\d_])", re.IGNORECASE), "postcode"),
)  # fmt: skip
_OTHER_ADDRESS = re.compile(
    rf"\bPost(?:fach|f\.)[ ]?(?:Nr\.?[ ]?)?\d(?:[ ]?\d){{1,9}}|(?<!\w)[A-U][ ]?[1-7],[ ]?\d{{1,2}}(?=,?\s{{1,2}}68\d{{3}}|,? Mannheim)|\bul\.[ ]{_WORD}(?:[ ]{_WORD})?[ ]\d{{1,4}}(?:/\d{{1,3}})?|\b\d{{1,4}},?[ ](?:rue|avenue|boulevard)[ ](?:de[ ]|du[ ]|la[ ]|des[ ]){{0,2}}{_WORD}"
    rf"|\b(?:rue|via|calle|avenida)[ ](?:de[ ]|la[ ]){{0,2}}{_WORD}[ ]\d{{1,4}}|\b\d{{1,4}}[ ][A-Z]\w{{1,20}}[ ](?:Street|Road|Avenue|Lane|Drive)\b",
)


def _addresses(work: _Work) -> Iterator[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    text = work.masked
    for pattern, rule in _STREET_NAMES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other[1] and end > other[0] for other in taken):
                continue
            at = _street(text, match, rule)
            if at is None:
                continue
            span = _with_rest(text, at, end)
            taken.append(span)
    for match in _OTHER_ADDRESS.finditer(text):
        if not any(match.start() < other[1] and match.end() > other[0] for other in taken):
            taken.append(_with_rest(text, match.start(), match.end()))
    yield from taken


def _street(text: str, match: re.Match[str], rule: str) -> int | None:
    """Where the street's name begins, or None when this is no address."""
    name, number, start = match["name"], int(match["number"]), match.start()
    postcode = _REST.match(text, match.end())
    full = postcode is not None and re.search(r"\d{5}", postcode[0]) is not None
    before = text[max(0, start - 60) : start]
    last = re.split(r"[ ]", name)[-1]
    if 1900 <= number <= 2099 and not full:
        return None
    if rule == "sure":
        if not name[0].isupper() and not name.lower().endswith(("straße", "strasse", "str", "str.", "strase")):
            return None
        if last.lower().strip(".") in ("str", "straße", "strasse", "strase"):
            return _leftwards(text, start, 3)
        return _leftwards(text, start, 1, adjectives=True)
    if rule == "postcode":
        words = name.split(" ")
        while len(words) > 1 and (
            not words[0][0].isupper()
            or words[0].lower() in ("ich", "wir", "sie", "er", "adresse", "anschrift", "adresse:", "wohnhaft")
        ):
            start += len(words.pop(0)) + 1
        return start
    if full or (rule == "living" and _LIVING.search(before)):
        return None if _NOT_A_STREET.search(last) and not full else _leftwards(text, start, 1, adjectives=True)
    if rule == "living" or _NOT_A_STREET.search(last):
        return None
    if rule == "capital":
        return _leftwards(text, start, 1, adjectives=True) if name[0].isupper() else None
    if (name[0].isupper() and _ENDS.match(text, match.end()) and (number < 400)) or (
        _LIVING.search(before) and len(last) > 4
    ):
        return _leftwards(text, start, 1, adjectives=True)
    return None


def _leftwards(text: str, start: int, most: int, adjectives: bool = False) -> int:
    """The start of a street's name of several words: "Große Ulrichstraße", "Karl Marx Straße", "An der Alten Straße"."""
    for _ in range(most):
        before = re.search(r"(?:\A|[^\w.’'-])(?P<word>[^\W\d_][\w.’'-]{0,30})[ -]\Z", text[max(0, start - 34) : start])
        if not before or not before["word"][0].isupper():
            break
        if adjectives and not _ADJECTIVE.match(before["word"]):
            break
        if not adjectives and before["word"].lower() in (
            "ich",
            "wir",
            "die",
            "der",
            "in",
            "adresse",
            "anschrift",
            "meine",
            "unsere",
            "sie",
            "und",
        ):
            break
        start -= len(before["word"]) + 1
    article = re.search(
        r"(?:\A|[^\w-])(?P<words>(?:An|Auf|In|Bei|Hinter|Unter|Vor|Zu) (?:der|dem|den))[ ]\Z",
        text[max(0, start - 14) : start],
    )
    return start - len(article["words"]) - 1 if article and adjectives else start


def _with_rest(text: str, start: int, end: int) -> tuple[int, int]:
    rest = _REST.match(text, end)
    if rest and rest[0].strip():
        end = rest.end()
    elif (
        town := re.match(
            r",[ ]?(?P<town>[A-ZÄÖÜ][\w.-]{2,30}(?:[ ](?:am|an der|\([A-Z]\w+\))(?:[ ][A-Z]\w+)?)?)",
            text[end : end + 60],
        )
    ) and (Places.load().find(town["town"]) or is_town(town["town"].split(" ")[0])):
        end += town.end()
    before = _TOWN_BEFORE.search(text[max(0, start - 60) : start])
    return (start - len(before[0]) if before else start), end


# Dates

_MONTH = r"(?:Jan(?:uar|uary|\.)?|Jänner|Feb(?:ruar|ruary|er|\.)?|M(?:ä|ae?)rz|Mrz|March|Apr(?:il|\.)?|Mai|May|Jun[ie]?|Jul[iy]?|Aug(?:ust|\.)?|Sep(?:t|tember)?|O[kc]t(?:ober)?|Nov(?:ember)?|De[zc](?:ember)?)"
_ORDINAL = r"(?:ersten|zweiten|dritten|vierten|fünften|sechsten|siebten|siebenten|achten|neunten|zehnten|elften|zwölften|(?:drei|vier|fünf|sech|sieb|acht|neun)zehnten|(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und)?zwanzigsten|(?:einund)?dreißigsten)"
_YEAR = r"(?:(?:19|20)\d{2}|['’]?\d{2})"
_DATE = re.compile(
    rf"(?<![\d.])(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)|\d{{1,2}}(?:[ ]?\.{{1,2}}[ ]?|,)\d{{1,2}}(?:[ ]?\.{{1,2}}[ ]?|,)(?P<y1>\d{{4}}|['’]?\d{{2}})(?!\d|[.,]\d)|\d{{1,2}}[ ]?[-/][ ]?\d{{1,2}}[ ]?[-/][ ]?(?P<y2>\d{{4}}|\d{{2}})(?![\d/])|"
    rf"\d{{1,2}}\.?[ ]?{_MONTH}\.?,?(?:[ ]?(?P<y3>{_YEAR})(?!\d))?(?![^\W\d_])|\d{{1,2}}\.[ ]?(?:X{{0,1}}(?:IX|IV|V?I{{1,3}}|V)|X)\.[ ]?(?P<y4>\d{{4}})|(?<!\w){_ORDINAL}[ ](?:{_MONTH}|{_ORDINAL})(?:[ ](?P<y5>\d{{4}}|neunzehnhundert\w+|zweitausend\w*))?|"
    rf"(?<!\w){_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ](?P<y6>\d{{4}})|\d{{1,2}}(?:st|nd|rd|th)(?: of)?[ ]{_MONTH}(?:,?[ ](?P<y7>\d{{4}}))?|\d{{1,2}}\.[ ]?\d{{1,2}}\.(?!\d))",
    re.IGNORECASE,
)
_LOOSE_DATE = re.compile(
    r"(?<!\d)(?:[0-3]?\d[ ][01]?\d[ ](?:19|20)?\d{2}|[0-3]\d[01]\d(?:19|20)\d{2}|[0-3]?\d[.,/-][01]?\d[.,/ -](?:19|20)?\d{2})(?!\d)"
)
_BORN = re.compile(
    r"(?:\bgeb(?:\.|oren\w*|urtsdat\w*|urtstag(?!s)\w{0,2}|dat\w*|\b)|\bgebor\w*|\bgebrutsdatum|\bgeburts(?!tags)\w*|\bgeburtagsdatum|geburstdatum|geburtsatum|geburtdatum|geburtstdatum|\bborn\b|\bdob\b|d\.o\.b\.|\bbirth\w*|auf die welt|zur welt|(?<!\w)\*[ ]?(?=\d|\Z)|\bjg\.|\bgeb\.?-?dat\w*|das licht der welt|doğum\w*|народж\w*|род\.|née?\b|wiegenfest|ich werde am|burzeltag)",
    re.IGNORECASE,
)
_BORN_AFTER = re.compile(
    r"[^\n.!?\x00]{0,45}?(?:\bgeboren|\bgeb\.|zur welt|auf die welt|\bgeburtstag(?!s)|\bgeburtsdatum|\bborn\b|\bhat(?:te)? sie geburtstag|licht der welt)",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"(?:\bvom|\bgegründet|gründung|satzung|\bseit|fassung|bescheid|gesetz|bgbl|urteil|vertrag|eingetragen|eintrag|beschluss|verordnung|errichtet|eröffn|erlass|unterzeich|unterschr|ausgestellt|\bstand|\bab|\bbis|rechnung|verein|protokoll|termin|frist|az\.|registriert|stiftung|gebaut|ereignis|jubiläum|zwischen)[^\n]{0,30}\Z",
    re.IGNORECASE,
)
_PARTY = re.compile(r"geburtstags?(?:feier|fest|party)|verein|stiftung|jubiläum|gmbh", re.IGNORECASE)


def _birthdates(work: _Work) -> Iterator[tuple[int, int]]:
    text = work.masked
    dates = [
        (
            match.span(),
            next((year for year in match.groups() if year), match[0][:4] if match[0][:4].isdecimal() else None),
        )
        for match in _DATE.finditer(text)
    ]
    previous = 0
    for number, ((start, end), year_text) in enumerate(dates):
        following = dates[number + 1][0][0] if number + 1 < len(dates) else len(text)
        left = text[max(previous, start - 75) : start]
        left = left[left.rfind("\n\n") + 2 :] if "\n\n" in left else left
        year = _year(year_text)
        cues = list(_BORN.finditer(left))
        far = len(left) - cues[-1].end() if cues else 0
        born = (
            bool(cues)
            and not re.search(r"[!?;]|\bgeborene[rsnm]?[ ][A-ZÄÖÜ]", left[cues[-1].start() :])
            and not (far > 22 and (year or 0) >= 2020)
        )
        born = born and not _PARTY.search(left[cues[-1].start() :])
        if (
            born
            and far > 22
            and re.search(
                r"\.\s+[A-ZÄÖÜ]|\b(?:termin|veranstaltung|treffen|frist|bis zum|seit|ab dem)\b",
                left[cues[-1].end() :],
                re.IGNORECASE,
            )
        ):
            born = False
        after = _BORN_AFTER.match(text[end : min(end + 70, following)])
        born = born or (
            after is not None and (year is None or year < 2022) and not re.search(r"\bund\b|[;(]", after[0])
        )
        born = born or (
            year is not None
            and 1900 <= year <= 2010
            and len(year_text or "") != 0
            and not _EVENT.search(left[-45:])
            and (year > 1929 or len(year_text or "") == 4)
        )
        if born:
            yield start, end
        previous = end
    for match in _LOOSE_DATE.finditer(text):
        if re.search(
            rf"{_BORN.pattern}[ \t]*(?:am|:|ist|der|=|-)?[ \t]*(?:am|der)?[ \t]*:?\s?\Z",
            text[max(0, match.start() - 45) : match.start()],
            re.IGNORECASE,
        ):
            yield match.span()


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    text = text.strip("'’")
    if not text.isdecimal():
        return 1960 if text.casefold().startswith("neunzehn") else None
    if len(text) == 2:
        return 1900 + int(text) if int(text) >= 30 else 2024
    return int(text)


# Numbers: for the taxes, and of telephones

_NUMBER = re.compile(
    r"(?<![\w\d])(?:\+[ ]?)?\(?[+]?(?:\d|[Oo](?=[1-9]\d))(?:[ \t\xa0\u202f]{0,2}[-‐‑–—/.()·*]{0,3}[ \t\xa0\u202f]{0,2}\(?\d){1,40}"
)
_NO_NUMBER = re.compile(
    r"(?<![\d.])\d{1,2}[.:]\d{2}(?:[ ]?(?:Uhr|h)\b|[ ]?(?:-|–|bis)[ ]?\d{1,2}[.:]\d{2}(?!\d)(?:[ ]?Uhr)?)|\d{1,3}(?:[.]\d{3})+(?:,\d{2})?(?:[ ]?(?:€|Euro|EUR))|\d{1,9},(?:\d{2}|-)[ ]?(?:€|Euro|EUR)?(?!\d)|(?<!\d)\d{1,9}[ ]?(?:€|Euro|EUR)|"
    r"\(EU\)[ ](?:Nr\.[ ])?\d{1,4}/\d{1,4}|(?:19|20)\d\d[ ]?[-–/][ ]?(?:19|20)?\d\d(?![\d/])|\b(?:ISBN|ISSN|PLZ)\b[ :]{0,3}[\d -]{5,17}\d",
    re.IGNORECASE,
)
_TAX_CUE = re.compile(
    r"(?:steuer-?[ ]?(?:nummer|nr|id|ident\w*|identifikationsnummer)|steuerl\w*[ ](?:identifikations)?nummer|steurnummer|st(?:eu)?\.?[ -]{0,2}nr|stnr|\bid\.?[ -]?nr|identifikationsnummer|\bidnr|\btin\b|\bust\.?[ -]{0,2}id\w*|\buid\b|umsatzsteuer-?[ ]?id\w*|vat|\bw-?idnr|sozialversicherungs\w*|\bsv-?n(?:r|ummer)|rentenversicherungs\w*|steueridentifikation\w*|steuerid\w*|finanzamt)\.?[^\d\n\x00]{0,45}\n?[^\d\n\x00]{0,5}\Z",
    re.IGNORECASE,
)
_TAX_FORM = re.compile(
    r"(?:\d{2,3}[ ]?/[ ]?\d{3,4}[ ]?/[ ]?\d{4,5}|[1-9]\d{4}[ ]?/[ ]?\d{5}|[1-9]\d[ ]\d{3}[ ]\d{3}[ ]\d{3}|[1-9]\d{10}|[1-9]\d{12}|\d{3}[ ]\d{3}[ ]\d{5}|\d{2}[ ]\d{3}[ ]\d{5})\Z"
)
_VAT = re.compile(
    r"(?<![^\W_])(?:DE[ .-]?\d{3}[ .]?\d{3}[ .]?\d{3}(?:-\d{5})?|ATU[ ]?\d{8}|CHE-?\d{3}\.?\d{3}\.?\d{3}(?:[ ]?MWST)?|(?:NL|BE|FR|IT|ES|PL|CZ|DK|LU|SE|HU)[ ]?[A-Z0-9]{2}\d{6,9}(?:B\d\d)?)(?!\d|\w)",
    re.IGNORECASE,
)
_INSURANCE = re.compile(r"(?<!\w)\d{2}[ ]?\d{6}[ ]?[A-Z][ ]?\d{3}(?!\w)")
_OTHER_NUMBER = re.compile(
    r"(?:rechnungs?-?[ ]?n(?:umme)?r|kunden-?n|mitglieds?-?n|vereinsregister|register|\bvr|\bhr[ab]|aktenzeichen|\baz|vertrags?-?n|bestell\w*n|artikel-?n|auftrags?-?n|vorgangs?-?n|förder\w*kennz|geschäftszeichen|\bgz|\bfkz|antrags?-?n|isbn|bgbl|ticket|inventar\w*|serien\w*|seriennummer|zertifikat\w*)[^\d\n]{0,20}\Z",
    re.IGNORECASE,
)
_PHONE_CUE = re.compile(
    r"(?:\btel|telefon|fernspr|\bfon\b|\bphone|\bfax|mobil|handy|whats?app|\bwa\b|\bsignal|threema|telegram|hotline|festnetz|rufnummer|(?:telefon|handy|mobil)nummer|\bruf\b|☎|📞|📱|☏|\bnummer\b(?:[ ](?:ist|lautet|unter))?|\bt:|\bm:|\bf:|\btel\.-?nr|\bdienstl|\bpriv(?:at)?\.?|\bsms\b|(?:meine|seine|ihre|deine|die|unter der)[ ]n(?:umme)?r\.?)[^\d\n\x00]{0,22}\n?[^\d\n\x00]{0,4}\Z",
    re.IGNORECASE,
)
_EXTENSION_CUE = re.compile(
    r"(?:durchwahl|\bdw|\bapp(?:arat)?|\bnst|nebenstelle|\bklappe|hausruf)\b[^\d\n\x00]{0,14}\Z", re.IGNORECASE
)
_CALL_CUE = re.compile(
    r"(?:erreich\w*|\bruf\w*|\banruf\w*|klingel\w*|\bmeld\w*|durchklingel\w*|zurückruf\w*|rückruf\w*|anzurufen|telefonier\w*|schreib\w* mir|\bsms)[^\d\x00]{0,45}\Z",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"[ ]?(?:€|euro|eur\b|%|prozent|uhr|personen|leute|jahre|kinder|mitglieder|mal\b|tage|stunden|minuten|wochen|monate|km|cent|stück|\.[ ]?[A-ZÄÖÜ]?[a-zä]{2,9}[ ]\d{4})",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"(?<!\w)(?:null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|doppel\w{4,6})(?:[ ,.-]{1,3}(?:null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|doppel\w{4,6})){5,20}(?!\w)",
    re.IGNORECASE,
)
_SECOND_EXTENSION = re.compile(r"[ ]?(?:,|/|oder|und|bzw\.|bis)?[ ]?[-–]{1,2}[ ]?\d{1,4}(?![\d.\w])")


def _tax_numbers(work: _Work) -> Iterator[tuple[int, int]]:
    text = work.masked
    yield from (match.span() for match in _VAT.finditer(text))
    yield from (match.span() for match in _INSURANCE.finditer(text))
    for start, end in work.numbers():
        run, digits = text[start:end], re.sub(r"\D", "", text[start:end])
        before = text[max(0, start - 75) : start]
        if _UNIT.match(text, end) or run.startswith("+") or _PHONE_CUE.search(before):
            continue
        cued = _TAX_CUE.search(before)
        if (cued and 8 <= len(digits) <= 13 and ("finanzamt" not in cued[0][:9].casefold() or "/" in run)) or (
            _TAX_FORM.match(run)
            and not _OTHER_NUMBER.search(before)
            and not (run[0] == "0" and ("/" not in run or len(digits) != 11 or not re.match(r"0\d\d[ ]?/", run)))
        ):
            yield start, end


def _phones(work: _Work) -> Iterator[tuple[int, int]]:
    text = work.masked
    for start, end in work.numbers():
        run = text[start:end]
        digits = re.sub(r"\D", "", run.replace("O", "0").replace("o", "0"))
        before, count = (
            text[max(0, start - 75) : start],
            len(re.sub(r"\D", "", run.replace("O", "0").replace("o", "0"))),
        )
        if (
            (count > 9 and run[0] != "+")
            and (town := re.search(r"[ \xa0]\d{5}\Z", run))
            and is_town(text[end:].strip().split("\n")[0].split(" ")[0].strip(",.;"))
        ):
            end -= len(town[0])
            run, count = text[start:end], count - 5
            digits = digits[:count]
        if _phone(run, digits, before, text, end):
            following = _SECOND_EXTENSION.match(text, end)
            yield start, end
            if following and count >= 6:
                yield end, following.end()
    for match in re.finditer(
        r"(?:durchwahl|\bdw|\bapp(?:arat)?|\bnst|nebenstelle|klappe|hausruf|tel|telefon|fon)\b[^\d\n\x00]{0,14}?(?P<number>[-–]?[ ]?\d{1,6})(?![\d\w]|[.,]\d)",
        text,
        re.IGNORECASE,
    ):
        if not _UNIT.match(text, match.end()):
            yield match.span("number")
    yield from (match.span() for match in _SPOKEN.finditer(text))


def _phone(run: str, digits: str, before: str, text: str, end: int) -> bool:
    count = len(digits)
    if _UNIT.match(text, end):
        return False
    if run.lstrip("(").startswith("+"):
        return 7 <= count <= 17
    if _PHONE_CUE.search(before) and not _OTHER_NUMBER.search(before):
        return (count >= 4 and not (count == 4 and digits[:2] in ("19", "20"))) or (count >= 3 and digits[0] != "1")
    if _EXTENSION_CUE.search(before):
        return count >= 2
    if _OTHER_NUMBER.search(before):
        return False
    if digits.startswith("0"):
        return (
            6 <= count <= 17
            and not re.match(r"0[.,]\d+\Z", run)
            and not (count == 8 and re.match(r"\d\d\.\d\d[ -]", run))
        )
    if re.match(r"1(?:5\d|6[0-39]|7\d)\d{7,8}\Z", digits) or re.match(r"49[1-9]\d{8,11}\Z", digits):
        return True
    if _CALL_CUE.search(before):
        return count >= 5 and not re.fullmatch(r"(?:19|20)\d{2}[ -–/]+(?:19|20)?\d{2}", run)
    return re.fullmatch(r"[2-9]\d{1,4}[ ]?[/-][ ]?\d{2,3}[ ]\d{2,3}(?:[ ]\d{2,3})?(?:-\d{1,4})?", run) is not None


# Plates

_PLATE = re.compile(
    r"(?<![^\W_])(?P<town>[A-ZÄÖÜ]{1,3})(?P<gap>[ ]?[-–‑•·.:][ ]?|[ ])(?P<letters>[A-Z]{1,2})(?:[ ]?[-–•·.][ ]?|[ ]{0,2})(?P<number>\d{1,4})(?!\d|[.,]\d)[ ]?(?:[EHeh](?![\w.]))?(?!\w)"
)
_SMALL_PLATE = re.compile(
    r"(?<![^\W_])(?P<town>[a-zäöüA-ZÄÖÜ]{1,3})(?P<gap>[ ]?[-–‑•·.:][ ]?|[ ]|)(?P<letters>[a-zA-Z]{1,2})(?:[ ]?[-–•·.][ ]?|[ ]{0,2})(?P<number>\d{1,4})(?!\d|[.,]\d)(?:[ ]?[EHeh](?![\w.]))?(?!\w)"
)
_OFFICIAL_PLATE = re.compile(r"(?<![\w-])(?:Y|THW|BP|BD|BG)[ -]\d{1,3}[ -]?\d{2,5}(?!\w)")
_CAR = re.compile(
    r"(?:kennzeichen|nummernschild|autonummer|\bkfz|\bauto\b|\bwagen\b|\bpkw|\blkw|transporter|fahrzeug|lieferwagen|\bparkt|roller|motorrad|anhänger|\bbus\b|sprinter|\bgolf\b|passat|polo|opel|skoda|mercedes|audi|\bbmw|fahrer|amtl)[^\n]{0,50}\Z",
    re.IGNORECASE,
)
_NO_PLATE = re.compile(
    r"(?:DIN[ -](?:A|B|C|EN|VDE|EC)|HR[ -][AB]|IN[ -]A|EU[ -](?:VO|DE)|SG[ -]B|OK[ -]|ART[ -]|BIS[ -]|AB[ -]|VON[ -]|UM[ -]|TOP[ -]|IHK|OG |UG |EG |KW |PLZ|MIO|NR )",
    re.IGNORECASE,
)


@cache
def _districts() -> frozenset[str]:
    return frozenset((FOLDER / "plates.txt").read_text("utf-8").split())


def _plates(work: _Work) -> Iterator[tuple[int, int]]:
    for pattern in (_PLATE, _SMALL_PLATE):
        for match in pattern.finditer(work.masked):
            car = _CAR.search(work.masked[max(0, match.start() - 60) : match.start()]) is not None
            known = match["town"].upper() in _districts()
            small = pattern is _SMALL_PLATE
            if _NO_PLATE.match(match[0]) or not (known or (car and match["gap"])):
                continue
            if not match["gap"] and len(match["town"] + match["letters"]) < 3:
                continue
            if small and not (
                car or (match["gap"].strip() in ("-", "–") and len(match["number"]) >= 2 and match["gap"])
            ):
                continue
            if (
                car
                or match["gap"].strip()
                or (known and not small and not re.search(r"\b[A-ZÄÖÜ]{2,}[ ]\Z", work.masked[: match.start()][-12:]))
            ):
                yield match.span()
    yield from (match.span() for match in _OFFICIAL_PLATE.finditer(work.masked))


_FINDERS: tuple[tuple[Kind, Callable[[_Work], Iterator[tuple[int, int]]]], ...] = (
    ("email", _emails),
    ("name", _handles),
    ("iban", _ibans),
    ("address", _addresses),
    ("birthdate", _birthdates),
    ("taxid", _tax_numbers),
    ("phone", _phones),
    ("plate", _plates),
)
