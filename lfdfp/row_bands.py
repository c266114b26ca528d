"""Work on bands of rows with several threads, with the same bits for any number of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

T = TypeVar("T")

_BANDS = 16


class BandRunner:
    """Runs a function on fixed bands of rows; compiled functions release the interpreter lock.

    The bands depend on the number of rows alone, and results come back in their order, so sums
    over them do not depend on the number of threads (numba's setting, ``NUMBA_NUM_THREADS``).
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(numba.get_num_threads())

    def map(self, work: Callable[[int, int], T], rows: int, *, bands: int = _BANDS) -> list[T]:
        """[work(first, last) for every band of 0..rows], last exclusive, in order."""
        edges = [rows * k // bands for k in range(bands + 1)]
        spans = [(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]
        return list(self._pool.map(lambda span: work(*span), spans))
