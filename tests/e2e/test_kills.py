"""The bot is killed at forty random moments while ten chats write: every message is answered, and once."""

import asyncio
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database import Database, OutboxRow
from tests.telegram_server import TelegramServer

pytestmark = pytest.mark.slow
KILLS = 40
TEXTS = ("Hallo", "Danke", "Spende oder Sponsoring?", "Wer haftet in der GbR?", "Wie backe ich Kuchen?", "/hilfe")


class Lives:
    """The bot's processes, one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def _line(self) -> str:
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), 120)
        assert line, "the process that starts the bots has ended"
        return line.decode().strip()

    async def ready(self) -> None:
        assert await self._line() == "ready"

    async def begin(self) -> int:
        """Start the bot; its process id."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        return int(await self._line())


async def test_every_message_is_answered_once(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "snapshots", tmp_path / "snapshots")
    chance = random.Random(40)  # noqa: S311 - the same moments in every run
    async with TelegramServer(rates=False) as server:
        environment = os.environ | {
            "TELEGRAM_API_BASE": server.url,
            "TELEGRAM_BOT_TOKEN": server.token,
            "LOTSE_DATA_DIR": str(tmp_path),
            "LOTSE_LEASE_SECONDS": "0.5",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.e2e.lives",
            env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        lives = Lives(process)
        try:
            await lives.ready()
            people = [server.user(f"Person {number}", language_code="de") for number in range(10)]
            written: dict[int, int] = dict.fromkeys((person.id for person in people), 0)
            for _ in range(KILLS):
                pid = await lives.begin()
                for person in chance.sample(people, 3):
                    await person.send(chance.choice(TEXTS))
                    written[person.id] += 1
                dead = asyncio.get_running_loop().create_future()

                def kill(pid: int = pid, dead: asyncio.Future[None] = dead) -> None:
                    if not dead.done():
                        os.kill(pid, signal.SIGKILL)
                        dead.set_result(None)

                asyncio.get_running_loop().call_later(chance.uniform(0.05, 1.2), kill)
                await dead
            last = await lives.begin()
            for person in people:  # so that the last life is known to be up before it is told to stop
                await person.send("Danke")
                written[person.id] += 1
            for person in people:
                await server.wait_for(
                    lambda person=person: (
                        sum("sehr schnell" not in text for text in person.texts) >= written[person.id]
                    ),  # type: ignore[misc]
                    timeout=120,
                    what=f"{written[person.id]} replies to {person}",
                )
            os.kill(last, signal.SIGTERM)
        finally:
            if process.stdin:
                process.stdin.close()
            await asyncio.wait_for(process.wait(), 60)

        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lotse.db'}")
        async with database.read() as connection:
            rows = (
                await connection.execute(select(OutboxRow.chat_id, OutboxRow.state, OutboxRow.repeats, OutboxRow.error))
            ).all()
        await database.close()
        for person in people:
            own = [row for row in rows if row.chat_id == person.id]
            # When short lives leave much undone, the next one may ask a person to slow down.
            expected = written[person.id] + sum("sehr schnell" in text for text in person.texts)
            assert len(own) == expected, "one reply was decided on for each message"
            # Killed in the middle of a send and of its repetition, the bot cannot know its fate; that it came is counted below.
            given_up = [row for row in own if row.state != "sent"]
            assert {(row.state, row.error) for row in given_up} <= {("failed", "its fate stayed unknown")}
            repeated = sum(row.repeats for row in own)
            assert expected <= len(person.messages) <= expected + repeated
        assert server.violations == []
