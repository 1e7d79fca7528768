"""Updates that survive a crash: written down before Telegram hears that they arrived, handled in order per chat."""

import asyncio
import json
import logging
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramAPIError, TelegramConflictError, TelegramUnauthorizedError
from aiogram.methods.base import TelegramMethod
from aiogram.types import Update
from pydantic import ValidationError
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError

from bot.clock import Clock
from bot.current import Current
from bot.database import Database, InboxRow
from bot.dialogue import Dialogue, Turn, load_dialogue, save_dialogue
from bot.lanes import Lanes
from bot.outbox import Outbox
from bot.vault import Vault

logger = logging.getLogger(__name__)
MAXIMUM_ATTEMPTS = 3
RETRY_SECONDS = (1.0, 4.0)
HANDLERS_AT_ONCE = 64
# Telegram keeps an update for 24 hours; a row is what tells a repeated one.
KEEP_SECONDS = 48 * 3600.0


class Throttle:
    """Slows a person who asks very fast: `BURST` messages at once, then one every `PACE` seconds. Others are unaffected."""

    BURST = 10
    PACE = 3.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # When each person's allowance is full again; it moves on by PACE with each message.
        self._full_at: dict[int, float] = {}
        self._slowed: set[int] = set()

    def delay(self, user_id: int) -> tuple[float, bool]:
        """Count a message of `user_id`: the seconds that it has to wait, and whether this is the first that has to."""
        now = self._clock.time()
        full_at = max(self._full_at.get(user_id, now), now) + self.PACE
        self._full_at[user_id] = full_at
        if full_at - now <= self.BURST * self.PACE:
            self._slowed.discard(user_id)
            if len(self._full_at) > 10_000:
                self._full_at = {user: at for user, at in self._full_at.items() if at > now}
            return 0.0, False
        first = user_id not in self._slowed
        self._slowed.add(user_id)
        return self.PACE, first


class Inbox:
    """Stores raw updates, and handles each exactly once: its effects commit together with its completion."""

    def __init__(
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        database: Database,
        vault: Vault,
        clock: Clock,
        outbox: Outbox,
        current: Current,
        *,
        throttled: bool,
    ) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._database = database
        self._vault = vault
        self._clock = clock
        self._outbox = outbox
        self._current = current
        self._throttle = Throttle(clock) if throttled else None
        self._slots = asyncio.Semaphore(HANDLERS_AT_ONCE)
        self._lanes = Lanes(self._handle_all, clock)
        self.idle = self._lanes.idle
        self.close = self._lanes.close

    async def store(self, updates: Iterable[dict[str, Any]]) -> int | None:
        """Write updates down; one seen before is left out.

        Returns the offset that acknowledges them, now that they are safe; None when there was none.
        """
        rows = [
            {
                "bot_id": self._bot.id,
                "update_id": raw["update_id"],
                "chat_key": chat_key(raw),
                "payload": self._vault.lock(json.dumps(raw).encode()),
                "state": "new",
                "attempts": 0,
                "received_at": self._clock.time(),
            }
            for raw in updates
            if isinstance(raw.get("update_id"), int)  # without a number it could be neither told nor acknowledged
        ]
        if not rows:
            return None
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        async with self._database.write() as session:
            await session.execute(insert(InboxRow).on_conflict_do_nothing(), rows)
        for key in {str(row["chat_key"]) for row in rows}:
            self._lanes.wake(key)
        return max(int(row["update_id"]) for row in rows) + 1

    async def recover(self) -> None:
        """Take up what an earlier process left."""
        async with self._database.read() as connection:
            query = select(InboxRow.chat_key).where(InboxRow.state == "new").distinct()
            for key in (await connection.execute(query)).scalars():
                self._lanes.wake(key)

    async def prune(self) -> None:
        """Delete rows of handled updates, once Telegram cannot deliver them again."""
        async with self._database.write() as session:
            old = InboxRow.received_at < self._clock.time() - KEEP_SECONDS
            await session.execute(delete(InboxRow).where(InboxRow.state == "done", old))

    async def _handle_all(self, key: str) -> None:
        while True:
            async with self._database.read() as connection:
                query = (
                    select(InboxRow.id, InboxRow.payload, InboxRow.attempts)
                    .where(InboxRow.chat_key == key, InboxRow.state == "new")
                    .order_by(InboxRow.id)
                    .limit(1)
                )
                row = (await connection.execute(query)).one_or_none()
            if row is None:
                return
            await self._handle(row.id, row.payload, row.attempts)

    async def _handle(self, row_id: int, payload: bytes, attempts: int) -> None:
        try:
            raw = json.loads(self._vault.unlock(payload))
            parsed = Update.model_validate(raw, context={"bot": self._bot})
        except ValidationError as error:
            # The fields that did not fit, never their contents.
            fields = ", ".join(sorted({str(detail["loc"][0]) for detail in error.errors()}))
            await self._bury(row_id, f"malformed: {fields}")
            return
        except ValueError:
            await self._bury(row_id, "unreadable")
            return
        party = party_of(parsed)
        if party is None:
            await self._complete(row_id, None, None)
            return
        await self._slow_down(parsed, party)
        async with self._database.read() as connection:
            before = await load_dialogue(connection, *party)
        turn = Turn(deepcopy(before), self._clock.time())
        try:
            async with self._slots:
                # Taken once: the turn is answered and rendered from one state of the knowledge.
                await self._dispatcher.feed_update(self._bot, parsed, turn=turn, **self._current.services)
            await self._complete(row_id, turn, before)
        except DBAPIError:  # the database is away or busy: not this update's fault
            raise
        except Exception as error:
            logger.exception("handling failed, attempt %s", attempts + 1)
            await self._failed(row_id, attempts + 1, before, type(error).__name__)

    async def _complete(self, row_id: int, turn: Turn | None, before: Dialogue | None) -> None:
        chats: set[int] = set()
        async with self._database.write() as session:
            if turn is not None:
                for effect in turn.effects:
                    await effect(session)
                if turn.dialogue != before:
                    await save_dialogue(session, turn.dialogue)
                for row in turn.rows:
                    await session.merge(row)
                chats = self._outbox.put(session, turn.outgoing, turn.dialogue.chat_id)
            await session.execute(
                update(InboxRow).where(InboxRow.id == row_id).values(state="done", payload=None, error=None)
            )
        self._outbox.wake(chats)

    async def _failed(self, row_id: int, attempts: int, dialogue: Dialogue, error: str) -> None:
        if attempts < MAXIMUM_ATTEMPTS:
            async with self._database.write() as session:
                await session.execute(
                    update(InboxRow).where(InboxRow.id == row_id).values(attempts=attempts, error=error)
                )
            await self._clock.sleep(RETRY_SECONDS[attempts - 1])
            return
        turn = Turn(dialogue, self._clock.time())
        self._current.services["views"].failure(turn)
        await self._bury(row_id, error, turn)

    async def _bury(self, row_id: int, error: str, turn: Turn | None = None) -> None:
        """Give up an update that cannot be handled: it is kept as dead, without its contents, and stops nobody."""
        logger.error("update in inbox row %s is given up: %s", row_id, error)
        chats: set[int] = set()
        async with self._database.write() as session:
            if turn is not None:
                chats = self._outbox.put(session, turn.outgoing, turn.dialogue.chat_id)
            await session.execute(
                update(InboxRow).where(InboxRow.id == row_id).values(state="dead", payload=None, error=error[:200])
            )
        self._outbox.wake(chats)

    async def _slow_down(self, parsed: Update, party: tuple[int, int]) -> None:
        if parsed.message is None or self._throttle is None:
            return
        delay, first = self._throttle.delay(party[1])
        if first:
            async with self._database.read() as connection:
                turn = Turn(await load_dialogue(connection, *party), self._clock.time())
            self._current.services["views"].slowed(turn)
            async with self._database.write() as session:
                chats = self._outbox.put(session, turn.outgoing, party[0])
            self._outbox.wake(chats)
        if delay:
            await self._clock.sleep(delay)


class GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates without parsing: aiogram's own would refuse a whole batch for one malformed update."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int = 100
    timeout: int = 50
    allowed_updates: list[str] | None = None


class Poller:
    """Fetches updates by long polling and acknowledges them by the next call, once they are stored."""

    def __init__(self, bot: Bot, inbox: Inbox, clock: Clock, allowed_updates: list[str]) -> None:
        self._bot = bot
        self._inbox = inbox
        self._clock = clock
        self._allowed = allowed_updates

    async def run(self) -> None:
        """Poll until cancelled. Raises TelegramUnauthorizedError when Telegram does not know the token."""
        offset: int | None = None
        pause = 1.0
        while True:
            try:
                method = GetRawUpdates(offset=offset, allowed_updates=self._allowed)
                updates = await self._bot(method, request_timeout=method.timeout + 10)
                offset = await self._inbox.store(updates) or offset
            except TelegramUnauthorizedError:
                raise
            except TelegramConflictError:
                logger.error("another process polls with the same token; trying again in %.0f s", pause)
            except TelegramAPIError as error:
                logger.warning("polling failed (%s), trying again in %.0f s", type(error).__name__, pause)
            except Exception:
                logger.exception("updates could not be stored, trying again in %.0f s", pause)
            else:
                pause = 1.0
                continue
            await self._clock.sleep(pause)
            pause = min(pause * 2, 30.0)


def chat_key(raw: dict[str, Any]) -> str:
    """The lane of a raw update: its chat, else its sender, else a lane for all others. Never raises on malformed data."""
    for value in raw.values():
        if isinstance(value, dict):
            message = value.get("message")
            places = (value, message if isinstance(message, dict) else {})
            # The chat first, wherever it stands: a tap names its person beside the message, and the chat inside it.
            for name in ("chat", "from"):
                for place in places:
                    found = place.get(name)
                    if isinstance(found, dict) and isinstance(found.get("id"), int):
                        return str(found["id"])
    return "none"


def party_of(parsed: Update) -> tuple[int, int] | None:
    """The chat and the person of an update, or None for kinds that belong to no conversation."""
    if parsed.callback_query:
        query = parsed.callback_query
        return (query.message.chat.id if query.message else query.from_user.id), query.from_user.id
    message = parsed.message or parsed.edited_message
    if message:
        return message.chat.id, message.from_user.id if message.from_user else message.chat.id
    if parsed.my_chat_member:
        return parsed.my_chat_member.chat.id, parsed.my_chat_member.from_user.id
    return None
