"""Calls to Telegram that survive a crash: written with the state they belong to, delivered in order per chat."""

import logging
from collections.abc import Iterable
from typing import Any

from aiogram import Bot, methods
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import Message
from aiohttp import ClientConnectorError
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.database import Database, DialogueRow, OutboxRow
from bot.dialogue import Outgoing
from bot.lanes import Lanes
from bot.vault import Vault

logger = logging.getLogger(__name__)
LIVE = ("pending", "sending", "unknown")
FINAL = ("sent", "failed")
# Neither is a message, so neither counts against Telegram's budgets.
UNMETERED = (methods.AnswerCallbackQuery, methods.SendChatAction)
CONNECT_PAUSE_SECONDS = 3.0
MAXIMUM_REPEATS = 1
KEEP_SECONDS = 48 * 3600.0


class Budget:
    """Telegram's sending limits as token buckets: about one message a second in a chat, 20 a minute in a group.

    Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    """

    PRIVATE = (1.0, 3.0)  # tokens a second, capacity
    GROUP = (0.25, 5.0)  # at most 5 + 15 in any minute

    def __init__(self, clock: Clock, sends_per_second: float = 25.0) -> None:
        self._clock = clock
        self._all = (sends_per_second, max(sends_per_second / 5, 1.0))
        self._level: dict[int | None, tuple[float, float]] = {}

    async def spend(self, chat_id: int) -> None:
        """Wait until a message may go to `chat_id`, and count it."""
        while wait := max(self._missing(chat_id), self._missing(None)):
            await self._clock.sleep(wait)
        self._take(chat_id)
        self._take(None)

    def _bucket(self, key: int | None) -> tuple[float, float]:
        return self._all if key is None else self.PRIVATE if key > 0 else self.GROUP

    def _tokens(self, key: int | None) -> float:
        rate, capacity = self._bucket(key)
        level, at = self._level.get(key, (capacity, self._clock.time()))
        return min(capacity, level + (self._clock.time() - at) * rate)

    def _missing(self, key: int | None) -> float:
        # The tiny tolerance keeps rounding from asking for a wait too short for any clock to show.
        short = 1.0 - self._tokens(key)
        return short / self._bucket(key)[0] if short > 1e-4 else 0.0

    def _take(self, key: int | None) -> None:
        self._level[key] = (self._tokens(key) - 1.0, self._clock.time())
        if len(self._level) > 10_000:
            full = [k for k in self._level if k is not None and self._tokens(k) >= self._bucket(k)[1]]
            for k in full:
                del self._level[k]


class Unmetered(Budget):
    """For a terminal, which takes what it gets."""

    async def spend(self, chat_id: int) -> None:
        return


