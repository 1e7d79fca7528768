"""Crashes, repeats and refusals: what was accepted is answered, and once."""

import asyncio

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from sqlalchemy import select

from bot.answering import Answerer
from bot.app import App, run_app
from bot.database import InboxRow, OutboxRow
from bot.inbox import Throttle
from bot.live import Live
from bot.outbox import Budget
from bot.settings import ConfigurationError, Settings
from tests.telegram_server import TelegramServer, VirtualClock

pytestmark = pytest.mark.slow
# The clock jumps an hour whenever only the hourly clean-up is left to wait for; real time is bounded by the waits.
PATIENCE = 1e8


async def test_a_repeated_update_is_answered_once(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    server.faults.duplicate()
    await anna.ask("Hallo")
    await app.idle()
    assert len(anna.messages) == 1


async def test_a_malformed_update_does_not_stop_the_others(server: TelegramServer, app: App) -> None:
    server.raw_update({"message": {"message_id": "no number", "chat": 7}})
    anna = server.user("Anna", language_code="de")
    assert "Guten Tag" in (await anna.ask("Hallo"))["text"]
    async with app.database.read() as connection:
        states = (await connection.execute(select(InboxRow.state))).scalars().all()
    assert sorted(states) == ["dead", "done"]
    server.violations.clear()  # the malformed update itself


async def test_a_reply_of_unknown_fate_is_sent_once_more(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    server.faults.drop_response("sendMessage")
    await anna.send("Hallo")
    await anna.replies(2)
    await app.idle()
    assert len(anna.messages) == 2


async def test_a_person_who_blocked_the_bot_stops_nobody(server: TelegramServer, app: App) -> None:
    anna, ben = server.user("Anna", language_code="de"), server.user("Ben", language_code="de")
    await anna.ask("Hallo")
    server.expect_error("bot was blocked by the user")
    await anna.send("Hallo")
    await anna.block_bot()
    assert "Guten Tag" in (await ben.ask("Hallo"))["text"]
    await app.idle()
    server.verify(lost=False)
    server.chats[anna.id].waiting.clear()  # what she wrote before she left needs no reply


async def test_payloads_are_encrypted_and_deleted_once_handled(
    server: TelegramServer, app: App, settings: Settings
) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask("Geheimnis Zwetschgenkuchen?")
    await app.idle()
    async with app.database.read() as connection:
        assert (await connection.execute(select(InboxRow.payload))).scalars().all() == [None]
        assert set((await connection.execute(select(OutboxRow.payload))).scalars()) == {None}
    for file in settings.data_dir.iterdir():
        assert b"Zwetschgenkuchen" not in file.read_bytes()
    assert (settings.data_dir / "lotse.key").stat().st_mode & 0o077 == 0


async def test_a_handler_that_raises_is_retried_and_then_owned_up_to(
    server: TelegramServer, settings: Settings, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with run_app(settings, server.token, session, live, clock=clock, metered=False) as app:

        def fail(*_: object) -> None:
            raise RuntimeError("broken on purpose")

        monkeypatch.setattr(Answerer, "answer", fail)
        polling = asyncio.create_task(app.poller.run())
        anna = server.user("Anna", language_code="de")
        await anna.send("Was ist eine Spende?")
        (reply,) = await clock.drive(anna.replies(), limit=PATIENCE)
        assert "schiefgegangen" in reply["text"]
        await clock.drive(app.idle(), limit=PATIENCE)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_who_asks_very_fast_is_slowed_with_a_notice_and_others_are_not(
    server: TelegramServer, settings: Settings, live: Live
) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with run_app(settings, server.token, session, live) as app:
        polling = asyncio.create_task(app.poller.run())
        anna, ben = server.user("Anna", language_code="de"), server.user("Ben", language_code="de")
        for number in range(12):
            await anna.send("Danke" if number % 2 else "Hallo")
        assert "Guten Tag" in (await ben.ask("Hallo"))["text"]
        assert len(anna.messages) < 12
        replies = await anna.replies(13, timeout=60)
        assert len([reply for reply in replies if "sehr schnell" in reply["text"]]) == 1
        await app.idle()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


def test_thirty_messages_in_a_minute_wait_their_turn() -> None:
    throttle = Throttle(VirtualClock())
    delays = [throttle.delay(1) for _ in range(30)]
    assert [seconds for seconds, _ in delays] == [0.0] * 10 + [Throttle.PACE] * 20
    assert [number for number, (_, first) in enumerate(delays) if first] == [10]
    assert throttle.delay(2) == (0.0, False)


async def test_the_budget_keeps_to_telegrams_limits() -> None:
    clock = VirtualClock()
    budget = Budget(clock)
    start, sent = clock.time(), []

    async def send(chat_id: int, count: int) -> None:
        for _ in range(count):
            await budget.spend(chat_id)
            sent.append((chat_id, clock.time() - start))

    await clock.drive(asyncio.gather(send(1, 20), send(-5, 40)))
    group = [at for chat, at in sent if chat == -5]
    assert all(later - earlier >= 60 for earlier, later in zip(group, group[20:], strict=False))
    private = [at for chat, at in sent if chat == 1]
    assert private[-1] >= 16


async def test_without_its_key_the_bot_does_not_start_on_messages_it_cannot_read(
    server: TelegramServer, settings: Settings, live: Live
) -> None:
    def session() -> AiohttpSession:
        return AiohttpSession(api=TelegramAPIServer.from_base(server.url))

    anna = server.user("Anna", language_code="de")
    async with run_app(settings, server.token, session(), live, metered=False) as app, app.database.write() as rows:
        row = {"bot_id": 1, "update_id": 1, "chat_key": str(anna.id), "payload": b"locked", "received_at": 0.0}
        rows.add(InboxRow(**row))
    (settings.data_dir / "lotse.key").unlink()
    with pytest.raises(ConfigurationError, match="Sicherung"):
        async with run_app(settings, server.token, session(), live, metered=False):
            pass
    assert not (settings.data_dir / "lotse.key").exists()
