"""Compiled assembly of sub-aperture views."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray

_SAMPLES_AT_ONCE = 16


class LensRows(NamedTuple):
    """Some rows of lenslets, the middle one of which the samples lie on.

    Attributes
    ----------
    light
        Shape (rows, lenslets, channels), float32: of every view and color under each lenslet.
    valid
        Shape (rows, lenslets).
    first_x
        Shape (rows,), float32: place of each row's first lenslet, in pitches.
    """

    light: FloatArray
    valid: NDArray[np.bool_]
    first_x: FloatArray


class InterpolationTable(NamedTuple):
    """Which lenslets make up a sample between them, by its phase.

    Attributes
    ----------
    neighbors
        Shape (phases, n, 2), int64: row and place along the row, relative to the sample's row and
        to the last lenslet of each row that lies at or left of the sample.
    weights
        Shape (phases, n), float32; they sum to one.
    """

    neighbors: NDArray[np.int64]
    weights: FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def assemble_row(
    lenslets: LensRows,
    positions: DoubleArray,
    table: InterpolationTable,
    scale: float,
    offset: float,
    codes: CodeArray,
) -> None:
    """One row of all views from the lenslets around it.

    Parameters
    ----------
    positions
        Shape (samples,), in pitches.
    codes
        Shape (samples, channels), filled: ``light / scale + offset``.
    """
    lens_light, valid, first_x = lenslets
    neighbors, weights = table
    rows, columns, channels = lens_light.shape
    middle, phases = rows // 2, neighbors.shape[0]
    light = np.empty(channels, np.float32)
    for i in range(positions.shape[0]):
        step = int(np.rint((positions[i] - first_x[middle]) * phases))
        phase = step % phases
        at = first_x[middle] + step / phases
        light[:] = 0
        total = np.float32(0)
        for k in range(neighbors.shape[1]):
            j = middle + neighbors[phase, k, 0]
            if j < 0 or j >= rows:
                continue
            m = int(np.floor(at - first_x[j] + 1e-6)) + neighbors[phase, k, 1]
            if m < 0 or m >= columns or not valid[j, m]:
                continue
            w = weights[phase, k]
            total += w
            for c in range(channels):
                light[c] += w * lens_light[j, m, c]
        norm = np.float32(1 / (scale * total)) if total > 0.05 else np.float32(0)
        for c in range(channels):
            code = light[c] * norm + np.float32(offset + 0.5)
            codes[i, c] = np.uint16(min(max(code, np.float32(0)), np.float32(65535)))


@njit(cache=True, nogil=True)
def scatter_row(codes: CodeArray, row: int, views: CodeArray) -> None:
    """Write one row, shape (samples, V U 3), into `views`, shape (V, U, T, S, 3).

    Samples are taken in groups whose codes fit the processor's first cache.
    """
    n_v, n_u, _, n_s, _ = views.shape
    for first in range(0, n_s, _SAMPLES_AT_ONCE):
        last = min(first + _SAMPLES_AT_ONCE, n_s)
        for v in range(n_v):
            for u in range(n_u):
                line = views[v, u, row]
                place = 3 * (v * n_u + u)
                for s in range(first, last):
                    line[s, 0] = codes[s, place]
                    line[s, 1] = codes[s, place + 1]
                    line[s, 2] = codes[s, place + 2]


@njit(cache=True, nogil=True)
def trust_row(
    response: FloatArray,
    centers: FloatArray,
    offsets: FloatArray,
    rim: FloatArray,
    row: int,
    weights: NDArray[np.uint8],
) -> None:
    """Weights of one row of all views: the response at the ray's pixel, faded out at the rim.

    `centers`, shape (2, samples), are those of the lens images nearest to the samples;
    `offsets`, shape (V, U, 2), lead from there to each view's ray; `rim`, shape (V, U).
    """
    height, width = response.shape
    n_v, n_u = rim.shape
    for v in range(n_v):
        for u in range(n_u):
            for s in range(centers.shape[1]):
                y = int(np.rint(centers[0, s] + offsets[v, u, 0]))
                x = int(np.rint(centers[1, s] + offsets[v, u, 1]))
                inside = 0 <= y < height and 0 <= x < width
                trust = rim[v, u] * response[y, x] if inside else np.float32(0)
                weights[v, u, row, s] = np.uint8(min(max(trust, 0.0), 1.0) * 255 + 0.5)
