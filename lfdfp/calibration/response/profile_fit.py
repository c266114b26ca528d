"""The lenslets' profile as a smooth function of offset, color and place on the sensor.

A lenslet's image is the picture of the main lens's aperture times the light of the scene. The
aperture is nearly round and nearly the same for all lenslets, so its logarithm is a free curve
of the radius, plus a few terms that depend on direction, each a polynomial of the place on the
sensor; red and blue may differ from green along the radius. Some hundred numbers for all
lenslets leave no room for what single scenes or lenslets add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.raw_codes import raw_codes
from lfdfp.calibration.response.offset_kernels import OffsetTable
from lfdfp.calibration.response.profile_kernels import Cell, LightModel, profile_residuals
from lfdfp.calibration.response.profiles import default_profile, offset_table
from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.lenslets.table import lenslet_table

ZONES = 8
"""Profiles are tabulated for ZONES x ZONES parts of the sensor."""

_KNOTS_PITCH = (0.0, 0.12, 0.22, 0.30, 0.37, 0.43, 0.48, 0.53, 0.62)
_DEGREES = (0, 2, 4)
_FOLDS = 4
_MOST_PASSES = 8
_CONVERGED = 5e-4
_PIXELS_PER_PASS = 4e6
_INNER_PITCH = 0.42
_FEWEST_LENSLETS = 60
_DARK_SHARE = 0.01
_SATURATION_SHARE = 0.98
_RIDGE = 1e-6
_WORTH_IT = 2e-3
_LARGEST_STEP = 0.5

Source = tuple[RawCapture, LensletGrid]


def fitted_profiles(sources: Sequence[Source], *, is_white: bool) -> FloatArray:
    """Profiles, shape (Z, Z, 3, N, N), of the lenslets of one camera, from all its pictures.

    Parameters
    ----------
    sources
        Pictures and their grids, all of one sensor size and nearly one pitch.
    is_white
        Whether the pictures show uniform light. Otherwise the light may vary linearly under
        every lenslet, and a change of the profile that is linear in the offset, which looks
        the same, stays out of the result.

    Raises
    ------
    CalibrationError
        When hardly any lenslet is well lit.
    """
    table = offset_table(sources[0][1])
    shapes = _shapes(table, sources[0][1].pitch_px)
    start = np.log(default_profile(table, sources[0][1].pitch_px))
    logs = np.broadcast_to(start, (ZONES**2, 3, table.size, table.size)).astype(np.float64)
    for _ in range(_MOST_PASSES):
        sums = np.zeros((*logs.shape, 2))
        used = sum(
            _add_residuals(capture, grid, np.exp(logs), table, sums, is_white=is_white)
            for capture, grid in sources
        )
        if used < _FEWEST_LENSLETS:
            raise CalibrationError(f"only {used} lenslets are lit well enough to show a profile")
        residual = sums[..., 1] / np.maximum(sums[..., 0], 1e-12)
        wanted = logs + np.log1p(np.clip(residual, -_LARGEST_STEP, 2 * _LARGEST_STEP))
        weights, before = sums[..., 0], logs
        logs = shapes.smoothed(wanted, weights, _field_positions(sources[0][1].sensor_shape))
        if np.average((logs - before) ** 2, weights=weights) < _CONVERGED**2:
            break
    return np.exp(logs).reshape(ZONES, ZONES, *logs.shape[1:]).astype(np.float32)


def _add_residuals(
    capture: RawCapture,
    grid: LensletGrid,
    profiles: DoubleArray,
    table: OffsetTable,
    sums: DoubleArray,
    *,
    is_white: bool,
) -> int:
    centers, zones = _some_lenslets(grid)
    noise = noise_from_iso(capture)
    used: int = profile_residuals(
        raw_codes(capture, dark_share=_DARK_SHARE, saturation_share=_SATURATION_SHARE),
        centers,
        zones,
        profiles,
        table,
        Cell(grid.pitch_px, _INNER_PITCH * grid.pitch_px, grid.turn),
        LightModel(noise.read_variance, noise.shot_gain, not is_white),
        sums,
    )
    return used


def _some_lenslets(grid: LensletGrid) -> tuple[DoubleArray, NDArray[np.int64]]:
    """Centers (L, 2) and zones (L,) of evenly spread lenslets, as many as are enough."""
    centers = lenslet_table(grid).centers_px.astype(np.float64)
    most = _PIXELS_PER_PASS / (grid.pitch_px**2 * np.sqrt(3) / 2)
    every = -(-len(centers) // int(most))
    centers = np.ascontiguousarray(centers[:: every + 1 - every % 2])
    zone = (centers * ZONES / np.array(grid.sensor_shape)).astype(np.int64).clip(0, ZONES - 1)
    return centers, zone[:, 0] * ZONES + zone[:, 1]


def _field_positions(sensor_shape: tuple[int, int]) -> DoubleArray:
    """Shape (Z, 2): the zones' middles, in half lengths of the longer side."""
    middle = (2 * np.arange(ZONES) + 1) / ZONES - 1
    y, x = np.meshgrid(middle, middle, indexing="ij")
    place = np.stack([y.ravel(), x.ravel()], axis=-1)
    return np.asarray(place * np.array(sensor_shape) / max(sensor_shape), np.float64)


