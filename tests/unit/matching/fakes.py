"""A reader of phrases without a model, and files of partners made for a test."""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from bot.database import Database
from knowledge_base.guide import load_taxonomy
from matching.importer import ImportReport, import_file
from matching.models import Organisation, PhraseVector
from matching.places import Places
from matching.records import COLUMNS

TODAY = date(2026, 11, 24)
TAXONOMY = load_taxonomy()
GOOD = {
    "id": "a1", "name": "Bücherbrücke e. V.", "sektor": "zivilgesellschaft", "rechtsform": "e. V.",
    "beschreibung": "Wir tauschen Bücher.", "plz": "44139", "ort": "Dortmund", "reichweite": "lokal",
    "themen": "bildung;kultur", "bietet": "Lesepaten; Saal mit Bühne", "sucht": "Transporter", "website": "https://buecher.example",
    "kontakt_name": "Ada Muster", "kontakt_email": "ada@buecher.example", "geprueft_am": "2026-05-01",
}  # fmt: skip


class FakeReader:
    """Vectors and resources are made of a hash of the text. `calls` are the texts of each call of `embed`."""

    model = "fake"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.calls.append(list(texts))
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") for text in texts]
        rows = np.array([np.random.default_rng(seed).normal(size=16) for seed in seeds])
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / lengths, dtype=np.float32)

    def resources(self, vectors: npt.NDArray[np.float32]) -> list[str]:
        ids = list(TAXONOMY.resources)
        return [ids[int(row.argmax())] for row in vectors]


def record(number: int = 1, **changes: str) -> dict[str, str]:
    """A good record with another id, changed in some columns."""
    return GOOD | {"id": f"a{number}"} | changes


def write_csv(path: Path, records: Sequence[dict[str, str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    rows = csv.DictWriter(text, list(COLUMNS), delimiter=delimiter)
    rows.writeheader()
    rows.writerows(records)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


async def run(database: Database, path: Path, reader: FakeReader | None = None, **options: Any) -> ImportReport:  # noqa: ANN401 - those of import_file
    return await import_file(
        path, database.write, reader or FakeReader(), Places.load(), TAXONOMY, **({"today": TODAY} | options)
    )


async def contents(database: Database) -> dict[str, Any]:
    """Everything in the directory, but for the numbers of rows."""
    async with database.write() as session:
        organisations = (await session.scalars(select(Organisation).order_by(Organisation.id))).all()
        vectors = (await session.scalars(select(PhraseVector))).all()
    return {
        "organisations": {organisation.id: _values(organisation, "phrases") for organisation in organisations},
        "phrases": {
            organisation.id: [_values(phrase, "id") for phrase in organisation.phrases]
            for organisation in organisations
        },
        "vectors": {(vector.digest, vector.model): vector.vector for vector in vectors},
    }


def _values(row: Organisation | Any, without: str) -> dict[str, Any]:  # noqa: ANN401 - any mapped row
    return {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name != without}
