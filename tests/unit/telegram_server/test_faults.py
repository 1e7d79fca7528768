"""Faults happen when a test orders them, and `verify` finds what a bot makes of them."""

import asyncio
import signal
import sys

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramForbiddenError, TelegramNetworkError, TelegramRetryAfter, TelegramServerError

from tests.telegram_server import Json, TelegramServer, User, VirtualClock
from tests.unit.telegram_server.conftest import Api

MARKUP: Json = {"inline_keyboard": [[{"text": "Ja", "callback_data": "yes"}]]}


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", started=True)


async def test_an_update_comes_twice(api: Api, server: TelegramServer, anna: User) -> None:
    server.faults.duplicate("message")
    await anna.send("hallo")
    first = await api.updates()
    again = await api.updates(offset=first[0]["update_id"] + 1)
    assert again == first
    assert await api.updates(offset=first[0]["update_id"] + 1) == []


async def test_updates_come_in_reverse(api: Api, server: TelegramServer, anna: User) -> None:
    server.faults.reorder(2)
    await anna.send("eins")
    assert await api.updates() == []
    await anna.send("zwei")
    assert [update["message"]["text"] for update in await api.updates()] == ["zwei", "eins"]


async def test_a_dropped_response_leaves_the_message_sent(server: TelegramServer, bot: Bot, anna: User) -> None:
    server.faults.drop_response("sendMessage")
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "x")
    assert anna.texts == ["x"]
    await bot.send_message(anna.id, "x")  # of unknown fate, so sent again: that is no doubled reply
    server.verify()
    await bot.send_message(anna.id, "x")
    with pytest.raises(AssertionError, match="doubled reply to Anna"):
        server.verify()


@pytest.mark.parametrize(("accepted", "arrived"), [(False, []), (True, ["x"])])
async def test_a_failure_of_the_server(
    server: TelegramServer, bot: Bot, anna: User, accepted: bool, arrived: list[str]
) -> None:
    server.faults.fail("sendMessage", 502, accepted=accepted)
    with pytest.raises(TelegramServerError, match="Bad Gateway"):
        await bot.send_message(anna.id, "x")
    assert anna.texts == arrived
    await bot.send_message(anna.id, "x")
    server.verify()


async def test_an_ordered_refusal_is_not_held_against_the_bot(server: TelegramServer, bot: Bot, anna: User) -> None:
    server.faults.fail("sendMessage", 403, "Forbidden: user is deactivated", skip=1)
    await bot.send_message(anna.id, "x")
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(anna.id, "y")
    server.verify()


async def test_a_slow_answer_comes_on_the_clock(
    server: TelegramServer, bot: Bot, anna: User, clock: VirtualClock
) -> None:
    server.faults.slow("sendMessage", 40)
    sending = asyncio.create_task(bot.send_message(anna.id, "x"))
    await anna.replies()
    assert not sending.done()
    await clock.drive(sending)
    assert clock.time() == VirtualClock().time() + 40


async def test_an_ordered_429_watches_the_wait(
    server: TelegramServer, bot: Bot, anna: User, clock: VirtualClock
) -> None:
    bea = server.user("Bea", started=True)
    server.faults.retry_after("sendMessage", 7)
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(anna.id, "x")
    assert caught.value.retry_after == 7
    await bot.send_message(bea.id, "x")
    await clock.advance(7)
    await bot.send_message(anna.id, "x")
    server.verify()
    server.faults.retry_after("sendMessage", 7)
    for _ in range(2):
        with pytest.raises(TelegramRetryAfter):
            await bot.send_message(anna.id, "y")
    assert len(server.violations) == 1


async def test_a_hook_runs_before_or_after_a_call(api: Api, server: TelegramServer, anna: User) -> None:
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(anna.texts)
        assert len(server.calls_of("sendMessage")) == len(anna.texts)  # what is not yet carried out does not count

    server.faults.before("sendMessage", look)
    server.faults.after("sendMessage", look)
    await api.ok("sendMessage", chat_id=anna.id, text="x")
    assert seen == [[], ["x"]]


async def test_a_call_can_vanish(api: Api, server: TelegramServer, anna: User) -> None:
    server.faults.before("sendMessage", lambda: False)
    with pytest.raises(aiohttp.ClientError):
        await api("sendMessage", chat_id=anna.id, text="x")
    assert anna.texts == []


