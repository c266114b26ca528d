"""Compiled passes over the rays of one plane: sums on a fine grid, and products with them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import columns_within, direction, rows_within
from lfdfp.reconstruction.ray_kernels import (
    Band,
    LensletPlaces,
    add_lower,
    add_upper,
    bilinear,
)


class WeighedRays(NamedTuple):
    """Rays of one color, and how much each counts.

    Attributes
    ----------
    light, weights
        Shape (H, W), float32: of every pixel; weight 0 leaves it out.
    colors
        Shape (2, 2), int64: color of the Bayer cell.
    color
        The one whose pixels are added.
    """

    light: FloatArray
    weights: FloatArray
    colors: NDArray[np.int64]
    color: int


@njit(inline="always")
def _add_squares(here: FloatArray, beside: FloatArray, square: Any, left: Any, right: Any) -> None:
    """Add a ray's w y² to two pixels by their bilinear factors."""
    here[6] += square * left
    beside[6] += square * right


@njit(cache=True, nogil=True, fastmath=True)
def sum_rays(
    rays: WeighedRays,
    places: LensletPlaces,
    slope: float,
    band: Band,
    sums: FloatArray,
    counts: FloatArray,
) -> None:
    """Add the rays of some lenslets, all meeting on one plane, to a band of the fine grid.

    A ray at (y, x) is shared among the four fine pixels around it, with bilinear factors b.

    Parameters
    ----------
    slope
        Fine pixels per raw pixel.
    sums
        Shape (rows, X, 7): Σ w b bᵀ as couplings with the pixel itself, right, below,
        below right and below left, Σ w b y and Σ w b y²; added to.
    counts
        Shape (rows, X): Σ w of the rays nearest to each pixel; added to.
    """
    light, weights, colors, color = rays
    centers, origins, turn, radius = places
    columns = sums.shape[1]
    first, last = band.rows
    for lens in range(band.lenslets[0], band.lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                w = weights[row, column]
                if w <= 0 or colors[row & 1, column & 1] != color:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                y, x = origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                i, j = int(np.floor(y)), int(np.floor(x))
                if i + 1 < first or i >= last or j < 0 or j + 1 >= columns:
                    continue
                b, a = np.float32(y - i), np.float32(x - j)
                near_i, near_j = i + (1 if b >= 0.5 else 0), j + (1 if a >= 0.5 else 0)
                if first <= near_i < last:
                    counts[near_i - first, near_j] += w
                corners, amount = bilinear(b, a), w * light[row, column]
                square = amount * light[row, column]
                if i >= first:
                    here, beside = sums[i - first, j], sums[i - first, j + 1]
                    add_upper(here, beside, corners, w, amount)
                    _add_squares(here, beside, square, corners[0], corners[1])
                if i + 1 < last:
                    here, beside = sums[i + 1 - first, j], sums[i + 1 - first, j + 1]
                    add_lower(here, beside, corners, w, amount)
                    _add_squares(here, beside, square, corners[2], corners[3])


@njit(cache=True, nogil=True, fastmath=True)
def apply_sums(sums: FloatArray, picture: FloatArray, out: FloatArray) -> None:
    """Write a picture times the symmetric matrix Σ w b bᵀ of `sum_rays` into `out`.

    `picture` and `out` have the shape (Y, X), `sums` (Y, X, 7).
    """
    rows, columns = picture.shape[:2]
    out[:] = 0
    for i in range(rows):
        for j in range(columns):
            s = sums[i, j]
            x = picture[i, j]
            total = s[0] * x
            if j + 1 < columns:
                total += s[1] * picture[i, j + 1]
                out[i, j + 1] += s[1] * x
            if i + 1 < rows:
                total += s[2] * picture[i + 1, j]
                out[i + 1, j] += s[2] * x
                if j + 1 < columns:
                    total += s[3] * picture[i + 1, j + 1]
                    out[i + 1, j + 1] += s[3] * x
                if j > 0:
                    total += s[4] * picture[i + 1, j - 1]
                    out[i + 1, j - 1] += s[4] * x
            out[i, j] += total
