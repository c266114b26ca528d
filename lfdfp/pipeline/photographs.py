"""Photographs to one sharp picture, one after the other: memory does not grow with their number.

The files are read three times: to find how they fit together, to see where each is sharp, and to
add them up. Few enough are kept as they are stored and read once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.alignment.motions import moved_points
from lfdfp.alignment.placement import (
    Placement,
    common_coverage,
    common_window,
    placement_history,
    placement_of,
)
from lfdfp.computing.blocks import map_blocks_in_place
from lfdfp.computing.memory import return_freed_memory
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.fusion.decision_map import DecisionSettings
from lfdfp.fusion.hot_pixels import SensorPeaks, without_hot
from lfdfp.fusion.running_fusion import RunningFusion, fused_by_windows, fused_running
from lfdfp.fusion.seen_slices import SeenSlice
from lfdfp.imaging.display import decode_srgb, encode, luma
from lfdfp.imaging.lookup import looked_up
from lfdfp.imaging.noise_level import noise_sigma
from lfdfp.pipeline.placed_slices import PlacedSlice, placed_slice
from lfdfp.pipeline.record import PhotographOptions
from lfdfp.progress import Progress, ignore_progress
from lfdfp.storage.images import Picture
from lfdfp.storage.photographs import FrameList, coded_in_profile, read_coded_frame
from lfdfp.storage.pictures.picture import CodedPicture

_PASSES: Final = 3
_MEASURED: Final = 5
"""Photographs of which noise is measured."""

_KEPT_BYTES_PER_PIXEL: Final = 18
_KEPT_BYTES: Final = 1 << 27
"""Stored values of all photographs that are kept: six of 8 bits, more of small ones."""

_WINDOW_VALUES: Final = 1 << 22
"""Pixels of all photographs together that are worked on at a time, where all are kept."""

_LEAST_WINDOW_ROWS: Final = 256


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
    in_order: bool = True,
    keep: bool | None = None,
    progress: Progress = ignore_progress,
) -> FusedPhotographs:
    """Fuse photographs at their own size without ever holding more than a few of them.

    Parameters
    ----------
    options
        Their scale does not matter here.
    in_order
        Keep what depth by the order of photographs needs.
    keep
        Read the files once and keep what they hold; None: where that takes little memory.

    Raises
    ------
    ImageError
        Where one cannot be read, or they do not fit together.
    """
    options = PhotographOptions() if options is None else options
    count = len(frames.frames)
    reading = _Reading(frames, progress, keep=keep)
    placement = placement_of(
        reading.first_pass(),
        [str(frame) for frame in frames.frames],
        align=options.align,
        equalize=options.equalize,
        reference=options.reference,
    )
    reading.find_hot_pixels(placement)
    window = common_window(common_coverage(placement)) if options.crop else None
    passing = _Passing(reading, placement, window)
    return_freed_memory()
    if reading.keeps:
        fusion = _by_windows(passing, decision, in_order=in_order)
    else:
        reading.steps.begin(count)
        fusion = fused_running(
            passing.slices, decision, sigma=reading.noise(), in_order=in_order, compact=True
        )
    picture = reading.picture(fusion, window)
    return_freed_memory()  # sums leave holes too, and writing a file takes some
    return FusedPhotographs(
        picture=picture,
        fusion=fusion,
        placement=placement,
        history=(
            *placement_history(placement),
            *([f"mended {len(reading.hot)} hot pixels"] if len(reading.hot) else []),
            f"fused {len(placement.kept)} slices as they pass",
        ),
    )


def _by_windows(
    passing: _Passing, decision: DecisionSettings | None, *, in_order: bool
) -> RunningFusion:
    """All photographs are at hand: one window of rows after the other."""
    every = list(passing.slices())
    shape = every[0].shape
    rows_at_once = max(_WINDOW_VALUES // (len(every) * shape[1]), _LEAST_WINDOW_ROWS)
    steps = passing.reading.steps
    steps.add(-(-shape[0] // rows_at_once))

    def source_of(rows: slice) -> Iterator[SeenSlice]:
        steps.advance()
        return (one.cut(rows) for one in every)

    return fused_by_windows(
        source_of,
        shape,
        decision,
        sigma=passing.reading.noise(),
        rows_at_once=rows_at_once,
        in_order=in_order,
    )


class _Passing:
    """Lets the photographs that are kept in the stack pass by as slices."""

    def __init__(
        self, reading: _Reading, placement: Placement, window: tuple[slice, slice] | None
    ) -> None:
        self.reading = reading
        self._placement, self._window = placement, window

    def slices(self) -> Iterator[PlacedSlice]:
        """Each in its turn; while others look at it, nothing else of it is kept here."""
        for number in self._placement.kept:
            yield placed_slice(self.reading.coded(number), self._placement, number, self._window)


class _Steps:
    """Counts the steps of the work: photographs that were read, windows that were done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, steps: int) -> None:
        self._total += steps

    def begin(self, done: int) -> None:
        self._done = done

    def advance(self) -> None:
        self._done += 1
        self._progress(self._done, self._total)


