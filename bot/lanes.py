"""Work that is in order within a key and concurrent between keys: one lane a chat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.clock import Clock

Key = TypeVar("Key")
logger = logging.getLogger(__name__)
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class Lanes(Generic[Key]):
    """Runs `work(key)` whenever a key is woken, never twice at once for the same key.

    `work` empties its lane; when it raises, it is called again after a pause, so that an outage of the database delays
    a lane and never ends it.
    """

    def __init__(self, work: Callable[[Key], Awaitable[None]], clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._woken: set[Key] = set()

    def wake(self, key: Key) -> None:
        self._woken.add(key)
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._run(key))

    async def idle(self) -> None:
        """Return when no lane has anything left to do."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def close(self, patience: float) -> None:
        """Let the lanes finish for `patience` seconds, then stop them; what they had not committed is done next time."""
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=patience)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: Key) -> None:
        failures = 0
        try:
            while key in self._woken:
                self._woken.discard(key)
                try:
                    await self._work(key)
                    failures = 0
                except Exception:
                    logger.exception("a lane stopped and is tried again")
                    self._woken.add(key)
                    await self._clock.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                    failures += 1
        finally:
            del self._running[key]
