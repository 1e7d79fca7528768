"""A hundred swaps of the index under twenty questions a second: no question may fail, or wait 100 ms longer for it.

`python -m bench.soak_reindex [SWAPS] [QUESTIONS_A_SECOND]`. Each swap is a whole `lotse reindex` of a knowledge base of
which one question bank is changed each time, in a process of its own at low priority, while people ask over the tests'
Bot API server. Prints the figures; the exit code is 1 when a question failed.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.app import run_app
from bot.current import Current
from bot.live import build_index, open_live
from bot.reindexing import Reindexed, Reindexer
from bot.settings import Settings
from indexer.evaluation import read_golden
from knowledge_base.guide import ROOT
from tests.e2e.small import small_knowledge_base
from tests.telegram_server import TelegramServer

PEOPLE = 40
QUIET_SECONDS = 20.0


class Load:
    """Questions at a steady rate; remembers when each was asked and how long its answer took."""

    def __init__(self, server: TelegramServer, rate: float) -> None:
        self._people = [server.user(f"Person {number}", language_code="de") for number in range(PEOPLE)]
        self._texts = [golden.question for golden in read_golden(ROOT / "golden.jsonl") if golden.guides]
        self._rate = rate
        self.answered: list[tuple[float, float]] = []
        self.failed = 0

    async def run(self) -> None:
        waiting: set[asyncio.Task[None]] = set()
        free = list(range(PEOPLE))

        async def ask(person: int, text: str) -> None:
            started = time.perf_counter()
            try:
                reply = (await self._people[person].ask(text, timeout=60))["text"]
                self.failed += "schiefgegangen" in reply
            except (TimeoutError, AssertionError):
                self.failed += 1
            self.answered.append((started, time.perf_counter() - started))
            free.append(person)

        try:
            number = 0
            while True:
                if free:
                    task = asyncio.create_task(ask(free.pop(0), self._texts[number % len(self._texts)]))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                    number += 1
                await asyncio.sleep(1 / self._rate)
        except asyncio.CancelledError:
            await asyncio.gather(*waiting)
            raise

    def between(self, start: float, end: float) -> list[float]:
        return [seconds for at, seconds in self.answered if start <= at + seconds and at <= end]


async def soak(swaps: int, rate: float, folder: Path) -> int:
    settings = Settings(data_dir=folder / "data", knowledge_base=small_knowledge_base(folder / "kb"), _env_file=None)
    build_index(settings, time.time(), full=False, progress=lambda *_: None)
    live, reindexer = open_live(settings), Reindexer(settings)
    bank = settings.knowledge_base / "questions/vergaberecht.txt"
    original = bank.read_text(encoding="utf-8")
    moments: list[tuple[float, float]] = []

    follow = Current.follow

    async def timed(current: Current) -> None:
        before, started = current.live, time.perf_counter()
        await follow(current)
        if current.live is not before:
            moments.append((started, time.perf_counter()))

    Current.follow = timed  # type: ignore[method-assign, assignment]  # to know when a new index was opened and taken
    async with TelegramServer(rates=False, parse_twice=False) as server:
        session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
        async with run_app(settings, server.token, session, live, metered=False) as app:
            polling = asyncio.create_task(app.poller.run())
            load = Load(server, rate)
            asking = asyncio.create_task(load.run())
            await asyncio.sleep(QUIET_SECONDS)
            quiet_until = time.perf_counter()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            results: list[Reindexed] = []
            for number in range(swaps):
                bank.write_text(
                    f"{original}\nDarf das Amt Auftrag Nummer {number} selbst vergeben?\n", encoding="utf-8"
                )
                results.append(await reindexer.run("soak", lambda *_: None))
                while app.current.live.path.name != results[-1].snapshot and results[-1].status == "swapped":  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await app.idle()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
    calm = load.between(0, quiet_until)[20:]  # the first ones load the language detector
    during = load.between(quiet_until, time.perf_counter())
    near = [seconds for start, end in moments for seconds in load.between(start, end)]
    print(f"{len(load.answered)} questions, {load.failed} failed; {len(moments)} swaps of {swaps} reindexes")
    for name, seconds in (("quiet", calm), ("building", during), ("swapping", near)):
        if len(seconds) > 1:
            p95 = statistics.quantiles(seconds, n=20)[-1]
            print(f"{name:9} median {1000 * statistics.median(seconds):6.0f} ms, p95 {1000 * p95:6.0f} ms")
    print(f"build: at most {max(result.memory_mb for result in results):.0f} MB")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"bot: peak {before:.0f} MB before the first swap, {after:.0f} MB after the last")
    return 1 if load.failed or len(moments) < swaps else 0


def main() -> None:
    swaps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(asyncio.run(soak(swaps, rate, Path(folder))))


if __name__ == "__main__":
    main()
