"""Updates on their way to the bot: getUpdates with offset confirmation, or a webhook pushed in order."""

# ruff: noqa: ASYNC109 - `timeout` is a parameter of getUpdates
from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from tests.telegram_server import second_opinion
from tests.telegram_server.clock import Clock
from tests.telegram_server.faults import Faults
from tests.telegram_server.limits import CALLBACK_LIFE, UPDATE_LIFE
from tests.telegram_server.wire import ApiError, Json, bad_request

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
WEBHOOK_TIMEOUT = 60.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 the name of a header


@dataclass(eq=False)
class Pending:
    """One update and what has become of it."""

    update: Json
    kind: str
    created: float
    copies: int = 0
    """How often it is still to be delivered again after being confirmed."""
    delivered: int = 0
    confirmed: bool = False

    @property
    def id(self) -> int:
        return int(self.update["update_id"])

    @property
    def chat_key(self) -> object:
        """Webhook updates of one chat keep their order."""
        payload = self.update.get(self.kind)
        if not isinstance(payload, dict):
            return None
        message = payload.get("message")
        chat = (message if isinstance(message, dict) else payload).get("chat")
        return chat.get("id") if isinstance(chat, dict) else None


@dataclass
class Webhook:
    url: str
    secret: str | None
    max_connections: int
    last_error: tuple[int, str] | None = None


