"""Partners for people who chat: the matcher over the directory as it is now, off the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.database import Database
from knowledge_base.figures import day_of
from knowledge_base.guide import Taxonomy
from matching.importer import SAMPLES, import_file
from matching.matcher import Matcher
from matching.models import ACTIVE, Organisation
from matching.phrases import Phrases
from matching.places import Places
from matching.requests import RequestReader

Result = TypeVar("Result")
LOOK_AGAIN_SECONDS = 30.0


class PartnerService:
    """Reads requests and finds partners. The directory is loaded on first use, and again after it has changed.

    With `samples` an empty directory is filled with invented partners first.
    """

    def __init__(
        self,
        database: Database,
        embedder: Any,  # noqa: ANN401 - imported where it is loaded only
        taxonomy: Taxonomy,
        clock: Clock,
        *,
        samples: bool,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._taxonomy = taxonomy
        self._clock = clock
        self._samples = samples
        self._reader: RequestReader | None = None
        self._matcher: Matcher | None = None
        self._state: list[tuple[Any, ...]] | None = None
        self._looked_at = float("-inf")
        self._loading = asyncio.Lock()

    async def ask(self, work: Callable[[RequestReader, Matcher], Result]) -> Result:
        """Run `work` in a thread with the reader and the matcher of the directory as it is now."""
        reader, matcher = await self._current()
        return await asyncio.to_thread(work, reader, matcher)

    async def _current(self) -> tuple[RequestReader, Matcher]:
        async with self._loading:
            if self._reader is None:
                reader = await asyncio.to_thread(self._make_reader)
                if self._samples:
                    await self._add_samples(reader.phrases)
                self._reader = reader
            if self._matcher is None or self._clock.time() - self._looked_at >= LOOK_AGAIN_SECONDS:
                async with self._database.read() as connection, AsyncSession(connection) as session:
                    state = await _state(session)
                    if self._matcher is None or state != self._state:
                        self._matcher = await Matcher.load(session, self._reader.phrases)
                        self._state = state
                self._looked_at = self._clock.time()
            return self._reader, self._matcher

    async def _add_samples(self, phrases: Phrases) -> None:
        async with self._database.read() as connection:
            if (await connection.execute(select(func.count()).select_from(Organisation))).scalar_one():
                return
        today = day_of(self._clock.time())
        await import_file(SAMPLES, self._database.write, phrases, Places.load(), self._taxonomy, today=today)

    def _make_reader(self) -> RequestReader:
        return RequestReader(Phrases(self._embedder, self._taxonomy), Places.load(), self._taxonomy)


async def _state(session: AsyncSession) -> list[tuple[Any, ...]]:
    """What changes whenever the directory does."""
    query = select(Organisation.id, Organisation.digest, Organisation.verified_on).where(Organisation.status == ACTIVE)
    return [tuple(row) for row in (await session.execute(query.order_by(Organisation.id))).all()]
