"""One turn of a conversation: what comes in, what is remembered, what goes out; all of it commits together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiogram.methods.base import TelegramMethod
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.database import DialogueRow
from matching.models import Base

LanguageMode = Literal["de", "en", "easy"]
# After half an hour a short question is no longer read as a follow-up.
MEMORY_SECONDS = 1800.0


@dataclass
class Dialogue:
    """What is remembered of one person in one chat. `language` is None until it is chosen.

    `place` and `state` (ISO code without "DE-") are there once the person has given them; `asked_for` is what the
    assistant wants a place for, while it waits for one (a purpose of bot.callbacks, a colon, a guide's id). `form` is
    what a person has entered of something that takes several steps; its "kind" names the conversation it belongs to.
    """

    chat_id: int
    user_id: int
    sector: str | None = None
    language: LanguageMode | None = None
    guide: str | None = None
    guide_at: float | None = None
    place: str | None = None
    state: str | None = None
    asked_for: str | None = None
    form: dict[str, Any] | None = None

    def remember(self, guide: str, now: float) -> None:
        self.guide, self.guide_at = guide, now

    def recent_guide(self, now: float) -> str | None:
        """The guide of the last answer, while a follow-up may still refer to it."""
        return self.guide if self.guide_at is not None and now - self.guide_at < MEMORY_SECONDS else None


Effect = Callable[[AsyncSession], Awaitable[None]]


@dataclass
class Outgoing:
    """A call for the outbox. `key` names the message for later edits; `edits` is the key of the message it changes."""

    method: TelegramMethod[Any]
    key: str | None = None
    edits: str | None = None


@dataclass
class Turn:
    """Collects what a handler decides. Nothing takes effect before the turn is committed with the update's completion."""

    dialogue: Dialogue
    now: float
    outgoing: list[Outgoing] = field(default_factory=list)
    rows: list[Base] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def decide(self, effect: Effect) -> None:
        """Run `effect` inside the transaction that completes the turn: it sees what others have committed, and may send.

        It must be quick: it holds the database's writer. If it raises, nothing of the turn takes effect.
        """
        self.effects.append(effect)

    def send(self, method: TelegramMethod[Any], *, key: str | None = None, edits: str | None = None) -> None:
        self.outgoing.append(Outgoing(method, key, edits))


async def load_dialogue(connection: AsyncConnection, chat_id: int, user_id: int) -> Dialogue:
    query = select(DialogueRow.__table__).where(DialogueRow.chat_id == chat_id, DialogueRow.user_id == user_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return Dialogue(**row) if row else Dialogue(chat_id, user_id)


async def save_dialogue(session: AsyncSession, dialogue: Dialogue) -> None:
    await session.merge(DialogueRow(**vars(dialogue)))
