"""From block phases to lattice coordinates as a smooth function of position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.calibration.grid.frequencies import INDICES
from lfdfp.calibration.grid.polynomials import distortion_precision, monomials
from lfdfp.calibration.grid.signal import BLOCK_OVERLAP, BlockPhases
from lfdfp.datatypes import DoubleArray, LensletGrid

_ROUNDS = 12
_TUKEY = 4.0
_SLOPE_REACH = 1.5 / 1024
"""Cycles per pixel by which a candidate may be off: one and a half bins of its spectrum."""

_LEAST_VARIANCE = 1e-6
"""Of phases, in squared cycles: a thousandth of a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseFit:
    """Lattice coordinates (q, r) as polynomials of the position on the sensor.

    Attributes
    ----------
    coefficients
        Shape (2, 10): over the monomials of `LensletGrid.distortion_px`, in cycles.
    residual_cycles
        Shape (F, N): what the fit left over, wrapped to half a cycle.
    weight
        Shape (F, N): final robust weights.
    """

    coefficients: DoubleArray
    residual_cycles: DoubleArray
    weight: DoubleArray


def fit_phases(blocks: BlockPhases, two: DoubleArray, half_height_px: float) -> PhaseFit:
    """Fit (q, r) to the phases of three lattice frequencies, all at once and robustly.

    The three phases are those of q, r and q + r, so the closure of the reciprocal vectors holds
    by construction. Iteratively reweighted least squares (Tukey's biweight) on wrapped residuals,
    cubic in the position, with a Gaussian prior that keeps the second- and third-order terms
    within what lenses do.

    Parameters
    ----------
    blocks
        From `block_phases`, demodulated at ``INDICES @ two``.
    two
        Shape (2, 2): frequencies of q and r, (row, column) in cycles per pixel.
    half_height_px
        Unit of the monomials' position.
    """
    terms = monomials(blocks.position / half_height_px)
    coefficients = np.zeros((2, 10))
    coefficients[:, 1:3] = two * half_height_px
    coefficients = _coherent_plane(blocks, coefficients, terms, half_height_px)
    prior = _prior(two)
    base = np.sqrt(np.abs(blocks.phasor)) * blocks.weight
    weight = base
    for _ in range(_ROUNDS):
        residual = _residual(blocks, coefficients, terms)
        weight = base * _biweight(residual, base)
        step = _weighted_step(terms, residual, weight, coefficients, prior)
        coefficients += step
        if np.abs(step).max() < 1e-7:
            break
    return PhaseFit(
        coefficients=coefficients,
        residual_cycles=_residual(blocks, coefficients, terms),
        weight=weight,
    )


def _prior(two: DoubleArray) -> DoubleArray:
    """Precision, shape (20, 20), of both polynomials' coefficients in cycles."""
    basis_px = np.linalg.inv(two)
    return np.asarray(np.kron(basis_px.T @ basis_px, np.diag(distortion_precision())), np.float64)


def predicted_phase(coefficients: DoubleArray, terms: DoubleArray) -> DoubleArray:
    """Shape (F, N), in cycles: n·(q, r) for the indices n."""
    return np.asarray(INDICES @ (coefficients @ terms.T))


def _residual(blocks: BlockPhases, coefficients: DoubleArray, terms: DoubleArray) -> DoubleArray:
    turned = blocks.phasor * np.exp(-2j * np.pi * predicted_phase(coefficients, terms))
    return np.asarray(np.angle(turned) / (2 * np.pi))


def _coherent_plane(
    blocks: BlockPhases, start: DoubleArray, terms: DoubleArray, half_height_px: float
) -> DoubleArray:
    """Correct slope and offset of q and r by the strongest frequency of the blocks' phasors."""
    from scipy import fft

    improved = start.copy()
    residual = blocks.phasor * np.exp(-2j * np.pi * predicted_phase(start, terms))
    corners = blocks.position.reshape(*blocks.shape, 2)
    spacing = np.array(
        [
            (corners[-1, 0, 0] - corners[0, 0, 0]) / max(blocks.shape[0] - 1, 1),
            (corners[0, -1, 1] - corners[0, 0, 1]) / max(blocks.shape[1] - 1, 1),
        ]
    )
    padded = [4 * fft.next_fast_len(n) for n in blocks.shape]
    slopes = [fft.fftfreq(n, d) for n, d in zip(padded, spacing, strict=True)]
    near = np.outer(*(np.abs(one) <= _SLOPE_REACH for one in slopes))
    near[0, 0] = True
    unit = residual / np.maximum(np.abs(residual), 1e-12)
    unit *= np.sqrt(np.abs(residual) * blocks.weight)
    for k in range(2):
        spectrum = fft.fft2(unit[k].reshape(blocks.shape), padded)
        peak = np.unravel_index(int(np.argmax(np.abs(spectrum) * near)), spectrum.shape)
        slope = np.array([one[p] for one, p in zip(slopes, peak, strict=True)])
        improved[k, 1:3] += slope * half_height_px
        turned = unit[k] * np.exp(-2j * np.pi * (blocks.position @ slope))
        improved[k, 0] += float(np.angle(turned.sum()) / (2 * np.pi))
    return improved


