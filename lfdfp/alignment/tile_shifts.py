"""How far small tiles of one photograph lie from another's, and how certain that is.

Pictures are compared an octave at a time. In one octave a blur is little more than a factor, so the
tile that has more of it, times a factor, shifted, must explain the other: a least-squares problem
of three unknowns per tile. A blur that is symmetric does not shift an octave. Whether it is
symmetric in linear light or in encoded values depends on who made it, the lens or a program: both
are compared, and what they disagree on counts as uncertainty. So does a difference of blur, since
a blur that changes over a tile does shift it a little.

A tile's pixels all count alike, however bright it is, and its uncertainty says how much detail it
has: along an edge it is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.alignment.motions import level_to_full, moved_points, on_level, warped
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.imaging.display import encode, luma

_TILE_PX, _SMALL_TILE_PX = 32, 16
_SMALL_SIDE_PX: Final = 256
"""Pictures, or levels, with a shorter side are cut into small tiles, so that there are enough."""

_LEAST_SIDE_PX: Final = 64
LARGEST_WORKING_PIXELS: Final = 1_000_000
_FINE_SIGMA_PX, _COARSE_SIGMA_PX = 0.8, 2.4
_INDEPENDENT_SHARE: Final = 1 / 8
"""Of the pixels of an octave: neighbors are correlated."""

_BLUR_UNCERTAINTY_PX: Final = 1.0
"""Per factor e between the amplitudes of two tiles."""

_LEAST_AMPLITUDE: Final = 0.002
_LEAST_CORRELATION: Final = 0.3
_LARGEST_SHIFT_PX: Final = 4.0
_AGREED_CORRELATION, _AGREED_AMPLITUDE, _AGREED_SHIFT_PX = 0.5, 0.004, 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Luma of a photograph at halving sizes, finest first, encoded and in linear light.

    Attributes
    ----------
    shape
        (T, S) of the photograph itself; the finest level may already be smaller.
    """

    shape: tuple[int, int]
    encoded: tuple[FloatArray, ...]
    linear: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileShifts:
    """Where tiles of a first photograph are seen in a second one.

    Attributes
    ----------
    positions
        Shape (n, 2), center of each tile in the first photograph, (column, row) in its pixels.
    targets
        Shape (n, 2), where the second shows it.
    shifts
        Shape (n, 2), what is missing to `targets` in the pixels of the first photograph: the motion
        that was assumed maps ``positions + shifts`` to `targets`.
    covariances
        Shape (n, 2, 2), of `shifts`.
    scales
        Shape (n,), pixels of the photograph per pixel of the level that was compared.
    fineness
        Shape (n,), mean square of the spatial frequency (radians per pixel of the level), in the
        blurrier of the two.
    """

    positions: DoubleArray
    targets: DoubleArray
    shifts: DoubleArray
    covariances: DoubleArray
    scales: DoubleArray
    fineness: DoubleArray

    def __len__(self) -> int:
        return len(self.positions)


def levels_of(light: FloatArray) -> Levels:
    """Levels of a photograph (T, S, C) of linear light, of at most a megapixel."""
    import cv2

    shape = (light.shape[0], light.shape[1])
    shrink = max(float(np.sqrt(shape[0] * shape[1] / LARGEST_WORKING_PIXELS)), 1.0)
    size = (round(shape[1] / shrink), round(shape[0] / shrink))
    if shrink > 1:
        light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
        light = light.reshape(size[1], size[0], -1)
    return Levels(shape=shape, encoded=_halved(luma(encode(light))), linear=_halved(luma(light)))


