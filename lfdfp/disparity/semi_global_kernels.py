"""Compiled semi-global matching: costs of planes, made smooth along eight directions."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray


@njit(inline="always")
def _extend(
    costs: FloatArray,
    previous: FloatArray,
    small: float,
    large: float,
    current: FloatArray,
    total: FloatArray,
) -> None:
    """One pixel of a path: best way to every plane, from the pixel before."""
    planes = costs.shape[0]
    least = previous[0]
    for d in range(1, planes):
        least = min(least, previous[d])
    jump = least + large
    for d in range(planes):
        best = min(previous[d], jump)
        if d > 0:
            best = min(best, previous[d - 1] + small)
        if d < planes - 1:
            best = min(best, previous[d + 1] + small)
        value = costs[d] + best - least
        current[d] = value
        total[d] += value


@njit(cache=True, nogil=True, fastmath=True)
def rightward_and_leftward(
    costs: FloatArray,
    edges: FloatArray,
    small: float,
    first: int,
    last: int,
    total: FloatArray,
) -> None:
    """Add the paths along rows first..last, both ways, to `total` (Y, X, N)."""
    width, planes = costs.shape[1], costs.shape[2]
    a, b = np.zeros(planes, np.float32), np.zeros(planes, np.float32)
    for i in range(first, last):
        for j in range(width):
            if j == 0:
                a[:] = costs[i, 0]
                total[i, 0] += costs[i, 0]
                continue
            _extend(costs[i, j], a, small, edges[1, i, j - 1], b, total[i, j])
            a, b = b, a
        for k in range(width):
            j = width - 1 - k
            if k == 0:
                a[:] = costs[i, j]
                total[i, j] += costs[i, j]
                continue
            _extend(costs[i, j], a, small, edges[1, i, j], b, total[i, j])
            a, b = b, a


@njit(cache=True, nogil=True, fastmath=True)
def downward(
    costs: FloatArray,
    edges: FloatArray,
    small: float,
    sideways: int,
    backwards: bool,
    total: FloatArray,
) -> None:
    """Add the paths from row to row, `sideways` columns a step, to `total` (Y, X, N).

    backwards
        From the last row up instead of from the first down.
    """
    height, width, planes = costs.shape
    before = np.zeros((width, planes), np.float32)
    current = np.zeros((width, planes), np.float32)
    for k in range(height):
        i = height - 1 - k if backwards else k
        gap = i if backwards else max(i - 1, 0)
        for j in range(width):
            origin = j - sideways
            if k == 0 or origin < 0 or origin >= width:
                current[j] = costs[i, j]
                total[i, j] += costs[i, j]
                continue
            large = edges[0, gap, j]
            if sideways != 0:
                large = min(large, edges[1, i, min(j, origin)])
            _extend(costs[i, j], before[origin], small, large, current[j], total[i, j])
        before, current = current, before
