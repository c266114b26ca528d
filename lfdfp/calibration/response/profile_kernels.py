"""Compiled comparison of the lenslets' images with tabulated profiles."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.calibration.raw_codes import RawCodes
from lfdfp.calibration.response.offset_kernels import OffsetTable
from lfdfp.datatypes import ROW_STEP_PITCHES, BoolArray, DoubleArray
from lfdfp.lenslets.kernels import direction

_SQUARE_ERROR_FLOOR = 4e-4
_LEAST_TEXTURE = 1e-4
_CUT_SQUARE_SIGMAS = 9.0


class Cell(NamedTuple):
    """The hexagon of a lenslet on the sensor.

    Attributes
    ----------
    pitch_px
        Distance between neighboring lenslets.
    inner_px
        Pixels nearer to the center than this tell how much light a lenslet has.
    turn
        (cos, sin) of the lattice's rotation.
    """

    pitch_px: float
    inner_px: float
    turn: tuple[float, float]


class LightModel(NamedTuple):
    """What the light under one lenslet may be, and how noisy its codes are.

    Attributes
    ----------
    read_variance, shot_gain
        Of the codes.
    has_gradient
        Whether light may change linearly over the aperture; otherwise it is uniform.
    """

    read_variance: float
    shot_gain: float
    has_gradient: bool


class _Pixels(NamedTuple):
    """The pixels of one lenslet's cell, each shape (most,): room for as many as there can be.

    Attributes
    ----------
    down, right
        Offset from the center, in pixels.
    light
        Codes above black; later ``light / expected - 1``.
    profile, variance
        Tabulated profile; variance of the relative light.
    color, inner
        0 red, 1 green, 2 blue; whether nearer to the center than `Cell.inner_px`.
    """

    down: DoubleArray
    right: DoubleArray
    light: DoubleArray
    profile: DoubleArray
    variance: DoubleArray
    color: NDArray[np.int64]
    inner: BoolArray


@njit(cache=True, nogil=True, inline="always")
def _is_in_cell(down: float, right: float, cell: Cell) -> bool:
    """Whether an offset is nearer to its own lenslet than to the six around it."""
    v, u = direction(cell.turn, down, right)
    half_pitch = 0.5 * cell.pitch_px
    across, along = ROW_STEP_PITCHES * v, 0.5 * u
    return bool(
        abs(u) <= half_pitch
        and abs(along + across) <= half_pitch
        and abs(along - across) <= half_pitch
    )


@njit(cache=True, nogil=True, inline="always")
def _interpolated(values: DoubleArray, table: OffsetTable, down: float, right: float) -> float:
    y, x = (down + table.reach) / table.step, (right + table.reach) / table.step
    i, j = int(y), int(x)
    y -= i
    x -= j
    upper = values[i, j] * (1 - x) + values[i, j + 1] * x
    lower = values[i + 1, j] * (1 - x) + values[i + 1, j + 1] * x
    return float(upper * (1 - y) + lower * y)


@njit(cache=True, nogil=True)
def _gather(
    codes: RawCodes,
    center: DoubleArray,
    profiles: DoubleArray,
    table: OffsetTable,
    cell: Cell,
    pixels: _Pixels,
    light: DoubleArray,
) -> int:
    """Fill `pixels`, and the mean `light` (3,) per color near the center; return their number.

    0 where the lenslet is cut off, saturated anywhere or too dark.
    """
    height, width = codes.mosaic.shape
    y, x = center[0], center[1]
    row0, column0 = round(y), round(x)
    reach = _reach(cell.pitch_px)
    if min(row0, column0, height - 1 - row0, width - 1 - column0) < reach:
        return 0
    count, usable, whole = 0, True, np.zeros(3)
    light[:] = 0.0
    for row in range(row0 - reach, row0 + reach + 1):
        for column in range(column0 - reach, column0 + reach + 1):
            down, right = row - y, column - x
            if not _is_in_cell(down, right, cell):
                continue
            plane = 2 * (row & 1) + (column & 1)
            usable = usable and codes.mosaic[row, column] < codes.saturated[plane]
            c = codes.colors[plane]
            value = codes.mosaic[row, column] - codes.black[plane]
            profile = _interpolated(profiles[c], table, down, right)
            inner = down * down + right * right < cell.inner_px * cell.inner_px
            if inner:
                light[c] += value
                whole[c] += profile
            pixels.down[count], pixels.right[count] = down, right
            pixels.light[count], pixels.profile[count] = value, profile
            pixels.color[count], pixels.inner[count] = c, inner
            count += 1
    if not usable or whole.min() <= 0.0:
        return 0
    light /= whole
    return count if light.min() >= codes.least_light[0] else 0


@njit(cache=True, nogil=True, inline="always")
def _reach(pitch_px: float) -> int:
    """Pixels from the center to a cell's corner, rounded up."""
    return int(pitch_px / math.sqrt(3.0)) + 1


