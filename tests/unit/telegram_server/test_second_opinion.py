"""What the server itself gets wrong shows: python-telegram-bot reads everything too."""

import aiohttp
import pytest

from tests.telegram_server import TelegramServer, User, VirtualClock
from tests.unit.telegram_server.conftest import Api


@pytest.fixture
def anna(server: TelegramServer) -> User:
    return server.user("Anna", started=True)


async def test_a_field_that_does_not_exist_is_found_at_any_depth(api: Api, server: TelegramServer, anna: User) -> None:
    await anna.send_content({"location": {"latitude": 52.5, "longitude": 13.4, "altitude": 34}})
    server.bot["nickname"] = "Lotse"
    await api.ok("getMe")
    assert server.violations == [
        "update of the test server: Location has no field 'altitude'",
        "result of getMe: User has no field 'nickname'",
    ]
    with pytest.raises(AssertionError, match="altitude"):
        server.verify()


async def test_a_missing_field_is_found(server: TelegramServer, anna: User) -> None:
    await anna.send_content({"location": {"latitude": 52.5}})
    assert "missing 1 required positional argument: 'longitude'" in server.violations[0]


async def test_it_can_be_switched_off(clock: VirtualClock) -> None:
    async with TelegramServer(clock=clock, parse_twice=False) as server, aiohttp.ClientSession() as session:
        server.bot["nickname"] = "Lotse"
        await Api(server, session).ok("getMe")
        assert server.violations == []
