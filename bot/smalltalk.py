"""Greetings, thanks and the like: recognised only when nothing else is said, so that no question is mistaken for one."""

import re
from typing import Literal

Kind = Literal["greeting", "thanks", "farewell", "machine", "ability", "wellbeing", "insult", "empty"]

# Words that may stand beside the telling ones. A text is smalltalk only if all its words belong to one kind.
_FILLER = set(
    """
    und ja ok okay na du sie ihr euch ihnen dir mir mich lieber liebe liebes bot lotse kooperationslotse leute
    zusammen alle miteinander mal so sehr ganz the you there all and a bit
    """.split()
)
_WORDS: dict[Kind, set[str]] = {
    "greeting": set(
        """
        hallo hallöchen hi hey heyho moin servus grüezi tach tag guten gutn morgen abend grüß gruß gott dich
        grüßgott mahlzeit hello good morning evening afternoon merhaba selam salut bonjour bonsoir привіт
        вітаю مرحبا
        """.split()
    ),
    "thanks": set(
        """
        ok okay danke dankeschön dank vielen herzlichen tausend lieben besten schön super toll prima perfekt
        klasse spitze hilfreich das war hat geholfen bedanke für die hilfe antwort auskunft thanks thank much
        many great helpful cheers teşekkürler teşekkür ederim merci дякую شكرا
        """.split()
    ),
    "farewell": set(
        """
        tschüss tschüß tschau ciao bis bald dann später morgen auf wiedersehen wiederschauen ade schönen abend
        tag noch bye goodbye see later
        """.split()
    ),
    "insult": set(
        """
        idiot idiotin depp trottel blöd blöder blöde blödmann dumm dummer dumme dummkopf arsch arschloch
        scheiß scheiße scheisse mist müll fuck fucking shit stupid useless nutzlos nutzloser unbrauchbar
        scheißbot hirni vollidiot penner wichser hurensohn fresse halt hau ab verpiss verpisst dich bist was
        für ein eine einen bot echt voll ist das doch are is this such crap programm ding
        """.split()
    ),
}
_TELLING: dict[Kind, set[str]] = {
    "greeting": _WORDS["greeting"] - set("guten gutn good".split()),
    "thanks": set(
        """
        ok okay danke dankeschön dank bedanke thanks thank cheers teşekkürler teşekkür merci дякую شكرا super
        toll prima perfekt klasse spitze hilfreich geholfen
        """.split()
    ),
    "farewell": set(
        """
        tschüss tschüß tschau ciao bis wiedersehen wiederschauen ade bye goodbye later schönen
        """.split()
    ),
    "insult": set(
        """
        idiot idiotin depp trottel blöd blöder blöde blödmann dumm dummer dumme dummkopf arsch arschloch
        scheiß scheiße scheisse fuck fucking shit stupid useless nutzlos nutzloser unbrauchbar scheißbot hirni
        vollidiot penner wichser hurensohn fresse verpiss crap müll
        """.split()
    ),
}
_PHRASES: dict[Kind, re.Pattern[str]] = {
    "machine": re.compile(
        r"(bist|sind) (du|sie) (denn |eigentlich |wirklich |echt )?(ein |eine |'ne |n )?(echter |echte |richtiger )?(mensch|maschine|bot|roboter|ki|künstliche intelligenz|computer|programm|person|chatgpt)( oder (ein |eine )?(mensch|maschine|bot|roboter|ki|computer|programm))?"
        r"|(spreche|rede|schreibe|chatte) ich (hier |gerade |da )?mit (einem|einer|nem) (echten |richtigen )?(mensch|menschen|maschine|bot|roboter|ki|computer|person)"
        r"|are you (a |an )?(real )?(human|person|bot|robot|machine|ai|computer)( or (a |an )?(human|bot|robot|machine|ai|computer))?"
        r"|am i (talking|speaking|chatting) (to|with) (a |an )?(real )?(human|person|bot|robot|machine|ai|computer)"
        r"|(wer|was) (bist|sind) (du|sie)( eigentlich| denn)?|who are you|what are you"
    ),
    "ability": re.compile(
        r"was (kannst|können|machst|machen|weißt|wissen) (du|sie)( eigentlich| denn| so| alles)*|(wobei|wie) (kannst|können) (du|sie) (mir |uns )?helfen"
        r"|what can you do|how can you help( me)?|hilfe|help"
    ),
    "wellbeing": re.compile(
        r"(na )?wie geht('s|s| es)?( dir| ihnen)?( heute| denn| so)*|alles (gut|klar)( bei dir| bei ihnen)?|how are you( doing| today)*"
    ),
}
_NOT_WORDS = re.compile(r"[^\w']+")


def smalltalk(text: str) -> Kind | None:
    """The kind of smalltalk that `text` (cleaned) is, or None when it should be searched.

    A text without two letters asks nothing: it is `empty`.
    """
    words = _NOT_WORDS.sub(" ", text.lower().replace("’", "'")).replace("_", " ").split()
    if sum(character.isalpha() for character in text) < 2:
        return "empty"
    if len(words) > 12:
        return None
    phrase = " ".join(words)
    without_greeting = " ".join(word for word in words if word not in _WORDS["greeting"]) or phrase
    for kind, pattern in _PHRASES.items():
        if pattern.fullmatch(phrase) or pattern.fullmatch(without_greeting):
            return kind
    for kind in ("insult", "thanks", "farewell", "greeting"):
        if set(words) <= _WORDS[kind] | _FILLER and set(words) & _TELLING[kind]:
            return kind
    # "Hallo und danke" is thanks; a greeting with anything else is a question.
    if (
        set(words) <= _WORDS["greeting"] | _WORDS["thanks"] | _WORDS["farewell"] | _FILLER
        and set(words) & _TELLING["thanks"]
    ):
        return "thanks"
    return None
