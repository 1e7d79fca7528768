"""Rates are limited, and a client that does not wait is told on."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter

from tests.telegram_server import TelegramServer, User, VirtualClock
from tests.unit.telegram_server.conftest import Api


@pytest.fixture
async def server(clock: VirtualClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=clock, rates=True) as server:
        yield server


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", started=True)


async def test_a_chat_takes_a_burst_of_5_and_then_one_a_second(
    api: Api, anna: User, bot: Bot, clock: VirtualClock
) -> None:
    for _ in range(5):
        await api.ok("sendMessage", chat_id=anna.id, text="x")
    answer = await api("sendMessage", chat_id=anna.id, text="x")
    assert answer == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
    await clock.advance(1)
    await bot.send_message(anna.id, "x")
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(anna.id, "x")


async def test_a_client_that_waits_is_blameless(
    api: Api, server: TelegramServer, anna: User, clock: VirtualClock
) -> None:
    for _ in range(8):
        answer = await api("sendMessage", chat_id=anna.id, text="x")
        if not answer["ok"]:
            await clock.advance(answer["parameters"]["retry_after"])
            await api.ok("sendMessage", chat_id=anna.id, text="x")
    assert server.violations == []


async def test_a_call_before_retry_after_is_over_is_a_violation(
    api: Api, server: TelegramServer, anna: User, clock: VirtualClock
) -> None:
    for _ in range(6):
        await api("sendMessage", chat_id=anna.id, text="x")
    await clock.advance(0.5)
    assert await api.refused("sendMessage", chat_id=anna.id, text="x") == "429 Too Many Requests: retry after 1"
    assert server.violations == [f"sendMessage to {anna.id} came 0.5 s before its retry_after was over"]
    server.expect_error("429")
    with pytest.raises(AssertionError, match="before its retry_after was over"):
        server.verify()


async def test_a_429_that_nobody_expected_fails_the_test(api: Api, server: TelegramServer, anna: User) -> None:
    for number in range(6):
        await api("sendMessage", chat_id=anna.id, text=str(number))
    with pytest.raises(AssertionError, match="unexpected refusal"):
        server.verify()


async def test_edits_share_the_budget(api: Api, anna: User) -> None:
    message = await api.ok("sendMessage", chat_id=anna.id, text="x")
    edit = {"chat_id": anna.id, "message_id": message["message_id"]}
    for number in range(4):
        await api.ok("editMessageText", **edit, text=str(number))
    assert "429" in await api.refused("editMessageText", **edit, text="y")


async def test_all_topics_of_a_group_share_20_a_minute(
    api: Api, server: TelegramServer, anna: User, clock: VirtualClock
) -> None:
    desk = server.group("Desk", [anna], forum=True)
    topics = [await api.ok("createForumTopic", chat_id=desk.id, name=name) for name in "ab"]
    for number in range(18):
        thread = topics[number % 2]["message_thread_id"]
        await api.ok("sendMessage", chat_id=desk.id, message_thread_id=thread, text="x")
    assert "retry after 3" in await api.refused("sendMessage", chat_id=desk.id, text="x")
    await clock.advance(60)
    await api.ok("sendMessage", chat_id=desk.id, text="x")


async def test_all_chats_share_30_a_second(api: Api, server: TelegramServer, clock: VirtualClock) -> None:
    people = [server.user(f"P{number}", started=True) for number in range(31)]
    for person in people[:30]:
        await api.ok("sendMessage", chat_id=person.id, text="x")
    assert "429" in await api.refused("sendMessage", chat_id=people[30].id, text="x")
    await clock.advance(1)
    await api.ok("sendMessage", chat_id=people[30].id, text="x")


async def test_answers_and_actions_cost_nothing(api: Api, anna: User) -> None:
    for _ in range(40):
        await api.ok("sendChatAction", chat_id=anna.id, action="typing")
