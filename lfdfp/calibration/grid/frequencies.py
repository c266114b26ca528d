"""Find the three lowest frequencies of the lenslet lattice in a mosaic's spectrum."""

from __future__ import annotations

import numpy as np

from lfdfp.calibration.grid.signal import LatticePlane
from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid

_TILE = 512
_MOST_TILES_PER_SIDE = 4
_SCALE_RANGE = 0.05
_ROTATION_RANGE_RAD = 0.03
_SEARCH_STEP = 0.0015
_PEAK_BINS = 0.5
"""Width of a peak in the spectrum of a tile: what distortion and the tile's window leave of it."""

_CANDIDATES = 16
_APART = 0.008
"""Candidates differ by more than this in scale or rotation: a bin of the spectrum or more."""

INDICES = np.array([(1, 0), (0, 1), (1, 1)], np.float64)
"""Integer pairs n: the lattice's lowest frequencies are those of cos 2π n·(q, r)."""


def reciprocal_vectors(grid: LensletGrid) -> DoubleArray:
    """Shape (3, 2): (row, column) in cycles per pixel of the frequencies `INDICES`."""
    return INDICES @ np.linalg.inv(grid.basis_px)


def find_frequencies(planes: list[LatticePlane], seed: LensletGrid) -> list[DoubleArray]:
    """Likely frequencies of the lattice near those of a seed, from the averaged power of tiles.

    The three peaks are sought together, over scale (within 5 % of the seed's) and rotation
    (within 0.03 rad), so that one strong frequency of the scene cannot mislead.

    Returns
    -------
    list of ndarray of shape (2, 2)
        (row, column) in cycles per sensor pixel for (1, 0) and (0, 1), likeliest first; right
        to about one over the tiles' size.
    """
    power, size = _tile_power(planes)
    return _joint_search(power, reciprocal_vectors(seed), size)


def _tile_power(planes: list[LatticePlane]) -> tuple[FloatArray, tuple[int, int]]:
    """Power relative to its surroundings, zero frequency in the middle, and the tiles' size."""
    from scipy import fft, ndimage

    height = min(p.signal.shape[0] for p in planes)
    width = min(p.signal.shape[1] for p in planes)
    size = min(_TILE, height), min(_TILE, width)
    window = np.outer(np.hanning(size[0] + 2)[1:-1], np.hanning(size[1] + 2)[1:-1])
    power = np.zeros(size)
    for top in _tile_starts(height, size[0]):
        for left in _tile_starts(width, size[1]):
            cut = slice(top, top + size[0]), slice(left, left + size[1])
            tile = sum(p.signal[cut] for p in planes) * window.astype(np.float32)
            spectrum = np.abs(fft.fft2(tile)) ** 2
            lit = float(np.mean([p.trust[cut].mean() for p in planes]))
            power += lit * spectrum / max(float(spectrum.mean()), 1e-12)
    around = ndimage.uniform_filter(power, 33, mode="wrap")
    relative = power / np.maximum(around, 1e-12)
    return fft.fftshift(relative).astype(np.float32), size


def _tile_starts(length: int, tile: int) -> list[int]:
    count = min(_MOST_TILES_PER_SIDE, -(-length // tile))
    return [int(start) for start in np.linspace(0, length - tile, count)]


def _joint_search(
    power: FloatArray, expected: DoubleArray, size: tuple[int, int]
) -> list[DoubleArray]:
    """Scales and rotations under which the three expected peaks are strongest together.

    Each as the frequencies of (1, 0) and (0, 1), shape (2, 2).
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(power, _PEAK_BINS, mode="wrap")
    logarithm = np.log(np.maximum(smooth, 1e-3))
    scales = np.arange(1 - _SCALE_RANGE, 1 + _SCALE_RANGE, _SEARCH_STEP)
    angles = np.arange(-_ROTATION_RANGE_RAD, _ROTATION_RANGE_RAD, _SEARCH_STEP)
    scale, angle = (g.ravel() for g in np.meshgrid(scales, angles, indexing="ij"))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    row = cos[:, None] * expected[:, 0] + sin[:, None] * expected[:, 1]
    column = -sin[:, None] * expected[:, 0] + cos[:, None] * expected[:, 1]
    at = np.stack([size[0] // 2 + 2 * size[0] * row, size[1] // 2 + 2 * size[1] * column])
    score = ndimage.map_coordinates(logarithm, at.reshape(2, -1), order=1, mode="grid-wrap")
    strength = score.reshape(row.shape).mean(axis=1)
    found = []
    for _ in range(_CANDIDATES):
        best = int(np.argmax(strength))
        found.append(np.stack([row[best, :2], column[best, :2]], axis=1))
        near = np.hypot(scale - scale[best], angle - angle[best]) < _APART
        strength = np.where(near, -np.inf, strength)
    return found
