"""Compiled rendering of a picture with disparity: every ray is followed from near to far."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray

_STEP_PX = 0.75  # of a ray's place on the picture, from one tried slope to the next
_BACK_PX = 1.5  # from an edge to what is surely behind it: the edge's pixel shows both


class Surface(NamedTuple):
    """A picture and its disparity, as seen from the aperture's center.

    Attributes
    ----------
    picture
        Shape (Y, X, 3), float32.
    slopes
        Shape (Y, X), float32: pixels of the picture per angular step, near negative.
    tolerance
        Slopes that differ by no more belong to one surface.
    """

    picture: FloatArray
    slopes: FloatArray
    tolerance: float


class ApertureRays(NamedTuple):
    """The rays of every pixel that are averaged.

    Attributes
    ----------
    counts
        Shape (Y, X), int64: rays per pixel; pixels with none become 0.
    nearest, farthest
        Shape (Y, X), float32: limits of the slopes that rays through a pixel can meet.
    places
        Shape (K, 2), float32: where the rays pass an aperture of half width 1, in a round one
        times the root of the number of rays.
    viewpoint, half_width
        Center of the aperture, (v, u), and half its width, in angular steps.
    is_round
        A disk, or a square.
    """

    counts: NDArray[np.int64]
    nearest: FloatArray
    farthest: FloatArray
    places: FloatArray
    viewpoint: tuple[float, float]
    half_width: float
    is_round: bool


class Ray(NamedTuple):
    """Through (y, x) of the picture, in pixels, in direction (v, u), in angular steps."""

    y: float
    x: float
    v: float
    u: float


class Meeting(NamedTuple):
    """Where a ray meets a surface, or the last place before it slips behind one.

    Attributes
    ----------
    found
        Whether one is met.
    y, x
        In pixels.
    slope
        Of the surface.
    limit
        By how much slopes may differ that belong to it.
    """

    found: bool
    y: float
    x: float
    slope: float
    limit: float


@njit(cache=True, nogil=True, error_model="numpy")
def render_rows(
    surface: Surface,
    rays: ApertureRays,
    plane: tuple[float, float, float],
    rows: tuple[int, int],
    rendered: FloatArray,
) -> None:
    """Fill rows of `rendered` with the mean over the aperture of what the rays see.

    Parameters
    ----------
    plane
        Slope of the sharp plane at the first pixel, and its change per row and column.
    rows
        First, and last + 1.
    rendered
        Shape (Y, X, 3), float32.
    """
    counts, places = rays.counts, rays.places
    possible = surface.slopes.min(), surface.slopes.max()
    color = np.empty(3, np.float32)
    for row in range(rows[0], rows[1]):
        for column in range(counts.shape[1]):
            sharp = plane[0] + plane[1] * row + plane[2] * column
            count = counts[row, column]
            likely = rays.nearest[row, column], rays.farthest[row, column]
            rendered[row, column] = 0
            size = rays.half_width
            if rays.is_round:
                size = rays.half_width / math.sqrt(max(count, 1))
            for k in range(count):
                down, right = size * places[k, 0], size * places[k, 1]
                ray = Ray(
                    row + sharp * down,
                    column + sharp * right,
                    rays.viewpoint[0] + down,
                    rays.viewpoint[1] + right,
                )
                _follow(surface, ray, likely, possible, count == 1, color)
                rendered[row, column] += color
            if count > 0:
                rendered[row, column] /= np.float32(count)


@njit(cache=True, nogil=True, error_model="numpy")
def _follow(
    surface: Surface,
    ray: Ray,
    likely: tuple[float, float],
    possible: tuple[float, float],
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
    met = _met(surface, ray, likely)
    if not met.found and met.slope <= likely[0]:
        met = _met(surface, ray, possible)
    at_y, at_x = met.y, met.x
    if not met.found:
        length = math.sqrt(ray.v * ray.v + ray.u * ray.u)
        back = _BACK_PX / length if length > 0 else 0.0
        at_y, at_x = at_y + back * ray.v, at_x + back * ray.u
    _sample(surface, at_y, at_x, met.slope, met.limit, sharply, color)


@njit(cache=True, nogil=True, error_model="numpy")
def _met(surface: Surface, ray: Ray, limits: tuple[float, float]) -> Meeting:
    """Follow a ray from the first to the last slope of `limits`."""
    slopes = surface.slopes
    y, x, v, u = ray
    height, width = slopes.shape
    first, last = limits
    steps = math.ceil((last - first) * max(abs(v), abs(u)) / _STEP_PX)
    step = (last - first) / steps if steps > 0 else 0.0
    limit = max(surface.tolerance, 2 * step)
    before = math.inf
    ahead_y, ahead_x, ahead_slope = y - first * v, x - first * u, first
    for k in range(steps + 1):
        slope = first + k * step
        at_y = min(max(y - slope * v, 0.0), height - 1.0)
        at_x = min(max(x - slope * u, 0.0), width - 1.0)
        met = slopes[int(at_y + 0.5), int(at_x + 0.5)]
        ahead = met - slope
        if abs(ahead) <= max(0.51 * step, 1e-5):
            return Meeting(True, y - met * v, x - met * u, met, limit)
        if ahead < 0 < before and before - ahead <= limit:
            return Meeting(True, at_y, at_x, met, limit)
        if ahead > 0:
            ahead_y, ahead_x, ahead_slope = at_y, at_x, met
        before = ahead
    return Meeting(False, ahead_y, ahead_x, ahead_slope, limit)


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(
    surface: Surface,
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
    picture, slopes, _ = surface
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
