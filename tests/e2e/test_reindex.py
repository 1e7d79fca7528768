"""Reindexing with the real model: what would do harm does not go live, and a running bot follows without a seam."""

import asyncio
import re
import shutil
import time
from pathlib import Path

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot import app as app_module
from bot import live as live_module
from bot import reindexing
from bot.answering import Answerer, AnswerService, Worker
from bot.app import run_app
from bot.live import IndexingError, Live, build_candidate, build_index, knowledge_in, open_live
from bot.reindexing import Reindexer, reindex, roll_back
from bot.settings import Settings
from indexer import directory
from knowledge_base.figures import day_of
from knowledge_base.guide import ROOT, load_taxonomy
from knowledge_base.stub import write_stub
from tests.e2e.small import small_knowledge_base
from tests.telegram_server import TelegramServer

pytestmark = pytest.mark.slow
QUESTIONS = {
    "Zwei Vorstände streiten sich, wer vermittelt?": "konflikte",
    "Die Firma zahlt und will ihr Logo auf den Trikots. Spende oder Sponsoring?": "spende-oder-sponsoring",
    "Wie gründen wir eine Bürgerstiftung?": "buergerstiftung",
    "Muss die Stadt den Auftrag an den Verein ausschreiben?": "vergaberecht",
}


def quiet(*_: object) -> None:
    return


