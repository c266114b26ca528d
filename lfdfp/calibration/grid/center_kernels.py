"""Compiled loops over the pixels under each lenslet: mean profile, and shift against it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray
from lfdfp.lenslets.kernels import columns_within, rows_within

_MOST_DETAIL = 0.15**2
"""What the scene's detail may leave over, relative to the light squared."""


class SensorArrays(NamedTuple):
    """Raw codes, and what they mean per Bayer plane.

    `mosaic` (H, W): raw codes; `levels` (4, 3): black, least usable mean above black, most usable
    code; `colors` (4,): color (0 red, 1 green, 2 blue).
    """

    mosaic: CodeArray
    levels: DoubleArray
    colors: NDArray[np.int64]


class ProfileArrays(NamedTuple):
    """How bright a lenslet's image is by the distance from its center.

    `samples` (2, N): the profile and its derivative per pixel, `samples_per_px` of them in a
    pixel; pixels within `radius_px` count.
    """

    samples: DoubleArray
    samples_per_px: float
    radius_px: float


class LightArrays(NamedTuple):
    """What is expected of the light under every lenslet, before its pixels are looked at.

    `amplitude` (L, 3): at the center, by color, in codes above black; `gradient` (L, 2): its
    relative change per pixel down and right; `amplitude_spread`: relative, `gradient_spread`:
    per pixel, `model_error`: relative, of single pixels.
    """

    amplitude: DoubleArray
    gradient: DoubleArray
    amplitude_spread: float
    gradient_spread: float
    model_error: float


@njit(cache=True, nogil=True)
def _plane_means(
    sensor: SensorArrays, y: float, x: float, radius: float, mean: DoubleArray
) -> None:
    """Mean light above black within a radius, shape (4,) by Bayer plane; NaN without pixels."""
    number = np.zeros(4)
    mean[:] = 0.0
    for row in range(*rows_within(y, radius, sensor.mosaic.shape)):
        for column in range(*columns_within(x, radius, row - y, sensor.mosaic.shape)):
            k = 2 * (row & 1) + (column & 1)
            mean[k] += sensor.mosaic[row, column] - sensor.levels[k, 0]
            number[k] += 1.0
    for k in range(4):
        mean[k] = mean[k] / number[k] if number[k] > 0 else np.nan


@njit(cache=True, nogil=True)
def radial_histograms(
    sensor: SensorArrays,
    centers: DoubleArray,
    radii_px: tuple[float, float],
    bins_per_px: float,
    top_ratio: float,
    counts: NDArray[np.int64],
    sums: DoubleArray,
) -> None:
    """Light relative to the mean light near the center, by the distance from the center.

    Parameters
    ----------
    centers
        Shape (L, 2).
    radii_px
        Inside the first the mean is taken, per Bayer plane; inside the second, pixels count.
    counts
        Shape (R, B): distances, bins of the ratio from 0 to `top_ratio`, of the planes whose mean
        is usable; added to.
    sums
        Shape (2, R): of the light and of the mean light, of all planes: their quotient is the
        mean profile, however strong the noise; added to.
    """
    height, width = sensor.mosaic.shape
    bins = counts.shape[1]
    inner, outer = radii_px
    mean = np.empty(4)
    for lenslet in range(centers.shape[0]):
        y, x = centers[lenslet, 0], centers[lenslet, 1]
        if min(y, x, height - 1 - y, width - 1 - x) < outer:
            continue
        _plane_means(sensor, y, x, inner, mean)
        for row in range(*rows_within(y, outer, sensor.mosaic.shape)):
            for column in range(*columns_within(x, outer, row - y, sensor.mosaic.shape)):
                k = 2 * (row & 1) + (column & 1)
                code = sensor.mosaic[row, column]
                if np.isnan(mean[k]) or code >= sensor.levels[k, 2]:
                    continue
                light = code - sensor.levels[k, 0]
                place = int(math.hypot(row - y, column - x) * bins_per_px)
                sums[0, place] += light
                sums[1, place] += mean[k]
                if mean[k] >= sensor.levels[k, 1]:
                    b = int(light / mean[k] / top_ratio * bins)
                    counts[place, min(max(b, 0), bins - 1)] += 1


