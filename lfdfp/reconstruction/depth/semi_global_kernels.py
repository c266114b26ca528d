"""Compiled semi-global matching: costs of planes, made smooth along eight directions.

`total` is in all of them the sum of the paths' costs, shape (Y, N, X).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray

NO_PLANE = np.float32(1e9)
_SIDEWAYS = (-1, 0, 1)
"""Columns that a path from row to row moves by."""


class PathTerms(NamedTuple):
    """What paths over pixels and planes cost.

    Attributes
    ----------
    costs
        Shape (Y, N, X), uint16: of the planes, in units of `unit`.
    unit
        Cost of 1.
    edges
        Shape (2, Y, X), float32: price of a jump to any plane, to the next row and to the next
        column.
    small
        Price of a step to a neighboring plane.
    """

    costs: NDArray[np.uint16]
    unit: Any
    edges: FloatArray
    small: Any


class PathState(NamedTuple):
    """The three paths per pixel that come from row to row, for even and for odd rows.

    Attributes
    ----------
    paths
        Shape (2, 3, N + 2, X + 2), float32: their costs. The outermost columns are 0, where paths
        begin, and the outermost planes out of reach.
    least
        Shape (2, 3, X + 2), float32: least cost over the planes.
    """

    paths: FloatArray
    least: FloatArray


@njit(inline="always")
def _extend(
    costs: FloatArray,
    before: FloatArray,
    least: float,
    large: float,
    small: float,
    path: FloatArray,
) -> float:
    """One pixel of a path along a row: best way to every plane, from the pixel before.

    `before` and `path` have a plane more on either side, which no way goes through.
    """
    jump = least + large
    for d in range(costs.shape[0]):
        aside = min(before[d], before[d + 2]) + small
        path[d + 1] = costs[d] + min(min(before[d + 1], jump), aside) - least
    best: float = path[1]
    for d in range(2, costs.shape[0] + 1):
        best = min(best, path[d])
    return best


@njit(cache=True, nogil=True, fastmath=True)
def along_row(terms: PathTerms, row: int, total: FloatArray) -> None:
    """Set a row of `total` (Y, N, X) to the costs of the paths along it, both ways."""
    costs, unit, edges, small = terms
    planes, width = costs.shape[1:]
    line = np.empty((width, planes), np.float32)
    summed = np.empty((width, planes), np.float32)
    for d in range(planes):
        for j in range(width):
            line[j, d] = np.float32(costs[row, d, j]) * unit
    a, b = np.full((2, planes + 2), NO_PLANE)
    a[1:-1], least = np.float32(0.0), np.float32(0.0)
    for j in range(width):
        least = _extend(line[j], a, least, edges[1, row, max(j - 1, 0)], small, b)
        summed[j] = b[1:-1]
        a, b = b, a
    a[1:-1], least = np.float32(0.0), np.float32(0.0)
    for k in range(width):
        j = width - 1 - k
        least = _extend(line[j], a, least, edges[1, row, j], small, b)
        summed[j] += b[1:-1]
        a, b = b, a
    for d in range(planes):
        for j in range(width):
            total[row, d, j] = summed[j, d]


@njit(cache=True, nogil=True, fastmath=True)
def from_row_to_row(
    terms: PathTerms, row: int, before: int, state: PathState, total: FloatArray
) -> None:
    """Extend the paths that come from the row `before` by a row; add them to `total`.

    `total` has the shape (rows, X, planes).
    """
    costs, unit, edges, small = terms
    paths, least = state
    planes, width = costs.shape[1:]
    gap = max(min(row, before), 0)
    jump = np.zeros((3, width + 2), np.float32)
    for s in range(3):
        for j in range(width):
            large = edges[0, gap, j]
            if _SIDEWAYS[s] != 0:
                large = min(large, edges[1, row, max(min(j, j - _SIDEWAYS[s]), 0)])
            jump[s, j + 1] = least[before & 1, s, j + 1 - _SIDEWAYS[s]] + large
        least[row & 1, s, 1 : width + 1] = NO_PLANE
    cost = np.zeros(width + 2, np.float32)
    for d in range(planes):
        for j in range(width):
            cost[j + 1] = np.float32(costs[row, d, j]) * unit
        for s in range(3):
            path = paths[row & 1, s, d + 1]
            known = paths[before & 1, s, d : d + 3]
            _extend_row(cost, known, least[before & 1, s], jump[s], small, _SIDEWAYS[s], path)
            _lower(path, least[row & 1, s])
            _add(path, total[row, d])


@njit(nogil=True, fastmath=True)
def _extend_row(
    cost: FloatArray,
    around: FloatArray,
    least: FloatArray,
    jump: FloatArray,
    small: float,
    sideways: int,
    path: FloatArray,
) -> None:
    """All paths of a row on one plane, from those on the nearer, the same and the farther one."""
    nearer, known, farther = around[0], around[1], around[2]
    for j in range(1, cost.shape[0] - 1):
        k = np.uint64(j - sideways)  # never negative: without a check, the loop is vectorized
        aside = min(nearer[k], farther[k]) + small
        path[j] = cost[j] + min(min(known[k], jump[j]), aside) - least[k]


@njit(nogil=True, fastmath=True)
def _lower(path: FloatArray, least: FloatArray) -> None:
    for j in range(1, path.shape[0] - 1):
        least[j] = min(least[j], path[j])


@njit(nogil=True, fastmath=True)
def _add(path: FloatArray, total: FloatArray) -> None:
    for j in range(total.shape[0]):
        total[j] += path[j + 1]


@njit(cache=True, nogil=True)
def cheapest(
    total: FloatArray,
    costs: NDArray[np.uint16],
    unit: float,
    slopes: DoubleArray,
    rows: tuple[int, int],
    slope: FloatArray,
    cost: FloatArray,
    contrast: FloatArray,
) -> None:
    """Slope of the cheapest plane of every pixel, by a parabola through `total`.

    Parameters
    ----------
    costs, unit
        As in `PathTerms`.
    slopes
        Shape (N,): of the planes, evenly spaced.
    rows
        First and last row, exclusive, of the outputs that are set.
    slope, cost, contrast
        Shape (Y, X), written: slope of the cheapest plane, its cost, and how much more the planes
        cost in the mean.
    """
    planes, width = costs.shape[1:]
    best = np.empty(width, np.int64)
    lowest, mean = np.empty(width, np.float32), np.empty(width, np.float32)
    step = slopes[1] - slopes[0]
    for i in range(rows[0], rows[1]):
        best[:], lowest[:], mean[:] = 0, total[i, 0], 0
        for d in range(planes):
            for j in range(width):
                mean[j] += costs[i, d, j]
                if total[i, d, j] < lowest[j]:
                    lowest[j], best[j] = total[i, d, j], d
        for j in range(width):
            d = best[j]
            shift = 0.0
            if 0 < d < planes - 1:
                left, right = total[i, d - 1, j], total[i, d + 1, j]
                bend = left - 2 * lowest[j] + right
                if bend > 0:
                    shift = min(max(0.5 * (left - right) / bend, -0.5), 0.5)
            slope[i, j] = slopes[d] + step * shift
            cost[i, j] = costs[i, d, j] * unit
            contrast[i, j] = mean[j] / planes * unit - cost[i, j]
