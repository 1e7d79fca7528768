"""The HTTP server, and the handle on it that tests use."""

# ruff: noqa: ASYNC109 - what is waited for is a condition, and the failure says which
from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from tests.telegram_server import schema, second_opinion
from tests.telegram_server.bot_methods import BotMethods, snake_case
from tests.telegram_server.clock import Clock, RealClock
from tests.telegram_server.faults import Fault, Faults
from tests.telegram_server.flood import Flood
from tests.telegram_server.limits import MAX_UPLOAD
from tests.telegram_server.people import ADMIN_RIGHTS, Callback, Chat, User
from tests.telegram_server.updates import UpdateQueue
from tests.telegram_server.wire import ApiError, Json, misuse

T = TypeVar("T")

BOT_ID = 4_200_000_001
DEFAULT_TOKEN = f"{BOT_ID}:AAF-only_for_the_server_of_the_tests"


UPLOAD_PARAMETERS = frozenset({"photo", "document", "thumbnail"})
"""Parameters that may be the uploaded part itself, instead of naming it with attach://."""


@dataclass(frozen=True)
class Upload:
    name: str
    data: bytes


@dataclass(frozen=True)
class StoredFile:
    path: str
    data: bytes
    described: Json
    """file_id, file_unique_id and file_size."""


@dataclass(eq=False)
class Call:
    """One request of the bot and what became of it."""

    method: str
    params: Json
    time: float
    files: dict[str, Upload] = field(default_factory=dict, repr=False)
    connection: object = field(default=None, repr=False)
    done: bool = False
    """Whether it was carried out; with a fault it may have an `error` all the same."""
    result: Any = None
    error: ApiError | None = None
    injected: bool = False

    def __str__(self) -> str:
        outcome = f"{self.error.code} {self.error.description}" if self.error else "ok"
        return f"{self.method}({json.dumps(self.params, ensure_ascii=False, default=str):.200}) -> {outcome}"


@dataclass
class Expectation:
    text: str
    method: str | None
    met: int = 0

    def covers(self, call: Call) -> bool:
        assert call.error
        return self.text in f"{call.error.code} {call.error.description}" and self.method in (None, call.method)


