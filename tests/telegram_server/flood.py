"""Telegram's rate limits: about 1 message a second in a chat, 30 over all, 20 a minute in a group."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass

from tests.telegram_server.clock import Clock
from tests.telegram_server.wire import ApiError

READ_TIME = 0.05
"""Real seconds after which a client must have read an answer; a call sent earlier may have crossed it."""

EVERYTHING = "all chats"


@dataclass
class Bucket:
    """A token bucket: `size` calls at once, then `rate` a second."""

    size: int
    rate: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until the next call fits, 0 when it does."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        return 0.0 if self.level >= 1 - 1e-6 else (1 - self.level) / self.rate


@dataclass(frozen=True)
class Block:
    until: float
    answered: float
    connection: object


class Flood:
    def __init__(self, clock: Clock, violations: list[str], *, enabled: bool) -> None:
        self.enabled = enabled
        self._clock = clock
        self._violations = violations
        self._buckets: dict[Hashable, Bucket] = {}
        self._blocks: dict[Hashable, Block] = {}

    def spend(self, chat_id: int, *, group: bool, what: str, connection: object) -> None:
        """Count one message to the chat; raises ApiError 429 when it is one too many."""
        self.check(EVERYTHING, what, connection)
        self.check(chat_id, what, connection)
        if not self.enabled:
            return
        now = self._clock.time()
        over_all = self._bucket(EVERYTHING, 30, 30.0, now)
        chat = self._bucket(chat_id, 20, 20 / 60, now) if group else self._bucket(chat_id, 5, 1.0, now)
        for key, bucket in ((chat_id, chat), (EVERYTHING, over_all)):
            if wait := bucket.wait(now):
                raise self.block(key, math.ceil(wait - 1e-6), connection)
        chat.level -= 1
        over_all.level -= 1

    def block(self, key: Hashable, seconds: int, connection: object) -> ApiError:
        """Refuse everything under this key for a time; returns the error to answer with."""
        self._blocks[key] = Block(self._clock.time() + seconds, time.monotonic(), connection)
        return ApiError(429, f"Too Many Requests: retry after {seconds}", parameters={"retry_after": seconds})

    def check(self, key: Hashable, what: str, connection: object) -> None:
        """Raise ApiError 429 while the key is blocked, and note the call as too early."""
        block = self._blocks.get(key)
        if block is None:
            return
        left = block.until - self._clock.time()
        if left <= 1e-6:
            del self._blocks[key]
            return
        # A client that uses the connection again has read the answer on it.
        if connection is block.connection or time.monotonic() - block.answered > READ_TIME:
            self._violations.append(f"{what} to {key} came {left:.1f} s before its retry_after was over")
        seconds = math.ceil(left - 1e-6)
        raise ApiError(429, f"Too Many Requests: retry after {seconds}", parameters={"retry_after": seconds})

    def _bucket(self, key: Hashable, size: int, rate: float, now: float) -> Bucket:
        return self._buckets.setdefault(key, Bucket(size, rate, size, now))
