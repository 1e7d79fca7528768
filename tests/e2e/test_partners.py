"""Partners in a chat: a request in free text, namesakes, corrections, more, a wider area, an alliance, a restart."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.app import App, run_app
from bot.live import Live
from bot.settings import Settings
from tests.e2e.talk import tapped
from tests.telegram_server import TelegramServer
from tests.telegram_server.people import labels

pytestmark = pytest.mark.slow
LAPTOPS = "/partner Unser Verein in Halle sucht Laptops für Senioren"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose directory holds the sample partners."""
    folder = tmp_path_factory.mktemp("partners")
    command = [sys.executable, "-m", "bot.cli", "partners", "import", "matching/sample_partners.csv"]
    subprocess.run(command, check=True, env=os.environ | {"LOTSE_DATA_DIR": str(folder)}, capture_output=True)
    return folder


@pytest.fixture
def settings(samples: Path, tmp_path: Path) -> Settings:
    (tmp_path / "lotse.db").write_bytes((samples / "lotse.db").read_bytes())
    return Settings(data_dir=tmp_path, lease_seconds=0.2, _env_file=None)


def _session(server: TelegramServer) -> AiohttpSession:
    return AiohttpSession(api=TelegramAPIServer.from_base(server.url))


async def test_of_two_towns_one_is_asked_for_and_partners_come_with_reasons(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    question = await anna.ask(LAPTOPS)
    assert ["Halle (Saale), Sachsen-Anhalt"] in labels(question)
    found = await tapped(server, app, anna, "Halle (Saale), Sachsen-Anhalt")
    assert "1. Saalebit Wiederaufbereitung GmbH (Muster) (Wirtschaft, Halle (Saale))" in found
    assert "+ bietet: 20 gebrauchte Laptops" in found
    assert "km entfernt" in found
    assert "erfundene Muster" in found
    assert "kontakt" not in found.casefold()
    assert "@" not in found


async def test_a_place_may_be_written_where_several_are_offered(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask(LAPTOPS)
    assert "Saalebit" in (await anna.ask("06108"))["text"]


async def test_everyone_suggested_can_be_asked_about(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask(LAPTOPS.replace("Halle", "06108"))
    await tapped(server, app, anna, "Weitere")
    names = [row[0] for row in labels(anna.last) if row[0][:3] in ("1. ", "2. ", "3. ")]
    assert names
    for message in (anna.last,) * len(names):
        name = names.pop()
        await server.wait_until_answered(await anna.tap(message, name))
        await app.idle()
        assert str(anna.last["text"]).startswith(name[3:].rstrip("…"))


async def test_more_are_others_and_a_partner_explains_itself(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask(LAPTOPS.replace("Halle", "06108"))
    first = str(anna.last["text"])
    further = await tapped(server, app, anna, "Weitere")
    assert "Saalebit" in first
    assert "Saalebit" not in further


async def test_the_sector_and_the_place_are_corrected_with_a_tap(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    assert "Sie: Zivilgesellschaft" in (await anna.ask(LAPTOPS.replace("Halle", "06108")))["text"]
    await tapped(server, app, anna, "Sektor ändern")
    assert "Sie: Verwaltung" in await tapped(server, app, anna, "Verwaltung")
    assert "An welchem Ort" in await tapped(server, app, anna, "Ort ändern")
    assert "Passau" in (await anna.ask("Passau"))["text"]


async def test_a_search_begun_at_an_answer_survives_a_restart(
    server: TelegramServer, settings: Settings, live: Live
) -> None:
    anna = server.user("Anna", language_code="de")
    async with run_app(settings, server.token, _session(server), live, metered=False) as app:
        polling = asyncio.create_task(app.poller.run())
        await anna.ask("Was ist der Unterschied zwischen Spende und Sponsoring?")
        assert "Wer sind Sie" in await tapped(server, app, anna, "🤝 Partner finden")
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
    async with run_app(settings, server.token, _session(server), live, metered=False) as app:
        polling = asyncio.create_task(app.poller.run())
        assert "Verstanden" in (await anna.ask("Sportverein in Dortmund sucht samstags einen Raum"))["text"]
        assert "Bündnis" in await tapped(server, app, anna, "Bündnis aller drei Sektoren")
        # The search is over where it has found: the next text is a question again.
        assert "Verstanden" not in (await anna.ask("Was ist der Unterschied zwischen Spende und Sponsoring?"))["text"]
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_an_alliance_covers_the_other_sectors(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    text = (await anna.ask("/buendnis Wir sind ein Verein in Dortmund und suchen einen Raum für Nachhilfe"))["text"]
    assert text.startswith("Ein Bündnis der drei Sektoren")
    assert "Verwaltung:" in text
    assert "Wirtschaft:" in text


async def test_english(server: TelegramServer, app: App) -> None:
    ben = server.user("Ben", language_code="en")
    await ben.ask("/sprache")
    await tapped(server, app, ben, "English")
    text = (await ben.ask("/partner We are a sports club in Dortmund and need a room on Saturdays"))["text"]
    assert "Understood" in text
    assert "offers:" in text
