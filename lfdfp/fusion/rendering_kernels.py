"""Compiled rendering of a picture with disparity: every ray is followed from near to far."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray

_STEP_PX = 0.5  # of a ray's place on the picture, from one tried slope to the next
_BACK_PX = 1.5  # from an edge to what is surely behind it: the edge's pixel shows both
_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
_PLASTIC = 1.32471795724474602596  # its powers spread points evenly over a square (R. Roberts)


@njit(cache=True, nogil=True)
def render_rows(
    picture: FloatArray,
    slopes: FloatArray,
    nearest: FloatArray,
    farthest: FloatArray,
    counts: NDArray[np.int64],
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
        Shape (Y, X): rays per pixel.
    plane
        Slope of the sharp plane at the picture's center, and its change per row and column.
    viewpoint, half_width
        Center of the aperture, (v, u), and half its width, in angular steps.
    tolerance
        Slopes that differ by no more belong to one surface.
    """
    height, width = slopes.shape
    color = np.empty(3, np.float32)
    for row in range(rows[0], rows[1]):
        for column in range(width):
            sharp = (
                plane[0]
                + plane[1] * (row - (height - 1) / 2)
                + plane[2] * (column - (width - 1) / 2)
            )
            count = counts[row, column]
            rendered[row, column] = 0
            for k in range(count):
                down, right = _place(k, count, is_round)
                down *= half_width
                right *= half_width
                _follow(
                    picture, slopes, row + sharp * down, column + sharp * right,
                    viewpoint[0] + down, viewpoint[1] + right,
                    nearest[row, column], farthest[row, column], tolerance, count == 1, color,
                )  # fmt: skip
                rendered[row, column] += color
            rendered[row, column] /= np.float32(count)


@njit(cache=True, nogil=True)
def _place(k: int, count: int, is_round: bool) -> tuple[float, float]:
    """Place of ray k of `count` in an aperture of half width 1, spread evenly."""
    if is_round:
        radius, angle = math.sqrt((k + 0.5) / count), k * _GOLDEN_ANGLE
        return radius * math.sin(angle), radius * math.cos(angle)
    return (
        2 * ((0.5 + (k + 1) / _PLASTIC) % 1.0) - 1,
        2 * ((0.5 + (k + 1) / (_PLASTIC * _PLASTIC)) % 1.0) - 1,
    )


@njit(cache=True, nogil=True)
def _follow(
    picture: FloatArray,
    slopes: FloatArray,
    y: float,
    x: float,
    v: float,
    u: float,
    nearest: float,
    farthest: float,
    tolerance: float,
    sharply: bool,
    color: FloatArray,
) -> None:
    """Color of the first surface on the ray through (y, x) in direction (v, u).

    A surface of slope d is met where the ray passes the picture at (y - d v, x - d u). A ray that
    slips behind a near surface before it meets a far one sees what the picture does not show; it
    gets the color of the far surface beside the near one's edge.
    """
    height, width = slopes.shape
    reach = max(abs(v), abs(u))
    steps = math.ceil((farthest - nearest) * reach / _STEP_PX)
    step = (farthest - nearest) / steps if steps > 0 else 0.0
    limit = max(tolerance, 2 * step)
    before = math.inf
    behind_y, behind_x, behind = y - nearest * v, x - nearest * u, nearest
    for k in range(steps + 1):
        slope = nearest + k * step
        at_y = min(max(y - slope * v, 0.0), height - 1.0)
        at_x = min(max(x - slope * u, 0.0), width - 1.0)
        surface = slopes[int(at_y + 0.5), int(at_x + 0.5)]
        ahead = surface - slope
        if abs(ahead) <= 0.51 * step or steps == 0:
            at_y, at_x = y - surface * v, x - surface * u
            _sample(picture, slopes, at_y, at_x, surface, limit, sharply, color)
            return
        if ahead < 0 < before and before - ahead <= limit:
            _sample(picture, slopes, at_y, at_x, surface, limit, sharply, color)
            return
        if ahead > 0:
            behind_y, behind_x, behind = at_y, at_x, surface
        before = ahead
    length = math.sqrt(v * v + u * u)
    back = _BACK_PX / length if length > 0 else 0.0
    at_y, at_x = behind_y + back * v, behind_x + back * u
    _sample(picture, slopes, at_y, at_x, behind, limit, sharply, color)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _is_one_surface(slopes: FloatArray, top: int, left: int, slope: float, limit: float) -> bool:
    height, width = slopes.shape
    if top < 1 or left < 1 or top + 2 >= height or left + 2 >= width:
        return False
    for j in range(top - 1, top + 3):
        for i in range(left - 1, left + 3):
            if abs(slopes[j, i] - slope) > limit:
                return False
    return True


@njit(cache=True, nogil=True)
def _cubic(distance: float) -> float:
    """Weight of a pixel by cubic convolution with a = -1/2 (R. Keys)."""
    x = abs(distance)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    if x < 2:
        return ((-0.5 * x + 2.5) * x - 4) * x + 2
    return 0.0
