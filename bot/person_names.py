"""Where a German text names persons: by lists of names, by what stands around them, and by what was named before.

Lists alone would take "der Koch" for a person and miss "Frau Schnabelweide"; so a word that is also an ordinary one needs
a sign (a title, a greeting, a first name before it), and after a sign an unknown word counts as well. An overlooked name
is worse than a word replaced too much.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

from matching.places import Places

FOLDER = Path(__file__).parent / "personal_data"
MASK = "\x00"  # stands for each character that belongs to something found before
_LARGE_TOWN = 3000  # inhabitants; names of hamlets are often surnames
_MOST_WORDS = 6

_TOKEN = re.compile(r"[^\W\d_]+(?:[-‑'’´`][^\W\d_]+)*")
_SPACE = re.compile(r"[ \t\xa0]{1,3}\Z")
_FOREIGN = re.compile(
    r"[ğşıćčłńśźżąęőřěůățđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹĂĄĆČĐĘĚĞİŁŃŐŘŚŞŮŹŻƠƯȚẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸЀ-ӿ]"
)
_TITLES = frozenset(
    "dr prof professor professorin doktor dipl ing med phil jur rer nat pol oec habil mag msc bsc ma ba mba llm ra rain "
    "stb hc dres pd univ mult theol h c".split()
)
_HONORIFICS = frozenset("herr herrn herren hr hrn frau fr frl fräulein familie fam eheleute mr mrs ms miss".split())
_MALE, _FEMALE = frozenset("herr herrn hr hrn mr".split()), frozenset("frau fr frl fräulein mrs ms miss".split())
_RELATIVES = frozenset("tante onkel oma opa schwester bruder cousin cousine pastor pfarrer pfarrerin abt pater".split())
_PARTICLES = frozenset(
    "von van vom zu zum zur de der den del della di da dos das la le al el ul bin ibn bint abu ten ter op ’t af av und "
    "graf gräfin freiherr freifrau baron baronin".split()
)
_JOB_ENDS = (
    "rat", "rätin", "meister", "meisterin", "direktor", "direktorin", "leiter", "leiterin", "sekretär", "sekretärin",
    "präsident", "präsidentin", "minister", "ministerin", "beauftragte", "beauftragter", "beauftragten", "referent", "referentin", "anwalt",
    "anwältin", "berater", "beraterin", "vorsitzende", "vorsitzender", "vorsitzenden", "pfarrer", "pfarrerin", "inspektor", "inspektorin",
    "amtfrau", "amtmann", "dezernent", "dezernentin", "kollege", "kollegin", "kollegen", "lehrer", "lehrerin", "richterin", "kanzler",
    "kanzlerin", "abgeordnete", "abgeordneter", "abgeordneten", "notar", "notarin", "vorstand", "vorständin", "warte", "wart", "wartin",
    "kassierer", "kassiererin", "führer", "führerin", "trainer", "trainerin", "arzt", "ärztin", "koordinator", "koordinatorin",
    "nachbar", "nachbarin", "nachbarn", "freund", "freundin", "freundes", "bekannte", "bekannter", "bekannten", "mann", "ehemann", "ehefrau",
    "sohn", "tochter", "enkel", "enkelin", "mutter", "vater", "bruder", "schwester", "neffe", "nichte", "schwager", "schwägerin", "partnerin",
    "partner", "chef", "chefin", "mitarbeiter", "mitarbeiterin", "bearbeiter", "bearbeiterin", "praktikant", "praktikantin", "schüler",
    "schülerin", "ehrenamtliche", "ehrenamtlicher", "betreuer", "betreuerin", "vermieter", "vermieterin", "mieter", "mieterin", "kunde",
    "kundin", "klient", "klientin", "inhaber", "inhaberin", "gründer", "gründerin", "sprecher", "sprecherin", "pate", "patin", "assistent",
    "assistentin", "mitglied", "prüfer", "prüferin", "oberin", "pastorin", "pastor", "erzieher", "erzieherin", "helfer", "helferin",
    "ingenieur", "ingenieurin", "manager", "managerin", "onkel", "tante", "oma", "opa", "bewohner", "bewohnerin", "rentner", "rentnerin",
    "student", "studentin", "pfleger", "pflegerin", "verwalter", "verwalterin", "journalist", "journalistin", "verstorbene", "verstorbenen",
    "person", "stellvertreter", "stellvertreterin", "vertreter", "vertreterin", "dolmetscher", "dolmetscherin", "azubi", "prokurist", "prokuristin",
)  # fmt: skip
_ORGANISATION_BEFORE = frozenset(
    "bäckerei konditorei fleischerei metzgerei autohaus tischlerei schreinerei apotheke firma fa kanzlei praxis hotel gasthof gasthaus restaurant "
    "café cafe buchhandlung stiftung schule grundschule oberschule gesamtschule realschule kita kindergarten verein möbel druckerei gärtnerei "
    "gymnasium verlag reederei brauerei weingut bank sanitär elektro friseur friseursalon salon blumen klinik klinikum kirche kirchengemeinde sankt "
    "st landgasthof optik optiker bau holzbau dachdeckerei malerbetrieb spedition steuerbüro ingenieurbüro architekturbüro küchen haus villa "
    "gebrüder pension fahrrad zimmerei pflegedienst seniorenheim altenheim halle arena bahnhof platz schloss burg unternehmen baumarkt edeka rewe "
    "universität hochschule förderschule berufsschule sekundarschule werkstatt agentur studio elektro juwelier reisebüro fahrschule".split()
)
_ORGANISATION_AFTER = frozenset(
    "stiftung schule grundschule gymnasium gesamtschule realschule universität hochschule institut verein haus preis platz arena stadion klinik "
    "krankenhaus bibliothek gesellschaft verlag fonds akademie kita kolleg museum theater kirche gemeinde straße strasse allee weg ring bank "
    "gruppe group holding gmbh ggmbh ag kg ohg ug eg ek ev gbr partg partgmbb se mbh foundation company inc ltd verband hilfswerk zentrum sekundarschule "
    "kindergarten hütte heim förderschule werk werke söhne brauerei bräu reisen bau immobilien partner apotheke".split()
)
_LEGAL_FORM = re.compile(
    r"(?:[^\W_][\w.&’'-]*[ ]){1,5}?(?:g?GmbH|AG|KG|OHG|UG|e\. ?V\.?|eV\b|e\. ?K\.|eG|GbR|mbH|PartG(?:mbB)?|SE|& ?Co\.?|Ltd|Inc)(?!\w)"
)
_GREETING = re.compile(
    r"(?:^|(?<=[\n.!?,;:(\x00„\"]))[ \t>*]*(?:(?:sehr )?(?:geehrte[rs]?|verehrte[rs]?)|liebe[rs]?|ihr lieben?|hallo|hallöchen|hi|hey|moin(?: moin)?|servus|"
    r"guten (?:tag|morgen|abend)|gr[üu](?:ß|ss)(?: gott| dich| sie)?|gruezi|grüezi|dear|hello|merhaba|selam|salam|salut|ciao|bonjour|huhu|tach|werte[rs]?|"
    r"an|von|na)(?=[ \t,])[ \t]*,?[ \t]*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:\b(?:viele|liebe|beste|herzliche|herzlichste|freundliche|freundlichem|freundlichen|besten|lieben|vielen|schöne|schönen|sonnige|solidarische[nr]?|kollegiale[nr]?|herzlichem|bestem|"
    r"sportliche[nr]?|kind|best|warm|many|mit)\s+(?:freundlichen\s+|besten\s+|lieben\s+|herzlichen\s+|vielen\s+|freundlichem\s+|solidarischen\s+)?(?:gr[üu](?:ß|ss)e?n?|grüss?e|regards|wishes|dank)|\bm\.?f\.?g\.?|\b[lvbh]g|\bgr(?:u|ü)(?:ß|ss)e?|"
    r"\bhochachtungsvoll|\bregards|\bcheers|\bherzlichst|\bsincerely|\byours|\bbis (?:bald|dann|später|morgen|demnächst)|\b(?:vielen |danke und |danke, |besten )?dank(?:e)?(?: im voraus| schön)?|"
    r"\bdankeschön|\b(?:ihr|ihre|eure|euer|dein|deine)(?=[ \t]*\n)|^--?|^[–—~])"
    r"(?:[ \t]+(?:aus|von der|vom|nach|und)[^\n,]{0,40})?[ \t]*[,.!;:–—-]{0,3}[ \t]*(?:(?P<line>\n\s*)|(?=[^\W\d_]))",
    re.IGNORECASE | re.MULTILINE,
)
_FUNCTION_LINE = re.compile(r"(?:i\. ?[av]\.|ppa\.?|gez\.?|ihre?|eure?|dein)\s*(?=[^\W\d_])", re.IGNORECASE)
# What directly announces a name, as strong as a title.
_INTRODUCTION = re.compile(
    r"\b(?:(?:mein|dein|sein|ihr|unser|der|her|my) name(?:n)? (?:ist|lautet|war|is|sei|:)|name ist|ich hei(?:ß|ss)e?|(?:er|sie|der|die|welche[rs]?|und) hei(?:ß|ss)t|hei(?:ß|ss)e|namens|genannt|alias|"
    r"nennt mich|nennen mich|hier (?:ist|spricht|schreibt)|hier is|es schreibt|am apparat|my name is|name is|называють|звати|зовут|"
    r"i\. ?a\.|i\. ?v\.|ppa\.|gez\.|z\. ?hd\.?(?: von| v\.)?|zu h[äa]nden(?: von)?|c/o|p\.a\.|attn\.?|vertreten durch|geb\.|geborene[nr]?|verh\.|verheiratete|verw\.|gezeichnet|unterzeichnet von)[ \t]*[:,]?[ \t]*"
    r"(?:die|der|das|dem|den|s|’s|'s|jetzt|übrigens|also)?[ \t]*(?=[^\W\d_])",
    re.IGNORECASE,
)
_WEAK_INTRODUCTION = re.compile(
    r"\b(?:(?:ich )?bin (?:die|der|s|’s|'s)|hier (?:die|der)|(?:ich )?bin|i am|i['’]m|this is)[ \t]+(?=[^\W\d_])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:^|(?<=[\n,;(|•\x00>*-])|(?<=[.] ))[ \t>*•-]*(?:(?:vor|nach|familien|geburts|zu|ruf|spitz|nick|benutzer|user|mädchen|vollständiger |kontakt)?name|name, vorname|vorname, name|vor- und nachname|vorname und name|"
    r"ansprech(?:partner|partnerin|person)(?:in)?|kontakt(?:person|daten)?|absender(?:in)?|von|an|from|to|cc|bcc|kopie|konto\s?inhaber(?:in)?|inhaber(?:in)?|antragsteller(?:in)?|"
    r"(?:1\. |2\. |erster? |zweiter? )?vorsitzende[rn]?|kassenwart(?:in)?|kassierer(?:in)?|schriftführer(?:in)?|schatzmeister(?:in)?|unterschrift|unterzeichner(?:in)?|betreuer(?:in)?|geschäftsführer(?:in)?|"
    r"geschäftsführung|vorstand|projektleit(?:ung|er|erin)|leitung|leiter(?:in)?|teilnehmer(?:in)?|mitglied|vertreter(?:in)?|sachbearbeiter(?:in)?|bearbeiter(?:in)?|empfänger(?:in)?|"
    r"verfasser(?:in)?|autor(?:in)?|zahlungsempfänger(?:in)?|begünstigte[rn]?|mandant(?:in)?|klient(?:in)?|kunde|kundin|person|eltern(?:teil)?|mutter|vater|kind|notfallkontakt|trainer(?:in)?|referent(?:in)?|"
    r"zeuge|zeugin|weitergeleitet(?: von)?|weitergeleitete nachricht von|forwarded (?:message )?from|geschrieben von|verfasst von|gesendet von|nachricht von|anruf(?: von)?|anrufer(?:in)?|übungsleiter(?:in)?|team|dabei|anwesend|entschuldigt)"
    r"[ \t]*(?:\([^)\n]{0,30}\))?[ \t]*[:=][ \t]*",
    re.IGNORECASE,
)
_CHAT_HEAD = re.compile(
    r"^[ \t>]*(?:\[\d{1,2}[./]\d{1,2}[./]\d{2,4},?[ ]\d{1,2}:\d{2}(?::\d{2})?(?: [AP]M)?\]|\[\d{1,2}:\d{2}(?:, ?[\d./]{6,10})?\]|\d{1,2}[./]\d{1,2}[./]\d{2,4},?[ ]\d{1,2}:\d{2}(?::\d{2})?[ ]?[-–])[ ]?(?P<name>[^:\n]{2,40}):"
    r"|^(?P<telegram>[^,\n\[]{2,40}),?[ ]\[\d{1,2}[.:/]\d"
    r"|\bschrieb[ ](?P<wrote>[^:\n<\x00]{2,50}?)[ ]?(?:<|\x00|:|am\b|um\b)"
    r"|^[ \t>]*(?P<speaker>[^\W\d_][\w .’'-]{1,28}):(?=[ \t]|\n)"
    r"|^(?P<wrote_line>[^:\n<\x00\d]{2,40})[ ](?:schrieb|wrote|hat geschrieben)\b",
    re.MULTILINE,
)
_INITIALS = re.compile(r"(?<![\w.])(?:[A-ZÄÖÜ]\.[ -]?){1,3}\Z")
_ABBREVIATION_BEFORE = re.compile(
    r"(?:\b[a-zäöü]\.|\b(?:nr|abs|art|ziff|s|buchst)\.?)\s?(?:[A-ZÄÖÜ]\.[ -]?){0,3}\Z", re.IGNORECASE
)
_NEVER = frozenset(
    "januar februar märz april mai juni juli august september oktober november dezember montag dienstag mittwoch donnerstag freitag samstag "
    "sonnabend sonntag damen kolleginnen kollegen zusammen team leute alle allerseits lotse bot freunde mitglieder eltern gott kinder interessierte "
    "nachbarn ehrenamtliche ihr sie du ich wir er es mein meine der die das ein eine und oder aber wie was wer wo wann warum bitte danke nochmal nochmals "
    "gemeinsam beide beiden kunde kundin grüße gruß welt community freundinnen vereinsmitglieder zuhause hier da dort so sehr auch nicht noch nur schon "
    "tag morgen abend mittag nacht vorstand hochachtungsvoll mfg lg vg bg von an aus mit für im in am auf zu zur zum bei bis ab seit gesendet sent".split()
)
_LOWER_STOP = re.compile(
    r"(?:und|oder|aus|von|vom|bin|ist|ich|wir|habe|hab|mein|meine|wohne|komme|arbeite|mache|leite|möchte|wollte|will|hat|war|kann|geb|geboren|in|im|am|an|bei|mit|für|der|die|das|auch|so|wie|was|wo|wann|vorstand|e|v)\Z"
)
_ARTICLE = re.compile(
    r"\b(?:der|die|das|dem|den|des|ein|eine|einen|einem|einer|eines|kein|keine|keinen|im|am|vom|zum|zur|beim|ins|ans|jede[rnms]?|dieser?|diese[nms]?|alle|viele|als|unsere?[nmrs]?|ihre?[nmrs]?|seine?[nmrs]?|meine?[nmrs]?|deine?[nmrs]?|eure?[nmrs]?|und|oder|pro|per|ohne|kalte[nmrs]?|guten?|neue[nrms]?|alten?|ganze[nrms]?|letzte[nrms]?|nächste[nrms]?|beruf|gelernte[rn]?|im)[ \t]+(?:[a-zäöüß]+(?:en|er|e|es|em)[ \t]+)?\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mention:
    """A person named at [start, end); `words`: the name's words in lower case; `gender`: "m", "f" or "" by the title."""

    start: int
    end: int
    words: frozenset[str]
    gender: str = ""


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    text: str
    low: str

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


