"""What all tests share: one index of the real knowledge base, and the real bot on the tests' Bot API server."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.app import App, run_app
from bot.live import Live, build_index, open_live
from bot.settings import Settings
from tests.telegram_server import TelegramServer


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a built index, made as a first index is: with the knowledge base's own embeddings."""
    folder = tmp_path_factory.mktemp("data")
    build_index(Settings(data_dir=folder, _env_file=None), time.time(), full=False, progress=lambda *_: None)
    return folder


@pytest.fixture(scope="session")
def live(data: Path) -> Live:
    return open_live(Settings(data_dir=data, _env_file=None))


@pytest.fixture
def settings(data: Path, tmp_path: Path) -> Settings:
    """Settings with a database and a key of their own."""
    return Settings(data_dir=tmp_path, impressum="Haus der Kooperation Musterstadt", lease_seconds=0.2, _env_file=None)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    """A server without rate limits; at the end the bot must have behaved."""
    async with TelegramServer(rates=False) as server:
        yield server
        server.verify()


@pytest.fixture
async def app(server: TelegramServer, settings: Settings, live: Live) -> AsyncIterator[App]:
    """The real bot, polling the server."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with run_app(settings, server.token, session, live, metered=False) as app:
        polling = asyncio.create_task(app.poller.run())
        yield app
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
