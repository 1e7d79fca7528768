"""The conversation around the answers: who the assistant is, settings, menus, smalltalk."""

from aiogram.types import BotCommand, CallbackQuery, Message
from aiogram.utils.formatting import Bold, Italic, Text

from bot.callbacks import OpenChapter, OpenChapters, OpenGuide, SetLanguage, SetSector
from bot.dialogue import Turn
from bot.translation import Translate, translator
from bot.views.base import Speaker, button

# Texts of the assistant exist in these; guides are German with an English summary.
INTERFACE_LANGUAGES = ("de", "en")
COMMANDS = (
    "start",
    "hilfe",
    "themen",
    "partner",
    "buendnis",
    "glossar",
    "anlaufstellen",
    "ort",
    "sektor",
    "sprache",
    "impressum",
    "abbrechen",
)


class ConversationViews(Speaker):
    def start(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        text = Text(
            Bold(_("I am the Kooperationslotse.")),
            "\n\n",
            _(
                "I answer questions about cooperation between public administration, business and civil society in Germany: how to find partners, agree on things, handle money and law, and work together."
            ),
            "\n\n",
            _(
                "I am a computer program, an AI system (Art. 50 of the EU AI Act), not a person. I search checked guides and show their text with its sources. I write nothing myself, and I say so when I do not know something."
            ),
            "\n\n",
            _("I give information. I do not give legal or tax advice (RDG, StBerG)."),
            "\n\n",
            _(
                "What I store: your Telegram number with your choice of sector and language, your place if you give it, and the topic of your last answer. Your messages are stored encrypted until they are answered, and then deleted."
            ),
        )
        self._say(turn, text)
        self.sector(turn)

    def sector(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        rows = [[button(label, SetSector(sector=sector))] for sector, label in self._sectors(_)]
        rows.append([button(_("Skip"), SetSector(sector="-"))])
        self._say(turn, Text(_("Which sector do you work in? Then I also show you your own sector's view.")), rows)

    def sector_set(self, turn: Turn, query: CallbackQuery) -> None:
        _ = self._translate(turn.dialogue)
        label = dict(self._sectors(_)).get(turn.dialogue.sector or "")
        chosen = _("Your sector: {sector}.").format(sector=label) if label else _("Fine, without a sector.")
        self._replace(
            turn, query, Text(chosen, " ", _("Ask me your question in your own words, or choose from /themen."))
        )

    def language(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        rows = [[button(label, SetLanguage(language=mode))] for mode, label in self._modes()]
        self._say(turn, Text(_("In which language shall I answer?")), rows)

    def language_set(self, turn: Turn, query: CallbackQuery) -> None:
        _ = self._translate(turn.dialogue)
        label = dict(self._modes())[turn.dialogue.language or "de"]
        text = Text(_("Language: {language}.").format(language=label))
        if turn.dialogue.language == "easy":
            text += Text("\n\n", Italic(easy_label(_)))
        self._replace(turn, query, text)

    def help(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        lines = [f"/{command} – {text}" for command, text in self._command_texts(_)]
        text = Text(
            _(
                "Write your question as you would ask a colleague. A situation is enough, you need not know the right term."
            ),
            "\n\n",
            "\n".join(lines),
            "\n\n",
            _("In groups I answer commands, mentions and replies to my messages only."),
        )
        self._say(turn, text)

    def cancelled(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(_("Done, I have forgotten what we were talking about. Ask me something new.")))

    def impressum(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(turn, Text(self._impressum or _("The operator of this bot has not entered an imprint yet.")))

    def chapters(self, turn: Turn, query: CallbackQuery | None = None) -> None:
        _ = self._translate(turn.dialogue)
        taxonomy, english = self.library.taxonomy, self._interface(turn.dialogue) == "en"
        rows = []
        for chapter in self.library.chapters():
            title = taxonomy.chapters[chapter].title_en if english else taxonomy.chapters[chapter].title
            rows.append([button(title, OpenChapter(chapter=chapter))])
        text = Text(_("My topics by chapter:"))
        self._replace(turn, query, text, rows) if query else self._say(turn, text, rows)

    def chapter(self, turn: Turn, query: CallbackQuery, chapter: str) -> None:
        _ = self._translate(turn.dialogue)
        taxonomy = self.library.taxonomy.chapters[chapter]
        title = taxonomy.title_en if self._interface(turn.dialogue) == "en" else taxonomy.title
        rows = [[button(guide.title, OpenGuide(guide=guide.id))] for guide in self.library.chapter(chapter)]
        rows.append([button(_("← All chapters"), OpenChapters())])
        self._replace(turn, query, Text(Bold(title)), rows)

    def smalltalk(self, turn: Turn, kind: str, message: Message | None, *, edit: bool = False) -> None:
        _ = self._translate(turn.dialogue)
        texts = {
            "greeting": _("Hello! What would you like to know about working together across sectors?"),
            "thanks": _("You are welcome. Ask me whenever you have another question."),
            "farewell": _("Goodbye, and good luck with your plans!"),
            "machine": _(
                "No, I am a computer program. I search checked guides and show their text with its sources. I write nothing myself."
            ),
            "ability": _(
                "I answer questions about cooperation between public administration, business and civil society, for example on agreements, donations, funding or first talks. /themen shows everything I know about."
            ),
            "wellbeing": _(
                "Thank you for asking. I am a program, so I am always the same. What can I look up for you?"
            ),
            "insult": _("I am sorry that I was no help. Tell me in a sentence what you need, and I will look again."),
            "empty": _("Please write me your question in a sentence."),
        }
        self._say(turn, Text(texts[kind]), answers=message, edit=edit)

    def unsupported(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(
                _(
                    "I can only read text, so I cannot use photos, voice messages, stickers or documents. Please write your question as a message; I will gladly look it up in my guides."
                )
            ),
        )

    def slowed(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(
                _(
                    "You are asking very quickly. I answer everything, one after the other, but a little more slowly now."
                )
            ),
        )

    def failure(self, turn: Turn) -> None:
        _ = self._translate(turn.dialogue)
        self._say(
            turn,
            Text(_("Something went wrong on my side, and I could not handle your message. Please try again later.")),
        )

    def commands(self, language: str) -> list[BotCommand]:
        """The commands for Telegram's menu in `language`."""
        return [BotCommand(command=name, description=text) for name, text in self._command_texts(translator(language))]

    def _command_texts(self, _: Translate) -> list[tuple[str, str]]:
        texts = {
            "start": _("Who I am, and what I store"),
            "hilfe": _("How to ask, and all commands"),
            "themen": _("Browse the topics by chapter"),
            "partner": _("Find partners for your plan"),
            "buendnis": _("Partners of all three sectors for one need"),
            "glossar": _("Words that mean different things to each sector"),
            "anlaufstellen": _("Offices near you that give advice"),
            "ort": _("Your place: give, see, delete"),
            "sektor": _("Choose your sector"),
            "sprache": _("German, English or simple German"),
            "impressum": _("Who operates this bot"),
            "abbrechen": _("Stop, and start over"),
        }
        return [(command, texts[command]) for command in COMMANDS]

    def _sectors(self, _: Translate) -> list[tuple[str, str]]:
        return [
            ("verwaltung", _("Public administration")),
            ("wirtschaft", _("Business")),
            ("zivilgesellschaft", _("Civil society")),
        ]

    def _modes(self) -> list[tuple[str, str]]:
        # Each language is named in itself, whatever the current one is.
        return [("de", "Deutsch"), ("en", "English"), ("easy", "Leichte Sprache")]


def easy_label(_: Translate) -> str:
    return _("Modelled on Leichte Sprache. Not yet tested with readers.")
