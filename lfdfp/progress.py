"""How a long stage tells how far it is: a callback that takes (done, total)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """Tell nobody."""


def progress_from(progress: Progress, first: int, total: int) -> Progress:
    """The progress of a part of the work: its steps come after `first` of `total`."""

    def told(done: int, _: int) -> None:
        progress(first + done, total)

    return told
