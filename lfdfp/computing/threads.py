"""Run compiled functions, which release the interpreter's lock, in several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

_Item = TypeVar("_Item")


def thread_count(threads: int | None) -> int:
    """The number asked for, or numba's setting (``NUMBA_NUM_THREADS``; all cores) for None."""
    return int(numba.get_num_threads()) if threads is None else max(1, threads)


def in_threads(work: Callable[[_Item], None], items: Iterable[_Item], threads: int) -> None:
    """Call `work` with every item, several at a time."""
    if threads == 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass
