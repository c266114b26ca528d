"""Compiled rendering of a picture with disparity: every ray is followed from near to far."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray

_STEP_PX = 0.75  # of a ray's place on the picture, from one tried slope to the next
_BACK_PX = 1.5  # from an edge to what is surely behind it: the edge's pixel shows both


@njit(cache=True, nogil=True, error_model="numpy")
def render_rows(
    picture: FloatArray,
    slopes: FloatArray,
    nearest: FloatArray,
    farthest: FloatArray,
    counts: NDArray[np.int64],
    places: FloatArray,
    plane: tuple[float, float, float],
    viewpoint: tuple[float, float],
    half_width: float,
    is_round: bool,
    tolerance: float,
    rows: tuple[int, int],
    rendered: FloatArray,
) -> None:
    """Fill rows of `rendered` with the mean over the aperture of what the rays see.

    Parameters
    ----------
    picture
        Shape (Y, X, 3), seen from the aperture's center.
    slopes
        Shape (Y, X): pixels of the picture per angular step, near negative.
    nearest, farthest
        Shape (Y, X): limits of the slopes that rays through a pixel can meet.
    counts
        Shape (Y, X): rays per pixel; pixels with none become 0.
    places
        Shape (K, 2): where the rays pass an aperture of half width 1, in a round one times the
        root of the number of rays.
    plane
        Slope of the sharp plane at the first pixel, and its change per row and column.
    viewpoint, half_width
        Center of the aperture, (v, u), and half its width, in angular steps.
    tolerance
        Slopes that differ by no more belong to one surface.
    """
    width = slopes.shape[1]
    possible = slopes.min(), slopes.max()
    color = np.empty(3, np.float32)
    for row in range(rows[0], rows[1]):
        for column in range(width):
            sharp = plane[0] + plane[1] * row + plane[2] * column
            count = counts[row, column]
            rendered[row, column] = 0
            size = half_width / math.sqrt(max(count, 1)) if is_round else half_width
            for k in range(count):
                down, right = size * places[k, 0], size * places[k, 1]
                _follow(
                    picture, slopes, row + sharp * down, column + sharp * right,
                    viewpoint[0] + down, viewpoint[1] + right,
                    (nearest[row, column], farthest[row, column]), possible, tolerance, count == 1,
                    color,
                )  # fmt: skip
                rendered[row, column] += color
            if count > 0:
                rendered[row, column] /= np.float32(count)


@njit(cache=True, nogil=True, error_model="numpy")
def _follow(
    picture: FloatArray,
    slopes: FloatArray,
    y: float,
    x: float,
    v: float,
    u: float,
    likely: tuple[float, float],
    possible: tuple[float, float],
    tolerance: float,
    sharply: bool,
    color: FloatArray,
) -> None:
    """Color of the first surface on the ray through (y, x) in direction (v, u).

    A surface of slope d is met where the ray passes the picture at (y - d v, x - d u). A ray that
    slips behind a near surface before it meets a far one sees what the picture does not show; it
    gets the color of the far surface beside the near one's edge.

    Parameters
    ----------
    likely, possible
        First and last slope to try; the possible ones where nothing is met or slipped behind
        among the likely ones.
    """
    found, at_y, at_x, surface, limit = _met(slopes, y, x, v, u, likely, tolerance)
    if not found and surface <= likely[0]:
        found, at_y, at_x, surface, limit = _met(slopes, y, x, v, u, possible, tolerance)
    if not found:
        length = math.sqrt(v * v + u * u)
        back = _BACK_PX / length if length > 0 else 0.0
        at_y, at_x = at_y + back * v, at_x + back * u
    _sample(picture, slopes, at_y, at_x, surface, limit, sharply, color)


@njit(cache=True, nogil=True, error_model="numpy")
def _met(
    slopes: FloatArray,
    y: float,
    x: float,
    v: float,
    u: float,
    limits: tuple[float, float],
    tolerance: float,
) -> tuple[bool, float, float, float, float]:
    """Whether a surface is met; where, its slope, and what still belongs to it.

    Where none is met, the last place before the ray slips behind one.
    """
    height, width = slopes.shape
    first, last = limits
    steps = math.ceil((last - first) * max(abs(v), abs(u)) / _STEP_PX)
    step = (last - first) / steps if steps > 0 else 0.0
    limit = max(tolerance, 2 * step)
    before = math.inf
    ahead_y, ahead_x, ahead_slope = y - first * v, x - first * u, first
    for k in range(steps + 1):
        slope = first + k * step
        at_y = min(max(y - slope * v, 0.0), height - 1.0)
        at_x = min(max(x - slope * u, 0.0), width - 1.0)
        surface = slopes[int(at_y + 0.5), int(at_x + 0.5)]
        ahead = surface - slope
        if abs(ahead) <= max(0.51 * step, 1e-5):
            return True, y - surface * v, x - surface * u, surface, limit
        if ahead < 0 < before and before - ahead <= limit:
            return True, at_y, at_x, surface, limit
        if ahead > 0:
            ahead_y, ahead_x, ahead_slope = at_y, at_x, surface
        before = ahead
    return False, ahead_y, ahead_x, ahead_slope, limit


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(
    picture: FloatArray,
    slopes: FloatArray,
    y: float,
    x: float,
    slope: float,
    limit: float,
    sharply: bool,
    color: FloatArray,
) -> None:
    """Color at a place between the pixels, from those that belong to the surface of a slope.

    Bilinear, or `sharply` by cubic convolution where all 16 pixels around belong to it.
    """
    height, width = slopes.shape
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = min(int(y), max(height - 2, 0)), min(int(x), max(width - 2, 0))
    if sharply and _is_one_surface(slopes, top, left, slope, limit):
        color[:] = 0
        for j in range(-1, 3):
            for i in range(-1, 3):
                share = np.float32(_cubic(y - top - j) * _cubic(x - left - i))
                for c in range(3):
                    color[c] += share * picture[top + j, left + i, c]
        return
    total = 0.0
    color[:] = 0
    for j in range(2):
        for i in range(2):
            row, column = min(top + j, height - 1), min(left + i, width - 1)
            share = (1 - abs(y - top - j)) * (1 - abs(x - left - i))
            if share > 0 and abs(slopes[row, column] - slope) <= limit:
                total += share
                for c in range(3):
                    color[c] += np.float32(share) * picture[row, column, c]
    if total > 1e-3:
        for c in range(3):
            color[c] /= np.float32(total)
    else:
        color[:] = picture[int(y + 0.5), int(x + 0.5)]


@njit(cache=True, nogil=True, error_model="numpy")
def _is_one_surface(slopes: FloatArray, top: int, left: int, slope: float, limit: float) -> bool:
    height, width = slopes.shape
    if top < 1 or left < 1 or top + 2 >= height or left + 2 >= width:
        return False
    for j in range(top - 1, top + 3):
        for i in range(left - 1, left + 3):
            if abs(slopes[j, i] - slope) > limit:
                return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _cubic(distance: float) -> float:
    """Weight of a pixel by cubic convolution with a = -1/2 (R. Keys)."""
    x = abs(distance)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    if x < 2:
        return ((-0.5 * x + 2.5) * x - 4) * x + 2
    return 0.0
