"""From a text as typed to an answer as plain values: smalltalk, language, follow-ups, several questions, retrieval."""

import asyncio
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from bot.smalltalk import Kind, smalltalk
from indexer.text import clean, split_sentences
from knowledge_base.guide import VIEWS

if TYPE_CHECKING:
    from indexer.retriever import RankedPassage, Ranking, Retriever

Status = Literal["answer", "clarify", "no_answer", "smalltalk"]
LANGUAGES = ("de", "en", "tr", "uk", "ru", "ar", "fr", "pl", "es", "it", "ro", "fa")
# Below this the detector is not believed: short German questions full of foreign terms are the usual case.
LANGUAGE_CONFIDENCE = 0.75
MOST_QUESTIONS = 3
WINDOW = 1200  # characters, about 300 tokens of German
LONGEST = 6000  # characters that are read of a text: more than Telegram lets anybody write at once
BATCH = 16

_FOLLOW_UP_START = re.compile(
    r"(und|oder|aber|also|dann|auch|gilt das|geht das|and|or|but|what about|how about)\b", re.IGNORECASE
)
_POINTS_BACK = re.compile(
    r"\b(das|dies|dieses|dafür|dabei|davon|dazu|damit|daran|darin|dagegen|es|it|that|this|those)\b", re.IGNORECASE
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Asked:
    """A text to answer, and the guide that a follow-up in it would refer to."""

    text: str
    guide: str | None = None


@dataclass(frozen=True)
class FoundPassage:
    guide: str
    heading: str
    text: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What is known about one question. `guides`: at most five ids, best first; `confidence`: calibrated, 0..1.

    `best` is the passage of `guide` that fits the very question best, the sectors' views apart.
    """

    question: str
    status: Status
    language: str
    guide: str | None = None
    guides: tuple[str, ...] = ()
    passages: tuple[FoundPassage, ...] = ()
    confidence: float = 0.0
    smalltalk: Kind | None = None
    best: FoundPassage | None = None
    ms: float = 0.0


@cache
def _identifier() -> Any:  # noqa: ANN401 - the package has no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def detect_language(text: str) -> str:
    """The language of `text` as a two-letter code; German unless another one is clearly it."""
    language, probability = _identifier().classify(text)
    latin_and_short = len(text.split()) < 3 and text.isascii()
    return "de" if probability < LANGUAGE_CONFIDENCE or latin_and_short else str(language)


def is_elliptical(text: str) -> bool:
    """Whether `text` seems to lean on what was said before: short, and joining on or pointing back."""
    words = len(_WORD.findall(text))
    joins = bool(_FOLLOW_UP_START.match(text) or _POINTS_BACK.search(text))
    return words <= 3 or (joins and words <= 9)


def questions_in(text: str) -> list[str]:
    """The questions in `text` that can stand alone, each with the sentences that lead up to it; [] for fewer than two."""
    found, lead = [], ""
    for sentence in split_sentences(text, shortest=1):
        lead = f"{lead} {sentence}".strip()[-WINDOW:]
        if sentence.endswith("?"):
            if len(_WORD.findall(sentence)) >= 4 and not _POINTS_BACK.search(sentence):
                found.append(lead)
            lead = ""
    return found[:MOST_QUESTIONS] if len(found) > 1 else []


def windows(text: str) -> list[str]:
    """`text` in pieces short enough to be embedded whole; only the first LONGEST characters are read."""
    pieces = [""]
    for sentence in split_sentences(text[:LONGEST], shortest=1):
        if len(pieces[-1]) + len(sentence) > WINDOW and pieces[-1]:
            pieces.append("")
        pieces[-1] = f"{pieces[-1]} {sentence[:WINDOW]}".strip()
    return pieces


class Answerer:
    """Answers texts from one snapshot. Blocking and CPU-bound; safe to call from one thread at a time."""

    def __init__(self, retriever: "Retriever", titles: dict[str, str]) -> None:
        self._retriever = retriever
        self._titles = titles

    def answer(self, asked: Sequence[Asked]) -> list[list[Answer]]:
        """For each text the answers to the questions in it: one, or several when it asks about several guides.

        All texts are embedded in one call. The first answer is the one to the text as a whole where there is only one.
        """
        started = time.perf_counter()
        plans = [self._plan(one) for one in asked]
        texts = list(dict.fromkeys(text for plan in plans for text in plan.texts))
        vectors = dict(zip(texts, self._retriever.embed(texts), strict=True)) if texts else {}
        answers = []
        for plan in plans:
            found = self._follow(plan, vectors)
            ms = (time.perf_counter() - started) * 1000
            answers.append([replace(answer, ms=round(ms, 2)) for answer in found])
        return answers

    def _plan(self, asked: Asked) -> "_Plan":
        text = clean(asked.text)
        kind = smalltalk(text)
        if kind:
            return _Plan(asked, text, "de" if kind == "empty" else detect_language(text), kind)
        context = None
        if asked.guide in self._titles and is_elliptical(text):
            context = f"{self._titles[asked.guide]}: {text}"
        return _Plan(asked, text, detect_language(text), None, windows(text), questions_in(text), context)

    def _follow(self, plan: "_Plan", vectors: dict[str, Any]) -> list[Answer]:
        def search(text: str) -> "Ranking":
            return self._retriever.search(text, vector=vectors[text])

        if plan.smalltalk:
            return [Answer(plan.asked.text, "smalltalk", plan.language, smalltalk=plan.smalltalk, confidence=1.0)]
        several = [self._as_answer(plan, search(text), text) for text in plan.questions]
        if len({answer.guide for answer in several if answer.status == "answer"}) > 1:
            return several
        ranking = max((search(text) for text in plan.windows), key=lambda found: found.confidence)
        if plan.context and plan.asked.guide:
            return [self._in_context(plan, ranking, search(plan.context))]
        return [self._as_answer(plan, ranking, plan.asked.text)]

    def _in_context(self, plan: "_Plan", alone: "Ranking", joined: "Ranking") -> Answer:
        """A short question after an answer: a new topic when it is clearly one, else about the guide before."""
        guide = plan.asked.guide
        points_back = _POINTS_BACK.search(plan.text) is not None
        if alone.status == "answer" and alone.guides[0].id != guide and not points_back:
            return self._as_answer(plan, alone, plan.asked.text)
        if joined.status == "answer" and joined.guides[0].id != guide and joined.guides[0].id == alone.guides[0].id:
            return self._as_answer(plan, joined, plan.asked.text)
        own = Answer(
            plan.asked.text, "answer", plan.language, guide, confidence=max(alone.confidence, joined.confidence)
        )
        passages = _found(alone.passages_in(str(guide)))
        others = tuple(ranked.id for ranked in joined.guides if ranked.id != guide)
        return replace(own, guides=(str(guide), *others)[:5], passages=passages[:5], best=_best(passages))

    def _as_answer(self, plan: "_Plan", ranking: "Ranking", question: str) -> Answer:
        guides = tuple(ranked.id for ranked in ranking.guides[:5])
        guide = guides[0] if ranking.status == "answer" and guides else None
        return Answer(
            question,
            ranking.status,
            plan.language,
            guide,
            guides,
            _found(ranking.passages[:5]),
            float(ranking.confidence),
            best=_best(_found(ranking.passages_in(guide))) if guide else None,
        )


def _found(ranked: "Sequence[RankedPassage]") -> tuple[FoundPassage, ...]:
    return tuple(FoundPassage(p.passage.guide, p.passage.heading, p.passage.text, float(p.score)) for p in ranked)


def _best(passages: Sequence[FoundPassage]) -> FoundPassage | None:
    """The best of a guide's passages but for the sectors' views: the own one is shown anyway, the others have a button."""
    return next((passage for passage in passages if passage.heading not in VIEWS.values()), None)


@dataclass(frozen=True)
class _Plan:
    asked: Asked
    text: str
    language: str
    smalltalk: Kind | None
    windows: Sequence[str] = ()
    questions: Sequence[str] = ()
    context: str | None = None

    @property
    def texts(self) -> list[str]:
        return [*self.windows, *self.questions, *([self.context] if self.context else [])]


def primary(answers: Sequence[Answer], text: str) -> Answer:
    """The one answer that stands for a text with several questions: the first that is answered, else the surest."""
    answered = [answer for answer in answers if answer.status == "answer"]
    best = answered[0] if answered else max(answers, key=lambda answer: answer.confidence)
    return replace(best, question=text)


class AnswerService:
    """Answers from one state of the knowledge, from an event loop."""

    def __init__(self, answerer: Answerer, worker: "Worker") -> None:
        self._answerer = answerer
        self._worker = worker

    async def ask(self, asked: Asked) -> list[Answer]:
        """The answers to the questions in a text, in their order; at least one."""
        return await self._worker.answer(self._answerer, asked)


class Worker:
    """One thread that answers, for all states of the knowledge; it takes the questions that wait for one as a batch."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._loop: asyncio.Task[None] | None = None

    async def answer(self, answerer: Answerer, asked: Asked) -> list[Answer]:
        """What `answerer` answers, once it is its turn."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._serve())
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(answerer, asked, future))
        return await future

    async def close(self) -> None:
        if self._loop:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        self._thread.shutdown()

    async def _serve(self) -> None:
        while True:
            await self._take([await self._waiting.get()])

    async def _take(self, waiting: "list[_Waiting]") -> None:
        # A method of its own, so that no question, and with it the state it was asked of, outlives its answer here.
        while len(waiting) < BATCH and not self._waiting.empty():
            waiting.append(self._waiting.get_nowait())
        for answerer in dict.fromkeys(one.answerer for one in waiting):
            batch = [one for one in waiting if one.answerer is answerer]
            if not await self._run(answerer, batch):
                # One text that cannot be handled must not fail the others that came at the same time.
                for one in batch:
                    await self._run(answerer, [one], final=True)

    async def _run(self, answerer: Answerer, batch: "list[_Waiting]", final: bool = False) -> bool:
        texts = [one.asked for one in batch]
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._thread, answerer.answer, texts)
        except Exception as error:
            if final:
                batch[0].future.set_exception(error)
            return False
        for one, answer in zip(batch, answers, strict=True):
            if not one.future.done():
                one.future.set_result(answer)
        return True


@dataclass(frozen=True)
class _Waiting:
    answerer: Answerer
    asked: Asked
    future: "asyncio.Future[list[Answer]]"
