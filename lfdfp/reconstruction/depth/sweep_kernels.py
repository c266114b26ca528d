"""Compiled passes of the plane sweeps over listed rays, on windows of fine-grid rows.

A window holds the rows that a band needs, and rows around them: values in its outermost rows
miss the rays beyond, those that the band uses do not. The rays of a cell are added in the order
of the lenslets, so no bit depends on where windows begin. Arguments that the passes share:

listed
    The rays (`RayList`).
plane
    On which they are looked at, and where.
picture
    Shape (P, rows, X, 3): of every part of the aperture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.depth.list_kernels import ListArrays

_LEAST_WEIGHT = np.float32(0.02)
_DOUBT = np.float32(0.1)


class Plane(NamedTuple):
    """A plane, and the window of the fine grid in which rays are looked at on it.

    Attributes
    ----------
    origins
        Shape (L, 2), float32: (row, column) of the lenslets, in fine pixels.
    lenslets
        First and last + 1, of the lenslets to visit.
    parts
        Shape (4,), int64: to which part of the aperture each quadrant belongs.
    colors
        Shape (4,), int64: color of each place in the Bayer cell.
    slope
        Of the plane, in fine pixels per raw pixel.
    top
        First row of the window.
    """

    origins: FloatArray
    lenslets: tuple[int, int]
    parts: NDArray[np.int64]
    colors: NDArray[np.int64]
    slope: Any
    top: int


@njit(inline="always")
def _between(
    known: FloatArray,
    i: int,
    j: int,
    c: int,
    b: float,
    a: float,
) -> Any:
    """Color c of a picture (rows, X, 3) between four cells, b and a away from (i, j)."""
    return (1 - b) * ((1 - a) * known[i, j, c] + a * known[i, j + 1, c]) + b * (
        (1 - a) * known[i + 1, j, c] + a * known[i + 1, j + 1, c]
    )


@njit(cache=True, nogil=True, fastmath=True)
def spread_light(listed: ListArrays, plane: Plane, amount: FloatArray, weight: FloatArray) -> None:
    """Add what every ray measured, times its response, to the four cells around it.

    amount, weight
        Shape (P, rows, X, 3), added to.
    """
    starts, direction, measured, cell, _ = listed
    origins, lenslets, parts, colors, slope, top = plane
    rows, width = amount.shape[1], amount.shape[2]
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = origins[lens, 0], origins[lens, 1]
        for q in range(4):
            amounts, weights = amount[parts[q]], weight[parts[q]]
            for n in range(starts[lens, q], starts[lens, q + 1]):
                y, x = row0 - slope * direction[n, 0], column0 - slope * direction[n, 1]
                row, j = int(np.floor(y)), int(np.floor(x))
                i = row - top
                if i < 0 or i >= rows - 1 or j < 0 or j >= width - 1:
                    continue
                b, a = y - row, x - j
                c, w = colors[cell[n]], measured[n, 1]
                top_left, top_right = (1 - b) * (1 - a) * w, (1 - b) * a * w
                low_left, low_right = b * (1 - a) * w, b * a * w
                value = measured[n, 0]
                weights[i, j, c] += top_left
                weights[i, j + 1, c] += top_right
                weights[i + 1, j, c] += low_left
                weights[i + 1, j + 1, c] += low_right
                amounts[i, j, c] += top_left * value
                amounts[i, j + 1, c] += top_right * value
                amounts[i + 1, j, c] += low_left * value
                amounts[i + 1, j + 1, c] += low_right * value


@njit(cache=True, nogil=True, fastmath=True)
def spread_residuals(
    listed: ListArrays, plane: Plane, picture: FloatArray, amount: FloatArray
) -> None:
    """Add what every ray measured beyond its part's picture, times its response, to `amount`.

    amount
        Shape (P, rows, X, 3).
    """
    starts, direction, measured, cell, _ = listed
    origins, lenslets, parts, colors, slope, top = plane
    rows, width = amount.shape[1], amount.shape[2]
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = origins[lens, 0], origins[lens, 1]
        for q in range(4):
            amounts, known = amount[parts[q]], picture[parts[q]]
            for n in range(starts[lens, q], starts[lens, q + 1]):
                y, x = row0 - slope * direction[n, 0], column0 - slope * direction[n, 1]
                row, j = int(np.floor(y)), int(np.floor(x))
                i = row - top
                if i < 0 or i >= rows - 1 or j < 0 or j >= width - 1:
                    continue
                b, a = y - row, x - j
                c = colors[cell[n]]
                predicted = _between(known, i, j, c, b, a)
                share = measured[n, 1] * (measured[n, 0] - predicted)
                amounts[i, j, c] += (1 - b) * (1 - a) * share
                amounts[i, j + 1, c] += (1 - b) * a * share
                amounts[i + 1, j, c] += b * (1 - a) * share
                amounts[i + 1, j + 1, c] += b * a * share


class Misfits(NamedTuple):
    """Truncated misfits of rays to pictures, by cell and quadrant.

    Attributes
    ----------
    terms
        Shape (4, 3), float32: of the variance, per place in the Bayer cell
        (`RayLight.noise_terms`).
    truncation
        Squared residual, in units of the variance, that a ray's misfit approaches.
    sums, counts
        Shape (4, rows, X), float32: sums over the rays of a quadrant, and their number.
    """

    terms: FloatArray
    truncation: Any
    sums: FloatArray
    counts: FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def gather_misfits(listed: ListArrays, plane: Plane, picture: FloatArray, misfits: Misfits) -> None:
    """Add every ray's truncated misfit to its part's picture to its cell and quadrant.

    `picture` has the shape (parts, rows, X, 3), as wide as the sums.

    Rays do not count on planes behind those that they can see (`RayList.farthest`).
    """
    starts, direction, measured, cell, farthest = listed
    origins, lenslets, parts, colors, slope, top = plane
    terms, truncation, sums, counts = misfits
    rows, width = sums.shape[1], sums.shape[2]
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = origins[lens, 0], origins[lens, 1]
        for q in range(4):
            known, total, number = picture[parts[q]], sums[q], counts[q]
            for n in range(starts[lens, q], starts[lens, q + 1]):
                if slope > farthest[n]:
                    continue
                y, x = row0 - slope * direction[n, 0], column0 - slope * direction[n, 1]
                row, j = int(np.floor(y)), int(np.floor(x))
                i = row - top
                if i < 0 or i >= rows - 1 or j < 0 or j >= width - 1:
                    continue
                b, a = y - row, x - j
                place = cell[n]
                c = colors[place]
                predicted = _between(known, i, j, c, b, a)
                signal = max(predicted, np.float32(0.0))
                share = np.float32(1.0) / measured[n, 1]  # one division: this is the inmost loop
                variance = (terms[place, 0] * share + terms[place, 1] * signal) * share
                variance += terms[place, 2] * signal * signal
                error = measured[n, 0] - predicted
                square = error * error
                at_row, at_column = i + (b >= np.float32(0.5)), j + (a >= np.float32(0.5))
                total[at_row, at_column] += truncation * square / (truncation * variance + square)
                number[at_row, at_column] += np.float32(1.0)


@njit(cache=True, nogil=True, fastmath=True)
def weighted_means(
    amount: FloatArray,
    weight: FloatArray,
    taps: FloatArray,
    picture: FloatArray,
    certainty: FloatArray,
) -> None:
    """Write smoothed amounts over smoothed weights, and one over the latter as `certainty`.

    Parameters
    ----------
    amount, weight, picture, certainty
        Shape (P, rows, X, 3).
    taps
        Shape (2,): of the smoothing, at distances 0 and 1 along each axis.
    """
    parts, rows, width, _ = amount.shape
    flat = 3 * width
    amounts, weights = amount.reshape(parts, rows, flat), weight.reshape(parts, rows, flat)
    means, certain = picture.reshape(parts, rows, flat), certainty.reshape(parts, rows, flat)
    light, number = np.zeros(flat + 6, np.float32), np.zeros(flat + 6, np.float32)
    for p in range(parts):
        for i in range(1, rows - 1):
            for m in range(flat):
                light[m + 3] = taps[0] * amounts[p, i, m] + taps[1] * (
                    amounts[p, i - 1, m] + amounts[p, i + 1, m]
                )
                number[m + 3] = taps[0] * weights[p, i, m] + taps[1] * (
                    weights[p, i - 1, m] + weights[p, i + 1, m]
                )
            for m in range(flat):
                total = taps[0] * number[m + 3] + taps[1] * (number[m] + number[m + 6])
                share = np.float32(1.0) / (total + _LEAST_WEIGHT)
                certain[p, i, m] = share
                means[p, i, m] = share * (
                    taps[0] * light[m + 3] + taps[1] * (light[m] + light[m + 6])
                )


@njit(cache=True, nogil=True, fastmath=True)
def add_weighted_means(
    amount: FloatArray,
    certainty: FloatArray,
    taps: FloatArray,
    picture: FloatArray,
) -> None:
    """Add each smoothed `amount`, times its `certainty`, to the `picture`; shape (P, rows, X, 3).

    `taps`, shape (2,), as in `weighted_means`.
    """
    parts, rows, width, _ = amount.shape
    flat = 3 * width
    amounts, certain = amount.reshape(parts, rows, flat), certainty.reshape(parts, rows, flat)
    means = picture.reshape(parts, rows, flat)
    light = np.zeros(flat + 6, np.float32)
    for p in range(parts):
        for i in range(1, rows - 1):
            for m in range(flat):
                light[m + 3] = taps[0] * amounts[p, i, m] + taps[1] * (
                    amounts[p, i - 1, m] + amounts[p, i + 1, m]
                )
            for m in range(flat):
                means[p, i, m] += certain[p, i, m] * (
                    taps[0] * light[m + 3] + taps[1] * (light[m] + light[m + 6])
                )


@njit(cache=True, nogil=True, fastmath=True)
def cheapest_mean(
    misfits: Misfits,
    group: NDArray[np.int64],
    reach: int,
    penalty: float,
    first: int,
    cost: FloatArray,
) -> None:
    """Lower `cost` (rows, X) to a group's mean misfit in windows of 2 `reach` + 1 cells.

    Parameters
    ----------
    group
        Quadrants whose rays count.
    penalty
        Added to the mean.
    first
        Row of the misfits that is row 0 of `cost`.
    """
    _, truncation, misfit, count = misfits
    rows, width = cost.shape
    height = misfit.shape[1]
    sums, numbers = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for i in range(rows):
        sums[:], numbers[:] = np.float32(0.0), np.float32(0.0)
        for k in range(max(first + i - reach, 0), min(first + i + reach + 1, height)):
            for q in group:
                for j in range(width):
                    sums[j] += misfit[q, k, j]
                    numbers[j] += count[q, k, j]
        for j in range(width):
            total, number = _DOUBT * truncation, _DOUBT
            for k in range(max(j - reach, 0), min(j + reach + 1, width)):
                total += sums[k]
                number += numbers[k]
            cost[i, j] = min(cost[i, j], total / number + penalty)
