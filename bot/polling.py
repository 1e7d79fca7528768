"""The Telegram bot: the assistant on Telegram's API by long polling, until it is told to stop."""

import asyncio
import logging
import signal

from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError

from bot.app import run_app
from bot.clock import Clock
from bot.live import Live
from bot.settings import ConfigurationError, Settings, TelegramSettings

logger = logging.getLogger(__name__)


async def poll(settings: Settings, telegram: TelegramSettings, live: Live, clock: Clock | None = None) -> None:
    """Run the bot until SIGINT or SIGTERM, then finish what has been accepted.

    Raises ConfigurationError when Telegram does not know the token.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.api_base))
    try:
        async with run_app(settings, telegram.bot_token.get_secret_value(), session, live, clock=clock) as app:
            polling = asyncio.create_task(app.poller.run())
            stopping = asyncio.create_task(stop.wait())
            logger.info("the bot is running")
            await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            polling.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
            try:
                await polling
            except asyncio.CancelledError:
                logger.info("stopping: what has been accepted is finished first")
    except (TelegramUnauthorizedError, TelegramNotFound):
        raise ConfigurationError(
            "Telegram kennt das Token nicht: Prüfen Sie TELEGRAM_BOT_TOKEN (und TELEGRAM_API_BASE) in .env."
        ) from None