def _field_terms(position: DoubleArray, degree: int) -> DoubleArray:
    """Shape (Z, F): all monomials up to a degree, lowest first."""
    y, x = position.T
    powers = [(a, total - a) for total in range(degree + 1) for a in range(total, -1, -1)]
    return np.stack([y**a * x**b for a, b in powers], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shapes:
    """What the logarithm of a profile is made of; all are 0 at the lenslet's center.

    Attributes
    ----------
    varying
        Shape (N N, J): for all colors, with coefficients that vary over the sensor.
    steady
        Shape (3, N N, K): by color, the same over the sensor.
    """

    varying: DoubleArray
    steady: DoubleArray

    def smoothed(self, logs: DoubleArray, weights: DoubleArray, field: DoubleArray) -> DoubleArray:
        """The combination of the shapes that is nearest to `logs` (Z, 3, N, N).

        The polynomials over the sensor get a higher degree only where held-out zones are
        predicted better.
        """
        zones = [
            _zone_equations(self, logs[z].reshape(3, -1), weights[z].reshape(3, -1))
            for z in range(len(logs))
        ]
        normal, moment = (np.array(part) for part in zip(*zones, strict=True))
        row, column = np.divmod(np.arange(len(logs)), ZONES)
        fold = (row + 2 * column) % _FOLDS
        best, solution, terms = np.inf, np.zeros(0), np.zeros((len(logs), 0))
        for degree in _DEGREES:
            richer = _field_terms(field, degree)
            folds = [
                _over_field(normal[fold == k], moment[fold == k], richer[fold == k], self)
                for k in range(_FOLDS)
            ]
            loss = _held_out_loss(folds)
            if not np.isfinite(best) or loss < best - _WORTH_IT * abs(best):
                best, terms = loss, richer
                solution = _solved([gram for gram, _ in folds], [right for _, right in folds])
        return self._evaluated(solution, terms).reshape(logs.shape)

    def _evaluated(self, solution: DoubleArray, terms: DoubleArray) -> DoubleArray:
        """Shape (Z, 3, N N)."""
        count = self.varying.shape[1]
        coefficients = solution[: count * terms.shape[1]].reshape(terms.shape[1], count)
        varying = terms @ coefficients @ self.varying.T
        return np.asarray(varying[:, None] + self.steady @ solution[count * terms.shape[1] :])


_Equations = tuple[DoubleArray, DoubleArray]
"""Normal matrix and moment of one zone, over varying shapes, then steady ones."""


def _zone_equations(shapes: _Shapes, logs: DoubleArray, weights: DoubleArray) -> _Equations:
    """Of one zone, (3, N N): each color's own level is eliminated."""
    count = shapes.varying.shape[1]
    size = count + shapes.steady.shape[2]
    normal, moment = np.zeros((size, size)), np.zeros(size)
    for color in range(3):
        seen = weights[color] > 0
        if not seen.any():
            continue
        w = weights[color, seen]
        design = np.concatenate([shapes.varying[seen], shapes.steady[color, seen]], axis=1)
        design -= (w @ design) / w.sum()
        target = logs[color, seen] - (w @ logs[color, seen]) / w.sum()
        weighted = design * w[:, None]
        normal += weighted.T @ design
        moment += weighted.T @ target
    return normal, moment


def _over_field(
    normal: DoubleArray, moment: DoubleArray, terms: DoubleArray, shapes: _Shapes
) -> _Equations:
    """Equations of zones over the polynomials' coefficients, term by term, then steady ones.

    Parameters
    ----------
    normal, moment
        Shape (Z, J + K, J + K) and (Z, J + K), see `_zone_equations`.
    terms
        Shape (Z, F).
    """
    count = shapes.varying.shape[1]
    f, steady = terms.shape[1], normal.shape[1] - count
    size = f * count
    gram = np.empty((size + steady, size + steady))
    pairs = np.einsum("zf,zg->fgz", terms, terms).reshape(f * f, -1)
    both = (pairs @ normal[:, :count, :count].reshape(len(terms), -1)).reshape(f, f, count, count)
    gram[:size, :size] = both.transpose(0, 2, 1, 3).reshape(size, size)
    mixed = terms.T @ normal[:, :count, count:].reshape(len(terms), -1)
    gram[:size, size:] = mixed.reshape(size, steady)
    gram[size:, :size] = gram[:size, size:].T
    gram[size:, size:] = normal[:, count:, count:].sum(axis=0)
    right = np.concatenate([(terms.T @ moment[:, :count]).ravel(), moment[:, count:].sum(axis=0)])
    return gram, right


def _solved(grams: list[DoubleArray], rights: list[DoubleArray]) -> DoubleArray:
    normal = np.sum(grams, axis=0)
    diagonal = np.arange(len(normal))
    normal[diagonal, diagonal] += _RIDGE * max(float(np.trace(normal)), 1e-300) / len(normal)
    return np.asarray(np.linalg.solve(normal, np.sum(rights, axis=0)), np.float64)


def _held_out_loss(folds: list[_Equations]) -> float:
    """Squared error in every fold by the others' fit, less what no fit can change."""
    loss = 0.0
    for k, (gram, right) in enumerate(folds):
        others = [fold for j, fold in enumerate(folds) if j != k]
        fit = _solved([g for g, _ in others], [r for _, r in others])
        loss += float(fit @ (gram @ fit) - 2 * fit @ right)
    return loss


def _shapes(table: OffsetTable, pitch_px: float) -> _Shapes:
    axis = (np.arange(table.size) * table.step - table.reach) / (0.5 * pitch_px)
    y, x = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    square = y * y + x * x
    varying = [
        *_radial_curves(np.sqrt(square) / 2).T,
        *_waves(y, x, order=1, powers=(1, 2)),
        *_waves(y, x, order=2, powers=(0, 1, 2)),
    ]
    # Lenslets touch their six neighbors, whose light leaks across the rim.
    everywhere = [wave for m in (3, 4, 6) for wave in _waves(y, x, order=m, powers=(0, 1))]
    tint = [square, square**2, square**3]
    red, blue = tint + [0 * square] * 3, [0 * square] * 3 + tint
    steady = [np.stack(everywhere + own, axis=-1) for own in (red, [0 * square] * 6, blue)]
    return _Shapes(varying=np.stack(varying, axis=-1), steady=np.stack(steady))


def _waves(
    y: DoubleArray, x: DoubleArray, *, order: int, powers: tuple[int, ...]
) -> list[DoubleArray]:
    """Smooth functions that have `order` periods around the center."""
    whirl = (x + 1j * y) ** order
    square = y * y + x * x
    return [part * square**n for n in powers for part in (whirl.real, whirl.imag)]


def _radial_curves(radius_pitch: DoubleArray) -> DoubleArray:
    """Shape (..., J): cubic splines of the radius, even, 0 at the center, level beyond the cell."""
    from scipy.interpolate import BSpline

    knots = np.array(_KNOTS_PITCH)
    beyond = knots[-1] + np.diff(knots)[-1] * np.arange(1, 4)
    every = np.concatenate([-knots[1:3][::-1], knots, beyond])
    radius_pitch = np.minimum(radius_pitch, knots[-1])
    curves = []
    for first in range(len(every) - 4):
        spline = BSpline.basis_element(every[first : first + 5], extrapolate=False)
        both = np.nan_to_num(spline(radius_pitch)) + np.nan_to_num(spline(-radius_pitch))
        curves.append(both - 2 * np.nan_to_num(spline(np.zeros(1))))
    return np.stack(curves, axis=-1)
