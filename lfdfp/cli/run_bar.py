"""One bar over all stages of a command, with the time that is left."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

from tqdm import tqdm

from lfdfp.pipeline.forecast import Forecast, Outlook
from lfdfp.progress import Progress

_EVERY_S: Final = 0.2
_FORMAT: Final = "{desc:>11} {percentage:3.0f}% |{bar}| {times}"
_SOON_S: Final = 1.0


class RunBar:
    """A bar that is shown from the beginning to the end of a command.

    It is a `StageProgress`: called with a stage's name, it gives the context of that stage. A
    thread of its own draws it, so that time goes on where a stage is silent.
    """

    def __init__(self, file: TextIO, last_words: str) -> None:
        self._forecast = Forecast({})
        self._last_words = last_words
        self._began = time.perf_counter()
        self._bar = _Line(
            total=1.0, desc="start", bar_format=_FORMAT, file=file, dynamic_ncols=True
        )
        self._draw()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def expect(self, stages: Mapping[str, float]) -> None:
        """Say which stages come, with the seconds that each is expected to take."""
        self._forecast = Forecast(stages)

    @contextmanager
    def __call__(self, name: str) -> Iterator[Progress]:
        """Work on one stage."""

        def update(done: int, total: int) -> None:
            self._forecast.reach(done / max(total, 1))

        self._bar.desc = name
        self._forecast.begin(name, self._now())
        yield update
        self._forecast.end(self._now())

    def close(self, *, done: bool) -> None:
        """Stop drawing; `done` says that nothing is left."""
        self._over.set()
        self._thread.join()
        if done:
            self._bar.desc = self._last_words
            self._draw(Outlook(share=1.0, remaining_s=0.0))
        self._bar.close()

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _tick(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._draw()

    def _draw(self, outlook: Outlook | None = None) -> None:
        now = self._now()
        seen = self._forecast.outlook(now) if outlook is None else outlook
        self._bar.n = seen.share
        self._bar.times = times_in_words(now, seen)
        self._bar.refresh()


class HiddenBar:
    """What stands for the bar where nobody looks."""

    def expect(self, stages: Mapping[str, float]) -> None:
        """Do nothing."""

    @contextmanager
    def __call__(self, name: str) -> Iterator[Progress]:
        """Show nothing of a stage."""
        yield lambda done, total: None


def times_in_words(now_s: float, seen: Outlook) -> str:
    """Time that has passed, and about how much is left."""
    passed = _clock(now_s)
    if seen.share >= 1 or seen.remaining_s is None:
        return passed
    if seen.remaining_s < _SOON_S:
        return f"{passed}, nearly done"
    return f"{passed}, about {_clock(seen.remaining_s)} left"


@contextmanager
def whole_bar(last_words: str, *, hidden: bool) -> Iterator[RunBar | HiddenBar]:
    """One bar on stderr over a whole command; nothing where it is hidden or stderr no terminal."""
    if hidden or not sys.stderr.isatty():
        yield HiddenBar()
        return
    bar = RunBar(sys.stderr, last_words)
    try:
        yield bar
    except BaseException:
        bar.close(done=False)
        raise
    bar.close(done=True)


class _Line(tqdm):  # type: ignore[misc]
    """A line of tqdm with words of its own behind the bar."""

    monitor_interval = 0  # no thread of tqdm's: the bar is drawn by its own
    times = ""

    @property
    def format_dict(self) -> dict[str, Any]:
        """What the line's format may name."""
        told: dict[str, Any] = super().format_dict
        return told | {"times": self.times}


def _clock(seconds: float) -> str:
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
