"""Compiled assembly of sub-aperture views."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray

_SAMPLES_AT_ONCE = 16


@njit(cache=True, nogil=True, fastmath=True)
def assemble_row(
    lens_rows: FloatArray,
    valid: NDArray[np.bool_],
    first_x: FloatArray,
    middle: int,
    positions: DoubleArray,
    neighbors: NDArray[np.int64],
    weights: FloatArray,
    scale: float,
    offset: float,
    codes: CodeArray,
) -> None:
    """One row of all views from the lenslets around it.

    Parameters
    ----------
    lens_rows
        Shape (rows, lenslets, channels): light of every view under each lenslet.
    valid
        Shape (rows, lenslets).
    first_x
        Shape (rows,): place of each row's first lenslet, in pitches.
    middle
        The row that the samples lie on.
    positions
        Shape (samples,), in pitches.
    neighbors, weights
        As `interpolation_table` gives them.
    codes
        Shape (samples, channels), filled: ``light / scale + offset``.
    """
    channels = lens_rows.shape[2]
    columns = lens_rows.shape[1]
    phases = neighbors.shape[0]
    light = np.empty(channels, np.float32)
    for i in range(positions.shape[0]):
        step = int(np.rint((positions[i] - first_x[middle]) * phases))
        phase = step % phases
        at = first_x[middle] + step / phases
        light[:] = 0
        total = np.float32(0)
        for k in range(neighbors.shape[1]):
            j = middle + neighbors[phase, k, 0]
            if j < 0 or j >= lens_rows.shape[0]:
                continue
            m = int(np.floor(at - first_x[j] + 1e-6)) + neighbors[phase, k, 1]
            if m < 0 or m >= columns or not valid[j, m]:
                continue
            w = weights[phase, k]
            total += w
            for c in range(channels):
                light[c] += w * lens_rows[j, m, c]
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
