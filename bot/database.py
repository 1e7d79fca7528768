"""The database: its tables, and a session for reading or for one short write transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    event,
    exists,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from matching.models import Base, RowId

MIGRATIONS = Path(__file__).parent / "migrations"


class InboxRow(Base):
    """An update as received. The payload is encrypted and deleted once the update is handled.

    state: new, done, dead (cannot be handled; `error` says why).
    """

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ux_inbox_update", "bot_id", "update_id", unique=True),
        Index("ix_inbox_queue", "state", "chat_key", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    update_id: Mapped[int] = mapped_column(BigInteger)
    chat_key: Mapped[str] = mapped_column(String(64))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(8), default="new")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    received_at: Mapped[float] = mapped_column(Float)
    error: Mapped[str | None] = mapped_column(String(200))


class OutboxRow(Base):
    """A call to make. The payload is encrypted and deleted once the call's fate is known.

    state: pending, sending (leased until `due`), unknown (its fate is not known, sent once more at `due`), sent, failed.
    `key` names the message for later edits; `edits` is the key of the message that this call changes.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_queue", "state", "chat_id", "id"), Index("ix_outbox_key", "key"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String(40))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(8), default="pending")
    repeats: Mapped[int] = mapped_column(Integer, default=0)
    due: Mapped[float] = mapped_column(Float, default=0.0)
    created_at: Mapped[float] = mapped_column(Float)
    key: Mapped[str | None] = mapped_column(String(64))
    edits: Mapped[str | None] = mapped_column(String(64))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None] = mapped_column(String(200))


class DialogueRow(Base):
    """What the assistant remembers of a conversation: of one person in one chat."""

    __tablename__ = "dialogue"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sector: Mapped[str | None] = mapped_column(String(20))
    language: Mapped[str | None] = mapped_column(String(8))
    guide: Mapped[str | None] = mapped_column(String(40))
    guide_at: Mapped[float | None] = mapped_column(Float)
    place: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[str | None] = mapped_column(String(2))
    asked_for: Mapped[str | None] = mapped_column(String(48))
    form: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class FeedbackRow(Base):
    """A judgement of an answer. `answer` is a keyed hash of the message, so that one answer is judged once."""

    __tablename__ = "feedback"

    answer: Mapped[str] = mapped_column(String(64), primary_key=True)
    guide: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(8))
    helpful: Mapped[bool] = mapped_column(Boolean)
    judged_on: Mapped[str] = mapped_column(String(10))


class Database:
    """One engine; `read()` for looking, `write()` for one short transaction that commits at its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._engine = create_async_engine(url, pool_pre_ping=not self.is_sqlite)
        # SQLite has one writer at a time; waiting here is fair and costs no busy loop.
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        self._write_engine = self._engine.execution_options(write=True)

    async def migrate(self) -> None:
        """Bring the tables to the newest schema."""
        async with self._write_engine.begin() as connection:
            await connection.run_sync(_upgrade)

    async def holds_payloads(self) -> bool:
        """Whether anything encrypted is still to be handled or sent."""
        async with self.read() as connection:
            query = select(
                exists().where(InboxRow.payload.is_not(None)) | exists().where(OutboxRow.payload.is_not(None))
            )
            return bool((await connection.execute(query)).scalar_one())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        lock: AbstractAsyncContextManager[Any] = self._writer if self.is_sqlite else nullcontext()
        async with lock, AsyncSession(self._write_engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def close(self) -> None:
        await self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own types
    connection.isolation_level = None  # transactions are begun by _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: what has been acknowledged to Telegram survives a power cut too.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A write transaction takes its lock at once: upgrading a read lock can fail when another process has written since.
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