@cache
def _words(file: str) -> frozenset[str]:
    lines = (FOLDER / file).read_text("utf-8").splitlines()
    return frozenset(word.casefold() for line in lines if not line.startswith("#") for word in line.split())


def _is_first(low: str) -> bool:
    return low in _words("first_names.txt") or (
        "-" in low and all(p in _words("first_names.txt") for p in low.split("-"))
    )


def _is_last(low: str) -> bool:
    known = _words("surnames.txt")
    both = known | _words("first_names.txt") if "-" in low else known
    return low in known or ("-" in low and all(len(part) > 2 and part in both for part in low.split("-")))


def _bare(low: str) -> str:
    """The word without the s of a genitive, where that makes it a name."""
    if low.endswith(("'s", "’s", "´s", "`s")):
        return low[:-2]
    if low.endswith(("'", "’")):
        return low[:-1]
    if low.endswith("s") and not (_is_first(low) or _is_last(low)) and (_is_first(low[:-1]) or _is_last(low[:-1])):
        return low[:-1]
    return low


@lru_cache(maxsize=20_000)
def _ordinary(low: str) -> bool:
    """Whether this is a German word, or one made of such (where no list knows it as a name)."""
    everyday, guides = _words("everyday_words.txt"), _words("guide_words.txt")
    if low in everyday or low in _NEVER:
        return True
    name = _is_first(low) or _is_last(low) or _bare(low) != low
    if low in guides:
        return not name or low not in (_words("known_first_names.txt") | _words("known_surnames.txt"))
    if name:
        return False
    if "-" in low or "‑" in low:
        return _ordinary(re.split("[-‑]", low)[-1])
    if low.endswith(
        ("ung", "ungen", "heit", "heiten", "keit", "keiten", "schaft", "schaften", "tion", "tionen", "ismus", "tät", "täten", "ment", "mente", "nisse",
         "nis", "ierung", "ieren", "iert", "lich", "liche", "lichen", "licher", "liches", "isch", "ische", "ischen", "ischer", "bar", "bare", "ige", "igen", "iger", "sam", "innen",
         "rechts", "nummer", "verein", "vereins")
    ) and len(low) > 6:  # fmt: skip
        return True
    for ending in ("s", "n", "e", "en", "es", "er", "ern", "em", "t", "st", "te", "ten"):
        stem = low[: -len(ending)]
        if low.endswith(ending) and len(stem) >= 4 and (stem in everyday or stem in guides):
            return True
    if low.startswith("ge") and low[2:] in guides:
        return True
    for cut in range(3, len(low) - 3):
        tail, head = low[cut:], low[:cut]
        if tail in everyday or (len(tail) > 4 and tail in guides):
            if tail in (
                "mann",
                "berg",
                "bach",
                "bauer",
                "feld",
                "hof",
                "wald",
                "stein",
                "baum",
                "meister",
                "müller",
                "weg",
                "horn",
                "haus",
                "koch",
                "mayer",
                "meier",
                "hahn",
                "vogel",
                "kamp",
                "dorf",
                "burg",
                "brand",
                "busch",
                "ring",
                "wolf",
                "mair",
                "thal",
                "huber",
                "schmied",
                "kopf",
                "bein",
                "hard",
                "land",
                "mark",
                "rich",
                "hauer",
                "macher",
                "stern",
                "auer",
                "heim",
                "rode",
            ):
                if head.rstrip("s") in everyday and len(head) > 3:
                    return True
                continue
            if len(tail) > 4 or head in everyday or head in guides or head.rstrip("s") in guides:
                return True
    return False