@njit(cache=True, nogil=True)
def _add_lenslet(
    sensor: SensorArrays,
    profile: ProfileArrays,
    center: DoubleArray,
    gram: DoubleArray,
    number: DoubleArray,
) -> bool:
    """Sums of products of regressors and light per color; False where saturated or cut off.

    The regressors are the profile, the profile times (down, right), and the change of the
    profile when its center moves (down, right); the light is the sixth. Upper triangle only.
    """
    height, width = sensor.mosaic.shape
    y, x, radius = center[0], center[1], profile.radius_px
    if min(y, x, height - 1 - y, width - 1 - x) < radius:
        return False
    gram[:] = 0.0
    number[:] = 0.0
    term = np.empty(6)
    for row in range(*rows_within(y, radius, sensor.mosaic.shape)):
        down = row - y
        for column in range(*columns_within(x, radius, down, sensor.mosaic.shape)):
            right = column - x
            k = 2 * (row & 1) + (column & 1)
            if sensor.mosaic[row, column] >= sensor.levels[k, 2]:
                return False
            c = sensor.colors[k]
            distance = math.sqrt(down * down + right * right)
            place = distance * profile.samples_per_px
            i = int(place)
            share = place - i
            p = profile.samples[0, i] * (1 - share) + profile.samples[0, i + 1] * share
            slope = profile.samples[1, i] * (1 - share) + profile.samples[1, i + 1] * share
            slope /= max(distance, 1e-9)
            term[0], term[1], term[2] = p, p * down, p * right
            term[3], term[4] = -slope * down, -slope * right
            term[5] = sensor.mosaic[row, column] - sensor.levels[k, 0]
            number[c] += 1.0
            for a in range(6):
                for b in range(a, 6):
                    gram[c, a, b] += term[a] * term[b]
    return True


@njit(cache=True, nogil=True)
def _eliminate(gram: DoubleArray, count: int) -> None:
    """Gaussian elimination of the first `count` variables of a symmetric upper triangle."""
    for p in range(count):
        for a in range(p + 1, 6):
            factor = gram[p, a] / gram[p, p]
            for b in range(a, 6):
                gram[a, b] -= factor * gram[p, b]


@njit(cache=True, nogil=True)
def _amplitude(gram: DoubleArray, variance: float, expected: float, spread: float) -> Any:
    """Light at the center: what the lenslet's pixels say, held by what is expected of it."""
    own = gram[0, 5] / max(gram[0, 0], 1e-9)
    own_precision = gram[0, 0] / variance
    precision = 1.0 / max((spread * expected) ** 2, 1e-9)
    return (own * own_precision + expected * precision) / (own_precision + precision)


@njit(cache=True, nogil=True)
def lenslet_gradients(
    sensor: SensorArrays,
    profile: ProfileArrays,
    centers: DoubleArray,
    light: LightArrays,
    noise: tuple[float, float],
    gradients: FloatArray,
    weights: FloatArray,
) -> None:
    """Relative change of the light per pixel down and right under every lenslet.

    Parameters
    ----------
    noise
        (variance in the dark, variance per code) of the raw codes.
    gradients, weights
        Shapes (L, 2) and (L,), overwritten; weight 0 where a lenslet says nothing.
    """
    gram, number = np.empty((3, 6, 6)), np.empty(3)
    gradients[:] = 0.0
    weights[:] = 0.0
    for lenslet in range(centers.shape[0]):
        if not _add_lenslet(sensor, profile, centers[lenslet], gram, number):
            continue
        for c in range(3):
            m = gram[c]
            expected = light.amplitude[lenslet, c]
            if number[c] < 8 or expected < sensor.levels[0, 1]:
                continue
            variance = noise[0] + 0.6 * noise[1] * expected
            amplitude = _amplitude(m, variance, expected, light.amplitude_spread)
            if amplitude <= 0:
                continue
            m[1, 5] -= amplitude * m[0, 1]
            m[2, 5] -= amplitude * m[0, 2]
            determinant = m[1, 1] * m[2, 2] - m[1, 2] ** 2
            if determinant <= 1e-6 * m[1, 1] * m[2, 2]:
                continue
            down = (m[2, 2] * m[1, 5] - m[1, 2] * m[2, 5]) / determinant / amplitude
            right = (m[1, 1] * m[2, 5] - m[1, 2] * m[1, 5]) / determinant / amplitude
            information = amplitude**2 * math.sqrt(determinant)
            weight = information / (variance + (light.model_error * amplitude) ** 2)
            gradients[lenslet, 0] += weight * down
            gradients[lenslet, 1] += weight * right
            weights[lenslet] += weight
        if weights[lenslet] > 0:
            gradients[lenslet, 0] /= weights[lenslet]
            gradients[lenslet, 1] /= weights[lenslet]


