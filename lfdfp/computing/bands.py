"""Work on bands of rows with several threads, with the same bits for any number of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

_ROWS_PER_BAND = 96


class BandRunner:
    """Runs a function on fixed bands of rows; compiled functions release the interpreter lock.

    The bands depend on the number of rows alone, and results come back in their order, so sums
    over them do not depend on the number of threads (numba's setting, ``NUMBA_NUM_THREADS``).
    """

    def __init__(self) -> None:
        import numba

        threads = numba.get_num_threads()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def map(self, work: Callable[[int, int], T], rows: int) -> list[T]:
        """[work(first, last) for every band of 0..rows], last exclusive, in order."""
        bands = max(1, round(rows / _ROWS_PER_BAND))
        edges = [rows * k // bands for k in range(bands + 1)]
        spans = list(itertools.pairwise(edges))
        return self.each(lambda span: work(*span), spans)

    def each(self, work: Callable[[S], T], parts: Sequence[S]) -> list[T]:
        """[work(part) for every part], in order."""
        if self._pool is None:
            return [work(part) for part in parts]
        return list(self._pool.map(work, parts))
