"""Faults that a test orders in advance, each for the next matching calls or updates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.telegram_server.wire import ApiError

DESCRIPTIONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
Hook = Callable[[], Any]
"""May return an awaitable, which is awaited."""


@dataclass
class Fault:
    kind: Literal["fail", "drop", "slow", "retry_after", "before", "after"]
    method: str
    times: int
    skip: int = 0
    seconds: float = 0.0
    error: ApiError | None = None
    accepted: bool = False
    hook: Hook | None = None


class Faults:
    """`method` is a Bot API method; `times` how many calls are hit; `skip` how many pass before."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self.duplicates: list[str] = []
        """Kinds of update ("*" for any) of which the next is delivered a second time after it was confirmed."""
        self.reorder_next = 0
        """How many of the next updates are held back and then delivered in reverse."""

    def duplicate(self, kind: str = "*", times: int = 1) -> None:
        """Deliver the next updates of a kind ("message", "callback_query") twice, with the same update_id."""
        self.duplicates += [kind] * times

    def reorder(self, count: int = 2) -> None:
        """Hold the next `count` updates back and deliver them in reverse order."""
        self.reorder_next = count

    def drop_response(self, method: str, times: int = 1, skip: int = 0) -> None:
        """Do what is asked, then close the connection without an answer."""
        self._faults.append(Fault("drop", method, times, skip))

    def fail(
        self,
        method: str,
        code: int = 500,
        description: str | None = None,
        *,
        times: int = 1,
        skip: int = 0,
        accepted: bool = False,
        **parameters: int,
    ) -> None:
        """Answer with an error; with `accepted` the call is carried out all the same."""
        error = ApiError(code, description or DESCRIPTIONS.get(code, f"Error {code}"), parameters=parameters)
        self._faults.append(Fault("fail", method, times, skip, error=error, accepted=accepted))

    def slow(self, method: str, seconds: float, times: int = 1, skip: int = 0) -> None:
        """Do what is asked at once, and answer after `seconds` on the clock."""
        self._faults.append(Fault("slow", method, times, skip, seconds=seconds))

    def retry_after(self, method: str, seconds: int, times: int = 1, skip: int = 0) -> None:
        """Answer 429; the same method for the same chat before `seconds` are over is a violation."""
        self._faults.append(Fault("retry_after", method, times, skip, seconds=seconds))

    def before(self, method: str, hook: Hook, times: int = 1, skip: int = 0) -> None:
        """Call `hook` (it may be async) when a call has come in and before it is carried out: to kill a bot, say.

        When it returns False the call vanishes: it is neither carried out nor answered.
        """
        self._faults.append(Fault("before", method, times, skip, hook=hook))

    def after(self, method: str, hook: Hook, times: int = 1, skip: int = 0) -> None:
        """Call `hook` when a call has been carried out and before it is answered."""
        self._faults.append(Fault("after", method, times, skip, hook=hook))

    def clear(self) -> None:
        self._faults.clear()
        self.duplicates.clear()
        self.reorder_next = 0

    @property
    def open(self) -> list[str]:
        """Faults that have not happened yet."""
        return [f"{fault.kind} {fault.method}" for fault in self._faults]

    def take(self, method: str) -> dict[str, Fault]:
        """The faults that hit this call, by kind."""
        if not self._faults:
            return {}
        hit: dict[str, Fault] = {}
        for fault in list(self._faults):
            if fault.method.lower() != method.lower() or fault.kind in hit:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            hit[fault.kind] = fault
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        return hit
