"""How far a whole run is and how long the rest takes: a measured model, corrected as the run goes.

The seconds of each stage were fitted to captures of 0.36 and 10.8 million pixels, simulated and
real, and to pairs of photographs (``docs/measurements/library.md``), on two threads. What the
stages of a run really take corrects the rest of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lfdfp.settings import FusionSettings, Preset

_CAPTURE_S: Final[Mapping[str, tuple[float, float]]] = {
    "read": (0.0, 0.01),
    "calibrate": (1.0, 0.34),
    "decode": (0.3, 0.1),
    "refocus": (0.1, 0.04),
}
"""Of every stage before the picture: seconds at least, and for every million raw pixels."""

_PICTURE_S: Final = {"reconstruct": (1.0, 2.7), "fuse": (0.05, 0.1), "enlarge": (14.0, 7.0)}
_EXPORT_S: Final = (0.15, 0.14)

_ENLARGE_S: Final[Mapping[Preset, tuple[float, float]]] = {
    "fast": (1.0, 1.6),
    "balanced": (14.0, 10.0),
    "best": (30.0, 71.0),
    "scratch": (14.0, 10.0),
    "paper": (0.0, 230.0),
}
"""Of enlarging by preset: seconds at least, and for every million pixels of the result."""

_MOST_SECONDS, _MOST_MINUTES = 90.0, 90
_PHOTOGRAPH_S: Final = 0.45
"""To align and fuse one photograph, for every million pixels."""

_FIRST_WEIGHT_S: Final = 2.0
"""How many seconds of experience the model counts for."""

_LEAST_FACTOR: Final = 0.25

_LEAST_REST: Final = 0.15
"""Of a stage's time, that is still to come while it has told of nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How far a run is.

    Attributes
    ----------
    share
        Of the time that it takes in all, from 0 to 1.
    remaining_s
        None where nothing is known of it yet.
    """

    share: float
    remaining_s: float | None


def capture_stages(raw_pixels: int, settings: FusionSettings) -> dict[str, float]:
    """Seconds that every stage of a capture's run is expected to take, in their order."""
    millions = raw_pixels / 1e6
    lines = dict(_CAPTURE_S)
    if settings.data == "rays":
        lines["reconstruct"] = _PICTURE_S["reconstruct"]
    else:
        lines["fuse"] = _PICTURE_S["enlarge" if settings.scale > 1 else "fuse"]
    lines["export"] = _EXPORT_S
    return {name: least + slope * millions for name, (least, slope) in lines.items()}


def photograph_stages(
    first: str, count: int, pixels: int, settings: FusionSettings
) -> dict[str, float]:
    """The same of photographs with `pixels` each; `first` is what comes before enlarging."""
    stages = {first: 0.2 + _PHOTOGRAPH_S * count * pixels / 1e6}
    if settings.scale > 1:
        least, slope = _ENLARGE_S[settings.preset]
        stages["enlarge"] = least + slope * settings.scale**2 * pixels / 1e6
    return stages


def about(seconds: float) -> str:
    """A time as one says it: seconds up to a minute and a half, then minutes, then hours."""
    if seconds < _MOST_SECONDS:
        return f"about {max(5 * round(seconds / 5), 5)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < _MOST_MINUTES else f"about {minutes / 60:.1f} h"


class Forecast:
    """What is known of a run's time while it goes.

    Parameters
    ----------
    expected
        Seconds of every stage, in the order in which they are begun. Others may come between them:
        their time passes and says nothing of the rest.
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._left = dict(expected)
        self._estimated = self._taken = _FIRST_WEIGHT_S
        self._stage: str | None = None
        self._began_s = 0.0
        self._reported = 0.0
        self._most_share = 0.0

    def begin(self, stage: str, now_s: float) -> None:
        """A stage begins, at this time since the run began: all before it are over."""
        if stage in self._left:
            while next(iter(self._left)) != stage:
                del self._left[next(iter(self._left))]
        self._stage, self._began_s, self._reported = stage, now_s, 0.0

    def reach(self, share: float) -> None:
        """The present stage tells how much of it is done."""
        self._reported = min(max(share, 0.0), 1.0)

    def end(self, now_s: float) -> None:
        """The present stage is over."""
        estimated = self._left.pop(self._stage or "", 0.0)
        if estimated > 0:
            self._estimated += estimated
            self._taken += now_s - self._began_s
        self._stage = None

    def outlook(self, now_s: float) -> Outlook:
        """How far the run is at this time since it began."""
        remaining = self._remaining(now_s)
        share = 0.0 if remaining is None else now_s / max(now_s + remaining, 1e-9)
        self._most_share = max(self._most_share, min(share, 1.0))
        return Outlook(share=self._most_share, remaining_s=remaining)

    def _remaining(self, now_s: float) -> float | None:
        """The stages that are left by the model, the present one also by what it tells."""
        factor = max(self._taken / self._estimated, _LEAST_FACTOR)
        waiting = sum(s for name, s in self._left.items() if name != self._stage) * factor
        if self._stage is None:
            return waiting or None
        spent, told = now_s - self._began_s, self._reported
        modelled = self._left.get(self._stage, 0.0) * factor
        if modelled == 0 and not self._left:
            return spent * (1 - told) / told if told > 0 else None
        by_model = max(modelled - spent, 0.0)
        by_report = spent * (1 - told) / told if told > 0 else 0.0
        # Where a stage takes longer than expected, its end is as far as it has told, or unknown.
        least = _LEAST_REST * max(modelled, spent) * (1 - told)
        return waiting + max((1 - told) * by_model + told * by_report, least)