def _weighted_step(
    terms: DoubleArray,
    residual: DoubleArray,
    weight: DoubleArray,
    coefficients: DoubleArray,
    prior: DoubleArray,
) -> DoubleArray:
    """Change of both polynomials that explains the residuals of all frequencies.

    The residuals' variance is what they show themselves; overlapping blocks say things twice.
    """
    count = terms.shape[1]
    normal = np.zeros((2 * count, 2 * count))
    right = np.zeros(2 * count)
    for index, e, w in zip(INDICES, residual, weight, strict=True):
        gram = terms.T @ (w[:, None] * terms)
        normal += np.kron(np.outer(index, index), gram)
        right += np.kron(index, terms.T @ (w * e))
    total = max(float(weight.sum()), 1e-12)
    variance = float((weight * residual**2).sum()) / total + _LEAST_VARIANCE
    typical = float((weight**2).sum()) / total
    scale = 1 / max(typical * variance * BLOCK_OVERLAP, 1e-12)
    normal, right = scale * normal + prior, scale * right - prior @ coefficients.ravel()
    ridge = 1e-9 * np.trace(normal) / len(normal)
    return np.linalg.solve(normal + ridge * np.eye(len(normal)), right).reshape(2, count)


def _biweight(residual: DoubleArray, base: DoubleArray) -> DoubleArray:
    scale = 1.4826 * _weighted_median(np.abs(residual), base) + 1e-6
    inside = np.clip(1 - (residual / (_TUKEY * scale)) ** 2, 0, None)
    return np.asarray(inside**2)


def _weighted_median(values: DoubleArray, weight: DoubleArray) -> float:
    order = np.argsort(values, axis=None)
    cumulative = np.cumsum(weight.ravel()[order])
    middle = int(np.searchsorted(cumulative, 0.5 * cumulative[-1]))
    return float(values.ravel()[order[min(middle, len(order) - 1)]])


def grid_from_fit(
    fit: PhaseFit, blocks: BlockPhases, sensor_shape: tuple[int, int], source: str
) -> LensletGrid:
    """The `LensletGrid` whose lattice coordinates are those of the fit."""
    half_height = sensor_shape[0] / 2
    center = (np.array(sensor_shape) - 1) / 2
    basis = np.asarray(np.linalg.inv(fit.coefficients[:, 1:3] / half_height), np.float64)
    nearest = _nearest_lenslet(fit.coefficients[:, 0], basis)
    origin = center + basis @ (nearest - fit.coefficients[:, 0])
    return LensletGrid(
        origin_px=(float(origin[0]), float(origin[1])),
        right_px=(float(basis[0, 0]), float(basis[1, 0])),
        down_px=(float(basis[0, 1]), float(basis[1, 1])),
        sensor_shape=sensor_shape,
        distortion_px=_distortion(fit, basis, half_height, blocks),
        residual_px=_residual_px(fit, basis),
        source=source,
    )


def _nearest_lenslet(at_center: DoubleArray, basis: DoubleArray) -> DoubleArray:
    """Integer (q, r) of the lenslet closest, in pixels, to lattice position `at_center`."""
    around = np.floor(at_center) + np.array([(a, b) for a in (0, 1) for b in (0, 1)])
    distance = np.linalg.norm((around - at_center) @ basis.T, axis=1)
    return np.asarray(around[int(np.argmin(distance))])


def _distortion(
    fit: PhaseFit, basis: DoubleArray, half_height: float, blocks: BlockPhases
) -> DoubleArray:
    """Coefficients over undistorted positions that undo the fit's higher terms."""
    position = blocks.position
    higher = fit.coefficients.copy()
    higher[:, :3] = 0.0
    moved = -(basis @ (higher @ monomials(position / half_height).T)).T
    undistorted = position - moved
    solution, *_ = np.linalg.lstsq(monomials(undistorted / half_height), moved, rcond=None)
    return np.asarray(solution.T)


def _residual_px(fit: PhaseFit, basis: DoubleArray) -> float:
    """Root mean square disagreement of the block phases, as a distance on the sensor."""
    spacing = 1 / np.linalg.norm(INDICES @ np.linalg.inv(basis), axis=1)
    square = (fit.weight * fit.residual_cycles**2).sum() / max(float(fit.weight.sum()), 1e-12)
    return float(np.sqrt(square) * spacing.mean())