@lru_cache(maxsize=5_000)
def is_town(text: str) -> bool:
    """Whether `text` is the name of a German town, hamlets apart."""
    return any(place.population >= _LARGE_TOWN for place in Places.load().find(text))


def find_names(text: str, hints: Iterable[str] = ()) -> list[Mention]:
    """Every mention of a person in `text`, in order and without overlaps.

    `text` may hold MASK where other things were found; `hints` are words (in lower case) that elsewhere, as in an
    e-mail address, seem to be names.
    """
    return _Finder(text, hints).run()


class _Finder:
    def __init__(self, text: str, hints: Iterable[str]) -> None:
        self.text = text
        self.tokens = [_Token(m.start(), m.end(), m[0], m[0].casefold()) for m in _TOKEN.finditer(text)]
        self.by_start = {token.start: number for number, token in enumerate(self.tokens)}
        self.starts = [token.start for token in self.tokens]
        self.found: dict[int, tuple[int, int]] = {}  # number of a token: first and last token of its mention
        self.gender: dict[int, str] = {}
        self.hints = {hint for hint in hints if len(hint) >= 3 and not _ordinary(hint)}
        self.protected = self._organisations()

    def run(self) -> list[Mention]:
        self._by_sign()
        self._by_lists()
        self._again()
        return self._mentions()

    # What a word is.

    def _first(self, number: int) -> bool:
        return _is_first(_bare(self.tokens[number].low))

    def _last(self, number: int) -> bool:
        low = _bare(self.tokens[number].low)
        return _is_last(low) or low in self.hints

    def _common(self, number: int) -> bool:
        return _ordinary(self.tokens[number].low)

    def _job(self, number: int) -> bool:
        token = self.tokens[number]
        return (
            token.capital and token.low.endswith(_JOB_ENDS) and not (_is_last(token.low) and not _ordinary(token.low))
        )

    def _org_word(self, number: int) -> bool:
        parts = re.split("[-‑]", self.tokens[number].low)
        return len(parts) > 1 and (
            parts[-1] in _ORGANISATION_AFTER or (_ordinary(parts[-1]) and not _is_last(parts[-1]))
        )

    def _gap(self, number: int) -> str:
        """What stands between this word and the next one."""
        if number + 1 >= len(self.tokens):
            return self.text[self.tokens[number].end :] or "\n"
        return self.text[self.tokens[number].end : self.tokens[number + 1].start]

    def _before(self, number: int) -> str:
        start = self.tokens[number].start
        return self.text[max(0, start - 40) : start]

    def _next_at(self, position: int) -> int | None:
        """The number of the word that begins at `position` or after blanks there."""
        while position < len(self.text) and self.text[position] in " \t\xa0*_\"„“'(":
            position += 1
        return self.by_start.get(position)

    def _organisations(self) -> set[int]:
        """The words of organisations' names, which stay."""
        inside: set[int] = set()
        for match in _LEGAL_FORM.finditer(self.text):
            words = list(range(*self._span(match.start(), match.end())))
            # From the legal form to the left as long as it is a name.
            form = match.end()
            for number in reversed(words):
                token = self.tokens[number]
                gap = self.text[token.end : form]
                small = token.low in (
                    "und",
                    "für",
                    "der",
                    "des",
                    "im",
                    "am",
                    "in",
                    "e",
                    "v",
                    "zur",
                    "von",
                    "mbh",
                    "co",
                    "k",
                )
                if token.low in _HONORIFICS or not (token.capital or small) or re.search(r"[,;:!?\n]", gap):
                    break
                inside.add(number)
                form = token.start
        for number, token in enumerate(self.tokens):
            if not token.capital:
                continue
            if (
                token.low in _ORGANISATION_BEFORE
                or token.low.endswith(("bäckerei", "fleischerei", "stiftung", "schule", "apotheke", "kanzlei"))
            ) and re.fullmatch(r"\.? ?[„\"]?| \x26 ", self._gap(number)):
                following = number + 1
                while following < len(self.tokens) and following <= number + 3 and self.tokens[following].capital:
                    if self.tokens[following].low in _HONORIFICS | _TITLES or (
                        self._common(following) and not self._last(following)
                    ):
                        break
                    inside.add(following)
                    if not re.fullmatch(r" |-| (?:&|\+) ", self._gap(following)):
                        break
                    following += 1
            if token.low in _ORGANISATION_AFTER or token.low.endswith(("stiftung", "schule")):
                back = number - 1
                while back >= 0 and back >= number - 3 and re.fullmatch(r" | (?:&|\+) ", self._gap(back)):
                    if not self.tokens[back].capital or self.tokens[back].low in _HONORIFICS | _TITLES:
                        break
                    inside.add(back)
                    back -= 1
                if back >= 0 and self.tokens[back].low in _HONORIFICS | _TITLES:
                    inside -= set(range(back, number))
        return inside

    def _span(self, start: int, end: int) -> tuple[int, int]:
        from bisect import bisect_left

        return bisect_left(self.starts, start), bisect_left(self.starts, end)

    # Taking a name.

    def _read(self, number: int, sure: bool, lower: bool = False) -> tuple[int, int] | None:
        """The first and last word of the name that begins at word `number`, or None.

        `sure`: something announced a name, so an unknown word is one. `lower`: it may be written small.
        """
        first, unknown, position = number, 0, number
        surname_seen = False
        last = -1
        words = 0
        while position < len(self.tokens) and words < _MOST_WORDS:
            token = self.tokens[position]
            if position > first and not self._joined(position - 1):
                break
            initial = len(token.text) == 1 and token.text.isupper()
            if (
                token.low in _TITLES
                and (words == 0 or not token.text.isupper() or len(token.text) > 2)
                and position + 1 < len(self.tokens)
                and not (len(token.text) == 1 and words)
            ):
                if words:
                    break
                position += 1
                first = position if not words else first
                continue
            if initial and (words or self._gap(position).startswith(".")):
                last = position
                words += 1
                position += 1
                continue
            if (
                token.low in _PARTICLES
                and (
                    not token.capital
                    or token.low in ("von", "van", "de", "al", "el", "abu", "graf", "ben", "bin", "da", "di")
                )
                and self._particle_leads(position, sure or words > 0)
            ):
                position += 1
                continue
            if not (token.capital or lower) or token.low in _NEVER or len(token.text) < 2:
                break
            if not token.capital and (
                _LOWER_STOP.match(token.low) or (words and not (self._first(position) or self._last(position)))
            ):
                break
            is_first, is_last = self._first(position), self._last(position)
            if self._org_word(position) and not (is_first or is_last):
                break
            if self._common(position):
                # A word that is also an ordinary one: only where a name was announced or a first name stands before it.
                if (
                    not ((is_last or is_first) and ((sure and words == 0) or (words and not surname_seen)))
                    or not token.capital
                ):
                    break
                if (
                    words == 0
                    and self._job(position)
                    and position + 1 < len(self.tokens)
                    and self._joined(position)
                    and self._leads_on(position + 1)
                ):
                    break
            elif not (is_first or is_last):
                if position in self.protected and not sure:
                    break
                if (
                    surname_seen
                    or unknown
                    or (words == 0 and not sure)
                    or len(token.text) < 2
                    or (words and is_town(token.text))
                    or (token.text.isupper() and len(token.text) < 4)
                ):
                    break
                unknown += 1
            if not is_first:
                surname_seen = True
            last = position
            words += 1
            position += 1
        if last < 0 or not any(len(self.tokens[n].text) > 1 or sure for n in range(first, last + 1)):
            return None
        return first, last

    def _joined(self, number: int) -> bool:
        """Whether the word after `number` may belong to the same name."""
        gap = self._gap(number)
        token = self.tokens[number]
        if _SPACE.match(gap) or gap in ("-", " - ", " (", ' "', " „", "“ ", '" ', ") ", "’", " '", "' "):
            return True
        dotted = (
            len(token.text) == 1
            or token.low in _TITLES
            or token.low in _HONORIFICS
            or token.low == "v"
            or token.low == "d"
        )
        return dotted and re.fullmatch(r"\.[ \t\xa0-]{0,2}", gap) is not None

    def _particle_leads(self, number: int, named: bool) -> bool:
        """Whether "von", "de" and the like lead to a surname here."""
        position = number
        while position < len(self.tokens) and self.tokens[position].low in _PARTICLES and position < number + 3:
            if not self._joined(position):
                return False
            position += 1
        if position >= len(self.tokens) or not named:
            return False
        token = self.tokens[position]
        if self.tokens[number].low == "und":
            return False
        if not token.capital and not (self._last(position) and not self._common(position)):
            return False
        if self._org_word(position) or position in self.protected:
            return False
        return self._last(position) or self._first(position) or not (self._common(position) or is_town(token.text))

    def _leads_on(self, number: int) -> bool:
        return self.tokens[number].capital and (self._last(number) or self._first(number) or not self._common(number))

    def _take(self, span: tuple[int, int] | None, gender: str = "") -> bool:
        if span is None or any(n in self.found for n in range(span[0], span[1] + 1)):
            return False
        for number in range(span[0], span[1] + 1):
            self.found[number] = span
        if gender:
            self.gender[span[0]] = gender
        return True

    # What announces a name.

    def _by_sign(self) -> None:
        for number, token in enumerate(self.tokens):
            if token.low in _HONORIFICS:
                self._after_honorific(number)
            elif token.low in ("dr", "prof", "ra", "rain") and token.capital and number not in self.found:
                self._after_title(number)
        self._greetings()
        self._closings()
        for match in _INTRODUCTION.finditer(self.text):
            self._announced(match.end(), lower="hei" in match[0].casefold() or "name" in match[0].casefold())
        for match in _WEAK_INTRODUCTION.finditer(self.text):
            self._weakly_announced(match)
        self._labels()
        self._chat_heads()
        for number in range(len(self.tokens) - 1):
            if self._job(number) and _SPACE.match(self._gap(number)) and number not in self.found:
                self._after_job(number)

    def _after_honorific(self, number: int) -> None:
        token = self.tokens[number]
        if token.low in ("fr", "hr", "ms", "fam") and not token.capital:
            return
        gap = self._gap(number)
        if not (
            _SPACE.match(gap) or re.fullmatch(r"\.[ \t\xa0]{0,2}|[ \t]?/[ \t]?", gap) or re.fullmatch(r" ?\n", gap)
        ):
            return
        if "\n" in gap and token.low not in ("herrn", "frau", "herr"):
            return
        position = number + 1
        if (
            position < len(self.tokens)
            and self.tokens[position].low in ("und", "oder")
            and position + 1 < len(self.tokens)
        ):
            return  # "Herr und Frau Schmidt": the second title leads to the name
        skipped = 0
        while position + 1 < len(self.tokens) and skipped < 4 and self._joined(position):
            word = self.tokens[position]
            if word.low in _TITLES or (
                word.capital
                and self._job(position)
                and self._leads_on(position + 1)
                and not (self._last(position) and self._ends_name(position))
            ):
                position += 1
                skipped += 1
            elif word.low in ("dipl", "ing"):
                position += 1
            else:
                break
        if position >= len(self.tokens):
            return
        word = self.tokens[position]
        gender = "m" if token.low in _MALE else "f" if token.low in _FEMALE else ""
        if not word.capital and word.low not in _PARTICLES:
            known = self._last(position) or self._first(position)
            possessed = re.search(
                r"\b(?:mein|ein|der|die|ihr|sein|dein|unser|zur|den|dem)\w*[ ]\Z", self._before(number), re.IGNORECASE
            )
            if _ordinary(word.low) or (not known and (possessed or len(word.text) < 4)):
                return
            self._take(self._read(position, sure=True, lower=True), gender)
            return
        if self._common(position) and not (self._last(position) or self._first(position) or word.low in _PARTICLES):
            return
        self._take(self._read(position, sure=True), gender)

    def _ends_name(self, number: int) -> bool:
        """Whether no further part of a name follows: "Herr Richter hat", not "Herr Richter Schmidt"."""
        return not (
            self._joined(number)
            and number + 1 < len(self.tokens)
            and self._leads_on(number + 1)
            and not self._common(number + 1)
        )

    def _after_title(self, number: int) -> None:
        position = number
        while position + 1 < len(self.tokens) and self.tokens[position].low in _TITLES and self._joined(position):
            position += 1
        if (
            position > number
            and self.tokens[position].capital
            and not (self._common(position) and not self._last(position))
            and not self._org_word(position)
        ):
            self._take(self._read(position, sure=True))

    def _greetings(self) -> None:
        for match in _GREETING.finditer(self.text):
            number = self._next_at(match.end())
            weak = match[0].strip(" \t>*,\n").casefold() in ("an", "von", "na", "liebe")
            for _ in range(4):
                if number is None or number >= len(self.tokens):
                    break
                token = self.tokens[number]
                if token.low in _HONORIFICS or number in self.found:
                    break
                if (
                    not weak
                    and self._job(number)
                    and self._joined(number)
                    and number + 1 < len(self.tokens)
                    and self._leads_on(number + 1)
                ):
                    number += 1
                    continue
                known = self._first(number) or self._last(number)
                if not known and (weak or not token.capital or is_town(token.text)):
                    break
                if self._common(number) and not (self._first(number) and token.capital):
                    break
                span = self._read(number, sure=True, lower=known)
                if not self._take(span) or span is None:
                    break
                follow = re.match(
                    r"(?:,| und| &| \+|,? und)[ \t]+(?:(?:lieber|liebe|hallo)[ \t]+)?",
                    self.text[self.tokens[span[1]].end :][:24],
                    re.IGNORECASE,
                )
                number = self._next_at(self.tokens[span[1]].end + follow.end()) if follow else None
                if number is not None and not (self._first(number) and not self._common(number)):
                    break

    def _closings(self) -> None:
        for match in _CLOSING.finditer(self.text):
            position = match.end()
            lines = self.text[position : position + 240].split("\n")
            taken = False
            seen = 0
            for line in lines:
                bare = line.strip(" \t*_-–—>|,")
                lead = _FUNCTION_LINE.match(bare)
                begin = position + (line.find(bare) if bare else 0) + (lead.end() if lead else 0)
                position += len(line) + 1
                if not bare:
                    continue
                seen += 1
                if seen > 4:
                    break
                if self._sign_off(
                    begin, bare[lead.end() if lead else 0 :], same_line=not match["line"], first=not taken
                ):
                    taken = True
                if not match["line"]:
                    break

    def _sign_off(self, begin: int, line: str, same_line: bool, first: bool) -> bool:
        number = self._next_at(begin)
        if number is None:
            return False
        start, end = self._span(begin, begin + len(line))
        count = end - start
        token = self.tokens[number]
        if number in self.found:
            return True
        if same_line and count > 3:
            return False
        known = self._first(number) or self._last(number)
        if number in self.protected or token.low in _NEVER or count > 6 or (self._common(number) and not known):
            if token.low in _TITLES:
                return self._take(self._read(number, sure=True))
            return False
        if not known and (
            not first
            or is_town(token.text)
            or self._org_word(number)
            or not token.capital
            or count > 3
            or re.search(r"\d|[@:]", line)
        ):
            return False
        if self._common(number) and not (token.capital and (count <= 3 and first)):
            return False
        if any(n in self.protected for n in range(start, end)):
            return False
        span = self._read(number, sure=True, lower=known)
        if not self._take(span) or span is None:
            return False
        joint = re.match(r"[ \t]*(?:und|&|\+|/|,|u\.)[ \t]*", self.text[self.tokens[span[1]].end : begin + len(line)])
        if (
            joint
            and (other := self._next_at(self.tokens[span[1]].end + joint.end())) is not None
            and self._first(other)
        ):
            self._take(self._read(other, sure=True, lower=True))
        return True

    def _announced(self, position: int, lower: bool) -> None:
        number = self._next_at(position)
        if number is None or number in self.found or self.tokens[number].low in _HONORIFICS:
            return
        token = self.tokens[number]
        known = self._first(number) or self._last(number)
        if not known and (self._common(number) or is_town(token.text) or (not token.capital and not lower)):
            return
        if not token.capital and _LOWER_STOP.match(token.low):
            return
        if self._common(number) and not token.capital:
            return
        small = not token.capital
        span = self._read(number, sure=True, lower=True)
        if span and small and lower:
            # "ich heiße nguyen thi lan und": the words up to the next ordinary one.
            last = span[1]
            while last + 1 < len(self.tokens) and last < number + 3 and _SPACE.match(self._gap(last)):
                following = self.tokens[last + 1]
                if _LOWER_STOP.match(following.low) or _ordinary(following.low) or following.low in _NEVER:
                    break
                last += 1
            span = span[0], last
        self._take(span)

    def _weakly_announced(self, match: re.Match[str]) -> None:
        number = self._next_at(match.end())
        if number is None or number in self.found:
            return
        token, with_article = (
            self.tokens[number],
            re.search(r"(?:die|der|[’']?s)\s*\Z", match[0], re.IGNORECASE) is not None,
        )
        if self._first(number) and not self._common(number):
            self._take(self._read(number, sure=True, lower=True))
        elif (
            token.capital
            and not self._common(number)
            and (self._last(number) or (with_article and not is_town(token.text) and not self._org_word(number)))
        ):
            self._take(self._read(number, sure=True))

    def _labels(self) -> None:
        for match in _LABEL.finditer(self.text):
            rest = self.text[match.end() : match.end() + 120].split("\n")[0]
            self._list_of_names(
                match.end(), match.end() + len(rest), "name" in match[0].casefold() or "inhaber" in match[0].casefold()
            )

    def _list_of_names(self, start: int, end: int, sure: bool) -> None:
        """Names from `start` on, with commas or "und" between them; up to the first word that is none."""
        number = self._next_at(start)
        for _ in range(8):
            if number is None or self.tokens[number].start >= end:
                return
            token = self.tokens[number]
            if number in self.found:
                span: tuple[int, int] | None = self.found[number]
            elif token.low in _HONORIFICS or (
                self._job(number) and number + 1 < len(self.tokens) and self._leads_on(number + 1)
            ):
                number += 1
                continue
            else:
                known = self._first(number) or self._last(number)
                if (
                    token.low in _NEVER
                    or number in self.protected
                    or (not known and (self._common(number) or is_town(token.text) or not token.capital))
                ):
                    return
                if self._common(number) and not (sure and token.capital):
                    return
                span = self._read(number, sure=True, lower=known)
                if not self._take(span):
                    return
            if span is None:
                return
            joint = re.match(r"[ \t]*(?:,|;|und|&|/|u\.)[ \t]*", self.text[self.tokens[span[1]].end : end])
            if not joint:
                return
            number = self._next_at(self.tokens[span[1]].end + joint.end())
            sure = sure and "," in joint[0]

    def _chat_heads(self) -> None:
        for match in _CHAT_HEAD.finditer(self.text):
            group = match.lastgroup or "name"
            start, end = match.span(group)
            first, last = self._span(start, end)
            if last <= first or last - first > 4:
                continue
            number = self._next_at(start)
            if number is None or number in self.found or self.tokens[number].low in _HONORIFICS:
                continue
            known = self._first(number) or self._last(number)
            if group == "speaker" and (
                last - first > 3 or self._common(number) or not (self.tokens[number].capital or known)
            ):
                continue
            if (
                group == "speaker"
                and not known
                and any(
                    self._common(n)
                    or is_town(self.tokens[n].text)
                    or self.tokens[n].text.isupper()
                    or n in self.protected
                    for n in range(first, last)
                )
            ):
                continue
            if self._common(number) and not known:
                continue
            self._take(self._read(number, sure=True, lower=True))

    def _after_job(self, number: int) -> None:
        position = number + 1
        token = self.tokens[position]
        if position in self.found or not token.capital or token.low in _HONORIFICS or position in self.protected:
            return
        if self._org_word(position) or is_town(token.text):
            return
        if self._common(position) and not (self._first(position) and len(token.text) > 3):
            return
        if not (self._first(position) or self._last(position)) and (token.text.isupper() or self._common(position)):
            return
        self._take(self._read(position, sure=True))

    # What needs no sign.

    def _by_lists(self) -> None:
        for number, token in enumerate(self.tokens):
            if number in self.found or number in self.protected or len(token.text) < 2:
                continue
            if not token.capital:
                self._written_small(number)
                continue
            if self._org_word(number):
                continue
            common = self._common(number)
            first, last = self._first(number), self._last(number)
            follows = number + 1 < len(self.tokens) and _SPACE.match(self._gap(number)) is not None
            if first and not common:
                if len(token.text) < 3 and not (follows and self.tokens[number + 1].capital and self._last(number + 1)):
                    continue
                if is_town(token.text) and not (follows and self._leads_on(number + 1)):
                    continue
                self._take(self._with_initials(self._read(number, sure=False) or (number, number)))
            elif (
                first
                and follows
                and self.tokens[number + 1].capital
                and self._last(number + 1)
                and not self._common(number + 1)
            ):
                if not _ARTICLE.search(self._before(number)) or not token.low.endswith("e"):
                    span = self._read(number + 1, sure=False)
                    self._take((number, span[1]) if span else None)
            elif last and not common and len(token.text) > 2:
                if is_town(token.text) and not _INITIALS.search(self._before(number)):
                    continue
                if token.text.isupper() and len(token.text) < 5:
                    continue
                self._take(self._with_initials(self._read(number, sure=False) or (number, number)))
            elif (
                last
                and _INITIALS.search(self._before(number))
                and not _ABBREVIATION_BEFORE.search(self._before(number))
            ):
                self._take(self._with_initials((number, number)))
            elif not common and _FOREIGN.search(token.text) and len(token.text) > 2 and not is_town(token.text):
                self._take(self._read(number, sure=True) if not token.text.isupper() else None)
            elif (
                not common
                and follows
                and self._unknown(number)
                and self._unknown(number + 1)
                and number + 1 not in self.found
            ):
                self._take((number, number + 1))

    def _written_small(self, number: int) -> None:
        """A name in a chat that knows no capitals: one of the usual first names, or a first name and a surname."""
        low = _bare(self.tokens[number].low)
        if len(low) < 4 or _ordinary(low) or not _is_first(low):
            return
        follows = number + 1 < len(self.tokens) and _SPACE.match(self._gap(number)) is not None
        if (
            follows
            and self._last(number + 1)
            and not self._common(number + 1)
            and len(self.tokens[number + 1].text) > 2
        ):
            self._take((number, number + 1))
        elif low in _words("known_first_names.txt"):
            self._take((number, number))

    def _unknown(self, number: int) -> bool:
        token = self.tokens[number]
        return (
            len(token.text) > 2
            and token.text[1:].islower()
            and token.capital
            and number not in self.protected
            and not self._org_word(number)
            and not self._common(number)
            and not is_town(token.text)
        )

    def _with_initials(self, span: tuple[int, int]) -> tuple[int, int]:
        """Also the initials before: "P. Wischnewski"."""
        before = self._before(span[0])
        match = _INITIALS.search(before)
        if not match or _ABBREVIATION_BEFORE.search(before):
            return span
        start = self.tokens[span[0]].start - len(match[0])
        return self.by_start.get(start, span[0]), span[1]

    def _again(self) -> None:
        """The same name elsewhere in the text, also written small, or with a genitive's s."""
        known = {
            _bare(self.tokens[n].low) for n in self.found
            if len(self.tokens[n].text) > 2 and self.tokens[n].low not in _PARTICLES | _TITLES
        }  # fmt: skip
        parts = (
            set(chain(known, *(re.split("[-‑]", word) for word in known if "-" in word or "‑" in word))) | self.hints
        )
        for number, token in enumerate(self.tokens):
            if number in self.found or number in self.protected or len(token.text) < 3:
                continue
            low = _bare(token.low)
            low = low[:-1] if low not in parts and low.endswith("s") and low[:-1] in parts else low
            if low not in parts:
                continue
            if _ordinary(low) and (not token.capital or _ARTICLE.search(self._before(number))):
                continue
            if is_town(token.text) and low not in known:
                continue
            if token.capital or (len(low) > 3 and not _ordinary(token.low)) or _is_first(low):
                self._take((number, number))

    def _mentions(self) -> list[Mention]:
        mentions = []
        for first, last in sorted(set(self.found.values())):
            tokens = self.tokens[first : last + 1]
            words = frozenset(
                _bare(t.low) for t in tokens if t.low not in _PARTICLES | _TITLES | _HONORIFICS or len(tokens) == 1
            )
            end = tokens[-1].end
            if len(tokens[-1].text) == 1 and self.text[end : end + 1] == ".":
                end += 1
            mentions.append(Mention(tokens[0].start, end, words, self.gender.get(first, "")))
        return mentions


