"""Compiled loops over sensor pixels."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray


@njit(cache=True, nogil=True)
def linearize(
    mosaic: CodeArray, response: FloatArray, levels: FloatArray, light: FloatArray
) -> None:
    """Fill `light` from raw codes; NaN where the response says nothing.

    `levels`, shape (2, 2, 4), holds for each place in the Bayer cell: black, gain per code, the
    code that counts as saturated, and the least response that can be divided by.
    """
    height, width = mosaic.shape
    for row in range(height):
        for column in range(width):
            level = levels[row & 1, column & 1]
            w = response[row, column]
            if w >= level[3]:
                light[row, column] = (np.float32(mosaic[row, column]) - level[0]) * level[1] / w
            else:
                light[row, column] = np.nan


@njit(cache=True, nogil=True)
def fill_unmeasured(light: FloatArray) -> int:
    """Replace NaN by the mean of the neighbors of the same color; return how many there were."""
    height, width = light.shape
    count = 0
    for row in range(height):
        for column in range(width):
            if np.isnan(light[row, column]):
                light[row, column] = _same_color_mean(light, row, column)
                count += 1
    return count


@njit(cache=True, nogil=True)
def neutralize_highlights(
    mosaic: CodeArray, response: FloatArray, levels: FloatArray, light: FloatArray
) -> int:
    """Raise saturated pixels of `light` to the level that their neighbors of other colors reach.

    `mosaic`, `response` and `light` have the shape (rows, columns); `levels` (2, 2, 4) holds
    black, gain, the saturated code and the least response of every color.

    A saturated code is a lower bound. After white balance the channels saturate at different
    levels, which shows as pink; where the other colors around are higher, gray is the best guess.
    Dead pixels keep what their neighbors gave them. Returns how many pixels were saturated.
    """
    height, width = mosaic.shape
    count = 0
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            level = levels[row & 1, column & 1]
            if mosaic[row, column] < level[2] or response[row, column] < level[3]:
                continue
            count += 1
            beside = _level_of_pair(mosaic, response, levels, light, row, column, 0, 1)
            above = _level_of_pair(mosaic, response, levels, light, row, column, 1, 0)
            diagonal = 0.5 * (
                _level_of_pair(mosaic, response, levels, light, row, column, 1, 1)
                + _level_of_pair(mosaic, response, levels, light, row, column, 1, -1)
            )
            light[row, column] = max(
                _level_of_pair(mosaic, response, levels, light, row, column, 0, 0),
                max(beside, max(above, diagonal)),
            )
    return count


@njit(cache=True, nogil=True)
def _level_of_pair(
    mosaic: CodeArray,
    response: FloatArray,
    levels: FloatArray,
    light: FloatArray,
    row: int,
    column: int,
    down: int,
    right: int,
) -> float:
    """Mean of two opposite pixels; saturated ones count at the level where they saturate."""
    total = 0.0
    for sign in (-1, 1):
        y, x = row + sign * down, column + sign * right
        level = levels[y & 1, x & 1]
        if mosaic[y, x] >= level[2] and response[y, x] >= level[3]:
            total += (level[2] - level[0]) * level[1] / response[y, x]
        else:
            total += light[y, x]
    return 0.5 * total


@njit(cache=True, nogil=True)
def repair_hot_pixels(
    response: FloatArray, noise: DoubleArray, ratio: float, deviations: float, light: FloatArray
) -> int:
    """Replace pixels of `light` (rows, columns) that stand out of their color and those beside it.

    Light that a lenslet focuses reaches the adjacent pixels too; a hot pixel stands alone.
    `noise` holds read variance, shot gain (both in units of light) and relative noise.
    Returns how many pixels were replaced.
    """
    height, width = light.shape
    count = 0
    for row in range(2, height - 2):
        for column in range(2, width - 2):
            value = light[row, column]
            if value <= ratio * max(light[row, column - 2], light[row, column + 2]):
                continue
            w = max(response[row, column], np.float32(0.02))
            variance = noise[0] / (w * w) + noise[1] * max(value, np.float32(0)) / w
            margin = deviations * np.sqrt(variance)
            same, beside = -np.inf, -np.inf
            for dy in (-2, 0, 2):
                for dx in (-2, 0, 2):
                    if dy != 0 or dx != 0:
                        same = max(same, light[row + dy, column + dx])
                        beside = max(beside, light[row + dy // 2, column + dx // 2])
            if value > ratio * same + margin and value > ratio * beside + margin:
                light[row, column] = _same_color_mean(light, row, column)
                count += 1
    return count


@njit(cache=True, nogil=True)
def _same_color_mean(light: FloatArray, row: int, column: int) -> float:
    height, width = light.shape
    total, count = 0.0, 0
    for y in range(row - 2, row + 3, 2):
        for x in range(column - 2, column + 3, 2):
            inside = 0 <= y < height and 0 <= x < width and (y != row or x != column)
            if inside and not np.isnan(light[y, x]):
                total += light[y, x]
                count += 1
    return total / count if count else 0.0
