"""`make bench`: the speed of the assistant at 10,000 passages, as ratios to the bare model in the same run.

Prints one line a figure with its bar. The test server runs in the same process and on the same cores.
"""

import asyncio
import io
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from rich.console import Console

from bench.corpus import corpus
from bot.answering import Asked
from bot.app import run_app
from bot.console import TOKEN, TerminalSession
from bot.library import Library
from bot.live import Live
from bot.settings import Settings
from indexer.embedder import load_embedder, model_name
from indexer.evaluation import read_golden
from indexer.retriever import Retriever
from indexer.snapshot import Snapshot, build
from knowledge_base.guide import ROOT, load_or_raise

PASSAGES = 10_000
CHATS = 50
QUESTIONS_A_CHAT = 8


def show(name: str, value: float, bar: str) -> None:
    print(f"{name:62} {value:9.3f}   bar: {bar}", flush=True)


def build_corpus(folder: Path) -> None:
    """Figure (d), and the memory of a build; run in a process of its own."""
    knowledge = load_or_raise()
    embedder = load_embedder()
    guides = corpus(knowledge, PASSAGES)
    report = build(guides, knowledge.negatives, folder, embedder)
    ratio = (report.seconds - report.heads_seconds) / report.embedding_seconds
    again = build(guides, knowledge.negatives, folder, embedder, previous=report.snapshot)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "passages": report.passages, "embedded": report.embedded, "seconds": report.seconds,
        "heads_seconds": report.heads_seconds, "ratio": ratio, "again": again.embedded, "peak": peak,
    }  # fmt: skip
    print(json.dumps(figures))


def serve(folder: Path) -> None:
    """The memory of the assistant after a hundred questions, in a process without the test server."""

    async def answer() -> None:
        with tempfile.TemporaryDirectory() as data:
            settings = Settings(data_dir=Path(data), _env_file=None)
            session = TerminalSession(Console(file=io.StringIO()))
            async with run_app(settings, TOKEN, session, open_corpus(folder), metered=False) as app:
                for text in questions()[:100]:
                    await app.current.services["answers"].ask(Asked(text))
                print(psutil.Process().memory_info().rss / 2**20)

    asyncio.run(answer())


def open_corpus(folder: Path) -> Live:
    embedder = load_embedder()
    return Live(Library(load_or_raise()), Retriever(Snapshot.open(folder, model_name(embedder)), embedder))


def questions() -> list[str]:
    """Real questions of every kind, shuffled in a fixed way."""
    found = [golden.question for golden in read_golden(ROOT / "golden.jsonl")]
    return found[::3] + found[1::3]


def bare_seconds(live: Live, texts: Sequence[str]) -> list[float]:
    """How long the model alone takes for each text, one after the other."""
    seconds = []
    for text in texts:
        started = time.perf_counter()
        live.retriever.embed([text])
        seconds.append(time.perf_counter() - started)
    return seconds


async def conversation(live: Live, folder: Path) -> None:
    """Figures (a) and (b) over the test server."""
    # Only here, for the memory of serving is measured without it.
    from tests.telegram_server import TelegramServer

    texts = questions()
    async with TelegramServer(rates=False, parse_twice=False) as server:
        session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
        settings = Settings(data_dir=folder, _env_file=None)
        async with run_app(settings, server.token, session, live, metered=False) as app:
            polling = asyncio.create_task(app.poller.run())
            anna = server.user("Anna", language_code="de")
            for text in texts[:20]:
                await anna.ask(text, timeout=60)
            measured = texts[20:220]
            whole = []
            for text in measured:
                started = time.perf_counter()
                await anna.ask(text, timeout=60)
                whole.append(time.perf_counter() - started)
            await app.idle()
            bare = bare_seconds(live, measured)
            beyond = [1000 * (w - b) for w, b in zip(whole, bare, strict=True)]
            show("(a) update to sendMessage, beyond the embedding, median ms", statistics.median(beyond), "<= 30")

            worst, running = 0.0, True

            async def heartbeat() -> None:
                nonlocal worst
                while running:
                    started = time.perf_counter()
                    await asyncio.sleep(0.005)
                    worst = max(worst, time.perf_counter() - started - 0.005)

            people = [server.user(f"Person {number}", language_code="de") for number in range(CHATS)]

            async def chat(number: int) -> None:
                for turn in range(QUESTIONS_A_CHAT):
                    await people[number].ask(texts[(number * QUESTIONS_A_CHAT + turn) % len(texts)], timeout=120)

            beat = asyncio.create_task(heartbeat())
            started = time.perf_counter()
            await asyncio.gather(*(chat(number) for number in range(CHATS)))
            rate = CHATS * QUESTIONS_A_CHAT / (time.perf_counter() - started)
            running = False
            await beat
            bare_rate = 1 / statistics.mean(bare_seconds(live, measured))
            show("(b) questions a second from 50 chats, over the bare model's", rate / bare_rate, ">= 0.5")
            print(f"    {rate:.1f} questions a second, the bare model {bare_rate:.1f}")
            show("(b) longest block of the event loop, ms (server included)", 1000 * worst, "<= 50")
            await app.idle()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


def main() -> None:
    if len(sys.argv) == 3:
        {"build": build_corpus, "serve": serve}[sys.argv[1]](Path(sys.argv[2]))
        return
    print(f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}, {PASSAGES} passages")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.run", "build", folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        built = json.loads(done.stdout.splitlines()[-1])
        show("(d) build over its bare embedding, heads apart", built["ratio"], "<= 1.15")
        print(
            f"    {built['embedded']} texts in {built['seconds']:.0f} s, of which heads {built['heads_seconds']:.0f} s"
        )
        show("(d) texts embedded by an unchanged build", built["again"], "0")
        show("(c) building, peak resident MB", built["peak"], "<= 1500")
        command = [sys.executable, "-m", "bench.run", "serve", folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
        show("(c) serving, resident MB", float(done.stdout), "<= 800")
        live = open_corpus(Path(folder))
        texts = questions()[:200]
        vectors = live.retriever.embed(texts)
        seconds = []
        for text, vector in zip(texts, vectors, strict=True):
            started = time.perf_counter()
            live.retriever.search(text, vector=vector)
            seconds.append(time.perf_counter() - started)
        show("(a) retrieval after the embedding, median ms", 1000 * statistics.median(seconds), "<= 6")
        asyncio.run(conversation(live, Path(folder)))


if __name__ == "__main__":
    main()
