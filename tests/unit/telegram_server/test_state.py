"""The server knows who and what there is, and refuses what does not fit to it."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat
from aiogram.types import BotCommand, BotCommandScopeChat, BufferedInputFile, ReactionTypeEmoji, ReplyParameters

from tests.telegram_server import ADMIN_RIGHTS, Json, TelegramServer, User, VirtualClock
from tests.unit.telegram_server.conftest import Api

MARKUP: Json = {"inline_keyboard": [[{"text": "Schritte", "callback_data": "steps:1"}]]}


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", started=True)


async def test_the_bot_cannot_write_first(api: Api, server: TelegramServer, bot: Bot) -> None:
    bea = server.user("Bea")
    refused = await api.refused("sendMessage", chat_id=bea.id, text="x")
    assert refused == "403 Forbidden: bot can't initiate conversation with a user"
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(bea.id, "x")
    await bea.start()
    await bot.send_message(bea.id, "x")
    assert bea.texts == ["x"]


async def test_nobody_hears_a_bot_she_has_blocked(api: Api, anna: User) -> None:
    message = await api.ok("sendMessage", chat_id=anna.id, text="x")
    await anna.block_bot()
    blocked = "403 Forbidden: bot was blocked by the user"
    assert await api.refused("sendMessage", chat_id=anna.id, text="y") == blocked
    edit = {"chat_id": anna.id, "message_id": message["message_id"]}
    assert await api.refused("editMessageText", **edit, text="y") == blocked
    assert await api.refused("sendChatAction", chat_id=anna.id, action="typing") == blocked
    await anna.unblock_bot()
    await api.ok("sendMessage", chat_id=anna.id, text="y")
    assert await api.refused("sendMessage", chat_id=99, text="y") == "400 Bad Request: chat not found"


async def test_an_edit_shows_in_the_chat(api: Api, anna: User) -> None:
    sent = await api.ok("sendMessage", chat_id=anna.id, text="Moment …", reply_markup=MARKUP)
    edit = {"chat_id": anna.id, "message_id": sent["message_id"]}
    edited = await api.ok("editMessageText", **edit, text="Fertig")
    assert "reply_markup" not in edited  # an edit without a keyboard takes it away
    assert edited["edit_date"]
    assert anna.messages == [edited]


@pytest.mark.parametrize("markup", [None, MARKUP])
async def test_an_edit_that_changes_nothing_is_refused(api: Api, anna: User, markup: Json | None) -> None:
    entities = [{"type": "bold", "offset": 0, "length": 4}]
    message = {"chat_id": anna.id, "text": "same", "entities": entities, "reply_markup": markup}
    sent = await api.ok("sendMessage", **message)
    refused = await api.refused("editMessageText", message_id=sent["message_id"], **message)
    assert refused == (
        "400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )
    edit = {"chat_id": anna.id, "message_id": sent["message_id"], "reply_markup": markup}
    assert "message is not modified" in await api.refused("editMessageReplyMarkup", **edit)
    await api.ok("editMessageText", **message | {"message_id": sent["message_id"], "entities": []})


async def test_only_messages_that_exist_and_are_the_bots_can_be_edited(api: Api, anna: User) -> None:
    hers = await anna.send("x")
    edit = {"chat_id": anna.id, "text": "y"}
    refused = await api.refused("editMessageText", message_id=hers["message_id"], **edit)
    assert refused == "400 Bad Request: message can't be edited"
    assert await api.refused("editMessageText", message_id=99, **edit) == "400 Bad Request: message to edit not found"
    sent = await api.ok("sendPhoto", chat_id=anna.id, photo=(await anna.send_photo())["photo"][0]["file_id"])
    refused = await api.refused("editMessageText", message_id=sent["message_id"], **edit)
    assert refused == "400 Bad Request: there is no text in the message to edit"


async def test_a_reply_needs_its_target(api: Api, anna: User, bot: Bot) -> None:
    question = await anna.send("Wer fördert das?")
    answer = await api.ok(
        "sendMessage",
        chat_id=anna.id,
        text="x",
        reply_parameters={"message_id": question["message_id"], "quote": "fördert"},
    )
    assert answer["reply_to_message"]["text"] == "Wer fördert das?"
    assert answer["quote"] == {"text": "fördert", "position": 4, "is_manual": True}
    missing = {"message_id": 99}
    refused = await api.refused("sendMessage", chat_id=anna.id, text="x", reply_parameters=missing)
    assert refused == "400 Bad Request: message to be replied not found"
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(anna.id, "x", reply_parameters=ReplyParameters(message_id=99))
    lenient = missing | {"allow_sending_without_reply": True}
    assert "reply_to_message" not in await api.ok("sendMessage", chat_id=anna.id, text="x", reply_parameters=lenient)


async def test_messages_can_be_deleted_for_48_hours(api: Api, anna: User, clock: VirtualClock) -> None:
    sent = await api.ok("sendMessage", chat_id=anna.id, text="x")
    old = await api.ok("sendMessage", chat_id=anna.id, text="old")
    gone = {"chat_id": anna.id, "message_id": sent["message_id"]}
    await api.ok("deleteMessage", **gone)
    assert await api.refused("deleteMessage", **gone) == "400 Bad Request: message to delete not found"
    assert anna.texts == ["old"]
    await clock.advance(48 * 3600 + 1)
    refused = await api.refused("deleteMessage", chat_id=anna.id, message_id=old["message_id"])
    assert refused == "400 Bad Request: message can't be deleted"


async def test_a_callback_is_answered_once_and_in_time(
    api: Api, server: TelegramServer, anna: User, clock: VirtualClock
) -> None:
    sent = await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=MARKUP)
    first, late = await anna.tap(sent, "Schritte"), await anna.tap(sent, "Schritte")
    assert await api.refused("answerCallbackQuery", callback_query_id=first, text="x" * 201)
    await api.ok("answerCallbackQuery", callback_query_id=first, text="Gemerkt")
    assert (await server.wait_until_answered(first))["text"] == "Gemerkt"
    too_old = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert await api.refused("answerCallbackQuery", callback_query_id=first) == too_old
    assert await api.refused("answerCallbackQuery", callback_query_id="unknown") == too_old
    await clock.advance(151)
    assert await api.refused("answerCallbackQuery", callback_query_id=late) == too_old


async def test_a_group_that_became_a_supergroup_has_a_new_id(
    api: Api, server: TelegramServer, anna: User, bot: Bot
) -> None:
    group = server.group("Team", [anna])
    new = await group.upgrade(by=anna)
    answer = await api("sendMessage", chat_id=group.id, text="x")
    assert answer["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    with pytest.raises(TelegramMigrateToChat) as caught:
        await bot.send_message(group.id, "x")
    await bot.send_message(caught.value.migrate_to_chat_id, "x")
    assert new.texts == ["x"]
    kinds = [
        update["message"].keys() & {"migrate_to_chat_id", "migrate_from_chat_id"} for update in await api.updates()
    ]
    assert kinds == [{"migrate_to_chat_id"}, {"migrate_from_chat_id"}]


async def test_the_life_of_a_topic(api: Api, server: TelegramServer, anna: User) -> None:
    desk = server.group("Desk", [anna], forum=True)
    topic = await api.ok("createForumTopic", chat_id=desk.id, name="Fall 1")
    where = {"chat_id": desk.id, "message_thread_id": topic["message_thread_id"]}
    sent = await api.ok("sendMessage", **where, text="x")
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (topic["message_thread_id"], True)
    reply = await anna.send("y", chat=desk, reply_to=sent)
    assert (reply["message_thread_id"], reply["is_topic_message"]) == (topic["message_thread_id"], True)
    await api.ok("editForumTopic", **where, name="Fall 1 (gelöst)")
    await api.ok("closeForumTopic", **where)
    assert await api.refused("closeForumTopic", **where) == "400 Bad Request: TOPIC_NOT_MODIFIED"
    await api.ok("sendMessage", **where, text="administrators may")
    desk.bot_rights = frozenset()
    assert await api.refused("sendMessage", **where, text="x") == "400 Bad Request: TOPIC_CLOSED"
    assert "not enough rights" in await api.refused("reopenForumTopic", **where)
    desk.bot_rights = ADMIN_RIGHTS
    await api.ok("reopenForumTopic", **where)
    await api.ok("deleteForumTopic", **where)
    assert await api.refused("sendMessage", **where, text="x") == "400 Bad Request: message thread not found"
    assert await api.refused("closeForumTopic", **where) == "400 Bad Request: TOPIC_ID_INVALID"
    assert desk.messages == []


@pytest.mark.parametrize("thread", [1, 77])
async def test_there_is_no_such_topic(api: Api, server: TelegramServer, anna: User, thread: int) -> None:
    desk = server.group("Desk", [anna], forum=True)
    for chat_id in (desk.id, anna.id):
        refused = await api.refused("sendMessage", chat_id=chat_id, message_thread_id=thread, text="x")
        assert refused == "400 Bad Request: message thread not found"


async def test_topics_need_a_forum_the_right_and_a_name(api: Api, server: TelegramServer, anna: User) -> None:
    plain, forum = server.group("Team", [anna]), server.group("Desk", [anna], forum=True, bot_rights=())
    assert "not a forum" in await api.refused("createForumTopic", chat_id=plain.id, name="x")
    assert "not enough rights" in await api.refused("createForumTopic", chat_id=forum.id, name="x")
    forum.bot_rights = ADMIN_RIGHTS
    for name in ("", " ", "x" * 129):
        await api.refused("createForumTopic", chat_id=forum.id, name=name)
    await api.ok("createForumTopic", chat_id=forum.id, name="x" * 128)


async def test_a_removed_bot_is_silenced(api: Api, server: TelegramServer, anna: User) -> None:
    group = server.group("Team", [anna])
    await group.remove_bot(by=anna)
    refused = await api.refused("sendMessage", chat_id=group.id, text="x")
    assert refused == "403 Forbidden: bot was kicked from the group chat"
    change = (await api.updates())[-1]["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("administrator", "kicked")


async def test_members_and_chats_are_described(bot: Bot, server: TelegramServer, anna: User) -> None:
    desk = server.group("Desk", [anna], forum=True, admins=[anna])
    assert (await bot.get_chat_member(desk.id, anna.id)).status == "administrator"
    assert (await bot.get_chat_member(desk.id, server.user("Bea").id)).status == "left"
    assert (await bot.get_chat_member(desk.id, bot.id)).status == "administrator"
    assert (await bot.get_chat(desk.id)).is_forum
    assert (await bot.get_me()).username == server.bot["username"]
    with pytest.raises(TelegramBadRequest, match="PARTICIPANT_ID_INVALID"):
        await bot.get_chat_member(desk.id, 99)


async def test_files_go_both_ways(bot: Bot, server: TelegramServer, anna: User) -> None:
    hers = await anna.send_document("satzung.pdf", data=b"Paragraph 1")
    file = await bot.get_file(hers["document"]["file_id"])
    assert file.file_path
    content = await bot.download_file(file.file_path)
    assert content
    assert content.read() == b"Paragraph 1"
    sent = await bot.send_document(anna.id, BufferedInputFile(b"x" * 2_000_000, "export.json"), caption="Ihre Daten")
    assert sent.document
    assert sent.document.file_name == "export.json"
    assert server.files[sent.document.file_id].data == b"x" * 2_000_000
    await bot.send_photo(anna.id, BufferedInputFile(b"x", "x.png"))
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.send_photo(anna.id, "no-such-file")
    big = await anna.send_document(data=b"x" * (20 * 1024 * 1024 + 1))
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await bot.get_file(big["document"]["file_id"])


async def test_copies_and_forwards(bot: Bot, server: TelegramServer, anna: User) -> None:
    bea = server.user("Bea", started=True, hides_forwards=True)
    secret, photo = await bea.send("von Bea"), await bea.send_photo("Bild")
    forwarded = await bot.forward_message(anna.id, bea.id, secret["message_id"])
    assert forwarded.forward_origin
    assert forwarded.forward_origin.type == "hidden_user"
    await bot.copy_message(anna.id, bea.id, photo["message_id"], caption="neu")
    assert anna.texts == ["von Bea", "neu"]
    assert "forward_origin" not in anna.last
    with pytest.raises(TelegramBadRequest, match="message to forward not found"):
        await bot.forward_message(anna.id, bea.id, 99)


async def test_commands_are_kept_by_scope_and_language(bot: Bot, anna: User) -> None:
    async def names(scope: BotCommandScopeChat | None = None, language_code: str | None = None) -> list[str]:
        return [command.command for command in await bot.get_my_commands(scope=scope, language_code=language_code)]

    hers = BotCommandScopeChat(chat_id=anna.id)
    await bot.set_my_commands([BotCommand(command="hilfe", description="x")])
    await bot.set_my_commands([BotCommand(command="help", description="x")], language_code="en")
    await bot.set_my_commands([BotCommand(command="faelle", description="x")], scope=hers)
    assert await names() == ["hilfe"]
    assert await names(language_code="en") == ["help"]
    assert await names(scope=hers) == ["faelle"]
    assert await names(language_code="fr") == []
    await bot.delete_my_commands(scope=hers)
    assert await names(scope=hers) == []
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.set_my_commands([], scope=BotCommandScopeChat(chat_id=99))


async def test_the_profile_has_limits(bot: Bot) -> None:
    await bot.set_my_description("x" * 512)
    assert (await bot.get_my_description(language_code="en")).description == "x" * 512
    await bot.set_my_short_description("x" * 120, language_code="de")
    for call in (bot.set_my_name("x" * 65), bot.set_my_description("x" * 513), bot.set_my_short_description("x" * 121)):
        with pytest.raises(TelegramBadRequest, match="too long"):
            await call


async def test_reactions_and_actions_are_kept(bot: Bot, anna: User) -> None:
    message = await anna.send("Danke")
    await bot.set_message_reaction(anna.id, message["message_id"], [ReactionTypeEmoji(emoji="👍")])
    assert anna.chat.reactions[message["message_id"]] == [{"type": "emoji", "emoji": "👍"}]
    with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
        await bot.set_message_reaction(anna.id, message["message_id"], [ReactionTypeEmoji(emoji="x")])
    await bot.send_chat_action(anna.id, "typing")
    assert anna.chat.actions == ["typing"]
    with pytest.raises(TelegramBadRequest, match="wrong parameter action"):
        await bot.send_chat_action(anna.id, "thinking")


async def test_supergroups_count_their_messages_for_themselves(api: Api, server: TelegramServer, anna: User) -> None:
    """So a message id alone names no message."""
    first, second = server.group("A", [anna], supergroup=True), server.group("B", [anna], supergroup=True)
    ids = [(await api.ok("sendMessage", chat_id=chat.id, text="x"))["message_id"] for chat in (first, second)]
    assert ids == [1, 1]
    assert min(anna.id, -first.id) > 2**31  # ids do not fit into 32 bits
