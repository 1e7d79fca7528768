"""The small parts of the bot: text cut for Telegram, smalltalk, questions in a text, settings, catalogues."""

import re
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from aiogram.methods import SendMessage
from aiogram.types import MessageEntity
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from bot.answering import detect_language, is_elliptical, questions_in, windows
from bot.callbacks import NO_PASSAGE, OpenSection
from bot.cli import app as cli
from bot.dialogue import Dialogue, LanguageMode, Turn
from bot.inbox import chat_key
from bot.library import Library, passage_by_code, passage_code
from bot.richtext import split, units
from bot.settings import ConfigurationError, Settings, TelegramSettings, load_settings, load_telegram
from bot.smalltalk import smalltalk
from bot.translation import LOCALES
from bot.vault import Vault
from bot.views import Views
from indexer.passages import passages_of, plain
from knowledge_base.guide import load_or_raise

PROJECT = Path(__file__).parents[2]


def test_long_text_is_cut_at_paragraph_ends_with_its_entities() -> None:
    text = "\n\n".join(f"Absatz {n} 😀 " + "wort " * 100 for n in range(30))
    bold = [MessageEntity(type="bold", offset=0, length=units(text))]
    pieces = split(text, bold)
    assert len(pieces) > 1
    assert "".join("".join(piece.text.split()) for piece in pieces) == "".join(text.split())
    for piece in pieces:
        assert units(piece.text) <= 4096
        assert piece.text.startswith("Absatz")
        assert [(entity.offset, entity.length) for entity in piece.entities] == [(0, units(piece.text))]


@pytest.mark.parametrize("text", ["😀" * 5000, "x" * 9000, "ä\n" * 6000])
def test_text_without_good_places_is_cut_all_the_same(text: str) -> None:
    pieces = split(text, [])
    assert all(0 < units(piece.text) <= 4096 for piece in pieces)
    assert "".join("".join(piece.text.split()) for piece in pieces) == "".join(text.split())


def test_more_than_a_hundred_entities_go_into_several_messages() -> None:
    entities = [MessageEntity(type="bold", offset=4 * n, length=3) for n in range(250)]
    pieces = split("abc " * 250, entities)
    assert sum(len(piece.entities) for piece in pieces) >= 250
    assert all(len(piece.entities) <= 100 for piece in pieces)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Guten Morgen!", "greeting"),
        ("Hallo, bist du ein Bot oder ein Mensch?", "machine"),
        ("👍👍", "empty"),
        ("so ein scheiß bot", "insult"),
        ("Tschüss und danke", "thanks"),
        ("Hallo, wie schreibe ich den Bäcker an?", None),
        ("Danke sagen auf Facebook mit Link zur Firma", None),
        ("Dumm gelaufen, Sponsor weg", None),
        ("Hilfe bei Verträgen", None),
    ],
)
def test_smalltalk_is_told_from_questions(text: str, kind: str | None) -> None:
    assert smalltalk(text) == kind


def test_questions_that_stand_alone_are_found_with_their_lead() -> None:
    text = "Unser Chor probt im Rathaus. Dürfen wir dort Eintritt nehmen? Und wer zahlt am Ende die Heizung? Geht das?"
    assert questions_in(text) == [
        "Unser Chor probt im Rathaus. Dürfen wir dort Eintritt nehmen?",
        "Und wer zahlt am Ende die Heizung?",
    ]
    assert questions_in("Nur eine Frage: Wer unterschreibt den Vertrag?") == []


