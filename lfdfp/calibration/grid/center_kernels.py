"""Compiled loops over the pixels under each lenslet: mean profile, and shift against it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray


@njit(cache=True, nogil=True)
def radial_histograms(
    mosaic: CodeArray,
    levels: DoubleArray,
    centers: DoubleArray,
    radii_px: tuple[float, float],
    bins_per_px: float,
    top_ratio: float,
    counts: NDArray[np.int64],
) -> None:
    """Count light / (mean light near the center) by the distance from the center.

    Parameters
    ----------
    mosaic
        Raw codes.
    levels
        Shape (4, 3): black, least usable mean above black, most usable code, per Bayer plane.
    centers
        Shape (L, 2).
    radii_px
        Inside the first the mean is taken, per Bayer plane; inside the second, pixels count.
    counts
        Shape (R, B): distances, bins of the ratio from 0 to `top_ratio`; added to.
    """
    height, width = mosaic.shape
    bins = counts.shape[1]
    inner, outer = radii_px
    total, number = np.zeros(4), np.zeros(4)
    for lenslet in range(centers.shape[0]):
        y, x = centers[lenslet, 0], centers[lenslet, 1]
        if min(y, x, height - 1 - y, width - 1 - x) < outer:
            continue
        rows = range(math.ceil(y - outer), math.floor(y + outer) + 1)
        columns = range(math.ceil(x - outer), math.floor(x + outer) + 1)
        total[:] = 0.0
        number[:] = 0.0
        for row in rows:
            for column in columns:
                if math.hypot(row - y, column - x) < inner:
                    k = 2 * (row & 1) + (column & 1)
                    total[k] += mosaic[row, column] - levels[k, 0]
                    number[k] += 1.0
        for row in rows:
            for column in columns:
                distance = math.hypot(row - y, column - x)
                k = 2 * (row & 1) + (column & 1)
                code = mosaic[row, column]
                if distance >= outer or number[k] == 0 or code >= levels[k, 2]:
                    continue
                mean = total[k] / number[k]
                if mean < levels[k, 1]:
                    continue
                b = int((code - levels[k, 0]) / mean / top_ratio * bins)
                counts[int(distance * bins_per_px), min(max(b, 0), bins - 1)] += 1


@njit(cache=True, nogil=True)
def _add_lenslet(
    mosaic: CodeArray,
    levels: DoubleArray,
    colors: NDArray[np.int64],
    center: DoubleArray,
    radius_px: float,
    profile: DoubleArray,
    samples_per_px: float,
    gram: DoubleArray,
    number: DoubleArray,
) -> bool:
    """Sums of products of regressors and light per color; False where saturated or cut off.

    The regressors are the profile, the profile times (down, right), and the change of the
    profile when its center moves (down, right); the light is the sixth. Upper triangle only.
    """
    height, width = mosaic.shape
    y, x = center[0], center[1]
    if min(y, x, height - 1 - y, width - 1 - x) < radius_px:
        return False
    gram[:] = 0.0
    number[:] = 0.0
    term = np.empty(6)
    for row in range(math.ceil(y - radius_px), math.floor(y + radius_px) + 1):
        down = row - y
        half = math.sqrt(max(radius_px * radius_px - down * down, 0.0))
        for column in range(math.ceil(x - half), math.floor(x + half) + 1):
            right = column - x
            distance = math.sqrt(down * down + right * right)
            k = 2 * (row & 1) + (column & 1)
            if mosaic[row, column] >= levels[k, 2]:
                return False
            c = colors[k]
            place = distance * samples_per_px
            i = int(place)
            share = place - i
            p = profile[0, i] * (1 - share) + profile[0, i + 1] * share
            slope = profile[1, i] * (1 - share) + profile[1, i + 1] * share
            slope /= max(distance, 1e-9)
            term[0], term[1], term[2] = p, p * down, p * right
            term[3], term[4] = -slope * down, -slope * right
            term[5] = mosaic[row, column] - levels[k, 0]
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
def lenslet_shifts(
    mosaic: CodeArray,
    levels: DoubleArray,
    colors: NDArray[np.int64],
    centers: DoubleArray,
    radius_px: float,
    profile: DoubleArray,
    samples_per_px: float,
    noise: tuple[float, float],
    gradient_prior: tuple[float, float],
    information: FloatArray,
    pull: FloatArray,
) -> None:
    """How far each lenslet's image lies from where it is expected, as normal equations.

    Per color, the light is ``P(p - shift) (a + g·p)``: the profile P, moved, times light that
    varies linearly over the aperture. The amplitude a is free, the gradient g has a Gaussian
    prior; both are eliminated. Colors are added with their own variances: noise, and what the
    fit leaves over, so that a lenslet with a structured scene counts less.

    Parameters
    ----------
    profile
        Shape (2, N): the profile and its derivative (per pixel) by distance.
    noise
        (variance in the dark, variance per code) of the raw codes.
    gradient_prior
        (standard deviation of g / a per pixel, relative error of the model).
    information, pull
        Shapes (L, 3) and (L, 2), overwritten: the shift of a lenslet solves
        ``[[I0, I1], [I1, I2]] shift = pull``; zeros where a lenslet says nothing.
    """
    gram, number = np.empty((3, 6, 6)), np.empty(3)
    information[:] = 0.0
    pull[:] = 0.0
    for lenslet in range(centers.shape[0]):
        center = centers[lenslet]
        if not _add_lenslet(
            mosaic, levels, colors, center, radius_px, profile, samples_per_px, gram, number
        ):
            continue
        for c in range(3):
            m = gram[c]
            amplitude = m[0, 5] / max(m[0, 0], 1e-9)
            if number[c] < 8 or amplitude < levels[0, 1]:
                continue
            expected = noise[0] + 0.6 * noise[1] * amplitude
            ridge = (gradient_prior[1] ** 2 + expected / amplitude**2) / gradient_prior[0] ** 2
            m[1, 1] += ridge
            m[2, 2] += ridge
            _eliminate(m, 3)
            determinant = m[3, 3] * m[4, 4] - m[3, 4] ** 2
            if determinant <= 1e-6 * m[3, 3] * m[4, 4]:
                continue
            explained = m[4, 4] * m[3, 5] ** 2 - 2 * m[3, 4] * m[3, 5] * m[4, 5]
            explained = (explained + m[3, 3] * m[4, 5] ** 2) / determinant
            left_over = max(m[5, 5] - explained, 0.0) / max(number[c] - 5.0, 1.0)
            precision = 1.0 / (expected + left_over)
            information[lenslet, 0] += m[3, 3] * amplitude**2 * precision
            information[lenslet, 1] += m[3, 4] * amplitude**2 * precision
            information[lenslet, 2] += m[4, 4] * amplitude**2 * precision
            pull[lenslet, 0] += m[3, 5] * amplitude * precision
            pull[lenslet, 1] += m[4, 5] * amplitude * precision
