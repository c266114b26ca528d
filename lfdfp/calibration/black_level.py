"""The black level, from what hardly any light reaches: the gaps between the lenslets.

A gap gets a fixed share r of the light that the middles of the lenslets around it get, whatever
the scene: ``gap = b + r (middle - b)`` in raw codes, with the black level b. Bright parts of the
capture tell r, dark ones then tell b: where middle and gap are alike, there is no light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.black_kernels import sum_spots
from lfdfp.calibration.raw_codes import raw_codes
from lfdfp.datatypes import BlackLevel, DoubleArray, FloatArray, LensletGrid, RawCapture
from lfdfp.lenslets.table import LensletTable, lenslet_table

_BLOCK_PITCHES = 2.0
_NEIGHBORS = 3
_MIDDLE_PITCH, _GAP_PITCH = 0.2, 0.1
_SATURATION_SHARE = 0.9
_ZONES_PER_SIDE = 4
_FEWEST_PIXELS, _FEWEST_BLOCKS, _FEWEST_ZONES = 4, 40, 3
_DARK_SHARE = 0.1
_LARGEST_RATIO = 0.8
_RATIO_ERROR = 0.1
"""By how much of itself r differs between bright and dark parts of a zone."""

_DARK_ENOUGH = 0.25
"""Light of a zone's dark blocks over that of the capture's bright ones: with more, it has none."""

_BRIGHT_PERCENT = 95
_ITERATIONS = 12
_SURE = 4.0
_LEAST_SHARE = 1e-3
"""A difference below this share of the range from black to white is not spoken of."""

_MEDIAN_ERROR = 1.25
"""Standard error of a median over that of a mean, for normal errors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Blocks:
    """Blocks of lenslets, N of them, and the zone of the sensor that each lies in.

    Attributes
    ----------
    middle, gap
        Shape (N, 4), by Bayer plane: mean codes of the lenslets' middles and of their gaps.
    around
        Shape (N, 4): the brightest middles of the block and its neighbors, whose light strays.
    """

    middle: DoubleArray
    gap: DoubleArray
    around: DoubleArray
    usable: NDArray[np.bool_]
    zone: NDArray[np.int64]


def measured_black_level(capture: RawCapture, grid: LensletGrid) -> BlackLevel | None:
    """The black level of every Bayer plane; None for a small capture, or one with nothing dark.

    Parts of the sensor are measured by themselves; their scatter and how far the darkest blocks
    are from having no light make the standard error.
    """
    blocks = _blocks(capture, grid)
    levels, errors = [], []
    for plane, stated in enumerate(capture.black_codes):
        found = _levels_of_zones(blocks, plane, stated)
        if len(found) < _FEWEST_ZONES:
            return None
        level, error = _combined(np.array(found))
        levels.append(level)
        errors.append(error)
    return BlackLevel(
        codes=(levels[0], levels[1], levels[2], levels[3]),
        standard_error=(errors[0], errors[1], errors[2], errors[3]),
        surely_differs=_surely_differs(capture, levels, errors),
    )


def _levels_of_zones(blocks: _Blocks, plane: int, stated: float) -> list[tuple[float, float]]:
    """Black level and standard error by each zone that has dark parts."""
    found: list[tuple[float, float]] = []
    usable = blocks.usable[:, plane]
    if not usable.any():
        return found
    brightest = np.percentile(blocks.middle[usable, plane], _BRIGHT_PERCENT)
    for k in range(_ZONES_PER_SIDE**2):
        chosen = usable & (blocks.zone == k)
        if chosen.sum() < _FEWEST_BLOCKS:
            continue
        level = _level(
            blocks.middle[chosen, plane],
            blocks.gap[chosen, plane],
            blocks.around[chosen, plane],
            stated,
            dark_enough=_DARK_ENOUGH * max(float(brightest) - stated, 0.0),
        )
        if level is not None:
            found.append(level)
    return found


def _surely_differs(capture: RawCapture, levels: list[float], errors: list[float]) -> bool:
    """Whether all planes, on average, are off by more than errors explain."""
    span = np.mean(np.subtract(capture.white_codes, capture.black_codes))
    off = np.abs(np.subtract(levels, capture.black_codes))
    return bool((off > _SURE * np.array(errors) + _LEAST_SHARE * span).mean() > 0.5)