async def test_an_unanswered_tap_is_found(api: Api, server: TelegramServer, anna: User) -> None:
    sent = await api.ok("sendMessage", chat_id=anna.id, text="x", reply_markup=MARKUP)
    callback_id = await anna.tap(sent, "Ja")
    server.verify()  # the bot has not seen it yet
    await api.updates()
    with pytest.raises(AssertionError, match="unanswered callback: Anna tapped 'yes'"):
        server.verify()
    await api.ok("answerCallbackQuery", callback_query_id=callback_id)
    server.verify()


async def test_a_lost_reply_is_found(api: Api, server: TelegramServer, anna: User) -> None:
    await anna.send("Wo gibt es Geld?")
    updates = await api.updates()
    server.verify()  # not confirmed yet, so it comes again
    await api.updates(offset=updates[-1]["update_id"] + 1)
    await api.ok("sendChatAction", chat_id=anna.id, action="typing")  # is no reply
    with pytest.raises(AssertionError, match="lost reply: Anna wrote"):
        server.verify()
    await api.ok("sendMessage", chat_id=anna.id, text="Hier.")
    server.verify()


async def test_nobody_loses_a_reply_that_cannot_be_sent(api: Api, server: TelegramServer, anna: User) -> None:
    await anna.send("Wo gibt es Geld?")
    await anna.block_bot()
    await api.updates(offset=(await api.updates())[-1]["update_id"] + 1)
    server.expect_error("bot was blocked by the user")
    await api.refused("sendMessage", chat_id=anna.id, text="Hier.")
    server.verify()


async def test_a_doubled_reply_is_found(api: Api, server: TelegramServer, anna: User) -> None:
    for _ in range(2):  # the same question twice deserves the same answer twice
        await anna.send("Hallo")
    for _ in range(2):
        await api.ok("sendMessage", chat_id=anna.id, text="Guten Tag")
    server.verify()
    await api.ok("sendMessage", chat_id=anna.id, text="Guten Tag")
    with pytest.raises(AssertionError, match="doubled reply"):
        server.verify()


async def test_an_expected_error_has_to_come(api: Api, server: TelegramServer, anna: User) -> None:
    server.expect_error("message to edit not found", "editMessageText")
    with pytest.raises(AssertionError, match="expected error did not come"):
        server.verify()
    await api.refused("editMessageText", chat_id=anna.id, message_id=99, text="x")
    server.verify()
    await api.refused("sendMessage", chat_id=99, text="x")
    with pytest.raises(AssertionError, match=r"unexpected refusal: sendMessage.*chat not found"):
        server.verify()


async def test_a_caller_that_dies_has_sent_all_the_same(api: Api, server: TelegramServer, anna: User) -> None:
    received, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        received.set()
        await release.wait()

    server.faults.before("sendMessage", hold)
    sending = asyncio.create_task(api("sendMessage", chat_id=anna.id, text="x"))
    await received.wait()
    sending.cancel()
    release.set()
    assert [message["text"] for message in await anna.replies()] == ["x"]


CLIENT = """
import sys, urllib.parse, urllib.request
url, chat_id = sys.argv[1:]
urllib.request.urlopen(url + "/sendMessage", urllib.parse.urlencode({"chat_id": chat_id, "text": "x"}).encode())
"""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_killed_while_sending_has_sent(server: TelegramServer, anna: User, moment: str) -> None:
    url = f"{server.url}/bot{server.token}"
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, url, str(anna.id))

    async def kill() -> None:
        client.kill()
        await client.wait()

    (server.faults.before if moment == "before" else server.faults.after)("sendMessage", kill)
    await anna.replies()
    again = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, url, str(anna.id))
    assert await again.wait() == 0
    assert client.returncode == -signal.SIGKILL
    assert anna.texts == ["x", "x"]
    server.verify()  # the second was right: the first had no answer


async def test_closing_ends_what_is_still_open(clock: VirtualClock) -> None:
    async with TelegramServer(clock=clock) as server, aiohttp.ClientSession() as session:
        anna, api = server.user("Anna", started=True), Api(server, session)
        server.faults.slow("sendMessage", 3600)
        polling = asyncio.create_task(api("getUpdates", timeout=50))
        sending = asyncio.create_task(api("sendMessage", chat_id=anna.id, text="x"))
        await anna.replies()
        await server.wait_for(lambda: server.updates.polled)
        await server.close()
        assert await polling == {"ok": True, "result": []}
        with pytest.raises(aiohttp.ClientError):
            await sending