class _Reading:
    """Reads photographs alike: in the primaries of the first, with as many channels as any has."""

    def __init__(self, frames: FrameList, progress: Progress, *, keep: bool | None) -> None:
        self._frames = frames
        first = read_coded_frame(frames, 0)
        self._first, self._channels = first.told, first.codes.shape[2]
        self._alpha, self._bits = self._first.alpha, self._first.bits
        self._notes = [*frames.notes, *self._first.notes]
        self._sigmas: list[float] = []
        count = len(frames.frames)
        self.keeps = _are_few(first, count) if keep is None else keep
        self._kept: dict[int, CodedPicture] = {}
        self._peaks = SensorPeaks()
        self.hot = np.empty((0, 2), np.intp)
        self.steps = _Steps(progress, count if self.keeps else _PASSES * count)

    def first_pass(self) -> Iterable[FloatArray]:
        """The light of every photograph, in order; what the files say is kept."""
        count = len(self._frames.frames)
        measured = set(np.linspace(0, count - 1, min(count, _MEASURED)).round().astype(int))
        self._channels = max(self._channels, *self._channels_of_others())
        for number in range(count):
            coded = self._read(number)
            if self.keeps:
                self._kept[number] = coded
            self._peaks.add(*_encoded_values(coded))
            if number in measured:
                self._sigmas.append(_noise_of(coded))
            light = coded.light()
            del coded
            yield light
            del light  # before the next one is read

    def coded(self, number: int) -> CodedPicture:
        """A photograph that has passed by before."""
        kept = self._kept.get(number)
        coded = self._read(number, again=True) if kept is None else kept
        return replace(coded, codes=without_hot(coded.codes, self.hot))

    def find_hot_pixels(self, placement: Placement) -> None:
        """Find what stays on the sensor while the scene moves."""

        def motions(places: DoubleArray) -> DoubleArray:
            return np.stack(
                [
                    places if matrix is None else moved_points(matrix, places)
                    for matrix in map(placement.matrices.get, placement.kept)
                ]
            )

        if placement.matrices:
            self.hot = self._peaks.hot(motions)
        self._peaks = SensorPeaks()

    def _read(self, number: int, *, again: bool = False) -> CodedPicture:
        picture = read_coded_frame(self._frames, number)
        picture, note = coded_in_profile(picture, self._first.profile)
        if not again:
            told = picture.told
            self._notes += [*told.notes, *note]
            self._bits = max(self._bits, told.bits)
            if told.alpha is not None:
                self._alpha = (
                    told.alpha if self._alpha is None else np.maximum(self._alpha, told.alpha)
                )
        self.steps.advance()
        return_freed_memory()  # decoding leaves holes that nothing else fits into
        return _with_channels(picture, self._channels)

    def noise(self) -> float:
        """Standard deviation of the noise in luma."""
        return float(np.median(self._sigmas))

    def picture(self, fusion: RunningFusion, window: tuple[slice, slice] | None) -> Picture:
        """The fused picture as a file of all photographs' properties; `fusion` gives it away."""
        light = fusion.fused
        map_blocks_in_place(decode_srgb, light)
        same = self._first.light.shape[2] == light.shape[2]
        alpha = self._alpha
        return replace(
            self._first,
            light=light,
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
                yield read_coded_frame(self._frames, number).codes.shape[2]


def _are_few(first: CodedPicture, count: int) -> bool:
    """Whether all photographs can be kept as they are stored."""
    pixels = first.codes.shape[0] * first.codes.shape[1]
    return bool(count * first.codes.nbytes <= max(_KEPT_BYTES_PER_PIXEL * pixels, _KEPT_BYTES))


def _with_channels(picture: CodedPicture, channels: int) -> CodedPicture:
    """Gray as equal colors where others have colors, without memory of its own."""
    rows, columns, own = picture.codes.shape
    if own == channels:
        return picture
    curves = picture.curves
    return replace(
        picture,
        codes=np.broadcast_to(picture.codes, (rows, columns, channels)),
        curves=None if curves is None else np.repeat(curves, channels, axis=1),
    )


def _encoded_values(picture: CodedPicture) -> tuple[NDArray[Any], float]:
    """Values (T, S, C) as they are encoded, and that of white."""
    if picture.curves is None:
        return encode(picture.light()), 1.0
    return picture.codes, float(len(picture.curves) - 1)


def _noise_of(picture: CodedPicture) -> float:
    if picture.curves is None:
        return noise_sigma(luma(encode(picture.light())))
    curves = encode(picture.curves)
    bands = range(0, len(picture.codes), _LEAST_WINDOW_ROWS)
    parts = (picture.codes[top : top + _LEAST_WINDOW_ROWS] for top in bands)
    return noise_sigma(np.concatenate([luma(looked_up(part, curves)) for part in parts]))
