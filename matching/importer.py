"""Brings a file of partners into the directory: checked record by record, stored batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge_base.guide import Taxonomy
from matching.models import SAMPLE_SOURCE, Organisation, Phrase, PhraseVector, text_digest
from matching.places import Places
from matching.record_files import ImportFileError, open_file
from matching.records import STORED_AS_THEY_ARE, Checker, Finding, Record, text_length

__all__ = ["ImportFileError", "ImportReport", "PhraseReader", "import_file"]

SAMPLES = Path(__file__).with_name("sample_partners.csv")
BATCH = 500  # records a transaction
MOST_PARAMETERS = 5000  # of one statement; SQLite and PostgreSQL both take over 30,000


class PhraseReader(Protocol):
    """Reads phrases by meaning, with one embedding model."""

    @property
    def model(self) -> str:
        """The model's name."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embeddings of shape (texts, dimension), rows of length 1."""

    def resources(self, vectors: npt.NDArray[np.float32]) -> list[str]:
        """The id of the resource that each row is about."""


Writing = Callable[[], AbstractAsyncContextManager[AsyncSession]]
Progress = Callable[[str, int, int], None]


@dataclass
class ImportReport:
    """What became of a file's records. A rejected record has one or more findings."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @property
    def rejected_records(self) -> int:
        return len({finding.row for finding in self.rejected})


async def import_file(
    path: Path,
    database_write: Writing,
    reader: PhraseReader,
    places: Places,
    taxonomy: Taxonomy,
    *,
    today: date,
    source: str | None = None,
    sector: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import the partners in `path`. What is right in it is stored whatever else is wrong.

    Every batch is one transaction: interrupted at any point and run again, the directory ends up the same. `source` is
    the file's name unless given, `sector` is taken where a record names none. A dry run only says what would happen, and
    leaves `reader` alone. Raises ImportFileError when the file cannot be read.
    """
    table = open_file(path, taxonomy)
    source = source or _source(path)
    checker = Checker(places, taxonomy, today, sector)
    report = ImportReport(warnings=list(table.warnings))
    directory = _Directory(database_write, None if dry_run else reader, source, table.absent, report)
    done = 0
    while rows := list(islice(table.rows, BATCH)):
        records = [record for row in rows if (record := checker.check(row))]
        for row in rows:
            report.rejected += row.errors
            report.warnings += row.warnings
        if records:
            await directory.take(records)
        done = rows[-1].number
        if progress:
            progress("Partner", done, max(done, table.total))
    if not done:
        report.warnings.append(Finding(0, "", path.name, "Die Datei enthält keinen Datensatz."))
    return report


def _source(path: Path) -> str:
    """What a file's records are marked with: its name, or that they are only samples."""
    return SAMPLE_SOURCE if path.resolve() == SAMPLES.resolve() else path.name[: text_length(Organisation, "source")]


def _texts(records: Sequence[Record]) -> dict[str, str]:
    """The distinct texts of the records' phrases by their digests."""
    return {text_digest(item.text): item.text for record in records for _, _, item in record.phrases}


@dataclass
class _Plan:
    """What a batch will change. `adopted`: unchanged samples that the file lists; `real`: the samples have to go."""

    new: list[Record] = field(default_factory=list)
    changed: list[tuple[Record, Organisation]] = field(default_factory=list)
    unchanged: list[Record] = field(default_factory=list)
    adopted: set[str] = field(default_factory=set)
    real: bool = False

    @property
    def texts(self) -> dict[str, str]:
        """The distinct texts of the batch's phrases by their digests, in file order."""
        return _texts([*self.new, *(record for record, _ in self.changed), *self.unchanged])


_AS_IT_IS = {"synchronize_session": False}  # nothing that the session has loaded is used after a statement in bulk


