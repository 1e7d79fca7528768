"""A small embedder and small guides for the tests of the index."""

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from indexer.lexical import stems

DIMENSION = 2048  # so that no two of the tests' words share a place


class FakeEmbedder:
    """Bags of hashed word stems behind the methods of sentence-transformers that the indexer uses.

    It records every text that it embeds, and notices when two threads call it at once.
    """

    def __init__(self, name: str = "fake") -> None:
        self.model_card_data = SimpleNamespace(model_name=name)
        self.texts: list[str] = []
        self.busy = threading.Lock()

    def get_embedding_dimension(self) -> int:
        return DIMENSION

    def encode_query(self, inputs: Sequence[str], **kwargs: object) -> npt.NDArray[np.float32]:
        return self._encode(inputs)

    def encode_document(self, inputs: Sequence[str], **kwargs: object) -> npt.NDArray[np.float32]:
        return self._encode(inputs)

    def _encode(self, inputs: Sequence[str]) -> npt.NDArray[np.float32]:
        assert self.busy.acquire(blocking=False), "two threads embed at once"
        try:
            self.texts += inputs
            vectors = np.full((len(inputs), DIMENSION), 0.05, dtype=np.float32)
            for row, text in enumerate(inputs):
                for stem in stems(text):
                    vectors[row, zlib.crc32(stem.encode()) % DIMENSION] += 1
            unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            return unit
        finally:
            self.busy.release()


def as_embedder(fake: FakeEmbedder) -> SentenceTransformer:
    return cast(SentenceTransformer, fake)


@dataclass(frozen=True)
class FakeGuide:
    """What `indexer.passages.Guide` asks for."""

    id: str
    title: str
    sections: dict[str, str]
    questions: tuple[str, ...] = ()
    chapter: str = "grundlagen"
    version: str = field(default="1")


SPENDE = FakeGuide(
    "spende",
    "Spende oder Sponsoring",
    {
        "Kurz gesagt": "Eine Spende ist freiwillig und ohne Gegenleistung. Beim Sponsoring wirbt die Firma für sich.",
        "Recht": "Das Logo auf dem Trikot ist eine Gegenleistung.[^ao64] Der Betrag gilt dann als steuerpflichtige Einnahme.",
    },
    (
        "Die Firma gibt Geld und will ihr Logo auf dem Trikot",
        "Darf das Schild vom Baumarkt an den Zaun?",
        "Bekommt der Metzger eine Quittung für seine Werbung?",
        "Brauerei zahlt fürs Banner am Sportplatz",
    ),
)
STREIT = FakeGuide(
    "streit",
    "Streit früh klären",
    {
        "Kurz gesagt": "Konflikte klärt man am besten früh im Gespräch. Eine neutrale Moderation hilft dabei sehr.",
        "Schritte": "- Beide Seiten einzeln anhören und mitschreiben.\n- Gemeinsam eine Lösung vereinbaren und prüfen.",
    },
    (
        "Zwei im Bündnis reden nicht mehr miteinander",
        "Der Vorstand und das Amt haben sich verkracht",
        "Wer vermittelt, wenn es Zoff gibt?",
        "Alle schreien sich nur noch an in der Sitzung",
    ),
)
AMT = FakeGuide(
    "amt",
    "Wie Verwaltung entscheidet",
    {
        "Kurz gesagt": "Eine Behörde handelt nur im Rahmen ihrer Zuständigkeit. Der Gemeinderat beschließt den Haushalt.",
    },
    (
        "Warum dauert das im Rathaus so lange?",
        "Die Sachbearbeiterin sagt, sie ist nicht zuständig",
        "Wer entscheidet in der Gemeinde über den Bolzplatz?",
        "Antrag liegt seit Wochen im Rathaus beim Sachbearbeiter",
    ),
)
GUIDES = (SPENDE, STREIT, AMT)
NEGATIVES = (
    "Wann kommt die Müllabfuhr?",
    "Wie verlängere ich meinen Reisepass?",
    "Rezept für Käsekuchen",
    "Wie wird das Wetter morgen?",
    "Welche Steuerklasse nach der Hochzeit?",
)
