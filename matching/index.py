"""Vectors of phrases in FAISS: a filter applies inside the search, and rows come and go without a rebuild."""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

EXACT_UP_TO = 50_000  # rows; beyond, cells of an inverted file are searched
CELLS_PER_ROOT = 4  # cells for each square root of the rows, the usual choice
TRAINING_ROWS_PER_CELL = 40
# Cells searched, as a share of all: chosen in bench/partners.py for recall@10 of 0.98 with every filter.
PROBED_SHARE = 0.06
MOST_PROBED = 0.5


class PhraseIndex:
    """Inner products over rows of length 1. Rows are numbered in the order in which they were added, for good."""

    def __init__(self, dimension: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self._exact_up_to = exact_up_to
        self._index: faiss.Index = faiss.IndexFlatIP(dimension)
        self._dimension = dimension

    @property
    def rows(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: Floats) -> Numbers:
        """Add rows of shape (rows, dimension); returns their numbers."""
        first = self.rows
        if first + len(vectors) > self._exact_up_to and isinstance(self._index, faiss.IndexFlatIP):
            self._index = self._approximate(vectors)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return np.arange(first, self.rows, dtype=np.int64)

    def search(self, vector: Floats, allowed: Mask, most: int) -> tuple[Floats, Numbers]:
        """Scores and numbers of at most `most` nearest of the allowed rows, best first. `allowed`: one flag a row."""
        count = int(np.count_nonzero(allowed))
        most = min(most, count)
        if not most:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)
        if isinstance(self._index, faiss.IndexFlatIP):
            parameters = faiss.SearchParameters(sel=selector)
        else:
            # The rarer the allowed rows, the more cells it takes to meet enough of them.
            share = min(MOST_PROBED, PROBED_SHARE * (self.rows / count) ** 0.5)
            cells = max(1, round(share * self._index.nlist))
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=cells)
        scores, rows = self._index.search(vector.reshape(1, -1), most, params=parameters)
        found = rows[0] >= 0  # FAISS fills up with -1
        return scores[0][found], rows[0][found]

    def _approximate(self, coming: Floats) -> faiss.Index:
        """An inverted file of 8-bit vectors with the rows so far; trained on them and on those that come."""
        known = faiss.rev_swig_ptr(self._index.get_xb(), self.rows * self._dimension) if self.rows else np.zeros(0)
        known = np.array(known, dtype=np.float32).reshape(-1, self._dimension)
        total = len(known) + len(coming)
        cells = int(CELLS_PER_ROOT * total**0.5)
        sample = np.vstack([known, coming])
        if len(sample) > cells * TRAINING_ROWS_PER_CELL:
            chosen = np.random.default_rng(0).choice(len(sample), cells * TRAINING_ROWS_PER_CELL, replace=False)
            sample = sample[chosen]
        quantizer = faiss.IndexFlatIP(self._dimension)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, self._dimension, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.own_fields = True
        quantizer.this.disown()
        index.train(sample)
        index.add(known)
        return index
