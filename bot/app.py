"""The only wiring: settings and a Telegram session in, a running assistant out. The bot, the terminal and the tests use it."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from bot.answering import Answerer, AnswerService, Worker
from bot.clock import Clock, SystemClock
from bot.current import Current
from bot.database import Database
from bot.handlers import buttons, glossary, partners, places, question, start
from bot.inbox import Inbox, Poller
from bot.live import Live
from bot.outbox import Budget, Outbox, Unmetered
from bot.partnering import PartnerService
from bot.settings import ConfigurationError, Settings
from bot.vault import Vault
from bot.views import INTERFACE_LANGUAGES, Views
from bot.views.partners import PartnerViews

logger = logging.getLogger(__name__)
DRAIN_SECONDS = 20.0
JOBS_EVERY_SECONDS = 60.0
FOLLOW_EVERY_SECONDS = 3.0


@dataclass
class App:
    """A started assistant. Updates go into `inbox`; what it says leaves through its bot's session."""

    bot: Bot
    database: Database
    inbox: Inbox
    outbox: Outbox
    poller: Poller
    current: Current

    async def idle(self) -> None:
        """Return when every update is handled and every message delivered."""
        await self.inbox.idle()
        await self.outbox.idle()


@asynccontextmanager
async def run_app(
    settings: Settings,
    token: str,
    session: BaseSession,
    live: Live,
    *,
    database_name: str = "lotse",
    clock: Clock | None = None,
    metered: bool = True,
    samples: bool = False,
) -> AsyncIterator[App]:
    """Start the assistant on `session`; at the end what has been accepted is finished, as far as time allows.

    `metered` keeps to Telegram's sending limits and slows people who ask very fast; a terminal needs neither. `samples`
    fills an empty directory of partners with invented ones when somebody looks for partners.

    Raises ConfigurationError for settings that cannot be used, TelegramUnauthorizedError for an unknown token.
    """
    clock = clock or SystemClock()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    key_file = settings.data_dir / "lotse.key"
    key_is_new = not key_file.exists()
    vault = Vault.open(key_file)
    database = Database(settings.database(database_name))
    bot = Bot(token, session=session)
    worker = Worker()
    typing = _Typing(bot)
    try:
        await database.migrate()
        if key_is_new and await database.holds_payloads():
            key_file.unlink()
            raise ConfigurationError(
                f"{key_file} fehlt, aber die Datenbank enthält damit verschlüsselte Nachrichten: "
                "Stellen Sie die Datei aus der Sicherung wieder her."
            )
        me = await bot.me()

        def services(live: Live) -> dict[str, Any]:
            """What handlers get by name and what is made anew for each state of the knowledge."""
            return {
                "library": live.library,
                "answers": AnswerService(Answerer(live.retriever, live.library.titles), worker),
                "views": Views(live.library, me.username or "", settings.impressum),
                "partners": PartnerService(
                    database, live.retriever.embedder, live.library.taxonomy, clock, samples=samples
                ),
                "partner_views": PartnerViews(live.library, me.username or "", settings.impressum),
            }

        current = Current(settings, clock, live, services)
        budget = Budget(clock, settings.sends_per_second) if metered else Unmetered(clock)
        outbox = Outbox(bot, database, vault, clock, budget, settings.lease_seconds)
        dispatcher = create_dispatcher()
        dispatcher.workflow_data.update(typing=typing.show)
        inbox = Inbox(bot, dispatcher, database, vault, clock, outbox, current, throttled=metered)
        poller = Poller(bot, inbox, clock, dispatcher.resolve_used_update_types())
        await set_commands(bot, current.services["views"])
        await outbox.recover()
        await inbox.recover()
        # What is loaded by now stays: a full collection that walks through it would stop every chat for half a second. What
        # a swapped index brings later takes two milliseconds.
        gc.collect()
        gc.freeze()
        jobs = asyncio.create_task(_run_regularly([inbox.prune, outbox.prune], clock, JOBS_EVERY_SECONDS))
        following = asyncio.create_task(_run_regularly([current.follow], clock, FOLLOW_EVERY_SECONDS))
        try:
            yield App(bot, database, inbox, outbox, poller, current)
        finally:
            jobs.cancel()
            following.cancel()
            await inbox.close(DRAIN_SECONDS)
            await outbox.close(DRAIN_SECONDS)
            await typing.close()
    finally:
        await worker.close()
        await bot.session.close()
        await database.close()


def create_dispatcher() -> Dispatcher:
    """All conversations. The state of a dialogue is in the turn and the database, so aiogram keeps none."""
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.include_routers(
        start.create_router(),
        glossary.create_router(),
        partners.create_router(),
        places.create_router(),
        question.create_router(),
        buttons.create_router(),
    )
    return dispatcher


async def set_commands(bot: Bot, views: Views) -> None:
    """Register the commands for each scope and language. Not vital: a failure is logged."""
    try:
        for language in INTERFACE_LANGUAGES:
            commands = views.commands(language)
            code = None if language == "de" else language  # German is what all other languages see
            await bot.set_my_commands(commands, scope=BotCommandScopeAllPrivateChats(), language_code=code)
            group = [command for command in commands if command.command in {"hilfe", "themen", "impressum"}]
            await bot.set_my_commands(group, scope=BotCommandScopeAllGroupChats(), language_code=code)
    except TelegramAPIError as error:
        logger.warning("the command menu was not set: %s", type(error).__name__)


async def _run_regularly(jobs: Sequence[Callable[[], Awaitable[None]]], clock: Clock, every: float) -> None:
    """Run each job about every `every` seconds: each finds by itself what is due, and one that fails stops no other."""
    while True:
        for job in jobs:
            try:
                await job()
            except Exception:
                logger.exception("a regular job failed and is tried again")
        await clock.sleep(every)


class _Typing:
    """Shows "typing…" without waiting for it: it is not part of any state, and its loss is no loss."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, chat_id: int) -> None:
        task = asyncio.create_task(self._send(chat_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, chat_id: int) -> None:
        try:
            await self._bot.send_chat_action(chat_id, "typing")
        except TelegramAPIError as error:
            logger.info("typing was not shown: %s", type(error).__name__)