@njit(cache=True, nogil=True)
def lenslet_shifts(
    sensor: SensorArrays,
    profile: ProfileArrays,
    centers: DoubleArray,
    light: LightArrays,
    noise: tuple[float, float],
    information: FloatArray,
    pull: FloatArray,
) -> None:
    """How far each lenslet's image lies from where it is expected, as normal equations.

    Per color, the light is ``P(p - shift) (a + g·p)``: the profile P, moved, times light that
    varies linearly over the aperture. Amplitude and gradient are eliminated; the gradient has a
    Gaussian prior about the one that is expected. Colors are added with their own variances:
    noise, and what the fit leaves over, so that a lenslet with a structured scene counts less.

    Parameters
    ----------
    noise
        (variance in the dark, variance per code) of the raw codes.
    information, pull
        Shapes (L, 3) and (L, 2), overwritten: the shift of a lenslet solves
        ``[[I0, I1], [I1, I2]] shift = pull``; zeros where a lenslet says nothing.
    """
    gram, number = np.empty((3, 6, 6)), np.empty(3)
    information[:] = 0.0
    pull[:] = 0.0
    for lenslet in range(centers.shape[0]):
        if not _add_lenslet(sensor, profile, centers[lenslet], gram, number):
            continue
        for c in range(3):
            m = gram[c]
            expected = light.amplitude[lenslet, c]
            if number[c] < 8 or expected < sensor.levels[0, 1]:
                continue
            variance = noise[0] + 0.6 * noise[1] * expected
            amplitude = _amplitude(m, variance, expected, light.amplitude_spread)
            if amplitude <= 0:
                continue
            for axis in range(2):
                _subtract(m, 1 + axis, amplitude * light.gradient[lenslet, axis])
            ridge = light.model_error**2 + variance / amplitude**2
            ridge /= light.gradient_spread**2
            m[1, 1] += ridge
            m[2, 2] += ridge
            _eliminate(m, 3)
            determinant = m[3, 3] * m[4, 4] - m[3, 4] ** 2
            if determinant <= 1e-6 * m[3, 3] * m[4, 4]:
                continue
            explained = m[4, 4] * m[3, 5] ** 2 - 2 * m[3, 4] * m[3, 5] * m[4, 5]
            explained = (explained + m[3, 3] * m[4, 5] ** 2) / determinant
            left_over = max(m[5, 5] - explained, 0.0) / max(number[c] - 5.0, 1.0)
            if left_over > variance + _MOST_DETAIL * amplitude**2:
                continue
            precision = 1.0 / (variance + left_over)
            information[lenslet, 0] += m[3, 3] * amplitude**2 * precision
            information[lenslet, 1] += m[3, 4] * amplitude**2 * precision
            information[lenslet, 2] += m[4, 4] * amplitude**2 * precision
            pull[lenslet, 0] += m[3, 5] * amplitude * precision
            pull[lenslet, 1] += m[4, 5] * amplitude * precision


@njit(cache=True, nogil=True)
def _subtract(gram: DoubleArray, regressor: int, factor: float) -> None:
    """Take a multiple of a regressor off the light, in the sums of products."""
    column = np.empty(5)
    for a in range(5):
        column[a] = gram[min(a, regressor), max(a, regressor)]
    gram[5, 5] += factor * (factor * column[regressor] - 2 * gram[regressor, 5])
    for a in range(5):
        gram[a, 5] -= factor * column[a]
