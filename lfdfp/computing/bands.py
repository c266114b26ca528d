"""Work on bands of rows with several threads, with the same bits for any number of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lfdfp.progress import Progress, ignore_progress

S = TypeVar("S")
T = TypeVar("T")

_ROWS_PER_BAND = 96


def thread_count(threads: int | None) -> int:
    """The number asked for, or numba's setting (``NUMBA_NUM_THREADS``; all cores) for None."""
    import numba

    return int(numba.get_num_threads()) if threads is None else max(1, threads)


class BandRunner:
    """Runs a function on fixed bands of rows; compiled functions release the interpreter lock.

    The bands depend on the number of rows alone, and results come back in their order, so sums
    over them do not depend on the number of threads.

    Parameters
    ----------
    threads
        As `thread_count` takes it.
    """

    def __init__(self, threads: int | None = None) -> None:
        count = thread_count(threads)
        self._pool = ThreadPoolExecutor(count) if count > 1 else None

    def map(self, work: Callable[[int, int], T], rows: int) -> list[T]:
        """[work(first, last) for every band of 0..rows], last exclusive, in order."""
        bands = max(1, round(rows / _ROWS_PER_BAND))
        edges = [rows * k // bands for k in range(bands + 1)]
        spans = list(itertools.pairwise(edges))
        return self.each(lambda span: work(*span), spans)

    def each(
        self, work: Callable[[S], T], parts: Iterable[S], progress: Progress = ignore_progress
    ) -> list[T]:
        """[work(part) for every part], in order; several at a time.

        `progress` is called with (parts done, parts).
        """
        every = list(parts)
        found = map(work, every) if self._pool is None else self._pool.map(work, every)
        results = []
        for done, result in enumerate(found, start=1):
            results.append(result)
            progress(done, len(every))
        return results
