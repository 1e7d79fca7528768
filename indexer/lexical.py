"""Words and parts of words: German analysis and BM25 over two fields.

The first field holds word stems, the second the character 4-grams of the words. The 4-grams do what compound splitting
and a spelling correction would do ("Vereinsgründung" meets "Gründung eines Vereins", "Spendenquitung" meets
"Spendenquittung"), and they do it without a vocabulary; a compound splitter in addition changed no figure.
A sparse matrix of SciPy holds the weights; bm25s was tried and is slower for the many 4-grams of a long question.
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import Stemmer
from scipy.sparse import csr_matrix

Scores = npt.NDArray[np.float32]

# Usual values (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009).
K1 = 1.2
B = 0.75
GRAM = 4
MOST_TOKENS = 400  # distinct tokens of a question that count: the rarest ones; bounds the time of a pasted letter

_WORD = re.compile(r"\w+")
_FOLDED = str.maketrans({"ß": "ss", "ä": "a", "ö": "o", "ü": "u"})
_STEMMER = Stemmer.Stemmer("german")

STOP_WORDS = frozenset(
    """
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus bei beim
    bin bis bist da damit dann das dass dazu dein deine dem den denn der deren des dessen dich die dies diese diesem
    diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einig einige einigem einigen einiger
    einiges einmal er es etwas euch euer eure für gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm
    ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist jede jedem jeden jeder jedes jene jenem jenen jener
    jenes jetzt kann kein keine keinem keinen keiner keines können könnte machen man manche manchem manchen mancher
    manches mein meine meinem meinen meiner meines mich mir mit muss musste nach nicht nichts noch nun nur ob oder ohne
    sehr sein seine seinem seinen seiner seines selbst sich sie sind so solche solchem solchen solcher solches soll
    sollte sondern sonst über um und uns unser unsere unter viel viele vom von vor wann war waren warst warum was weg
    weil weiter welche welchem welchen welcher welches wem wen wenn wer werde werden wessen wie wieder will wir wird
    wirst wo woher wohin wollen wollte wurde wurden würde würden zu zum zur zwar zwischen
    """.split()
)


def content_words(text: str) -> list[str]:
    """The words of `text` that carry content, case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word for word in _WORD.findall(folded) if word not in STOP_WORDS]


def stems(text: str) -> list[str]:
    """Content words as folded German stems."""
    return [_stem(word) for word in content_words(text)]


def grams(text: str) -> list[str]:
    """Character 4-grams of the content words, with "_" for a word's beginning and end."""
    found = []
    for word in content_words(text):
        edged = f"_{word.translate(_FOLDED)}_"
        found += [edged[start : start + GRAM] for start in range(max(1, len(edged) - GRAM + 1))]
    return found


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word)).translate(_FOLDED)


class Field:
    """BM25 over one kind of token.

    `weights` has one row a token and one column a document. Scores are divided by what a document could reach that
    has every token of the question, unknown tokens counted as the rarest: a share between 0 and 1 that needs no
    normalisation, and that fades to 0 by itself when the question's words are not the corpus's.
    """

    def __init__(self, vocabulary: dict[str, int], idf: Scores, weights: csr_matrix) -> None:
        self.vocabulary = vocabulary
        self.idf = idf
        self.weights = weights
        documents = weights.shape[1]
        self.idf_unknown = float(np.log(1 + (documents + 0.5) / 0.5))

    @classmethod
    def build(cls, texts: Sequence[str], analyse: Callable[[str], list[str]]) -> Field:
        vocabulary: dict[str, int] = {}
        tokens, documents, counts = array("i"), array("i"), array("f")
        lengths = np.zeros(len(texts), dtype=np.float32)
        for document, text in enumerate(texts):
            counted = Counter(analyse(text))
            lengths[document] = counted.total()
            for token, count in counted.items():
                tokens.append(vocabulary.setdefault(token, len(vocabulary)))
                documents.append(document)
                counts.append(count)
        row, column = np.frombuffer(tokens, dtype=np.int32), np.frombuffer(documents, dtype=np.int32)
        frequency = np.frombuffer(counts, dtype=np.float32)
        containing = np.bincount(row, minlength=len(vocabulary)).astype(np.float32)
        idf = np.log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))
        relative = lengths / max(float(lengths.mean()) if len(texts) else 0.0, 1e-9)
        values = idf[row] * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * relative[column]))
        weights = csr_matrix((values.astype(np.float32), (row, column)), shape=(len(vocabulary), len(texts)))
        return cls(vocabulary, idf.astype(np.float32), weights)

    def scores(self, tokens: Sequence[str]) -> Scores:
        """Share of the attainable BM25 score, for every document."""
        known, times, unknown = self._look_up(tokens)
        if not len(known):
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        attainable = (K1 + 1) * (float(times @ self.idf[known]) + unknown * self.idf_unknown)
        reached: Scores = self.weights[known].T @ times
        return reached / np.float32(attainable)

    def coverage(self, tokens: Sequence[str]) -> float:
        """Share of the tokens, weighted by idf, that the corpus knows."""
        known, times, unknown = self._look_up(tokens)
        weight = float(times @ self.idf[known]) if len(known) else 0.0
        return weight / (weight + unknown * self.idf_unknown) if weight else 0.0

    def save(self, directory: Path, name: str) -> None:
        with (directory / f"{name}.npz").open("wb") as file:
            np.savez(
                file,
                idf=self.idf,
                data=self.weights.data,
                indices=self.weights.indices,
                indptr=self.weights.indptr,
                documents=np.array(self.weights.shape[1]),
            )
        words = json.dumps(list(self.vocabulary), ensure_ascii=False)
        (directory / f"{name}.json").write_text(words, encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, name: str) -> Field:
        words = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(directory / f"{name}.npz", allow_pickle=False) as arrays:
            shape = (len(words), int(arrays["documents"]))
            weights = csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
            return cls({word: row for row, word in enumerate(words)}, arrays["idf"], weights)

    def _look_up(self, tokens: Sequence[str]) -> tuple[npt.NDArray[np.int64], Scores, int]:
        """Rows of the known tokens, how often each occurs, and how many occurrences are unknown."""
        rows: Counter[int] = Counter()
        unknown = 0
        for token in tokens:
            row = self.vocabulary.get(token)
            if row is None:
                unknown += 1
            else:
                rows[row] += 1
        known = np.fromiter(rows.keys(), dtype=np.int64, count=len(rows))
        times = np.fromiter(rows.values(), dtype=np.float32, count=len(rows))
        if len(known) > MOST_TOKENS:
            rarest = np.argpartition(-self.idf[known], MOST_TOKENS)[:MOST_TOKENS]
            known, times = known[rarest], times[rarest]
        return known, times, unknown


class Lexical:
    """Both fields together."""

    def __init__(self, words: Field, parts: Field) -> None:
        self.words = words
        self.parts = parts

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexical:
        return cls(Field.build(texts, stems), Field.build(texts, grams))

    def scores(self, question: str) -> Scores:
        """Mean of both fields' shares of the attainable score: shape (documents,), 0 to 1."""
        scores: Scores = (self.words.scores(stems(question)) + self.parts.scores(grams(question))) / np.float32(2)
        return scores

    def coverage(self, question: str) -> float:
        """How much of what the question says the corpus knows at all, 0 to 1."""
        return self.words.coverage(stems(question))

    def save(self, directory: Path) -> None:
        self.words.save(directory, "words")
        self.parts.save(directory, "parts")

    @classmethod
    def load(cls, directory: Path) -> Lexical:
        return cls(Field.load(directory, "words"), Field.load(directory, "parts"))
