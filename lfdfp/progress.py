"""How long work tells how far it is: a callback that takes (done, total), one for each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[int, int], None]

_SHARES: Final = 1000


def ignore_progress(done: int, total: int) -> None:
    """Tell nobody."""


def progress_from(progress: Progress, first: int, total: int) -> Progress:
    """The progress of a part of the work: its steps come after `first` of `total`."""

    def told(done: int, _: int) -> None:
        progress(first + done, total)

    return told


def share_of(progress: Progress, first: float, last: float) -> Progress:
    """The progress of a part of the work that goes from one share of the whole to another."""

    def told(done: int, total: int) -> None:
        share = first + (last - first) * done / max(total, 1)
        progress(round(_SHARES * share), _SHARES)

    return told


class UnevenSteps:
    """Progress of work whose steps take different times: each counts by its weight."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def passed(self, weight: int) -> None:
        """A step of this weight is over."""
        self._done += weight
        self._progress(self._done, self._total)


StageProgress: TypeAlias = Callable[[str], AbstractContextManager[Progress]]
"""Called with a stage's name; gives a context that yields the stage's own callback."""


@contextmanager
def silent_stage(name: str) -> Iterator[Progress]:
    """A `StageProgress` that shows nothing."""
    del name
    yield ignore_progress


def stages_of(name: str, stage: StageProgress) -> StageProgress:
    """The stages of one part of the work: its name stands before theirs."""
    return lambda own: stage(f"{name}: {own}")
