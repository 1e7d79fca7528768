"""Updates reach the bot as Telegram delivers them: by polling or by a webhook."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError
from aiohttp import web

from tests.telegram_server import Json, TelegramServer, User, VirtualClock
from tests.unit.telegram_server.conftest import Api


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna")


def texts(updates: list[Json]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def test_updates_come_until_a_higher_offset_confirms_them(api: Api, anna: User) -> None:
    for text in ("eins", "zwei", "drei"):
        await anna.send(text)
    updates = await api.updates(limit=2)
    assert texts(updates) == ["eins", "zwei"]
    assert texts(await api.updates()) == ["eins", "zwei", "drei"]
    assert texts(await api.updates(offset=updates[-1]["update_id"] + 1)) == ["drei"]
    assert texts(await api.updates()) == ["drei"]
    assert texts(await api.updates(offset=-1)) == ["drei"]


async def test_a_long_poll_ends_with_an_update(api: Api, anna: User) -> None:
    poll = asyncio.create_task(api.updates(timeout=50))
    await api.ok("getMe")
    await anna.send("hallo")
    assert texts(await poll) == ["hallo"]


async def test_a_long_poll_ends_with_its_timeout(
    api: Api, server: TelegramServer, clock: VirtualClock, anna: User
) -> None:
    poll = asyncio.create_task(api.updates(timeout=30))
    assert await clock.drive(poll) == []
    assert clock.time() == VirtualClock().time() + 30


async def test_the_newer_of_two_pollers_wins(api: Api, server: TelegramServer, bot: Bot, anna: User) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=50))
    await server.wait_for(lambda: server.updates.polled, what="the first poll")
    second = asyncio.create_task(api.updates(timeout=50))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await first
    await anna.send("hallo")
    assert texts(await second) == ["hallo"]
    with pytest.raises(AssertionError, match="unexpected refusal: getUpdates"):
        server.verify()


async def test_a_poller_that_hung_up_is_no_rival(api: Api, server: TelegramServer, anna: User) -> None:
    first = asyncio.create_task(api.updates(timeout=50))
    await server.wait_for(lambda: server.updates.polled, what="the first poll")
    first.cancel()
    await server.wait_for(lambda: not server.updates.polled, what="the end of the first poll")
    second = asyncio.create_task(api.updates(timeout=50))
    await server.wait_for(lambda: server.updates.polled, what="the second poll")
    await anna.send("hallo")
    assert texts(await second) == ["hallo"]
    server.verify()


async def test_only_kinds_that_were_asked_for_come(api: Api, anna: User) -> None:
    message = await anna.send("eins")
    await anna.react(message, "👍")  # not among the default kinds
    await anna.block_bot()
    assert [set(update) - {"update_id"} for update in await api.updates()] == [{"message"}, {"my_chat_member"}]
    await api.updates(offset=-1, allowed_updates=["message_reaction"])
    await anna.unblock_bot()
    await anna.react(message, "👍")
    assert set((await api.updates())[-1]) == {"update_id", "message_reaction"}


async def test_old_updates_are_lost(api: Api, anna: User, clock: VirtualClock) -> None:
    await anna.send("alt")
    sent = await api.ok(
        "sendMessage",
        chat_id=anna.id,
        text="x",
        reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]},
    )
    await anna.tap(sent, "x")
    await clock.advance(151)
    assert len(await api.updates()) == 1
    await clock.advance(24 * 3600)
    assert await api.updates() == []


async def test_a_raw_update_comes_as_it_is(api: Api, server: TelegramServer) -> None:
    update_id = server.raw_update({"message": {"message_id": "no number"}})
    assert await api.updates() == [{"update_id": update_id, "message": {"message_id": "no number"}}]
    assert server.violations == []


class Receiver:
    """A webhook that keeps what it gets; `statuses` are its next answers, then 200."""

    def __init__(self) -> None:
        self.updates: list[Json] = []
        self.secrets: list[str | None] = []
        self.statuses: list[int] = []
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.updates.append(await request.json())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def test_a_webhook_gets_its_updates_in_order_with_the_secret(
    api: Api, server: TelegramServer, anna: User, receiver: Receiver
) -> None:
    await anna.send("vorher")
    await api.ok("setWebhook", url=receiver.url, secret_token="geheim")  # noqa: S106
    for number in range(10):
        await anna.send(str(number))
    await server.wait_until_confirmed()
    assert texts(receiver.updates) == ["vorher", *map(str, range(10))]
    assert set(receiver.secrets) == {"geheim"}
    assert "409 Conflict: can't use getUpdates" in await api.refused("getUpdates")


async def test_a_failing_webhook_blocks_its_chat_and_is_tried_again(
    api: Api, server: TelegramServer, anna: User, receiver: Receiver, clock: VirtualClock
) -> None:
    bea = server.user("Bea")
    receiver.statuses = [500, 503]
    await api.ok("setWebhook", url=receiver.url)
    await anna.send("eins")
    await anna.send("zwei")
    await server.wait_for(lambda: len(receiver.updates) == 1)
    await server.wait_for(lambda: server.updates.info().get("last_error_message"))
    receiver.statuses = [200, 503]
    await bea.send("anderswo")
    await clock.drive(server.wait_until_confirmed())
    assert texts(receiver.updates) == ["eins", "anderswo", "eins", "eins", "zwei"]
    info = await api.ok("getWebhookInfo")
    assert info["pending_update_count"] == 0
    assert info["last_error_message"] == "Wrong response from the webhook: 503 Service Unavailable"


@pytest.mark.parametrize("parameters", [{"url": "http://example.org/x"}, {"secret_token": "ä"}, {"secret_token": ""}])
async def test_unfit_webhooks_are_refused(api: Api, parameters: Json) -> None:
    await api.refused("setWebhook", **{"url": "https://example.org/x", **parameters})


async def test_after_deleting_the_webhook_polling_goes_on(api: Api, anna: User, receiver: Receiver) -> None:
    await api.ok("setWebhook", url="http://127.0.0.1:9/nobody-listens")
    await anna.send("hallo")
    await api.ok("deleteWebhook")
    assert texts(await api.updates()) == ["hallo"]
    await api.ok("deleteWebhook", drop_pending_updates=True)
    assert await api.updates() == []


async def test_waiting_names_what_did_not_come(server: TelegramServer) -> None:
    never: Callable[[], bool] = lambda: False  # noqa: E731
    with pytest.raises(AssertionError, match="in vain for a miracle"):
        await server.wait_for(never, timeout=0.01, what="a miracle")
