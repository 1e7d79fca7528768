"""What people do reaches the bot as Telegram would send it."""

import pytest
from aiogram import Bot
from aiogram.types import Update

from tests.telegram_server import Json, TelegramServer, User, labels
from tests.unit.telegram_server.conftest import Api

MARKUP: Json = {
    "inline_keyboard": [
        [{"text": "Schritte", "callback_data": "steps:1"}, {"text": "Mehr", "callback_data": "more:1"}],
        [{"text": "Quelle", "url": "https://example.org"}],
    ]
}


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", username="anna_b", last_name="Berg")


async def last_update(api: Api) -> Json:
    return (await api.updates())[-1]


async def test_a_text_arrives_with_sender_and_entities(api: Api, anna: User) -> None:
    sent = await anna.send("/hilfe@kooperationslotse_bot 🙂 @berta #co2 info@example.org https://example.org/a.")
    message = (await last_update(api))["message"]
    assert message == sent
    assert message["from"] == {
        "id": anna.id,
        "is_bot": False,
        "first_name": "Anna",
        "last_name": "Berg",
        "username": "anna_b",
        "language_code": "de",
    }
    units = message["text"].encode("utf-16-le")
    marked = [
        (e["type"], units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le"))
        for e in message["entities"]
    ]
    assert marked == [
        ("bot_command", "/hilfe@kooperationslotse_bot"),
        ("mention", "@berta"),
        ("hashtag", "#co2"),
        ("email", "info@example.org"),
        ("url", "https://example.org/a"),
    ]


@pytest.mark.parametrize("text", ["und/oder", "3/4", "a@b", "#1", "Stadt.", "km/h", "Bürger:innen"])
async def test_ordinary_words_get_no_entities(anna: User, text: str) -> None:
    assert "entities" not in await anna.send(text)


async def test_a_start_link_carries_its_payload(anna: User) -> None:
    assert (await anna.start("guide_12"))["text"] == "/start guide_12"
    assert anna.started
    with pytest.raises(AssertionError):
        await anna.start("nicht erlaubt")


async def test_everything_people_send_parses_with_both_libraries(
    api: Api, server: TelegramServer, bot: Bot, anna: User
) -> None:
    channel, group = server.channel("Amtsblatt"), server.group("Runde", [anna])
    desk = server.group("Desk", [anna], forum=True)
    message = await anna.send("Frage")
    await anna.edit(message, "Frage?")
    await anna.send_photo("Bild")
    await anna.send_document()
    await anna.send_voice()
    await anna.send_sticker()
    await anna.send_location()
    await anna.send_contact()
    hidden = server.user("Hanna", hides_forwards=True)
    for origin in (server.user("Bea"), hidden, "Ohne Konto", group, channel):
        await anna.forward("weiter", origin)
    sent = await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=MARKUP)
    await anna.tap(sent, "Schritte")
    await anna.tap_data(sent, b"\xff forged")
    await api.ok("deleteMessage", chat_id=anna.id, message_id=sent["message_id"])
    await anna.tap_data(sent, "on a deleted message")
    topic = await desk.open_topic("Fall", by=anna)
    await anna.send("im Fall", chat=desk, topic=topic)
    await desk.close_topic(topic, by=anna)
    await desk.reopen_topic(topic, by=anna)
    await group.add(server.user("Carl"), by=anna)
    await group.demote_bot(by=anna)
    await group.promote_bot(by=anna)
    await anna.block_bot()
    updates = await api.updates()
    assert len(updates) == 24
    for update in updates:
        Update.model_validate(update, context={"bot": bot})
    origins = [u["message"]["forward_origin"]["type"] for u in updates if "forward_origin" in u.get("message", {})]
    assert origins == ["user", "hidden_user", "hidden_user", "chat", "channel"]
    assert server.violations == []


async def test_a_button_is_found_by_its_visible_text(api: Api, server: TelegramServer, anna: User) -> None:
    await anna.start()
    sent = await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=MARKUP)
    assert labels(sent) == [["Schritte", "Mehr"], ["Quelle"]]
    callback_id = await anna.tap(sent, "Mehr")
    query = (await last_update(api))["callback_query"]
    assert (query["id"], query["data"], query["from"]["id"]) == (callback_id, "more:1", anna.id)
    assert query["message"] == anna.last
    with pytest.raises(AssertionError, match="no button 'Weniger'"):
        await anna.tap(sent, "Weniger")
    with pytest.raises(AssertionError, match="sends nothing"):
        await anna.tap(sent, "Quelle")
    await api.ok("editMessageReplyMarkup", chat_id=anna.id, message_id=sent["message_id"])
    with pytest.raises(AssertionError, match="no button 'Mehr'"):  # it is gone by now
        await anna.tap(sent, "Mehr")


async def test_a_reply_keyboard_sends_its_text(api: Api, anna: User) -> None:
    await anna.start()
    keyboard = {"keyboard": [[{"text": "Partner finden"}]]}
    await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=keyboard)
    assert (await anna.press("Partner finden"))["text"] == "Partner finden"
    await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup={"remove_keyboard": True})
    with pytest.raises(AssertionError, match="no key"):
        await anna.press("Partner finden")


async def test_privacy_mode_hides_what_does_not_concern_the_bot(api: Api, server: TelegramServer, anna: User) -> None:
    group = server.group("Runde", [anna], bot_rights=None)
    await anna.send("unter uns", chat=group)
    await anna.send("/hilfe", chat=group)
    await anna.send("/hilfe@kooperationslotse_bot", chat=group)
    await anna.send("/hilfe@other_bot", chat=group)
    await anna.send("@kooperationslotse_bot unter uns", chat=group)
    sent = await api.ok("sendMessage", chat_id=group.id, text="x")
    await anna.send("gern", chat=group, reply_to=sent)
    assert [update["message"]["text"] for update in await api.updates()] == [
        "/hilfe",
        "/hilfe@kooperationslotse_bot",
        "gern",
    ]


async def test_a_thread_of_replies_is_no_topic(server: TelegramServer, api: Api, anna: User) -> None:
    group = server.group("Runde", [anna], supergroup=True)
    root = await api.ok("sendMessage", chat_id=group.id, text="x")
    reply = await anna.send("y", chat=group, reply_to=root)
    assert reply["message_thread_id"] == root["message_id"]
    assert "is_topic_message" not in reply


async def test_replies_are_handed_out_once(api: Api, anna: User) -> None:
    await anna.start()
    for text in ("eins", "zwei", "drei"):
        await api.ok("sendMessage", chat_id=anna.id, text=text)
    assert [message["text"] for message in await anna.replies(2)] == ["eins", "zwei"]
    assert [message["text"] for message in await anna.replies()] == ["drei"]
    with pytest.raises(AssertionError, match=r"waited 0\.01 s in vain for 1 replies to Anna"):
        await anna.replies(timeout=0.01)
