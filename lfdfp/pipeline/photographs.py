"""Photographs to one sharp picture, one after the other: memory does not grow with their number.

The files are read three times: to find how they fit together, to see where each is sharp, and to
add them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lfdfp.alignment.placement import (
    Placement,
    common_coverage,
    common_window,
    placed_photograph,
    placement_history,
    placement_of,
)
from lfdfp.datatypes import FloatArray
from lfdfp.fusion.decision_map import (
    DecisionSettings,
    RunningFusion,
    SeenSlice,
    fused_running,
)
from lfdfp.imaging.display import decode_srgb, encode, luma
from lfdfp.imaging.noise_level import noise_sigma
from lfdfp.pipeline.record import PhotographOptions
from lfdfp.progress import Progress, ignore_progress
from lfdfp.storage.images import Picture
from lfdfp.storage.photographs import FrameList, in_profile, read_frame

_PASSES: Final = 3
_MEASURED: Final = 5
"""Photographs of which noise is measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FusedPhotographs:
    """One sharp picture of many photographs.

    Attributes
    ----------
    picture
        In linear light, with the first photograph's profile and metadata; its notes are those of
        all photographs.
    fusion
        Where it comes from. Slices are the photographs that are kept, in their order.
    placement
        How the photographs fit together.
    history
        One line per step.
    """

    picture: Picture
    fusion: RunningFusion
    placement: Placement
    history: tuple[str, ...]


def fuse_photographs(
    frames: FrameList,
    options: PhotographOptions | None = None,
    *,
    decision: DecisionSettings | None = None,
    progress: Progress = ignore_progress,
) -> FusedPhotographs:
    """Fuse photographs at their own size without ever holding more than a few of them.

    Parameters
    ----------
    options
        Their scale does not matter here.

    Raises
    ------
    ImageError
        Where one cannot be read, or they do not fit together.
    """
    options = PhotographOptions() if options is None else options
    count = len(frames.frames)
    reading = _Reading(frames, _Steps(progress, _PASSES * count))
    placement = placement_of(
        reading.first_pass(),
        [str(frame) for frame in frames.frames],
        align=options.align,
        equalize=options.equalize,
        reference=options.reference,
    )
    window = common_window(common_coverage(placement)) if options.crop else None
    sigma = reading.noise()
    reading.steps.begin(count)

    def source() -> Iterator[SeenSlice]:
        return _placed(reading, placement, window)

    fusion = fused_running(source, decision, sigma=sigma)
    return FusedPhotographs(
        picture=reading.picture(fusion.fused, window),
        fusion=fusion,
        placement=placement,
        history=(*placement_history(placement), f"fused {len(placement.kept)} slices as they pass"),
    )


def _placed(
    reading: _Reading, placement: Placement, window: tuple[slice, slice] | None
) -> Iterator[SeenSlice]:
    for number in placement.kept:
        light, covered = placed_photograph(reading.light(number), placement, number)
        if window is not None:
            light, covered = light[window], None
        seen = SeenSlice(encoded=encode(light), usable=covered)
        # While others look at what is yielded, nothing else of this photograph is kept.
        del light, covered
        yield seen
        del seen


class _Steps:
    """Counts the photographs that were read, over all passes."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def begin(self, done: int) -> None:
        self._done = done

    def advance(self) -> None:
        self._done += 1
        self._progress(self._done, self._total)


class _Reading:
    """Reads photographs alike: in the primaries of the first, with as many channels as any has."""

    def __init__(self, frames: FrameList, steps: _Steps) -> None:
        self.steps = steps
        self._frames = frames
        self._first = read_frame(frames, 0)
        self._channels = self._first.light.shape[2]
        self._alpha = self._first.alpha
        self._bits = self._first.bits
        self._notes = [*frames.notes, *self._first.notes]
        self._sigmas: list[float] = []
        # Its light is read again when its turn comes.
        self._first = replace(self._first, light=self._first.light[:1, :1])

    def first_pass(self) -> Iterable[FloatArray]:
        """The light of every photograph, in order; what the files say is kept."""
        count = len(self._frames.frames)
        measured = set(np.linspace(0, count - 1, min(count, _MEASURED)).round().astype(int))
        self._channels = max(self._channels, *self._channels_of_others())
        for number in range(count):
            light = self.light(number, keep=True)
            if number in measured:
                self._sigmas.append(noise_sigma(luma(encode(light))))
            yield light

    def light(self, number: int, *, keep: bool = False) -> FloatArray:
        """The light (T, S, C) of one photograph; with `keep`, its alpha, depth and notes count."""
        picture = read_frame(self._frames, number)
        light, note = in_profile(picture, self._first.profile)
        if keep:
            self._notes += [*picture.notes, *note]
            self._bits = max(self._bits, picture.bits)
            if picture.alpha is not None:
                known = picture.alpha if self._alpha is None else self._alpha
                self._alpha = np.maximum(known, picture.alpha)
        self.steps.advance()
        if light.shape[2] == self._channels:
            return light
        return np.repeat(light, self._channels, axis=2)

    def noise(self) -> float:
        """Standard deviation of the noise in luma."""
        return float(np.median(self._sigmas))

    def picture(self, fused: FloatArray, window: tuple[slice, slice] | None) -> Picture:
        """The fused picture, encoded, as a file of all photographs' properties."""
        same = self._first.light.shape[2] == fused.shape[2]
        alpha = self._alpha
        return replace(
            self._first,
            light=decode_srgb(fused),
            alpha=alpha if alpha is None or window is None else alpha[window],
            bits=self._bits,
            profile=self._first.profile if same else None,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _channels_of_others(self) -> Iterator[int]:
        """Channels of the photographs; all are looked at only where the first one is gray."""
        yield self._channels
        if self._channels == 1:
            for number in range(1, len(self._frames.frames)):
                yield read_frame(self._frames, number).light.shape[2]