def persons(mentions: list[Mention]) -> Iterator[int]:
    """For each mention the number of its person, from 1 in the order of the text.

    "Frau Wischnewski", "Petra Wischnewski" and "Petra" are one where no other person fits as well.
    """
    kinds = list(dict.fromkeys((mention.words, mention.gender) for mention in mentions))
    whole = [
        kind
        for kind in kinds
        if not any(other != kind and _within(kind, other) and not _within(other, kind) for other in kinds)
    ]
    person: dict[tuple[frozenset[str], str], tuple[frozenset[str], str]] = {}
    first_gender: dict[frozenset[str], str] = {}
    for kind in kinds:
        fits = [other for other in whole if _within(kind, other)]
        if kind[1] and first_gender.setdefault(kind[0], kind[1]) != kind[1]:
            fits = []  # "Frau Meier" has been named, so "Herr Meier" is another one
        # Several names that contain each other are one person; several that do not are a doubt, so this is another one.
        person[kind] = fits[0] if fits and all(_within(fit, fits[0]) for fit in fits) else kind
    numbers: dict[tuple[frozenset[str], str], int] = {}
    for mention in mentions:
        yield numbers.setdefault(person[mention.words, mention.gender], len(numbers) + 1)


def _within(part: tuple[frozenset[str], str], whole: tuple[frozenset[str], str]) -> bool:
    if part[1] and whole[1] and part[1] != whole[1]:
        return False
    return all(
        word in whole[0] or (len(word) == 1 and any(other.startswith(word) for other in whole[0])) for word in part[0]
    )