@njit(cache=True, nogil=True)
def _compare(pixels: _Pixels, count: int, light: DoubleArray, model: LightModel) -> None:
    """Turn light into ``light / expected - 1``, and fill its variance."""
    for k in range(count):
        expected = light[pixels.color[k]] * pixels.profile[k]
        pixels.light[k] = pixels.light[k] / expected - 1.0
        noise = model.read_variance + model.shot_gain * expected
        pixels.variance[k] = noise / (expected * expected)


@njit(cache=True, nogil=True)
def _remove_gradient(pixels: _Pixels, count: int) -> None:
    """Subtract the linear change over the aperture that the inner pixels show."""
    down, right, light = pixels.down, pixels.right, pixels.light
    m00, m01, m11, b0, b1 = 1e-12, 0.0, 1e-12, 0.0, 0.0
    for k in range(count):
        if pixels.inner[k]:
            w = 1.0 / (pixels.variance[k] + _SQUARE_ERROR_FLOOR)
            m00 += w * down[k] * down[k]
            m01 += w * down[k] * right[k]
            m11 += w * right[k] * right[k]
            b0 += w * down[k] * light[k]
            b1 += w * right[k] * light[k]
    determinant = m00 * m11 - m01 * m01
    slope_down = (m11 * b0 - m01 * b1) / determinant
    slope_right = (m00 * b1 - m01 * b0) / determinant
    for k in range(count):
        light[k] -= slope_down * down[k] + slope_right * right[k]


@njit(cache=True, nogil=True)
def _texture(pixels: _Pixels, count: int) -> float:
    """Mean square of what the inner pixels differ by beyond their noise."""
    excess, weight = 0.0, 0.0
    for k in range(count):
        if pixels.inner[k]:
            w = 1.0 / (pixels.variance[k] + _SQUARE_ERROR_FLOOR)
            excess += w * (pixels.light[k] * pixels.light[k] - pixels.variance[k])
            weight += w
    return float(max(excess / weight, 0.0) + _LEAST_TEXTURE)


@njit(cache=True, nogil=True)
def profile_residuals(
    codes: RawCodes,
    centers: DoubleArray,
    zones: NDArray[np.int64],
    profiles: DoubleArray,
    table: OffsetTable,
    cell: Cell,
    model: LightModel,
    sums: DoubleArray,
) -> int:
    """Add what the lenslets' images differ from the profiles, by zone, color and offset.

    Every lenslet has a light of its own per color, and one linear change over the aperture where
    the model has it, which are fitted near the center. What is left of ``light / fit - 1`` counts
    by its noise and by how much the lenslet's image varies.

    Parameters
    ----------
    centers, zones
        Shape (L, 2), (row, column) in sensor pixels, and (L,), the zone of the sensor.
    profiles
        Shape (Z, 3, N, N), greater than 0.
    sums
        Shape (Z, 3, N, N, 2): weights, and weighted residuals; added to.

    Returns
    -------
    int
        Lenslets that counted: neither cut off, nor saturated anywhere, nor too dark.
    """
    most = (2 * _reach(cell.pitch_px) + 1) ** 2
    pixels = _Pixels(
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty(most),
        np.empty(most, np.int64),
        np.empty(most, np.bool_),
    )
    light = np.empty(3)
    used = 0
    for lenslet in range(centers.shape[0]):
        zone = zones[lenslet]
        count = _gather(codes, centers[lenslet], profiles[zone], table, cell, pixels, light)
        if count == 0:
            continue
        used += 1
        _compare(pixels, count, light, model)
        if model.has_gradient:
            _remove_gradient(pixels, count)
        texture = _texture(pixels, count)
        for k in range(count):
            expected_square = pixels.variance[k] + texture
            share = pixels.light[k] * pixels.light[k] / (_CUT_SQUARE_SIGMAS * expected_square)
            if share >= 1.0:
                continue
            w = (1.0 - share) ** 2 / (expected_square + 0.5 * texture)
            i = int((pixels.down[k] + table.reach) / table.step + 0.5)
            j = int((pixels.right[k] + table.reach) / table.step + 0.5)
            sums[zone, pixels.color[k], i, j, 0] += w
            sums[zone, pixels.color[k], i, j, 1] += w * pixels.light[k]
    return used
