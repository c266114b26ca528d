"""Compiled passes over the rays of one plane: sums on a fine grid, and products with them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def sum_rays(
    light: FloatArray,
    weights: FloatArray,
    colors: NDArray[np.int64],
    color: int,
    centers: FloatArray,
    origins: FloatArray,
    turn: tuple[float, float],
    slope: float,
    radius: float,
    lenslets: tuple[int, int],
    band: tuple[int, int],
    sums: FloatArray,
    counts: FloatArray,
) -> None:
    """Add the rays of some lenslets, all meeting on one plane, to a band of the fine grid.

    A ray at (y, x) is shared among the four fine pixels around it, with bilinear factors b.

    Parameters
    ----------
    light, weights
        Shape (H, W): of every pixel; weight 0 leaves it out.
    colors, color
        Shape (2, 2): color of the Bayer cell; the one whose pixels are added.
    centers, origins
        Shape (L, 2): centers of the lenslets' images in pixels; places on the fine grid.
    turn, radius
        Of `LensletTable`; largest distance of a pixel from its lenslet's center.
    slope
        Fine pixels per raw pixel.
    lenslets, band
        First and past the last, of lenslets to visit and of rows to write.
    sums
        Shape (rows, X, 7): Σ w b bᵀ as couplings with the pixel itself, right, below,
        below right and below left, Σ w b y and Σ w b y²; added to.
    counts
        Shape (rows, X): Σ w of the rays nearest to each pixel; added to.
    """
    height, width = light.shape
    columns = sums.shape[1]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(
            max(0, int(np.ceil(row0 - radius))), min(height, int(np.floor(row0 + radius)) + 1)
        ):
            down = row - row0
            half = np.sqrt(max(radius * radius - down * down, 0.0))
            for column in range(
                max(0, int(np.ceil(column0 - half))),
                min(width, int(np.floor(column0 + half)) + 1),
            ):
                w = weights[row, column]
                if w <= 0 or colors[row & 1, column & 1] != color:
                    continue
                right = column - column0
                y = origins[lens, 0] - slope * (turn[0] * down - turn[1] * right)
                x = origins[lens, 1] - slope * (turn[1] * down + turn[0] * right)
                i, j = int(np.floor(y)), int(np.floor(x))
                if i + 1 < first or i >= last or j < 0 or j + 1 >= columns:
                    continue
                b, a = np.float32(y - i), np.float32(x - j)
                w00, w01, w10, w11 = (1 - b) * (1 - a), (1 - b) * a, b * (1 - a), b * a
                near_i, near_j = i + (1 if b >= 0.5 else 0), j + (1 if a >= 0.5 else 0)
                if first <= near_i < last:
                    counts[near_i - first, near_j] += w
                value = w * light[row, column]
                square = value * light[row, column]
                if i >= first:
                    here, beside = sums[i - first, j], sums[i - first, j + 1]
                    here[0] += w * w00 * w00
                    here[1] += w * w00 * w01
                    here[2] += w * w00 * w10
                    here[3] += w * w00 * w11
                    here[5] += value * w00
                    here[6] += square * w00
                    beside[0] += w * w01 * w01
                    beside[2] += w * w01 * w11
                    beside[4] += w * w01 * w10
                    beside[5] += value * w01
                    beside[6] += square * w01
                if i + 1 < last:
                    here, beside = sums[i + 1 - first, j], sums[i + 1 - first, j + 1]
                    here[0] += w * w10 * w10
                    here[1] += w * w10 * w11
                    here[5] += value * w10
                    here[6] += square * w10
                    beside[0] += w * w11 * w11
                    beside[5] += value * w11
                    beside[6] += square * w11


@njit(cache=True, nogil=True, fastmath=True)
def apply_sums(sums: FloatArray, picture: FloatArray, out: FloatArray) -> None:
    """Multiply a picture (Y, X) by the symmetric matrix Σ w b bᵀ of `sum_rays`."""
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