class _Directory:
    """The directory during one import. `reader` is None in a dry run."""

    def __init__(
        self, write: Writing, reader: PhraseReader | None, source: str, absent: Sequence[str], report: ImportReport
    ) -> None:
        self._write = write
        self._reader = reader
        self._source = source
        self._absent = absent
        self._report = report
        # Samples met unchanged so far: when the file turns out to be a real one, they are its own.
        self._adopted: set[str] = set()
        self._real = False

    async def take(self, records: list[Record]) -> None:
        """Store a batch of records in one transaction."""
        vectors: dict[str, bytes] = {}
        # Embedding takes seconds; meanwhile others may write. So what is missing is found out first and embedded outside
        # of a transaction, then everything is looked at afresh.
        model = self._reader.model if self._reader else ""
        while True:
            async with self._write() as session:
                plan = await self._plan(session, records)
                if self._reader is None:
                    break
                missing = await _without_vector(session, plan.texts, model)
                if missing.keys() <= vectors.keys():
                    await self._store(session, plan, {digest: vectors[digest] for digest in missing}, self._reader)
                    break
            texts = [text for digest, text in missing.items() if digest not in vectors]
            embedded = await asyncio.to_thread(self._reader.embed, texts)
            rows = embedded.astype(np.float16)
            vectors |= {text_digest(text): row.tobytes() for text, row in zip(texts, rows, strict=True)}
        self._adopted |= plan.adopted
        self._real |= plan.real
        self._report.imported += len(plan.new)
        self._report.updated += len(plan.changed)
        self._report.unchanged += len(plan.unchanged)

    async def _plan(self, session: AsyncSession, records: list[Record]) -> _Plan:
        ids = [record.id for record in records]
        found = await session.scalars(select(Organisation).where(Organisation.id.in_(ids)))
        stored = {organisation.id: organisation for organisation in found}
        plan = _Plan()
        samples: list[Record] = []  # records that equal a stored sample
        for record in records:
            old = stored.get(record.id)
            if old is None:
                plan.new.append(record)
                continue
            full = record.completed(Record.of(old), self._absent)
            same = full.digest() == old.digest
            if old.source == SAMPLE_SOURCE != self._source:
                # A real organisation takes nothing over from the sample that had its id.
                (samples if same and not self._real else plan.new).append(full if same else record)
            elif same:
                plan.unchanged.append(full)
            else:
                plan.changed.append((full, old))
        # A file that only lists samples as they are, such as an export of them, is no real one.
        plan.real = self._source != SAMPLE_SOURCE and bool(plan.new or plan.changed or plan.unchanged or self._real)
        plan.adopted = {record.id for record in samples}
        plan.unchanged += samples
        return plan

    async def _store(self, session: AsyncSession, plan: _Plan, vectors: dict[str, bytes], reader: PhraseReader) -> None:
        if plan.real and not self._real:
            await self._remove_samples(session, self._adopted | plan.adopted)
        if vectors:
            rows = [{"digest": digest, "model": reader.model, "vector": vector} for digest, vector in vectors.items()]
            await session.execute(insert(PhraseVector), rows)
        written: list[tuple[Record, Organisation | None]] = [(record, None) for record in plan.new]
        written += plan.changed
        if not written:
            return
        resources = await self._resources(session, [record for record, _ in written], reader)
        if plan.new:
            await session.execute(insert(Organisation), [self._values(record) for record in plan.new])
        if plan.changed:
            ids = [record.id for record, _ in plan.changed]
            await session.execute(delete(Phrase).where(Phrase.organisation_id.in_(ids)), execution_options=_AS_IT_IS)
            await session.execute(update(Organisation), [self._values(record) for record, _ in plan.changed])
        phrases = [values for record, old in written for values in _phrase_values(record, old, resources)]
        if phrases:
            await session.execute(insert(Phrase), phrases)

    async def _remove_samples(self, session: AsyncSession, adopted: set[str]) -> None:
        """Delete the samples, except those that the file itself lists."""
        if adopted:
            own = update(Organisation).where(Organisation.id.in_(adopted)).values(source=self._source)
            await session.execute(own, execution_options=_AS_IT_IS)
        samples = select(Organisation.id).where(Organisation.source == SAMPLE_SOURCE)
        await session.execute(delete(Phrase).where(Phrase.organisation_id.in_(samples)), execution_options=_AS_IT_IS)
        await session.execute(
            delete(Organisation).where(Organisation.source == SAMPLE_SOURCE), execution_options=_AS_IT_IS
        )

    async def _resources(self, session: AsyncSession, records: list[Record], reader: PhraseReader) -> dict[str, str]:
        """The resource that each text of the records is about.

        It is read from the vectors as stored: float16 is coarser than what was embedded, and a run that finds a vector must
        say the same as the one that made it.
        """
        texts = _texts(records)
        if not texts:
            return {}
        stored: dict[str, bytes] = {}
        for digests in _chunks(list(texts)):
            query = select(PhraseVector.digest, PhraseVector.vector).where(
                PhraseVector.model == reader.model, PhraseVector.digest.in_(digests)
            )
            stored.update((row.digest, row.vector) for row in await session.execute(query))
        matrix = np.stack([np.frombuffer(stored[digest], dtype=np.float16) for digest in texts]).astype(np.float32)
        return dict(zip(texts.values(), reader.resources(matrix), strict=True))

    def _values(self, record: Record) -> dict[str, Any]:
        """The row of an organisation. Its status and languages are not in files and stay as they are."""
        return {
            **{name: getattr(record, name) for name in STORED_AS_THEY_ARE},
            "themes": list(record.themes),
            "state": record.at.state,
            "latitude": record.at.latitude,
            "longitude": record.at.longitude,
            "source": self._source,
            "digest": record.digest(),
        }


def _phrase_values(record: Record, old: Organisation | None, resources: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a record's phrases; what people have entered for a phrase outlives the import."""
    before = {(phrase.side, phrase.text): phrase for phrase in old.phrases} if old else {}
    for side, position, item in record.phrases:
        known = before.get((side, item.text))
        corrected = known is not None and known.corrected
        yield {
            "organisation_id": record.id,
            "side": side,
            "position": position,
            "text": item.text,
            "resource": known.resource if known and corrected else resources[item.text],
            "corrected": corrected,
            "amount": known.amount if known else None,
            "until": item.until,
        }


async def _without_vector(session: AsyncSession, texts: dict[str, str], model: str) -> dict[str, str]:
    """Those of `texts` (by digest) that have no vector of this model yet."""
    known: set[str] = set()
    for digests in _chunks(list(texts)):
        query = select(PhraseVector.digest).where(PhraseVector.model == model, PhraseVector.digest.in_(digests))
        known.update(await session.scalars(query))
    return {digest: text for digest, text in texts.items() if digest not in known}


def _chunks(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), MOST_PARAMETERS):
        yield digests[start : start + MOST_PARAMETERS]