def _halved(channel: FloatArray) -> tuple[FloatArray, ...]:
    import cv2

    made = [channel]
    while min(made[-1].shape) // 2 >= _LEAST_SIDE_PX:
        size = (made[-1].shape[1] // 2, made[-1].shape[0] // 2)
        made.append(np.asarray(cv2.resize(made[-1], size, interpolation=cv2.INTER_AREA)))
    return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """One level of two photographs, tile by tile: shifts in pixels of the level."""

    shifts: DoubleArray
    covariances: DoubleArray
    correlations: DoubleArray
    amplitudes: DoubleArray
    fineness: DoubleArray


def tile_shifts(
    first: Levels, second: Levels, matrix: DoubleArray, level: int, *, both_domains: bool
) -> TileShifts:
    """Shifts of the tiles of one level, under a motion that is nearly right.

    Parameters
    ----------
    matrix
        Shape (3, 3), from the first photograph to the second.
    both_domains
        Compare in linear light too, not in encoded values alone.
    """
    small = on_level(matrix, first.shape, first.encoded[level].shape)
    found = _compare(first.encoded[level], warped(second.encoded[level], small, smooth=False))
    shifts, covariances, correlations = found.shifts, found.covariances, found.correlations
    if both_domains:
        other = _compare(first.linear[level], warped(second.linear[level], small, smooth=False))
        apart = (other.shifts - shifts) / 2
        shifts = shifts + apart
        covariances = (covariances + other.covariances) / 2 + apart[:, :, None] * apart[:, None]
        correlations = np.minimum(correlations, other.correlations)
    centers = tile_centers(first.encoded[level].shape)
    usable = _inside(centers, small, first.encoded[level].shape)
    usable &= (found.amplitudes > _LEAST_AMPLITUDE) & (correlations > _LEAST_CORRELATION)
    usable &= np.hypot(*shifts.T) < _LARGEST_SHIFT_PX
    up = level_to_full(first.shape, first.encoded[level].shape)
    scale = float(np.sqrt(up[0, 0] * up[1, 1]))
    positions = moved_points(up, centers[usable])
    wide = scale * shifts[usable]
    return TileShifts(
        positions=positions,
        targets=moved_points(matrix, positions + wide),
        shifts=wide,
        covariances=scale**2 * covariances[usable],
        scales=np.full(len(positions), scale),
        fineness=found.fineness[usable],
    )


def joined_shifts(parts: Sequence[TileShifts]) -> TileShifts:
    """All tiles together."""
    names = ("positions", "targets", "shifts", "covariances", "scales", "fineness")
    return TileShifts(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def agreement(first: Levels, second: Levels, matrix: DoubleArray) -> float | None:
    """Share of the tiles with detail that show the same thing under a motion.

    Mean over the levels; None where hardly a tile has detail, so that nothing can be said.
    Photographs of one scene reach 0.3 to 1 however different their focus, others 0 to 0.02.
    """
    shares = []
    for level, picture in enumerate(first.encoded):
        small = on_level(matrix, first.shape, picture.shape)
        found = _compare(picture, warped(second.encoded[level], small, smooth=False))
        seen = _inside(tile_centers(picture.shape), small, picture.shape)
        seen &= found.amplitudes > _AGREED_AMPLITUDE
        same = seen & (found.correlations > _AGREED_CORRELATION)
        same &= np.hypot(*found.shifts.T) < _AGREED_SHIFT_PX
        if seen.sum() >= max(min(_LEAST_TILES, len(seen)), 1):
            shares.append(same.sum() / seen.sum())
    return float(np.mean(shares)) if shares else None


_LEAST_TILES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileCorrelations:
    """How alike tiles of two photographs are under a motion: encoded, then in linear light.

    Attributes
    ----------
    correlations
        Shape (n,) each, over the tiles of all levels.
    seen
        Shape (n,) each: the second photograph shows the whole tile, and it has detail.
    """

    correlations: tuple[DoubleArray, DoubleArray]
    seen: tuple[BoolArray, BoolArray]


def tile_correlations(first: Levels, second: Levels, matrix: DoubleArray) -> TileCorrelations:
    """Compare the octaves of all levels, tile by tile, under a motion (3, 3) to the second."""
    correlations, seen = [], []
    for name in ("encoded", "linear"):
        pairs = zip(getattr(first, name), getattr(second, name), strict=True)
        found = [
            _alike(one, other, on_level(matrix, first.shape, one.shape)) for one, other in pairs
        ]
        correlations.append(np.concatenate([alike for alike, _ in found]))
        seen.append(np.concatenate([inside for _, inside in found]))
    return TileCorrelations(
        correlations=(correlations[0], correlations[1]), seen=(seen[0], seen[1])
    )


def _alike(
    first: FloatArray, second: FloatArray, matrix: DoubleArray
) -> tuple[DoubleArray, BoolArray]:
    found = _compare(first, warped(second, matrix, smooth=False))
    inside = _inside(tile_centers(first.shape), matrix, first.shape)
    return found.correlations, inside & (found.amplitudes > _AGREED_AMPLITUDE)


def correlation_gain(before: TileCorrelations, after: TileCorrelations) -> float:
    """How surely a motion makes tiles more alike than another: a normal variable if it does not.

    Correlations of tiles in octaves are compared, by Wilcoxon's signed ranks: the outline of a
    bright specimen, which grows with blur as with magnification, has large gains in few tiles. The
    smaller of two answers, in linear light and in encoded values.
    """
    found = []
    for domain in (0, 1):
        pair = before.correlations[domain], after.correlations[domain]
        seen = before.seen[domain] & after.seen[domain]
        seen &= np.maximum(*pair) > _LEAST_CORRELATION
        z = [np.arctanh(np.clip(correlations, -0.999, 0.999)) for correlations in pair]
        gains = (z[1] - z[0])[seen]
        if len(gains) < _LEAST_TILES:
            return 0.0
        ranks = np.argsort(np.argsort(np.abs(gains))) + 1.0
        found.append(float((np.sign(gains) * ranks).sum() / np.sqrt(np.square(ranks).sum())))
    return min(found)


def _tile_side(shape: Sequence[int]) -> int:
    return _TILE_PX if min(shape) >= _SMALL_SIDE_PX else _SMALL_TILE_PX


def tile_centers(shape: Sequence[int]) -> DoubleArray:
    """Centers (n, 2) of the whole tiles of a picture (T, S), (column, row), row by row."""
    side = _tile_side(shape)
    rows, columns = np.mgrid[: shape[0] // side, : shape[1] // side]
    return np.stack([columns.ravel(), rows.ravel()], axis=1) * side + (side - 1) / 2


def _inside(centers: DoubleArray, matrix: DoubleArray, shape: Sequence[int]) -> BoolArray:
    """Whether the other picture shows the whole of a tile."""
    margin = _tile_side(shape) / 2
    x, y = moved_points(matrix, centers).T
    inside = (x >= margin - 1) & (y >= margin - 1)
    return np.asarray(inside & (x <= shape[1] - margin) & (y <= shape[0] - margin))


def _octave(channel: FloatArray) -> FloatArray:
    import cv2

    fine, coarse = (
        cv2.GaussianBlur(channel, (0, 0), s) for s in (_FINE_SIGMA_PX, _COARSE_SIGMA_PX)
    )
    return np.asarray(fine - coarse)


def _compare(first: FloatArray, second: FloatArray) -> _Compared:
    a, b = _octave(first), _octave(second)
    forward, backward = _shift_to_explain(b, a), _shift_to_explain(a, b)
    energy_a, energy_b = backward.template_energy, forward.template_energy
    stronger = energy_b >= energy_a
    shifts = np.where(stronger[:, None], forward.shifts, -backward.shifts)
    covariances = np.where(stronger[:, None, None], forward.covariances, backward.covariances)
    floor = 1e-9
    difference = 0.5 * np.log((energy_a + floor) / (energy_b + floor))
    systematic = 1e-6 + np.square(_BLUR_UNCERTAINTY_PX * difference)
    return _Compared(
        shifts=shifts,
        covariances=covariances + systematic[:, None, None] * np.eye(2),
        correlations=forward.product / np.sqrt(energy_a * energy_b + 1e-18),
        amplitudes=np.sqrt(np.minimum(energy_a, energy_b)),
        fineness=np.minimum(forward.fineness, backward.fineness),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Explained:
    shifts: DoubleArray
    covariances: DoubleArray
    template_energy: DoubleArray
    product: DoubleArray
    fineness: DoubleArray


def _shift_to_explain(template: FloatArray, other: FloatArray) -> _Explained:
    """Least squares per tile: other(x) ≈ a template(x + shift), linear in a and a · shift."""
    import cv2

    slopes = [cv2.Sobel(template, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1))]
    terms = [template, *slopes]
    energy = _tile_means(other * other)
    normal = np.empty((len(energy), 3, 3))
    for i in range(3):
        for j in range(i, 3):
            normal[:, i, j] = normal[:, j, i] = _tile_means(terms[i] * terms[j])
    right = np.stack([_tile_means(term * other) for term in terms], axis=1)
    normal[:, range(3), range(3)] += 1e-14
    solution = np.linalg.solve(normal, right[..., None])[..., 0]
    unexplained = np.maximum(energy - (solution * right).sum(axis=1), 1e-15)
    unexplained /= _tile_side(template.shape) ** 2 * _INDEPENDENT_SHARE
    factor = solution[:, 0]
    factor = np.where(np.abs(factor) < 1e-6, 1e-6, factor)
    inverse = np.linalg.inv(normal)[:, 1:, 1:]
    inverse = (inverse + np.swapaxes(inverse, 1, 2)) / 2
    return _Explained(
        shifts=solution[:, 1:] / factor[:, None],
        covariances=inverse * (unexplained / np.square(factor))[:, None, None],
        template_energy=normal[:, 0, 0],
        product=right[:, 0],
        fineness=(normal[:, 1, 1] + normal[:, 2, 2]) / (normal[:, 0, 0] + 1e-12),
    )


def _tile_means(values: FloatArray) -> DoubleArray:
    import cv2

    side = _tile_side(values.shape)
    rows, columns = values.shape[0] // side, values.shape[1] // side
    if not rows * columns:
        return np.zeros(0)
    cut = values[: rows * side, : columns * side]
    means = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means.ravel(), np.float64)
