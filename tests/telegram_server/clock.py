"""The clock that the server and the bot under test share."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since the epoch; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    """Wall time at creation, counted on monotonically from there."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def time(self) -> float:
        return self._offset + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """Time that moves only when a test moves it: by `advance`, or by `drive` while the test waits for something."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), wake))
        await wake

    @property
    def next_wake(self) -> float | None:
        """When the next sleeper wakes, in seconds since the epoch; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():  # cancelled
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers in order, each at its own moment."""
        target = self._now + seconds
        while (wake := self.next_wake) is not None and wake <= target:
            self._now = max(self._now, wake)
            heapq.heappop(self._sleepers)[2].set_result(None)
            await self._settle()
        self._now = target
        await self._settle()

    async def drive(self, what: Awaitable[T], *, limit: float = 3600.0) -> T:
        """Await `what`; whenever nothing happens for a moment, jump to the next sleeper.

        Raises AssertionError when `limit` seconds of clock time pass, or when nobody is left to wake, before it is done.
        """
        task = asyncio.ensure_future(what)
        end = self._now + limit
        idle = 0
        try:
            while True:
                await asyncio.wait({task}, timeout=0.02)  # real time: the network between bot and server needs it
                if task.done():
                    return task.result()
                wake = self.next_wake
                idle = idle + 1 if wake is None else 0
                if (wake is not None and wake > end) or idle > 250:
                    raise AssertionError(f"not done after {self._now - end + limit:.0f} s of clock time")
                if wake is not None:
                    await self.advance(max(0.0, wake - self._now))
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    @staticmethod
    async def _settle() -> None:
        # Lets the woken run up to its next wait inside this loop.
        for _ in range(5):
            await asyncio.sleep(0)