def test_endless_text_is_read_in_pieces_that_fit() -> None:
    assert all(len(piece) <= 2400 for piece in windows("wort " * 6000))
    assert sum(len(piece) for piece in windows("x" * 30_000)) <= 6000


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Corporate Volunteering Ablauf", "de"),
        ("do we need a contract", "en"),
        ("Чи можемо ми отримати квитанцію?", "uk"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_follow_ups_are_short_and_lean_back() -> None:
    assert is_elliptical("und was kostet das?")
    assert is_elliptical("gilt das auch für eine gGmbH?")
    assert not is_elliptical("Unser Verein bekommt Geld von einer Firma für die Jugendarbeit, dürfen wir danken?")


def test_a_tap_in_a_group_waits_in_the_lane_of_its_chat() -> None:
    person, group = {"id": 7}, {"id": -5}
    message = {"update_id": 1, "message": {"message_id": 1, "chat": group, "from": person}}
    tap = {"update_id": 2, "callback_query": {"id": "1", "from": person, "message": {"message_id": 1, "chat": group}}}
    assert chat_key(message) == chat_key(tap) == "-5"
    assert chat_key({"update_id": 3, "callback_query": {"id": "1", "from": person}}) == "7"
    assert chat_key({"update_id": 4, "message": {"chat": "nonsense"}}) == "none"


def test_callback_data_fits_for_every_guide() -> None:
    for guide in load_or_raise().guides.values():
        data = OpenSection(guide=guide.id, section="s", best="r9", version=guide.version).pack()
        assert len(data.encode()) <= 64


def test_every_key_of_the_example_file_is_a_setting_and_the_other_way_round() -> None:
    text = (PROJECT / ".env.example").read_text(encoding="utf-8")
    keys = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    fields = {f"LOTSE_{name.upper()}" for name in Settings.model_fields}
    fields |= {f"TELEGRAM_{name.upper()}" for name in TelegramSettings.model_fields}
    assert keys == fields


def test_the_example_file_is_a_valid_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOTSE_DATA_DIR", raising=False)
    Path(".env").write_text((PROJECT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    assert load_settings().data_dir == Path("data")
    with pytest.raises(ConfigurationError, match="TELEGRAM_BOT_TOKEN fehlt"):
        load_telegram()


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTSE_LEASE_SECONDS", "bald")
    with pytest.raises(ConfigurationError, match="LOTSE_LEASE_SECONDS"):
        load_settings()


def test_every_message_is_translated_with_its_placeholders() -> None:
    used = {
        str(message)
        for path in (PROJECT / "bot/views").glob("*.py")
        for _, message, _, _ in extract_from_file("python", path, keywords={"_": None})
    }
    with (LOCALES / "de/LC_MESSAGES/lotse.po").open("rb") as file:
        german = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    assert set(german) == used
    for message, translation in german.items():
        assert translation
        assert re.findall(r"{\w+}", message) == re.findall(r"{\w+}", translation)


def test_the_key_is_private_and_another_key_opens_nothing(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "a.key")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    locked = vault.lock(b"Frage")
    assert Vault.open(tmp_path / "a.key").unlock(locked) == b"Frage"
    with pytest.raises(ValueError, match="another key"):
        Vault.open(tmp_path / "b.key").unlock(locked)
    (tmp_path / "a.key").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="Sicherung"):
        Vault.open(tmp_path / "a.key")


def test_an_overdue_guide_says_so() -> None:
    library = Library(load_or_raise())
    turn = Turn(Dialogue(1, 1), now=datetime(2029, 1, 1, tzinfo=UTC).timestamp())
    guide = library.guide("konflikte", date(2029, 1, 1))
    assert guide
    Views(library, "bot", "").answer(turn, guide, NO_PASSAGE)
    (call,) = turn.outgoing
    assert isinstance(call.method, SendMessage)
    assert call.method.text.startswith("Achtung: Dieser Leitfaden sollte bis zum 24.11.2027 überprüft werden.")


@pytest.mark.parametrize("guide", sorted(load_or_raise().guides))
@pytest.mark.parametrize("sector", [None, "verwaltung"])
@pytest.mark.parametrize("mode", ["de", "en", "easy"])
def test_every_answer_of_every_guide_fits_one_message(guide: str, sector: str | None, mode: LanguageMode) -> None:
    library = Library(load_or_raise())
    found = library.guide(guide, date(2026, 11, 24))
    assert found
    for best in (NO_PASSAGE, "s0", "r1", "b0"):
        turn = Turn(Dialogue(1, 1, sector=sector, language=mode), now=datetime(2026, 11, 24, tzinfo=UTC).timestamp())
        Views(library, "bot", "").answer(turn, found, best)
        assert len(turn.outgoing) == 1, "the buttons change this one message in place"


def test_the_readme_names_commands_that_exist() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    commands = {
        command.name or str(command.callback.__name__) for command in cli.registered_commands if command.callback
    }
    commands |= {str(group.name) for group in cli.registered_groups}
    assert set(re.findall(r"`lotse (\w+)", readme)) == commands
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make (chat|test|bot|bench|install)\b", readme)) <= targets


def test_a_passage_is_shown_as_the_guide_has_it_and_whole() -> None:
    for guide in load_or_raise().filled(date(2026, 11, 24)):
        for passage in passages_of(guide):
            shown = passage_by_code(guide, passage_code(guide, passage.heading, passage.text))
            assert shown
            assert shown[0] == passage.heading
            assert all(line in guide.sections[passage.heading].split("\n") for line in shown[1].split("\n"))
            assert "".join(passage.text.split()) in "".join(plain(shown[1]).split())
