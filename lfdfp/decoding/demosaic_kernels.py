"""Compiled gathering of the pixels under each lenslet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


class PixelPattern(NamedTuple):
    """The P pixels of a lens image, the same for all lenslets of one place in the Bayer cell.

    Attributes
    ----------
    offsets
        Shape (P, 2), int64: (row, column) from the lenslet's corner pixel.
    colors
        Shape (P,): 0 red, 1 green, 2 blue.
    weights
        Shape (P,), float32: how much each counts in the mean of its color.
    """

    offsets: NDArray[np.int64]
    colors: NDArray[np.int64]
    weights: FloatArray


class GatheredPixels(NamedTuple):
    """The pixels under L lenslets.

    Attributes
    ----------
    pixels
        Shape (L, P), float32: light, less the mean of its color.
    means
        Shape (L, 3), float32: mean light per color.
    levels
        Shape (L,), float32: mean response.
    """

    pixels: FloatArray
    means: FloatArray
    levels: FloatArray


@njit(cache=True, nogil=True)
def gather_lens_images(
    light: FloatArray,
    response: FloatArray,
    corners: NDArray[np.int64],
    pattern: PixelPattern,
    gathered: GatheredPixels,
) -> None:
    """Fill `gathered` with the pixels at `corners` (L, 2), (row, column), and the offsets.

    Beyond the sensor's edge the pixels inside are mirrored, which keeps the Bayer color.

    Parameters
    ----------
    light, response
        Shape (H, W): linear light, and share of full response.
    """
    height, width = light.shape
    offsets, colors, weights = pattern
    pixels, means, levels = gathered
    for i in range(corners.shape[0]):
        total = np.zeros(3, np.float32)
        weight = np.zeros(3, np.float32)
        response_sum = np.float32(0)
        for k in range(offsets.shape[0]):
            row = abs(corners[i, 0] + offsets[k, 0])
            column = abs(corners[i, 1] + offsets[k, 1])
            row = row if row < height else 2 * (height - 1) - row
            column = column if column < width else 2 * (width - 1) - column
            value = light[row, column]
            pixels[i, k] = value
            total[colors[k]] += weights[k] * value
            weight[colors[k]] += weights[k]
            response_sum += response[row, column]
        for c in range(3):
            means[i, c] = total[c] / weight[c]
        for k in range(offsets.shape[0]):
            pixels[i, k] -= means[i, colors[k]]
        levels[i] = response_sum / offsets.shape[0]


@njit(cache=True, nogil=True, fastmath=True)
def shrink_to_neighbors(
    values: FloatArray,
    variance: FloatArray,
    valid: NDArray[np.bool_],
    shift: FloatArray,
    out: FloatArray,
) -> None:
    """Adaptive Wiener filter over each lenslet and its six neighbors.

    `values`, `variance` and `out` have shape (rows, columns, n); `shift`, shape (rows,), is
    the place of each row's first lenslet, in pitches. Where the spread among the neighbors is no
    more than their noise, a value is replaced by their mean; where it is much more, it is kept.
    """
    rows, columns, n = values.shape
    for j in range(rows):
        for i in range(columns):
            for k in range(n):
                total, square, noise, count = 0.0, 0.0, 0.0, 0
                for dj in range(-1, 2):
                    jj = j + dj
                    if jj < 0 or jj >= rows:
                        continue
                    first = i - 1
                    last = i + 1
                    if dj != 0:
                        first = i + int(np.floor(shift[j] - shift[jj]))
                        last = first + 1
                    for ii in range(max(first, 0), min(last + 1, columns)):
                        if valid[jj, ii]:
                            total += values[jj, ii, k]
                            square += values[jj, ii, k] * values[jj, ii, k]
                            noise += variance[jj, ii, k]
                            count += 1
                value = values[j, i, k]
                if count < 3 or not valid[j, i]:
                    out[j, i, k] = value
                    continue
                mean = total / count
                spread = (square - total * mean) / (count - 1)
                # Seven values tell little of a spread: rather keep color than lose it.
                signal = 3.0 * max(spread - noise / count, 0.0)
                gain = signal / (signal + variance[j, i, k] + 1e-20)
                out[j, i, k] = mean + gain * (value - mean)


@njit(cache=True, nogil=True)
def fill_from_neighbors(
    values: FloatArray,
    valid: NDArray[np.bool_],
    dead: NDArray[np.bool_],
    shift: FloatArray,
) -> None:
    """Give `dead` lenslets the mean of the valid ones among their six neighbors, from the top.

    `values`, shape (rows, columns, n), and `valid` are changed; `shift` as in
    `shrink_to_neighbors`. A lenslet without any valid neighbor stays invalid.
    """
    rows, columns, n = values.shape
    for j in range(rows):
        for i in range(columns):
            if not dead[j, i]:
                continue
            total = np.zeros(n, np.float32)
            count = 0
            for jj in range(max(j - 1, 0), min(j + 2, rows)):
                first, last = i - 1, i + 1
                if jj != j:
                    first = i + int(np.floor(shift[j] - shift[jj]))
                    last = first + 1
                for ii in range(max(first, 0), min(last + 1, columns)):
                    if valid[jj, ii]:
                        total += values[jj, ii]
                        count += 1
            if count > 0:
                values[j, i] = total / np.float32(count)
                valid[j, i] = True
