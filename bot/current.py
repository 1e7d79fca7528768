"""The state of the knowledge that a running assistant answers from: it follows the live snapshot while people ask."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from bot.clock import Clock
from bot.live import IndexingError, Live, reopen
from bot.settings import Settings
from indexer.directory import current

logger = logging.getLogger(__name__)
RETRY_SECONDS = 60.0


class Current:
    """Holds one `Live`, and what handlers get by name that is made from it.

    A turn takes `services` once, at its beginning, and so sees the old state or the new one to its end. `follow` is called
    every few seconds, in every replica; what it replaces is freed when the last turn that uses it has ended.
    """

    def __init__(self, settings: Settings, clock: Clock, live: Live, make: Callable[[Live], dict[str, Any]]) -> None:
        self.live = live
        self.services = make(live)
        self._make = make
        self._settings = settings
        self._clock = clock
        self._unusable: tuple[str, float] | None = None

    async def follow(self) -> None:
        """Change to the live snapshot if it is another one; one that cannot be opened is tried again after a minute."""
        path = await asyncio.to_thread(current, self._settings.snapshots)
        if path is None or path == self.live.path:
            return
        if self._unusable and self._unusable[0] == path.name and self._clock.time() < self._unusable[1]:
            return
        try:
            live = await asyncio.to_thread(reopen, path, self.live)
        except IndexingError as error:
            self._unusable = (path.name, self._clock.time() + RETRY_SECONDS)
            logger.error("the new index cannot be used, the old one stays: %s", error)
            return
        self.live, self.services = live, self._make(live)
        logger.info("answering from index %s now", path.name)