class UpdateQueue:
    def __init__(self, clock: Clock, faults: Faults, violations: list[str], *, parse_twice: bool) -> None:
        self.pending: deque[Pending] = deque()
        self.webhook: Webhook | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._clock = clock
        self._faults = faults
        self._violations = violations
        self._parse_twice = parse_twice
        self._next_id = 870_000_001
        self._allowed: list[str] = []
        self._held: list[Pending] = []
        self._poll: asyncio.Future[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._lanes: dict[object, deque[Pending]] = {}
        self._pushers: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(40)
        self._closed = False

    def add(self, kind: str, payload: Json) -> Pending | None:
        """Queue an update; None when the bot does not ask for this kind."""
        if kind not in self._allowed if self._allowed else kind in NOT_BY_DEFAULT:
            return None
        update = {"update_id": self.take_id(), kind: payload}
        if self._parse_twice:
            self._violations += [f"update of the test server: {p}" for p in second_opinion.check_update(update)]
        return self.add_raw(update, kind)

    def take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def add_raw(self, update: Json, kind: str) -> Pending:
        pending = Pending(update, kind, self._clock.time())
        for wanted in (kind, "*"):
            if wanted in self._faults.duplicates:
                self._faults.duplicates.remove(wanted)
                pending.copies = 1
                break
        if self._faults.reorder_next:
            self._faults.reorder_next -= 1
            self._held.append(pending)
            if self._faults.reorder_next:
                return pending
            arriving, self._held = self._held[::-1], []
        else:
            arriving = [pending]
        self.pending += arriving
        for item in arriving:
            self._dispatch(item)
        self._wake()
        return pending

    # Polling

    @property
    def polled(self) -> bool:
        """Whether a long poll is waiting."""
        return self._poll is not None and not self._poll.done()

    async def get_updates(self, offset: int, limit: int, timeout: float, allowed: list[str] | None) -> list[Json]:
        if self.webhook:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        if not 1 <= limit <= 100:
            limit = 100
        if allowed is not None:
            self._allowed = allowed
        if self._poll and self.polled:
            self._poll.set_exception(
                ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            )
        self._expire()
        self._confirm_below(offset)
        if not self.pending and timeout > 0 and not self._closed:
            await self._wait(min(timeout, 50))
        batch = list(self.pending)[:limit]
        for item in batch:
            item.delivered += 1
        return [item.update for item in batch]

    def _confirm_below(self, offset: int) -> None:
        if offset < 0:  # forget all but the last
            offset = ([item.id for item in self.pending][offset:] or [0])[0]
        kept: deque[Pending] = deque()
        for item in self.pending:
            if item.id >= offset:
                kept.append(item)
                continue
            item.confirmed = True
            if item.copies:
                item.copies -= 1
                kept.append(item)
        self.pending = kept
        self.on_change()

    async def _wait(self, timeout: float) -> None:
        self._poll = poll = asyncio.get_running_loop().create_future()
        timer = asyncio.ensure_future(self._clock.sleep(timeout))
        self.on_change()
        try:
            await asyncio.wait({poll, timer}, return_when=asyncio.FIRST_COMPLETED)
            if poll.done():
                poll.result()
        finally:
            timer.cancel()
            if self._poll is poll:
                self._poll = None
            self.on_change()

    def _wake(self) -> None:
        if self._poll and self.polled:
            self._poll.set_result(None)
        self.on_change()

    def _expire(self) -> None:
        now = self._clock.time()
        self.pending = deque(
            item
            for item in self.pending
            if now - item.created < (CALLBACK_LIFE if item.kind == "callback_query" else UPDATE_LIFE)
        )

    # Webhook

    def set_webhook(self, parameters: Json) -> None:
        secret = parameters.get("secret_token")
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        if parameters.get("drop_pending_updates"):
            self.pending.clear()
        if "allowed_updates" in parameters:
            self._allowed = parameters["allowed_updates"]
        self._stop_pushing()
        if not parameters["url"]:
            self.webhook = None
            return
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", parameters["url"]):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        connections = parameters.get("max_connections", 40)
        self.webhook = Webhook(parameters["url"], secret, connections)
        self._connections = asyncio.Semaphore(max(1, min(100, connections)))
        for item in self.pending:
            self._dispatch(item)

    def delete_webhook(self, *, drop: bool) -> None:
        self.webhook = None
        self._stop_pushing()
        if drop:
            self.pending.clear()

    def info(self) -> Json:
        hook = self.webhook
        info: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if hook:
            info["max_connections"] = hook.max_connections
            if hook.last_error:
                info["last_error_date"], info["last_error_message"] = hook.last_error
        if self._allowed:
            info["allowed_updates"] = self._allowed
        return info

    def _dispatch(self, item: Pending) -> None:
        if self.webhook is None or self._closed:
            return
        lane = self._lanes.get(item.chat_key)
        if lane is not None:
            lane.append(item)
            return
        self._lanes[item.chat_key] = lane = deque([item])
        pusher = asyncio.ensure_future(self._push_lane(item.chat_key, lane, self.webhook))
        self._pushers.add(pusher)
        pusher.add_done_callback(self._pushers.discard)

    async def _push_lane(self, key: object, lane: deque[Pending], hook: Webhook) -> None:
        failures = 0
        while lane:
            item = lane[0]
            async with self._connections:
                problem = await self._push(item, hook)
            if problem is None:
                failures = 0
                item.confirmed = True
                if item.copies:
                    item.copies -= 1
                    continue
                lane.popleft()
                if item in self.pending:
                    self.pending.remove(item)
            else:
                hook.last_error = (int(self._clock.time()), problem)
                failures += 1
            self.on_change()
            if problem is not None:
                await self._clock.sleep(min(2.0 ** (failures - 1), 60.0))
        del self._lanes[key]

    async def _push(self, item: Pending, hook: Webhook) -> str | None:
        """What went wrong, None if the bot took the update."""
        headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WEBHOOK_TIMEOUT))
        item.delivered += 1
        try:
            async with self._session.post(hook.url, json=item.update, headers=headers) as response:
                body = await response.read()
        except TimeoutError:
            return "Read timeout expired"
        except aiohttp.ClientError:
            return "Connection refused"
        if not 200 <= response.status < 300:
            return f"Wrong response from the webhook: {response.status} {response.reason}"
        if b'"method"' in body:
            self._violations.append("a method call inside the answer to a webhook is not emulated")
        return None

    def _stop_pushing(self) -> None:
        for pusher in self._pushers:
            pusher.cancel()
        self._lanes.clear()

    async def close(self) -> None:
        self._closed = True
        self._wake()
        self._stop_pushing()
        await asyncio.gather(*self._pushers, return_exceptions=True)
        if self._session:
            await self._session.close()