def _blocks(capture: RawCapture, grid: LensletGrid) -> _Blocks:
    from scipy import ndimage

    table = lenslet_table(grid)
    block, shape = _block_index(table.centers_px, grid)
    codes = raw_codes(capture, saturation_share=_SATURATION_SHARE)
    means, counts = [], []
    for places, radius in ((_middles(table), _MIDDLE_PITCH), (_gaps(table, grid), _GAP_PITCH)):
        sums = np.zeros((shape[0] * shape[1], 4))
        count = np.zeros_like(sums)
        for spots in places:
            sum_spots(codes, spots, block, radius * grid.pitch_px, sums, count)
        means.append(sums / np.maximum(count, 1))
        counts.append(count)
    usable = np.all([(n >= _FEWEST_PIXELS) & np.isfinite(n) for n in counts], axis=0)
    rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    zone = (rows * _ZONES_PER_SIDE // shape[0]) * _ZONES_PER_SIDE
    zone += columns * _ZONES_PER_SIDE // shape[1]
    around = np.where(usable, means[0], np.inf).reshape(*shape, 4)
    around = ndimage.maximum_filter(around, (_NEIGHBORS, _NEIGHBORS, 1)).reshape(-1, 4)
    return _Blocks(
        middle=means[0],
        gap=means[1],
        around=around,
        usable=usable & np.isfinite(around),
        zone=zone,
    )


def _block_index(
    centers_px: FloatArray, grid: LensletGrid
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    side = _BLOCK_PITCHES * grid.pitch_px
    rows, columns = (int(n // side) + 1 for n in grid.sensor_shape)
    place = (centers_px / side).astype(np.int64).clip(0, (rows - 1, columns - 1))
    return np.asarray(place[:, 0] * columns + place[:, 1]), (rows, columns)


def _middles(table: LensletTable) -> list[DoubleArray]:
    return [np.asarray(table.centers_px, np.float64)]


def _gaps(table: LensletTable, grid: LensletGrid) -> list[DoubleArray]:
    """The two places at every lenslet that are equally far from three lenslets."""
    right, down = np.array(grid.right_px), np.array(grid.down_px)
    centers = np.asarray(table.centers_px, np.float64)
    return [centers + (right + down) / 3, centers + (2 * right - down) / 3]


def _level(
    middle: DoubleArray, gap: DoubleArray, around: DoubleArray, stated: float, *, dark_enough: float
) -> tuple[float, float] | None:
    """Black level of one zone from blocks (N,), and its standard error; None without dark ones."""
    order = np.argsort(around)
    dark = order[: max(10, int(_DARK_SHARE * len(order)))]
    bright = order[len(order) // 2 :]
    level, ratio = stated, 0.0
    shares, levels = np.zeros(1), np.zeros(1)
    for _ in range(_ITERATIONS):
        shares = (gap[bright] - level) / np.maximum(middle[bright] - level, 1.0)
        ratio = float(np.clip(np.median(shares), 0.0, _LARGEST_RATIO))
        levels = (gap[dark] - ratio * middle[dark]) / (1 - ratio)
        level = float(np.median(levels))
    scatter = _MEDIAN_ERROR * levels.std() / np.sqrt(len(dark))
    ratio_error = np.hypot(
        _RATIO_ERROR * ratio, _MEDIAN_ERROR * shares.std() / np.sqrt(len(bright))
    )
    light = max(float(np.median(around[dark])) - level, 0.0)
    if light > dark_enough:
        return None
    reach = light / (1 - ratio)
    return level, max(float(np.hypot(scatter, reach * ratio_error)), 1e-2)


def _combined(found: DoubleArray) -> tuple[float, float]:
    """Weighted mean of levels and errors (N, 2); the error grows where zones disagree."""
    levels, errors = found.T
    weight = 1 / errors**2
    level = float((weight * levels).sum() / weight.sum())
    surplus = float((weight * (levels - level) ** 2).sum() / (len(levels) - 1))
    return level, float(np.sqrt(max(surplus, 1.0) / weight.sum()))
