"""Compiled loops over lenslets: light by direction, parallax, and what it leaves over.

Lenslets are held in arrays (R, X) as in `LensletResponse`: lattice row r is at r - first[0], and
the places of odd rows lie half a pitch to the right of those of even ones.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from lfdfp.calibration.raw_codes import RawCodes
from lfdfp.datatypes import ROW_STEP_PITCHES, BoolArray, DoubleArray, FloatArray
from lfdfp.lenslets.kernels import columns_within, direction, rows_within

N_SUMS = 14
"""Entries that `block_sums` fills per block."""


class LensletViews(NamedTuple):
    """Light of every lenslet in some directions.

    Attributes
    ----------
    light
        Shape (D, R, X), float32, in codes; the first direction is the middle one.
    valid
        Shape (R, X): where it is known.
    first_row
        Lattice row r of row 0.
    directions_px
        Shape (D, 2): (v, u), in sensor pixels.
    """

    light: FloatArray
    valid: BoolArray
    first_row: int
    directions_px: DoubleArray


@njit(cache=True, nogil=True)
def _colors_under(
    codes: RawCodes, response: FloatArray, center: DoubleArray, radius_px: float, light: DoubleArray
) -> bool:
    """Mean light per color under one lenslet; False where cut off, saturated or too dark."""
    mosaic, colors = codes.mosaic, codes.colors
    height, width = mosaic.shape
    y, x = center[0], center[1]
    if not min(y, x, height - 1 - y, width - 1 - x) > radius_px:
        return False
    whole = np.zeros(3)
    light[:] = 0.0
    for row in range(*rows_within(y, radius_px, mosaic.shape)):
        for column in range(*columns_within(x, radius_px, row - y, mosaic.shape)):
            plane = 2 * (row & 1) + (column & 1)
            if mosaic[row, column] >= codes.saturated[plane]:
                return False
            light[colors[plane]] += mosaic[row, column] - codes.black[plane]
            whole[colors[plane]] += response[row, column]
    if whole.min() <= 0.0:
        return False
    light /= whole
    return bool(light.min() >= codes.least_light[0])


@njit(cache=True, nogil=True)
def _quadratic_under(
    codes: RawCodes,
    response: FloatArray,
    center: DoubleArray,
    radius_px: float,
    turn: tuple[float, float],
    light: DoubleArray,
) -> DoubleArray:
    """Coefficients (6,) of 1, v, u, v², v u, u² through the pixels divided by their color's mean.

    v and u are in units of `radius_px`.
    """
    gram, moment, term = np.zeros((6, 6)), np.zeros(6), np.empty(6)
    y, x = center[0], center[1]
    for row in range(*rows_within(y, radius_px, codes.mosaic.shape)):
        for column in range(*columns_within(x, radius_px, row - y, codes.mosaic.shape)):
            w = response[row, column]
            if w <= 0.0:
                continue
            plane = 2 * (row & 1) + (column & 1)
            v, u = direction(turn, (row - y) / radius_px, (column - x) / radius_px)
            term[0], term[1], term[2] = 1.0, v, u
            term[3], term[4], term[5] = v * v, v * u, u * u
            # Weights are the response, so the division by it leaves the code itself.
            value = (codes.mosaic[row, column] - codes.black[plane]) / light[codes.colors[plane]]
            for a in range(6):
                moment[a] += term[a] * value
                for b in range(a, 6):
                    gram[a, b] += w * term[a] * term[b]
    for a in range(6):
        gram[a, a] += 1e-9
        for b in range(a):
            gram[a, b] = gram[b, a]
    return np.asarray(np.linalg.solve(gram, moment), np.float64)


@njit(cache=True, nogil=True)
def light_by_direction(
    codes: RawCodes,
    response: FloatArray,
    centers: DoubleArray,
    radius_px: float,
    turn: tuple[float, float],
    views: LensletViews,
) -> None:
    """Light of every lenslet in some directions, from a quadratic through its pixels.

    Every pixel is divided by its color's mean, so that all colors show the same detail.

    Parameters
    ----------
    response
        Shape (H, W): share of full response.
    centers
        Shape (R, X, 2): (row, column) in sensor pixels.
    radius_px
        Pixels within it count.
    turn
        (cos, sin) of the lattice's rotation.
    views
        Its `light` and `valid` are overwritten.
    """
    light = np.empty(3)
    for j in range(centers.shape[0]):
        for i in range(centers.shape[1]):
            center = centers[j, i]
            views.valid[j, i] = _colors_under(codes, response, center, radius_px, light)
            if not views.valid[j, i]:
                continue
            fit = _quadratic_under(codes, response, center, radius_px, turn, light) * light.mean()
            for d in range(views.directions_px.shape[0]):
                v, u = views.directions_px[d, 0] / radius_px, views.directions_px[d, 1] / radius_px
                views.light[d, j, i] = (
                    fit[0] + v * (fit[1] + v * fit[3] + u * fit[4]) + u * (fit[2] + u * fit[5])
                )


@njit(cache=True, nogil=True)
def average_neighbors(
    view: FloatArray, valid: BoolArray, first_row: int, averaged: FloatArray
) -> None:
    """Half of every lenslet's light and a twelfth of each of its six neighbors'.

    `view` (rows, columns, C) holds one value a lenslet and `valid` (rows, columns) where there is
    one; `averaged` has the shape of `view` and gets the rows from `first_row` on.
    """
    rows, columns = view.shape
    for j in range(rows):
        odd = (first_row + j) & 1
        for i in range(columns):
            if not valid[j, i]:
                continue
            total, weight = 0.5 * view[j, i], 0.5
            for dj in range(-1, 2):
                start = -1 if dj == 0 else odd - 1
                for n in range(2):
                    jj = j + dj
                    ii = i + (start + 2 * n if dj == 0 else start + n)
                    inside = 0 <= jj < rows and 0 <= ii < columns
                    if inside and valid[jj, ii]:
                        total += view[jj, ii] / 12.0
                        weight += 1.0 / 12.0
            averaged[j, i] = total / weight


@njit(cache=True, nogil=True, inline="always")
def _light_at(view: FloatArray, valid: BoolArray, first_row: int, y: float, x: float) -> float:
    """Light at row y and place x (in pitches, even rows at whole numbers); negative if unknown."""
    j = math.floor(y)
    share = y - j
    if j < 0 or j + 1 >= view.shape[0]:
        return -1.0
    total = 0.0
    for a in range(2):
        place = x - 0.5 * ((first_row + j + a) & 1)
        i = math.floor(place)
        if i < 0 or i + 1 >= view.shape[1]:
            return -1.0
        if not (valid[j + a, i] and valid[j + a, i + 1]):
            return -1.0
        between = (1 - (place - i)) * view[j + a, i] + (place - i) * view[j + a, i + 1]
        total += (share if a else 1 - share) * between
    return total


@njit(cache=True, nogil=True)
def disagreement(views: LensletViews, slope: float, most: float, cost: FloatArray) -> None:
    """Mean square, at most `most`, of (view - center) / mean if all lies on one plane.

    Parameters
    ----------
    slope
        Of the plane, in pitches per pixel: light at p in the center is at p + slope (v, u).
    cost
        Shape (R, X), overwritten; `most` where too few views see the place.
    """
    light, valid, first_row, directions = views
    rows, columns = valid.shape
    count = directions.shape[0]
    for j in range(rows):
        for i in range(columns):
            cost[j, i] = most
            if not valid[j, i]:
                continue
            center = light[0, j, i]
            total, seen = 0.0, 0
            for d in range(1, count):
                y = j + slope * directions[d, 0] / ROW_STEP_PITCHES
                x = i + 0.5 * ((first_row + j) & 1) + slope * directions[d, 1]
                there = _light_at(light[d], valid, first_row, y, x)
                if there > 0.0:
                    relative = 2 * (there - center) / (there + center)
                    total += min(relative * relative, most)
                    seen += 1
            if 2 * seen >= count:
                cost[j, i] = total / seen


@njit(cache=True, nogil=True)
def _change_with_direction(
    views: LensletViews, j: int, i: int, slope: float
) -> tuple[bool, float, float, float]:
    """Whether all views see the place, the change of log light with (v, u), and the misfit."""
    light, valid, first_row, directions = views
    count = directions.shape[0]
    square = (directions**2).sum() / 2
    center, x0 = light[0, j, i], i + 0.5 * ((first_row + j) & 1)
    g_v, g_u, misfit = 0.0, 0.0, 0.0
    for d in range(1, count):
        v, u = directions[d, 0], directions[d, 1]
        y, x = j + slope * v / ROW_STEP_PITCHES, x0 + slope * u
        there = _light_at(light[d], valid, first_row, y, x)
        if there <= 0.0:
            return False, 0.0, 0.0, 0.0
        relative = 2 * (there - center) / (there + center)
        g_v += relative * v / square
        g_u += relative * u / square
        misfit += relative * relative / (count - 1)
    return True, g_v, g_u, misfit


@njit(cache=True, nogil=True)
def _change_with_position(views: LensletViews, j: int, i: int) -> tuple[bool, float, float]:
    """Whether the four neighbors are known, and the change of log light per pitch (down, right)."""
    light, valid, first_row, _ = views
    center, x0 = light[0, j, i], i + 0.5 * ((first_row + j) & 1)
    below = _light_at(light[0], valid, first_row, j + 1 / ROW_STEP_PITCHES, x0)
    above = _light_at(light[0], valid, first_row, j - 1 / ROW_STEP_PITCHES, x0)
    right = _light_at(light[0], valid, first_row, float(j), x0 + 1)
    left = _light_at(light[0], valid, first_row, float(j), x0 - 1)
    known = min(below, above, right, left) > 0.0
    return known, (below - above) / (2 * center), (right - left) / (2 * center)


@njit(cache=True, nogil=True)
def block_sums(
    views: LensletViews, slopes: FloatArray, block: int, floor: float, sums: DoubleArray
) -> None:
    """Sums over blocks of lenslets that tell how light changes along and across directions.

    For every lenslet: g, the change of the logarithm of light with direction after parallax was
    taken out; s, the change with position in the center view; δ, the slope; w, a weight.

    Parameters
    ----------
    slopes
        Shape (R, X), in pitches per pixel; NaN where unknown.
    block
        Lenslets along the side of a block.
    floor
        Relative deviation that is nothing to worry about.
    sums
        Shape (blocks down, blocks right, 14), added to: Σw, Σwδ, Σwδ², Σw s (2), Σw|s|²,
        Σwδ s (2), Σw g (2), Σwδ g (2), Σw s·g, number.
    """
    rows, columns = views.valid.shape
    for j in range(rows):
        for i in range(columns):
            slope = slopes[j, i]
            if not views.valid[j, i] or math.isnan(slope):
                continue
            seen, g_v, g_u, misfit = _change_with_direction(views, j, i, slope)
            if not seen:
                continue
            known, s_v, s_u = _change_with_position(views, j, i)
            if not known:
                continue
            w = 1.0 / (misfit + floor * floor)
            entry = sums[j // block, i // block]
            entry[0] += w
            entry[1] += w * slope
            entry[2] += w * slope * slope
            entry[3] += w * s_v
            entry[4] += w * s_u
            entry[5] += w * (s_v * s_v + s_u * s_u)
            entry[6] += w * slope * s_v
            entry[7] += w * slope * s_u
            entry[8] += w * g_v
            entry[9] += w * g_u
            entry[10] += w * slope * g_v
            entry[11] += w * slope * g_u
            entry[12] += w * (s_v * g_v + s_u * g_u)
            entry[13] += 1.0
