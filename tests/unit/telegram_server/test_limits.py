"""The server refuses what Telegram would refuse."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BotCommand, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.constants import InlineKeyboardButtonLimit, MessageLimit

from tests.telegram_server import Json, TelegramServer, User, limits
from tests.unit.telegram_server.conftest import Api


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", started=True)


def inline(*rows: list[Json]) -> Json:
    return {"inline_keyboard": list(rows)}


def test_the_figures_agree_with_a_second_implementation() -> None:
    assert limits.MAX_TEXT == MessageLimit.MAX_TEXT_LENGTH
    assert limits.MAX_CAPTION == MessageLimit.CAPTION_LENGTH
    assert limits.MAX_ENTITIES == MessageLimit.MESSAGE_ENTITIES
    assert limits.MAX_CALLBACK_DATA_BYTES == InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
    assert limits.MAX_COPY_TEXT == InlineKeyboardButtonLimit.MAX_COPY_TEXT


@pytest.mark.parametrize("text", ["x" * 4096, "ä" * 4096, "🙂" * 2048, "x" * 4096 + "  \n"])
async def test_the_longest_text_is_accepted(api: Api, anna: User, text: str) -> None:
    assert (await api.ok("sendMessage", chat_id=anna.id, text=text))["text"] == text.rstrip()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x" * 4097, "message is too long"),
        ("x" * 5000, "message is too long"),
        ("🙂" * 2049, "message is too long"),  # counted in UTF-16
        ("ä" * 16_385, "text is too long"),  # more than 32,768 bytes
        ("", "message text is empty"),
        (" \n ", "message text is empty"),
        ("half a \ud83d pair", "strings must be encoded in UTF-8"),
    ],
)
async def test_unfit_texts_are_refused(api: Api, anna: User, text: str, problem: str) -> None:
    assert await api.refused("sendMessage", chat_id=anna.id, text=text) == f"400 Bad Request: {problem}"
    assert anna.messages == []


async def test_a_caption_has_its_own_limit(api: Api, anna: User) -> None:
    photo = (await anna.send_photo())["photo"][-1]["file_id"]
    await api.ok("sendPhoto", chat_id=anna.id, photo=photo, caption="x" * 1024)
    refused = await api.refused("sendPhoto", chat_id=anna.id, photo=photo, caption="x" * 1025)
    assert refused == "400 Bad Request: message caption is too long"


@pytest.mark.parametrize(
    ("entity", "problem"),
    [
        ((0, 6), "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 6"),
        ((5, 1), "entity begins after the end of the text at UTF-16 offset 5"),
        ((-1, 2), "receive an entity with incorrect offset"),
        ((0, 4), "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"),
        ((4, 1), "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        ((0, 0), "[test server] an entity of length 0: Telegram drops it"),
    ],
)
async def test_entities_stay_within_the_text(api: Api, anna: User, entity: tuple[int, int], problem: str) -> None:
    entities = [{"type": "bold", "offset": entity[0], "length": entity[1]}]
    refused = await api.refused("sendMessage", chat_id=anna.id, text="abc🙂", entities=entities)
    assert refused == f"400 Bad Request: {problem}"


async def test_entities_nest_and_do_not_cross(api: Api, anna: User) -> None:
    outer = {"type": "bold", "offset": 0, "length": 3}
    inner = {"type": "italic", "offset": 1, "length": 2}
    message = await api.ok("sendMessage", chat_id=anna.id, text="abcd", entities=[inner, outer])
    assert message["entities"] == [outer, inner]
    await api.refused("sendMessage", chat_id=anna.id, text="abcd", entities=[outer, {**inner, "length": 3}])


async def test_at_most_100_entities(api: Api, anna: User) -> None:
    entities = [{"type": "bold", "offset": offset, "length": 1} for offset in range(101)]
    await api.ok("sendMessage", chat_id=anna.id, text="x" * 101, entities=entities[:100])
    assert "101 entities" in await api.refused("sendMessage", chat_id=anna.id, text="x" * 101, entities=entities)


@pytest.mark.parametrize(
    "entity",
    [{"type": "sparkle"}, {"type": "text_link"}, {"type": "text_link", "url": "not a link"}, {"type": "text_mention"}],
)
async def test_entity_types_need_what_belongs_to_them(api: Api, anna: User, entity: Json) -> None:
    await api.refused("sendMessage", chat_id=anna.id, text="x", entities=[{"offset": 0, "length": 1, **entity}])


@pytest.mark.parametrize(
    ("button", "problem"),
    [
        ({"callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"callback_data": "ü" * 33}, "BUTTON_DATA_INVALID"),
        ({"callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({}, "Text buttons are unallowed"),
        ({"callback_data": "x", "url": "https://example.org"}, "several actions"),
        ({"copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        ({"url": "example"}, "Wrong HTTP URL"),
        ({"url": "ftp://example.org"}, "Wrong HTTP URL"),
        ({"url": "javascript:alert(1)"}, "Wrong HTTP URL"),
        ({"url": "https://t.me/some_bot?start=zu%20frei"}, "start payload"),
        ({"url": f"https://t.me/some_bot?start={'x' * 65}"}, "start payload"),
        ({"text": "  ", "callback_data": "x"}, "Text must be non-empty"),
        ({"callbackdata": "x"}, "unknown field 'callbackdata'"),
    ],
)
async def test_unfit_buttons_are_refused(api: Api, anna: User, button: Json, problem: str) -> None:
    markup = inline([{"text": "Schritte", **button}])
    assert problem in await api.refused("sendMessage", chat_id=anna.id, text="x", reply_markup=markup)
    message = await api.ok("sendMessage", chat_id=anna.id, text="x")
    assert problem in await api.refused(
        "editMessageReplyMarkup", chat_id=anna.id, message_id=message["message_id"], reply_markup=markup
    )


@pytest.mark.parametrize(
    "button",
    [
        {"callback_data": "x" * 64},
        {"url": "https://example.org/a?b=c"},
        {"url": f"https://t.me/some_bot?start={'x' * 64}"},
        {"url": "tg://user?id=1"},
        {"copy_text": {"text": "x" * 256}},
    ],
)
async def test_fit_buttons_are_accepted(api: Api, anna: User, button: Json) -> None:
    message = await api.ok(
        "sendMessage", chat_id=anna.id, text="x", reply_markup=inline([{"text": "Schritte", **button}])
    )
    assert message["reply_markup"] == inline([{"text": "Schritte", **button}])


async def test_a_keyboard_has_at_most_8_a_row_and_100_in_all(api: Api, anna: User) -> None:
    button = {"text": "x", "callback_data": "x"}
    await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=inline(*[[button] * 8] * 12))
    for markup in (inline([button] * 9), inline(*[[button]] * 101), inline([])):
        await api.refused("sendMessage", chat_id=anna.id, text="x", reply_markup=markup)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("sendMessage", {"text": "x", "sound": True}),
        ("sendMessage", {"text": "x", "reply_to_message_id": 1}),  # dropped from the Bot API, aiogram still has it
        ("sendMessage", {"text": 7}),
        ("sendMessage", {"text": "x", "message_thread_id": "seven"}),
        ("sendMessage", {"text": "x", "reply_markup": {"inline_keyboard": "x"}}),
        ("sendMessage", {"text": "x", "entities": [{"type": "bold", "offset": 0}]}),
        ("sendMessage", {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": "1"}]}),
        ("sendMessage", {"text": "x", "parse_mode": "HTML"}),
        ("sendMessage", {"text": "x", "business_connection_id": "x"}),
        ("deleteMessage", {}),
        ("sendDice", {}),
    ],
)
async def test_misuse_fails_the_test_itself(
    api: Api, server: TelegramServer, anna: User, method: str, parameters: Json
) -> None:
    assert "[test server]" in await api.refused(method, chat_id=anna.id, **parameters)
    server.expect_error("400")
    with pytest.raises(AssertionError, match="test server"):
        server.verify()


async def test_an_unknown_method_is_not_found(api: Api, server: TelegramServer) -> None:
    assert await api.refused("sendMassage") == "404 Not Found"
    assert server.violations
    async with api.session.get(f"{server.url}/bot1:wrong/getMe") as response:
        assert (await response.json())["description"] == "Unauthorized"


@pytest.mark.parametrize(
    ("command", "description"),
    [("Help", "x"), ("hilfe-mir", "x"), ("x" * 33, "x"), ("hilfé", "x"), ("help", ""), ("help", "x" * 257)],
)
async def test_unfit_commands_are_refused(api: Api, command: str, description: str) -> None:
    await api.refused("setMyCommands", commands=[{"command": command, "description": description}])


async def test_at_most_100_commands(api: Api) -> None:
    commands = [{"command": f"c{number}", "description": "x"} for number in range(101)]
    await api.ok("setMyCommands", commands=commands[:100])
    await api.refused("setMyCommands", commands=commands)


async def test_aiogram_sends_all_this_unchecked_and_is_refused(bot: Bot, anna: User) -> None:
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await bot.send_message(anna.id, "x" * 5000)
    button = InlineKeyboardButton(text="x", callback_data="x" * 65)
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await bot.send_message(anna.id, "x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))
    button = InlineKeyboardButton(text="x", copy_text=CopyTextButton(text="x"), url="https://example.org")
    with pytest.raises(TelegramBadRequest, match="several actions"):
        await bot.send_message(anna.id, "x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))
    with pytest.raises(TelegramBadRequest, match="ends after the end of the text"):
        await bot.send_message(anna.id, "x", entities=[MessageEntity(type="bold", offset=0, length=2)])
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Hilfe", description="x")])
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await bot.send_message(anna.id, "")
    assert anna.messages == []
