"""A Telegram Bot API server for tests: over HTTP, in memory, as strict as Telegram.

    async with TelegramServer(clock=clock) as server:
        anna = server.user("Anna", language_code="de")
        ...start a bot against server.url with server.token...
        reply = await anna.ask("Wie finde ich Partner?")
        await anna.tap(reply, "Schritte")
    server.verify()

What it knows of the Bot API: `schema` (parameters), `limits` (sizes), `flood` (rates), `bot_methods` (behaviour),
`updates` (polling and webhook). What a test does with it: `server`, `people`, `faults`, `clock`.
"""

from tests.telegram_server.clock import Clock, RealClock, VirtualClock
from tests.telegram_server.people import ADMIN_RIGHTS, Callback, Chat, Topic, User, buttons_of, labels
from tests.telegram_server.server import BOT_ID, DEFAULT_TOKEN, Call, TelegramServer
from tests.telegram_server.wire import ApiError, Json

__all__ = [
    "ADMIN_RIGHTS",
    "BOT_ID",
    "DEFAULT_TOKEN",
    "ApiError",
    "Call",
    "Callback",
    "Chat",
    "Clock",
    "Json",
    "RealClock",
    "TelegramServer",
    "Topic",
    "User",
    "VirtualClock",
    "buttons_of",
    "labels",
]