@pytest.fixture
def small(tmp_path: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a small knowledge base and its index; the model that is loaded already serves all builds here."""
    for module in (live_module, reindexing):
        monkeypatch.setattr(module, "load_embedder", lambda model: live.retriever.embedder)
    settings = Settings(
        data_dir=tmp_path / "data", knowledge_base=small_knowledge_base(tmp_path / "kb"), _env_file=None
    )
    build_index(settings, time.time(), full=False, progress=quiet)
    return settings


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_bad_guides_are_refused_and_named_and_can_be_forced_and_taken_back(small: Settings) -> None:
    root, before = small.knowledge_base, directory.current(small.snapshots)
    banks = root / "questions"

    # A wrong figure format.
    sponsoring = root / "guides/recht-steuern/spende-oder-sponsoring.md"
    edit(sponsoring, "{{ zahl.freigrenze_wgb }}", "{{ zahl.freigrenze_wgb }")
    result = reindex(small, time.time(), who="Anna", progress=quiet)
    assert (result.status, result.guilty) == ("invalid", ("spende-oder-sponsoring",))
    assert re.match(r"guides/recht-steuern/spende-oder-sponsoring\.md:\d+: .*Platzhalter", result.reasons[0])
    edit(sponsoring, "{{ zahl.freigrenze_wgb }", "{{ zahl.freigrenze_wgb }}")
    assert reindex(small, time.time(), who="Anna", progress=quiet).status == "unchanged"

    # A guide that has lost its way: five and more of its golden questions get worse. Another one takes a neighbour's
    # questions, with a few words around them. A third is changed harmlessly; a fourth is not finished.
    nowhere = lines_of(banks / "_none.txt")
    (banks / "konflikte.txt").write_text("\n".join(f"{line} bitte" for line in nowhere[:80]), encoding="utf-8")
    stolen = [f"ach, {line.rstrip('?. ')} denn?" for line in lines_of(banks / "buergerstiftung.txt") if line][:80]
    with (banks / "pro-bono.txt").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(stolen) + "\n")
    edit(banks / "vergaberecht.txt", "\n", "\nDarf das Rathaus den Auftrag einfach unserem Verein geben?\n")
    write_stub(root, "halb-fertig", "formate", load_taxonomy(root), day_of(time.time()))
    stages: list[str] = []
    result = reindex(small, time.time(), who="Anna", progress=lambda stage, *_: stages.append(stage))
    assert result.status == "refused"
    assert set(result.guilty) == {"konflikte", "pro-bono"}
    assert set(result.changed) == {"konflikte", "pro-bono", "vergaberecht"}
    assert result.unfinished == ("guides/formate/halb-fertig.md",)
    assert {move.blamed for move in result.lost if move.guides == ("konflikte",)} <= {"konflikte", "pro-bono"}
    assert {one.other for one in result.copied} == {"buergerstiftung"}
    assert directory.current(small.snapshots) == before
    assert list(dict.fromkeys(stages)) == ["check", "embed", "train", "write", "questions", "golden", "blame"]

    # The admin insists; what was refused is not built again. Then it is taken back.
    forced = reindex(small, time.time(), who="Anna", progress=quiet, force="so gewollt")
    assert (forced.status, forced.forced, forced.embedded, forced.snapshot) == ("swapped", True, 0, result.snapshot)
    assert roll_back(small, who="Ben", why="doch nicht").before == forced.snapshot
    assert directory.current(small.snapshots) == before
    changes = [(change.action, change.who, change.why) for change in directory.history(small.snapshots)[1:]]
    assert changes == [("force", "Anna", "so gewollt"), ("rollback", "Ben", "doch nicht")]

    # Without the two, the harmless change goes live.
    for name in ("konflikte", "pro-bono"):
        shutil.copy(ROOT / "questions" / f"{name}.txt", banks)
    result = reindex(small, time.time(), who="Anna", progress=quiet)
    assert (result.status, result.changed, result.embedded) == ("swapped", ("vergaberecht",), 1)


async def test_a_killed_reindex_changes_nothing_and_two_at_once_are_one(small: Settings) -> None:
    before = directory.current(small.snapshots)
    edit(
        small.knowledge_base / "questions/vergaberecht.txt", "\n", "\nDarf das Rathaus den Auftrag dem Verein geben?\n"
    )
    reindexer = Reindexer(small)
    written = asyncio.Event()

    def on_progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("write", 1):
            written.set()

    running = asyncio.create_task(reindexer.run("Anna", on_progress))
    await written.wait()  # the candidate is complete and the golden questions are being asked
    with pytest.raises(IndexingError, match="gerade schon"):
        await reindexer.roll_back("Ben")
    with pytest.raises(IndexingError, match="gerade schon"):
        reindex(small, time.time(), who="Ben", progress=quiet)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert directory.current(small.snapshots) == before
    assert reindex(small, time.time(), who="Ben", progress=quiet).status == "swapped"


async def test_questions_during_swaps_see_one_state_each(server: TelegramServer, small: Settings) -> None:
    """In the second index every guide has another id and title, so a mixture of both would find no guide to show."""
    live = open_live(small)
    knowledge = knowledge_in(live.path)
    guides = {
        f"{guide.id}-b": guide.model_copy(update={"id": f"{guide.id}-b", "title": f"B: {guide.title}"})
        for guide in knowledge.guides.values()
    }
    other = knowledge.model_copy(update={"guides": guides})
    embedder = live.retriever.embedder
    report = build_candidate(small, time.time(), other, embedder, live.retriever.snapshot, quiet)
    paths = [live.path, directory.make_current(small.snapshots, report.snapshot.path)]
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    seen: set[str] = set()
    async with run_app(small, server.token, session, live, metered=False) as app:
        polling = asyncio.create_task(app.poller.run())

        async def ask(number: int) -> None:
            person = server.user(f"Person {number}", language_code="de")
            for text, guide in [*QUESTIONS.items()] * 3:
                title = knowledge.guides[guide].title
                first_line = (await person.ask(text, timeout=60))["text"].split("\n")[0]
                assert first_line in (title, f"B: {title}")
                seen.add(first_line)

        asking = asyncio.gather(*(ask(number) for number in range(4)))
        swaps = 0
        while not asking.done():
            path = paths[swaps % 2]
            directory.make_current(small.snapshots, path)
            await app.current.follow()
            await asyncio.sleep(0)
            swaps += 1
        await asking
        await app.idle()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
    assert swaps > 3
    assert {line.startswith("B: ") for line in seen} == {True, False}


async def test_a_running_bot_notices_a_new_index_by_itself(
    server: TelegramServer, small: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "FOLLOW_EVERY_SECONDS", 0.02)
    live, swapped = open_live(small), asyncio.Event()
    report = build_index(small, time.time(), full=False, progress=quiet)

    def served(answerer: Answerer, worker: Worker) -> AnswerService:
        swapped.set()
        return AnswerService(answerer, worker)

    monkeypatch.setattr(app_module, "AnswerService", served)
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with run_app(small, server.token, session, live, metered=False) as app:
        swapped.clear()
        await asyncio.wait_for(swapped.wait(), 10)
        assert app.current.live.path == report.snapshot.path


async def test_an_index_that_cannot_be_opened_leaves_the_bot_with_the_old_one(
    server: TelegramServer, small: Settings
) -> None:
    live = open_live(small)
    broken = small.snapshots / "20990101T000000-broken"
    broken.mkdir()
    (small.snapshots / "current").write_text(broken.name, encoding="utf-8")
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with run_app(small, server.token, session, live, metered=False) as app:
        await app.current.follow()
        assert app.current.live is live
