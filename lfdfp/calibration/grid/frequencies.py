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
_CANDIDATES = 8

INDICES = np.array([(1, 0), (0, 1), (1, 1)], np.float64)
"""Integer pairs n: the lattice's lowest frequencies are those of cos 2π n·(q, r)."""


def reciprocal_vectors(grid: LensletGrid) -> DoubleArray:
    """Shape (3, 2): (row, column) in cycles per pixel of the frequencies `INDICES`."""
    return INDICES @ np.linalg.inv(grid.basis_px)


def find_frequencies(planes: list[LatticePlane], seed: LensletGrid) -> list[DoubleArray]:
    """Likely frequencies of the lattice near those of a seed, from the averaged power of tiles.

    The three peaks are sought together, over scale (within 5 % of the seed's) and rotation
    (within 0.03 rad), so that one strong frequency of the scene cannot mislead; then each is
    refined by itself.

    Returns
    -------
    list of ndarray of shape (2, 2)
        (row, column) in cycles per sensor pixel for (1, 0) and (0, 1), likeliest first.
    """
    power, size = _tile_power(planes)
    expected = reciprocal_vectors(seed)
    found = []
    for three in _joint_search(power, expected, size):
        peaks = np.stack([_refined_peak(power, f, size) for f in three])
        two, *_ = np.linalg.lstsq(INDICES, peaks, rcond=None)
        found.append(np.asarray(two, np.float64))
    return found


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

    Each as the three frequencies, shape (3, 2).
    """
    from scipy import ndimage

    blurred = np.log(np.maximum(ndimage.maximum_filter(power, 3), 1e-3))
    scales = np.arange(1 - _SCALE_RANGE, 1 + _SCALE_RANGE, _SEARCH_STEP)
    angles = np.arange(-_ROTATION_RANGE_RAD, _ROTATION_RANGE_RAD, _SEARCH_STEP)
    scale, angle = (g.ravel() for g in np.meshgrid(scales, angles, indexing="ij"))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    row = cos[:, None] * expected[:, 0] + sin[:, None] * expected[:, 1]
    column = -sin[:, None] * expected[:, 0] + cos[:, None] * expected[:, 1]
    at = np.stack([size[0] // 2 + 2 * size[0] * row, size[1] // 2 + 2 * size[1] * column])
    score = ndimage.map_coordinates(blurred, at.reshape(2, -1), order=1, mode="grid-wrap")
    mean = score.reshape(row.shape).mean(axis=1).reshape(len(scales), len(angles))
    peaks = np.flatnonzero((mean == ndimage.maximum_filter(mean, 5)).ravel())
    strongest = peaks[np.argsort(-mean.ravel()[peaks])][:_CANDIDATES]
    return [np.stack([row[k], column[k]], axis=1) for k in strongest]


def _refined_peak(power: FloatArray, frequency: DoubleArray, size: tuple[int, int]) -> DoubleArray:
    """Center of gravity of the peak's logarithm, by a parabola along each axis."""
    guess = np.array(size) // 2 + 2 * np.array(size) * frequency
    around = np.rint(guess).astype(int)
    reach = 2
    rows, columns = (np.arange(-reach, reach + 1) + a for a in around)
    patch = power[np.ix_(rows % size[0], columns % size[1])]
    top = np.array(np.unravel_index(int(np.argmax(patch)), patch.shape)) - reach + around
    shift = [_parabola(power, top, axis, size) for axis in (0, 1)]
    return np.asarray((top + shift - np.array(size) // 2) / (2.0 * np.array(size)))


def _parabola(power: FloatArray, top: DoubleArray, axis: int, size: tuple[int, int]) -> float:
    step = np.eye(2, dtype=int)[axis]
    values = [power[tuple((top + k * step) % size)] for k in (-1, 0, 1)]
    before, middle, after = (float(np.log(max(value, 1e-6))) for value in values)
    curvature = before - 2 * middle + after
    return 0.0 if curvature >= 0 else float(np.clip(0.5 * (before - after) / curvature, -1, 1))