class TelegramServer:
    """A Bot API server in memory. `async with TelegramServer() as server`, then point the bot at `server.url`.

    It refuses what Telegram refuses, and keeps book of what a correct bot never does: see `verify`.
    """

    def __init__(
        self, *, token: str = DEFAULT_TOKEN, clock: Clock | None = None, rates: bool = True, parse_twice: bool = True
    ) -> None:
        self.token = token
        self.clock: Clock = clock or RealClock()
        self.parse_twice = parse_twice
        self.violations: list[str] = []
        """What is wrong however the bot goes on: misuse of the API, calls before retry_after is over."""
        self.calls: list[Call] = []
        """All calls of the bot but getUpdates, in order; refused ones have an `error`."""
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, Callback] = {}
        self.files: dict[str, StoredFile] = {}
        self.faults = Faults()
        self.flood = Flood(self.clock, self.violations, enabled=rates)
        self.updates = UpdateQueue(self.clock, self.faults, self.violations, parse_twice=parse_twice)
        self.updates.on_change = self._notify
        self.bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Kooperationslotse",
            "username": "kooperationslotse_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self._methods = BotMethods(self)
        self._expected: list[Expectation] = []
        self._log: list[tuple[Chat, str | None]] = []  # None: a person did something or an answer got lost
        self._message_ids = itertools.count(1)
        self._group_ids = itertools.count(1)
        self._waiters: set[asyncio.Future[None]] = set()
        self._working: set[asyncio.Future[web.Response]] = set()
        self._runner: web.ServerRunner | None = None
        self._port = 0

    # Running

    @property
    def url(self) -> str:
        """Base address, for TELEGRAM_API_BASE or `TelegramAPIServer.from_base`."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        # A client that hangs up ends its long poll, as a killed bot must.
        server = web.Server(self._handle, request_factory=_request, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self.updates.close()
        for work in self._working:
            work.cancel()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # People and chats

    def user(
        self,
        name: str,
        *,
        language_code: str | None = "de",
        username: str | None = None,
        last_name: str | None = None,
        hides_forwards: bool = False,
        started: bool = False,
    ) -> User:
        """A new person. She counts as having started the bot once she has written to it, or with `started`."""
        number = 7_000_000_000 + len(self.users) + 1  # real ids no longer fit into 32 bits
        user = User(self, number, name, language_code, username, last_name, hides_forwards, started)
        self.users[number] = user
        self.chats[number] = user.chat
        return user

    def group(
        self,
        title: str,
        members: Iterable[User] = (),
        *,
        forum: bool = False,
        supergroup: bool = False,
        bot_rights: Iterable[str] | None = ADMIN_RIGHTS,
        admins: Iterable[User | int] = (),
        bot_in: bool = True,
    ) -> Chat:
        """A group with the bot in it: as an administrator with `bot_rights`, or with None as a plain member."""
        big = forum or supergroup
        number = next(self._group_ids)
        chat = Chat(
            self,
            -1_002_000_000_000 - number if big else -4_000_000_000 - number,
            "supergroup" if big else "group",
            title,
            is_forum=forum,
            members={user.id: user for user in members},
            admins={admin if isinstance(admin, int) else admin.id for admin in admins},
            bot_status="left" if not bot_in else "member" if bot_rights is None else "administrator",
            bot_rights=frozenset(bot_rights or ()),
        )
        self.chats[chat.id] = chat
        return chat

    def channel(self, title: str, username: str | None = None) -> Chat:
        """A channel as the origin of forwards; the bot is not in it."""
        chat_id = -1_003_000_000_000 - next(self._group_ids)
        chat = self.chats[chat_id] = Chat(self, chat_id, "channel", title, username=username, bot_status="left")
        return chat

    def store(self, data: bytes, path: str) -> Json:
        """Keep a file; returns file_id, file_unique_id and file_size."""
        number = len(self.files) + 1
        directory, _, name = path.rpartition("/")
        described: Json = {
            "file_id": f"file-{number:06}",
            "file_unique_id": f"unique{number:06}",
            "file_size": len(data),
        }
        self.files[described["file_id"]] = StoredFile(f"{directory}/{number}_{name}", data, described)
        return described

    def raw_update(self, update: Json) -> int:
        """Send the bot any object at all as an update, malformed ones too; returns its update_id."""
        update = {"update_id": self.updates.take_id(), **update}
        kind = next((key for key in update if key != "update_id"), "nothing")
        self.updates.add_raw(update, kind)
        return int(update["update_id"])

    # Waiting and checking

    async def wait_for(
        self,
        predicate: Callable[[], T],
        *,
        timeout: float = 10.0,
        what: str | Callable[[], str] = "the condition",
    ) -> T:
        """Wait, without polling, until `predicate` returns something true after a call of the bot; return that.

        `timeout` is in real seconds; AssertionError names `what` and the latest calls when it is over.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiters.discard(waiter)
                return value
        except TimeoutError:
            described = what if isinstance(what, str) else what()
            latest = "\n".join(f"  {call}" for call in self.calls[-10:]) or "  none"
            problems = "".join(f"\n  {problem}" for problem in self.violations[-5:])
            raise AssertionError(
                f"waited {timeout} s in vain for {described}\nlatest calls:\n{latest}"
                + (f"\nviolations:{problems}" if problems else "")
            ) from None

    async def wait_for_call(self, method: str, *, count: int = 1, timeout: float = 10.0) -> Call:
        """Wait until the bot has made `count` calls of a method that went well; return the last."""
        await self.wait_for(lambda: len(self.calls_of(method)) >= count, timeout=timeout, what=f"{count} x {method}")
        return self.calls_of(method)[count - 1]

    async def wait_until_answered(self, callback_id: str, *, timeout: float = 10.0) -> Json:
        """Wait for the answer to a tap; returns the parameters of answerCallbackQuery."""
        callback = self.callbacks[callback_id]
        await self.wait_for(
            lambda: callback.answer is not None, timeout=timeout, what=f"an answer to {callback.data!r}"
        )
        return callback.answer or {}

    async def wait_until_confirmed(self, *, timeout: float = 10.0) -> None:
        """Wait until the bot has confirmed all updates."""
        await self.wait_for(lambda: not self.updates.pending, timeout=timeout, what="confirmation of all updates")

    def calls_of(self, method: str) -> list[Call]:
        """The calls of a method that went well."""
        return [call for call in self.calls if call.method == method and call.done and call.error is None]

    @property
    def refusals(self) -> list[Call]:
        """Calls answered with a 4xx that no fault had ordered."""
        return [call for call in self.calls if call.error and call.error.code < 500 and not call.injected]

    def expect_error(self, text: str, method: str | None = None) -> None:
        """Declare that refusals containing `text` ("403", "message to edit not found") belong to this test.

        At least one has to come, else `verify` fails.
        """
        self._expected.append(Expectation(text, method))

    def problems(self, *, lost: bool = True, doubled: bool = True) -> list[str]:
        """All that `verify` complains of."""
        found = list(dict.fromkeys(self.violations))
        for call in self.refusals:
            covering = [expectation for expectation in self._expected if expectation.covers(call)]
            for expectation in covering:
                expectation.met += 1
            if not covering and call.error and not call.error.misuse:
                found.append(f"unexpected refusal: {call}")
        found += [f"expected error did not come: {e.text!r}" for e in self._expected if not e.met]
        for callback in self.callbacks.values():
            if callback.update and callback.update.delivered and not callback.tried:
                found.append(f"unanswered callback: {callback.user} tapped {callback.data!r}")
        if lost:
            for chat in self.chats.values():
                unanswered = [item.update["message"].get("text", "?") for item in chat.waiting if item.confirmed]
                if unanswered:
                    found.append(f"lost reply: {chat} wrote {unanswered} and got nothing")
        return found + (self._doubled() if doubled else [])

    def verify(self, *, lost: bool = True, doubled: bool = True) -> None:
        """Raise AssertionError with all that went wrong. Call it when the bot has come to rest.

        Beside `violations`: refusals that no `expect_error` covers, expected ones that did not come, callbacks that were
        delivered and never answered, messages confirmed without any reaction (`lost`), and the same message twice
        in a row without anything from people in between (`doubled`).
        """
        problems = self.problems(lost=lost, doubled=doubled)
        if problems:
            raise AssertionError("the bot misbehaved:\n" + "\n".join(f"  - {problem}" for problem in problems))

    def _doubled(self) -> list[str]:
        found = []
        # In a private chat what its person did allows another equal message, in a group what anybody did.
        for chat in {id(chat): chat for chat, _ in self._log}.values():
            last, allowance = None, 0
            for other, content in self._log:
                if content is None:
                    allowance += other is chat or chat.user is None
                elif other is chat:
                    if content == last and not allowance:
                        found.append(f"doubled reply to {chat}: {content:.200}")
                    last, allowance = content, max(0, allowance - 1)
        return found

    # Bookkeeping by the methods

    def next_message_id(self) -> int:
        return next(self._message_ids)

    def note_person(self, chat: Chat) -> None:
        self._log.append((chat, None))
        self._notify()

    def note_bot(self, chat: Chat, call: Call, message: Json | None = None) -> None:
        chat.waiting.clear()
        if message:
            content = {
                k: v for k, v in message.items() if k not in ("message_id", "date", "from", "chat", "reply_to_message")
            }
            content["reply_to"] = message.get("reply_to_message", {}).get("message_id")
            self._log.append((chat, json.dumps(content, ensure_ascii=False, sort_keys=True)))

    def _notify(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # HTTP

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        head, _, rest = request.path.lstrip("/").partition("/")
        if head == "file":
            return self._download(rest)
        token = head.removeprefix("bot")
        if not head.startswith("bot") or ":" not in token:
            return _answer(ApiError(404, "Not Found"))
        call = Call(schema.method_name(rest) or rest, {}, self.clock.time(), connection=request.transport)
        try:
            if token != self.token:
                raise ApiError(401, "Unauthorized")
            raw = await self._read(call, request)
        except ApiError as error:
            return self._refuse(call, error)
        if call.method == "getUpdates":  # a client that hangs up ends its poll
            return await self._answer_call(call, raw, request)
        # Once received, a call is carried out whatever becomes of the client.
        work = asyncio.ensure_future(self._answer_call(call, raw, request))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        return await asyncio.shield(work)

    def _download(self, rest: str) -> web.Response:
        token, _, path = rest.partition("/")
        if token != f"bot{self.token}":
            return _answer(ApiError(401, "Unauthorized"))
        for stored in self.files.values():
            if stored.path == path:
                return web.Response(body=stored.data)
        return _answer(ApiError(404, "Not Found"))

    async def _read(self, call: Call, request: web.BaseRequest) -> Json:
        """The raw parameters; uploads go to `call.files`."""
        raw: Json = dict(request.query)
        if request.content_type == "application/json":
            body = await request.read()
            try:
                given = json.loads(body) if body else {}
            except ValueError:
                given = None
            if not isinstance(given, dict):
                raise ApiError(400, "Bad Request: can't parse JSON object")
            return raw | given
        try:
            form = await request.post()
        except web.HTTPRequestEntityTooLarge:
            raise ApiError(413, "Request Entity Too Large") from None
        for name, value in form.items():
            if isinstance(value, web.FileField):
                call.files[name] = Upload(value.filename, value.file.read())
                if name.lower() in UPLOAD_PARAMETERS:
                    raw[name] = f"attach://{name}"
            else:
                raw[name] = value
        return raw

    async def _answer_call(self, call: Call, raw: Json, request: web.BaseRequest) -> web.Response:
        """Carry the call out, with the faults ordered for it."""
        hit = self.faults.take(call.method)
        if call.method != "getUpdates":
            self.calls.append(call)
        try:
            response = await self._perform_with_faults(call, raw, hit)
        except ApiError as error:
            response = self._refuse(call, error)
        except Exception:
            self.violations.append(f"the test server failed in {call}:\n{traceback.format_exc()}")
            response = _answer(ApiError(500, "Internal Server Error"))
        if "slow" in hit:
            self._note_unread(call)
            self._notify()
            await self.clock.sleep(hit["slow"].seconds)
        elif "drop" in hit or response is None:
            self._note_unread(call)
            if request.transport:
                request.transport.abort()
        elif request.transport is None or request.transport.is_closing():
            self._note_unread(call)
        self._notify()
        return response or web.Response()

    async def _perform_with_faults(self, call: Call, raw: Json, hit: dict[str, Fault]) -> web.Response | None:
        """The answer; None when a hook makes the call vanish."""
        if call.method.lower() not in schema.METHODS:
            raise ApiError(404, "Not Found", misuse=True)
        call.params = schema.parse(call.method, raw)
        fail = hit.get("fail")
        if "before" in hit and await _run(hit["before"]) is False:
            call.error, call.injected = ApiError(503, "vanished"), True
            return None
        if fail and fail.error and not fail.accepted:
            call.injected = True
            raise fail.error
        self._check_block(call, hit)
        call.result = await self._perform(call)
        call.done = True
        if "after" in hit:
            await _run(hit["after"])
        if "before" in hit or "after" in hit:
            self._note_unread(call)  # the hook may have killed the caller
        if fail and fail.error:
            self._note_unread(call)
            call.injected = True
            raise fail.error
        body = json.dumps({"ok": True, "result": call.result})
        return web.Response(body=body.encode(), content_type="application/json")

    async def _perform(self, call: Call) -> object:
        perform = getattr(self._methods, snake_case(call.method), None)
        if perform is None:
            raise misuse(f"{call.method} is not emulated")
        self._methods.check_emulated(call)
        if self.parse_twice:
            self.violations += [f"{call.method}: {p}" for p in second_opinion.check_parameters(call.params)]
        result: object = await perform(call)
        if self.parse_twice and call.method != "getUpdates":  # updates were checked when they were made
            self.violations += [
                f"result of {call.method}: {p}" for p in second_opinion.check_result(call.method, result)
            ]
        return result

    def _refuse(self, call: Call, error: ApiError) -> web.Response:
        call.error = error
        if call not in self.calls:
            self.calls.append(call)
        if error.misuse:
            self.violations.append(str(call))
        chat = self.chats.get(call.params.get("chat_id", 0))
        if chat and error.code == 403:
            chat.waiting.clear()  # nobody can reply to her
        return _answer(error)

    def _note_unread(self, call: Call) -> None:
        """The bot may not know what became of a call: sending the message again is right."""
        chat = self.chats.get(call.params.get("chat_id", 0))
        if chat and call.error is None:
            self._log.append((chat, None))

    def _check_block(self, call: Call, hit: dict[str, Fault]) -> None:
        key = (call.method, call.params.get("chat_id"))
        self.flood.check(key, call.method, call.connection)
        if "retry_after" in hit:
            call.injected = True
            raise self.flood.block(key, int(hit["retry_after"].seconds), call.connection)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_UPLOAD + 1_000_000)


async def _run(fault: Fault) -> object:
    outcome = fault.hook() if fault.hook else None
    return await outcome if inspect.isawaitable(outcome) else outcome


def _answer(error: ApiError) -> web.Response:
    return web.Response(status=error.code, body=json.dumps(error.body()).encode(), content_type="application/json")
