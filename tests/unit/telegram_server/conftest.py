from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from tests.telegram_server import Json, TelegramServer, VirtualClock


class Api:
    """Calls the server as a client without any library would."""

    def __init__(self, server: TelegramServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def __call__(self, method: str, /, **parameters: object) -> Json:
        """The whole answer, refusals too."""
        async with self.session.post(f"{self.server.url}/bot{self.server.token}/{method}", json=parameters) as response:
            answer: Json = await response.json()
        assert answer["ok"] is (response.status == 200)
        return answer

    async def ok(self, method: str, /, **parameters: object) -> Json:
        """The result of a call that has to go well."""
        answer = await self(method, **parameters)
        assert answer["ok"], answer
        result: Json = answer["result"]
        return result

    async def refused(self, method: str, /, **parameters: object) -> str:
        """Code and description of a call that has to be refused."""
        answer = await self(method, **parameters)
        assert not answer["ok"], answer
        return f"{answer['error_code']} {answer['description']}"

    async def updates(self, **parameters: object) -> list[Json]:
        answer = await self("getUpdates", **parameters)
        updates: list[Json] = answer["result"]
        return updates


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def server(clock: VirtualClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=clock, rates=False) as server:
        yield server


@pytest.fixture
async def api(server: TelegramServer) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(server, session)


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with Bot(server.token, session=session) as bot:
        yield bot