class Outbox:
    """Delivers rows of the outbox.

    A row is leased before its call is made. A call whose reply never came is `unknown` and made once more after its
    lease: a reply may then arrive twice, but is never lost.
    """

    def __init__(self, bot: Bot, database: Database, vault: Vault, clock: Clock, budget: Budget, lease: float) -> None:
        self._bot = bot
        self._database = database
        self._vault = vault
        self._clock = clock
        self._budget = budget
        self._lease = lease
        self._lanes = Lanes(self._deliver_all, clock)
        self.idle = self._lanes.idle
        self.close = self._lanes.close

    def put(self, session: AsyncSession, outgoing: Iterable[Outgoing], chat_id: int) -> set[int]:
        """Add calls to the caller's transaction, in order. Returns the chats to `wake` once it is committed."""
        chats = set()
        for call in outgoing:
            target = getattr(call.method, "chat_id", None)
            row = OutboxRow(
                chat_id=target if isinstance(target, int) else chat_id,
                method=type(call.method).__name__,
                payload=self._pack(call.method),
                created_at=self._clock.time(),
                key=call.key,
                edits=call.edits,
            )
            session.add(row)
            chats.add(row.chat_id)
        return chats

    def wake(self, chats: Iterable[int]) -> None:
        for chat_id in chats:
            self._lanes.wake(chat_id)

    async def recover(self) -> None:
        """Take up what an earlier process left."""
        async with self._database.read() as connection:
            query = select(OutboxRow.chat_id).where(OutboxRow.state.in_(LIVE)).distinct()
            self.wake((await connection.execute(query)).scalars())

    async def prune(self) -> None:
        """Delete rows of delivered calls, once their messages can no longer be edited."""
        async with self._database.write() as session:
            old = OutboxRow.created_at < self._clock.time() - KEEP_SECONDS
            await session.execute(delete(OutboxRow).where(OutboxRow.state.in_(FINAL), old))

    def _pack(self, method: TelegramMethod[Any]) -> bytes:
        return self._vault.lock(method.model_dump_json(exclude_unset=True, exclude_none=True).encode())

    def _unpack(self, row: OutboxRow) -> TelegramMethod[Any]:
        """The call of a row. Raises ValueError when it cannot be read."""
        method: TelegramMethod[Any] = getattr(methods, row.method).model_validate_json(
            self._vault.unlock(row.payload or b"")
        )
        return method

    async def _deliver_all(self, chat_id: int) -> None:
        while (row := await self._claim(chat_id)) is not None:
            await self._deliver(row)

    async def _claim(self, chat_id: int) -> OutboxRow | None:
        """Lease the chat's oldest open row, waiting until it is due; None when the chat has none."""
        while True:
            async with self._database.write() as session:
                query = (
                    select(OutboxRow)
                    .where(OutboxRow.chat_id == chat_id, OutboxRow.state.in_(LIVE))
                    .order_by(OutboxRow.id)
                    .limit(1)
                )
                row = (await session.execute(query)).scalar_one_or_none()
                if row is None:
                    return None
                now = self._clock.time()
                wait = row.due - now
                if wait <= 0:
                    if row.state == "sending":  # its process ended between the call and the note of its fate
                        row.state = "unknown"
                    if row.state == "unknown":
                        row.repeats += 1
                    if row.repeats > MAXIMUM_REPEATS:
                        row.state, row.payload, row.error = "failed", None, "its fate stayed unknown"
                        continue
                    row.state, row.due = "sending", now + self._lease
                    return row
            await self._clock.sleep(wait)

    async def _deliver(self, row: OutboxRow) -> None:
        method = await self._method(row)
        if method is None:
            return
        if not isinstance(method, UNMETERED):
            await self._budget.spend(row.chat_id)
        try:
            result = await self._bot(method)
        except TelegramRetryAfter as error:
            await self._note(row, "pending", due=self._clock.time() + error.retry_after)
        except TelegramMigrateToChat as error:
            await self._migrate(row.chat_id, error.migrate_to_chat_id)
        except TelegramForbiddenError:
            await self._block(row)
        except TelegramBadRequest as error:
            await self._refused(row, method, error)
        except TelegramServerError:
            await self._note(row, "unknown", due=self._clock.time() + self._lease)
        except TelegramNetworkError as error:
            if isinstance(error.__cause__, ClientConnectorError):  # no connection, so certainly not sent
                await self._note(row, "pending", due=self._clock.time() + CONNECT_PAUSE_SECONDS)
            else:
                await self._note(row, "unknown", due=self._clock.time() + self._lease)
        except TelegramAPIError as error:
            logger.error("call failed: %s: %s", row.method, type(error).__name__)
            await self._note(row, "failed", error=type(error).__name__)
        else:
            await self._note(row, "sent", message_id=result.message_id if isinstance(result, Message) else None)

    async def _method(self, row: OutboxRow) -> TelegramMethod[Any] | None:
        """The call to make; an edit of a message that never arrived becomes a message of its own."""
        try:
            method = self._unpack(row)
        except ValueError:
            logger.error("outbox row %s cannot be read and is given up", row.id)
            await self._note(row, "failed", error="unreadable")
            return None
        if row.edits and isinstance(method, EditMessageText):
            async with self._database.read() as connection:
                query = (
                    select(OutboxRow.message_id)
                    .where(OutboxRow.key == row.edits, OutboxRow.message_id.is_not(None))
                    .order_by(OutboxRow.id.desc())
                    .limit(1)
                )
                message_id = (await connection.execute(query)).scalar_one_or_none()
            if message_id is None:
                return _as_new_message(method)
            method.message_id = message_id
        return method

    async def _refused(self, row: OutboxRow, method: TelegramMethod[Any], error: TelegramBadRequest) -> None:
        reason = error.message.lower()
        if "message is not modified" in reason:
            await self._note(row, "sent")
        elif isinstance(method, EditMessageText) and (
            "message to edit not found" in reason or "can't be edited" in reason
        ):
            payload = self._pack(_as_new_message(method))
            await self._note(row, "pending", method="SendMessage", payload=payload, edits=None, key=row.edits)
        else:
            # A tap that is answered too late is of no use to anyone; everything else is a fault of ours.
            level = logging.INFO if "query is too old" in reason else logging.ERROR
            logger.log(level, "Telegram refused %s: %s", row.method, error.message)
            await self._note(row, "failed", error=error.message[:200])

    async def _note(self, row: OutboxRow, state: str, **values: Any) -> None:  # noqa: ANN401 - column values
        if state in FINAL:
            values["payload"] = None
        async with self._database.write() as session:
            await session.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(state=state, **values))

    async def _block(self, row: OutboxRow) -> None:
        """The person does not want to hear from the bot: give up what is waiting for the chat."""
        async with self._database.write() as session:
            await session.execute(
                update(OutboxRow)
                .where(OutboxRow.chat_id == row.chat_id, OutboxRow.state.in_(LIVE))
                .values(state="failed", error="blocked", payload=None)
            )

    async def _migrate(self, old: int, new: int) -> None:
        """A group became a supergroup: everything of the chat moves to its new id."""
        async with self._database.write() as session:
            query = select(OutboxRow).where(OutboxRow.chat_id == old, OutboxRow.state.in_(LIVE))
            for row in (await session.execute(query)).scalars():
                method: Any = self._unpack(row)
                if getattr(method, "chat_id", None) == old:
                    method.chat_id = new
                row.payload = self._pack(method)
                row.chat_id, row.state, row.due = new, "pending", 0.0
            await session.execute(update(DialogueRow).where(DialogueRow.chat_id == old).values(chat_id=new))
        self.wake([new])


def _as_new_message(method: EditMessageText) -> SendMessage:
    fields = method.model_dump(include={"chat_id", "text", "entities", "reply_markup", "link_preview_options"})
    return SendMessage.model_validate({name: value for name, value in fields.items() if value is not None})
