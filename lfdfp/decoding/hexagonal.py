"""Hexagonal lattice to square pixels: linear prediction from the nearest lenslets.

The picture behind the lenslets is taken for a stationary random field with the spectrum of natural
pictures, averaged over a lenslet. The best linear predictor
of a point between lenslets (kriging) then has weights that depend on nothing but the point's place
in the lattice. It is two-dimensional: rows that lie half a pitch apart are interpolated alike, so
that sharpness does not alternate from row to row.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray
from lfdfp.decoding.view_kernels import InterpolationTable

REACH_ROWS = 2
"""Rows above and below that a prediction uses."""

PHASES = 64
"""Places between two lenslets of a row, for which the weights are tabulated."""

_NEIGHBORS_PER_ROW = 6
_NEIGHBORS = 26
_LENSLET_WIDTH_PITCH = 0.93
_NOISE_SHARE = 1e-3
_SPECTRAL_POWER = 2.5
_LONGEST_WAVE_PITCH = 24.0


@lru_cache(maxsize=1)
def interpolation_table() -> InterpolationTable:
    """Neighbors and weights of samples, for every phase: how far right of a lenslet they lie."""
    tables = [_predictor(k / PHASES) for k in range(PHASES)]
    return InterpolationTable(
        neighbors=np.stack([table[0] for table in tables]),
        weights=np.stack([table[1] for table in tables]).astype(np.float32),
    )


def _predictor(phase: float) -> tuple[NDArray[np.int64], DoubleArray]:
    """Neighbors and weights for a sample at `phase` (0 to 1) right of a lenslet of its row."""
    rows = np.arange(-REACH_ROWS, REACH_ROWS + 1)
    places = np.arange(-(_NEIGHBORS_PER_ROW // 2), _NEIGHBORS_PER_ROW // 2 + 1)
    row, place = (a.ravel() for a in np.meshgrid(rows, places, indexing="ij"))
    # The lenslets of odd rows lie half a pitch to the side: count from the last one on the left.
    left = np.where(row % 2 == 0, -phase, np.where(phase >= 0.5, 0.5 - phase, -0.5 - phase))
    y, x = (np.asarray(a, np.float64) for a in (row * ROW_STEP_PITCHES, place + left))
    nearest = np.argsort(y**2 + x**2, kind="stable")[:_NEIGHBORS]
    weights = _kriging_weights(y[nearest], x[nearest])
    return np.stack([row[nearest], place[nearest]], axis=-1), weights


def _kriging_weights(y: DoubleArray, x: DoubleArray) -> DoubleArray:
    """Weights, summing to one, that predict the field at (0, 0) from its values at (y, x)."""
    n = len(y)
    system = np.ones((n + 1, n + 1))
    system[n, n] = 0
    system[:n, :n] = _covariance(np.hypot(y[:, None] - y, x[:, None] - x))
    system[:n, :n] += _NOISE_SHARE * np.eye(n)
    goal = np.ones(n + 1)
    goal[:n] = _covariance(np.hypot(y, x))
    return np.asarray(np.linalg.solve(system, goal)[:n])


def _covariance(distance_pitch: DoubleArray) -> DoubleArray:
    """Of the field averaged over lenslets, relative to its variance."""
    distances, values = _covariance_table()
    return np.asarray(np.interp(distance_pitch, distances, values))


@lru_cache(maxsize=1)
def _covariance_table() -> tuple[DoubleArray, DoubleArray]:
    """Fourier transform of the spectrum, averaged over directions, at distances up to 8."""
    from scipy.special import j0

    frequency = np.linspace(0, 4, 4001)
    spectrum = (frequency**2 + _LONGEST_WAVE_PITCH**-2.0) ** (-_SPECTRAL_POWER / 2)
    spectrum *= np.sinc(_LENSLET_WIDTH_PITCH * frequency) ** 2 * frequency
    distances = np.linspace(0, 8, 801)
    values = j0(2 * np.pi * distances[:, None] * frequency) @ spectrum
    return distances, values / values[0]
