"""Sub-pixel refinement of a lenslet grid by the shape of the lenslets' images."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import UnivariateSpline

from lfdfp.calibration.grid.center_kernels import lenslet_shifts, radial_histograms
from lfdfp.calibration.grid.polynomials import TERMS, fold_of_positions, monomials
from lfdfp.datatypes import (
    BAYER_COLOR,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
)
from lfdfp.lenslets.table import lenslet_table

_LENSLETS_PER_ROUND = (20_000, 60_000)
_RADIUS_PITCH = 0.53
_INNER_PITCH = 0.3
_BINS_PER_PX = 5.0
_SAMPLES_PER_PX = 20.0
_RATIO_BINS = 200
_TOP_RATIO = 2.5
_PROFILE_LENSLETS = 15_000
_PROFILE_ERROR = 0.006
_GRADIENT_PER_PITCH = 0.1
_MODEL_ERROR = 0.055
_DARK_SHARE = 0.008
_SATURATION_SHARE = 0.98
_FEWEST_LENSLETS = 100
_LARGEST_SHIFT_PITCH = 0.15
_FOLDS = 4
_REWEIGHTINGS = 5
_WORTH_IT = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletShifts:
    """Measured minus expected centers of the lenslets that say something.

    Attributes
    ----------
    lattice, expected_px
        Shape (N, 2): (q, r), and the expected center in pixels.
    shift_px
        Shape (N, 2).
    weight
        Shape (N,): inverse standard deviation of the shift, limited to what most lenslets have.
    """

    lattice: DoubleArray
    expected_px: DoubleArray
    shift_px: DoubleArray
    weight: DoubleArray


def refine_centers(capture: RawCapture, grid: LensletGrid, noise: NoiseModel) -> LensletGrid:
    """Move a grid that is right to a fraction of a pixel onto the lenslets' images.

    The mean radial profile of the images is measured; then every lenslet's image is compared
    with it, allowing the scene to vary linearly over the aperture. Tens of thousands of such
    shifts, each with its uncertainty, determine the affine lattice and, if held-out lenslets
    confirm it, a smooth distortion of second or third order.

    Parameters
    ----------
    capture
        The one that `grid` was fitted to.
    grid
        Right to about 0.15 pitches.
    noise
        Of the raw codes; a rough guess is enough.

    Returns
    -------
    LensletGrid
        The given one where fewer than 100 lenslets can be used, or where they contradict it.
    """
    for most in _LENSLETS_PER_ROUND:
        shifts = measure_shifts(capture, grid, noise, most=most)
        if len(shifts.weight) < _FEWEST_LENSLETS:
            return grid
        moved = _moved(grid, shifts)
        if moved is None:
            return grid
        grid = moved
    return grid


def measure_shifts(
    capture: RawCapture, grid: LensletGrid, noise: NoiseModel, *, most: int
) -> LensletShifts:
    """Shift of lenslets' images against their mean profile; see `refine_centers`.

    Takes about `most` lenslets, evenly spread, or all if there are fewer.
    """
    centers = _spread(grid, most)
    levels = _levels(capture)
    radius = _RADIUS_PITCH * grid.pitch_px
    profile = _mean_profile(capture.mosaic, levels, centers, grid.pitch_px)
    information = np.empty((len(centers), 3), np.float32)
    pull = np.empty((len(centers), 2), np.float32)
    lenslet_shifts(
        capture.mosaic,
        levels,
        np.array([BAYER_COLOR[channel] for channel in capture.bayer], np.int64),
        centers,
        radius,
        profile,
        _SAMPLES_PER_PX,
        (noise.read_variance, noise.shot_gain),
        (_GRADIENT_PER_PITCH / grid.pitch_px, _MODEL_ERROR),
        information,
        pull,
    )
    return _solved(grid, centers, information, pull)


def _spread(grid: LensletGrid, most: int) -> DoubleArray:
    """Expected centers, shape (L, 2), of every n-th lenslet: n is odd, so that rows alternate."""
    centers = lenslet_table(grid).centers_px
    every = -(-len(centers) // most)
    return np.ascontiguousarray(centers[:: every + 1 - every % 2], np.float64)


def _levels(capture: RawCapture) -> DoubleArray:
    return np.array(
        [
            (black, _DARK_SHARE * (white - black), black + _SATURATION_SHARE * (white - black))
            for _, _, _, black, white in capture.bayer_planes()
        ]
    )


def _mean_profile(
    mosaic: NDArray[np.uint16], levels: DoubleArray, centers: DoubleArray, pitch_px: float
) -> DoubleArray:
    """Shape (2, N): median profile and its derivative, finely sampled, as an even spline."""
    outer = (_RADIUS_PITCH + 0.04) * pitch_px
    counts = np.zeros((int(outer * _BINS_PER_PX) + 1, _RATIO_BINS), np.int64)
    some = np.ascontiguousarray(centers[:: -(-len(centers) // _PROFILE_LENSLETS)])
    radii = (_INNER_PITCH * pitch_px, outer)
    radial_histograms(mosaic, levels, some, radii, _BINS_PER_PX, _TOP_RATIO, counts)
    known = counts[:-1].sum(axis=1) > 0
    distance = ((np.arange(len(counts) - 1) + 0.5) / _BINS_PER_PX)[known]
    value = _binned_median(counts[:-1])[known]
    both = np.concatenate([-distance[::-1], distance])
    spline = UnivariateSpline(
        both, np.concatenate([value[::-1], value]), k=4, s=len(both) * _PROFILE_ERROR**2
    )
    fine = np.arange(int(outer * _SAMPLES_PER_PX) + 2) / _SAMPLES_PER_PX
    return np.stack([spline(fine), spline.derivative()(fine)])


def _binned_median(counts: NDArray[np.int64]) -> DoubleArray:
    cumulative = np.cumsum(counts, axis=1)
    half = 0.5 * cumulative[:, -1]
    index = np.argmax(cumulative >= half[:, None], axis=1)
    row = np.arange(len(counts))
    inside = counts[row, index]
    before = cumulative[row, index] - inside
    return np.asarray((index + (half - before) / np.maximum(inside, 1)) * _TOP_RATIO / _RATIO_BINS)


def _solved(
    grid: LensletGrid, centers: DoubleArray, information: FloatArray, pull: FloatArray
) -> LensletShifts:
    i00, i01, i11 = information.astype(np.float64).T
    determinant = i00 * i11 - i01**2
    usable = (i00 > 0) & (determinant > 1e-3 * i00 * i11)
    g0, g1 = pull.astype(np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.stack([i11 * g0 - i01 * g1, i00 * g1 - i01 * g0], axis=1) / determinant[:, None]
    weight = np.sqrt(determinant[usable]) if usable.any() else np.zeros(0)
    limit = np.percentile(weight, 90) if usable.any() else 0.0
    expected = centers[usable]
    lattice = np.rint(grid.lattice_coordinates(expected[:, 0], expected[:, 1])).T
    return LensletShifts(
        lattice=lattice,
        expected_px=expected,
        shift_px=shift[usable],
        weight=np.minimum(weight, limit),
    )


def _moved(grid: LensletGrid, shifts: LensletShifts) -> LensletGrid | None:
    """The grid through the shifted centers; None where the shifts are too large to be true."""
    half_height = grid.sensor_shape[0] / 2
    middle = (np.array(grid.sensor_shape) - 1) / 2
    terms = monomials((shifts.expected_px - middle) / half_height)
    weight = _robust_weights(terms, shifts)
    coefficients = _chosen_polynomial(terms, shifts, weight)
    fitted = terms @ coefficients
    if np.abs(fitted).max() > _LARGEST_SHIFT_PITCH * grid.pitch_px:
        return None
    residual = _block_residual_px(shifts, fitted, weight, grid.pitch_px)
    return _grid_through(grid, shifts, fitted, residual)


def _robust_weights(terms: DoubleArray, shifts: LensletShifts) -> DoubleArray:
    """Tukey's biweight, from the residuals of a cubic polynomial, times the lenslets' weights."""
    weight = shifts.weight
    for _ in range(_REWEIGHTINGS):
        error = shifts.shift_px - terms @ _weighted_polynomial(terms, shifts.shift_px, weight)
        size = np.hypot(error[:, 0], error[:, 1])
        inside = np.clip(1 - (size / (3 * np.median(size) + 1e-9)) ** 2, 0, None)
        weight = shifts.weight * inside**2
    return weight


def _weighted_polynomial(
    terms: DoubleArray, target: DoubleArray, weight: DoubleArray
) -> DoubleArray:
    weighted = terms * weight[:, None]
    return _solve(weighted.T @ terms, weighted.T @ target)


def _solve(normal: DoubleArray, moment: DoubleArray) -> DoubleArray:
    tiny = 1e-9 * np.trace(normal) / len(normal)
    return np.asarray(np.linalg.solve(normal + tiny * np.eye(len(normal)), moment), np.float64)


def _chosen_polynomial(
    terms: DoubleArray, shifts: LensletShifts, weight: DoubleArray
) -> DoubleArray:
    """Shape (10, 2): of degree 1, unless held-out lenslets are predicted better by 2 or 3."""
    fold = fold_of_positions(shifts.expected_px, _FOLDS)
    normal, moment = [], []
    for k in range(_FOLDS):
        held = fold == k
        weighted = terms[held] * weight[held, None]
        normal.append(weighted.T @ terms[held])
        moment.append(weighted.T @ shifts.shift_px[held])
    losses = {d: _held_out_loss(normal, moment, TERMS[d]) for d in TERMS}
    margin = _WORTH_IT * float((weight * (shifts.shift_px**2).sum(axis=1)).sum())
    degree = 1
    for richer in (2, 3):
        if losses[richer] < losses[degree] - margin:
            degree = richer
    used = TERMS[degree]
    coefficients = np.zeros((terms.shape[1], 2))
    coefficients[:used] = _solve(
        np.sum(normal, axis=0)[:used, :used], np.sum(moment, axis=0)[:used]
    )
    return coefficients


def _held_out_loss(normal: list[DoubleArray], moment: list[DoubleArray], used: int) -> float:
    """Squared error on every fold by the others' fit, less what no fit can change."""
    loss = 0.0
    for k in range(_FOLDS):
        seen = [j for j in range(_FOLDS) if j != k]
        gram = np.sum([normal[j] for j in seen], axis=0)[:used, :used]
        fit = _solve(gram, np.sum([moment[j] for j in seen], axis=0)[:used])
        loss += float(np.sum(fit * (normal[k][:used, :used] @ fit - 2 * moment[k][:used])))
    return loss


def _grid_through(
    grid: LensletGrid, shifts: LensletShifts, fitted: DoubleArray, residual_px: float
) -> LensletGrid:
    """Affine lattice and distortion of the lenslets' centers at their expected place + fitted."""
    centers = shifts.expected_px + fitted
    design = np.column_stack([np.ones(len(centers)), shifts.lattice])
    affine, *_ = np.linalg.lstsq(design, centers, rcond=None)
    straight = design @ affine
    middle = (np.array(grid.sensor_shape) - 1) / 2
    terms = monomials((straight - middle) / (grid.sensor_shape[0] / 2))
    distortion, *_ = np.linalg.lstsq(terms, centers - straight, rcond=None)
    if np.abs(centers - straight).max() < 1e-6:
        distortion = np.zeros((10, 2))
    return dataclasses.replace(
        grid,
        origin_px=(float(affine[0, 0]), float(affine[0, 1])),
        right_px=(float(affine[1, 0]), float(affine[1, 1])),
        down_px=(float(affine[2, 0]), float(affine[2, 1])),
        distortion_px=np.ascontiguousarray(distortion.T),
        residual_px=residual_px,
    )


def _block_residual_px(
    shifts: LensletShifts, fitted: DoubleArray, weight: DoubleArray, pitch_px: float
) -> float:
    """Root mean square over blocks of 8 pitches of what the fit leaves of their mean shift."""
    block = (shifts.expected_px // (8 * pitch_px)).astype(np.int64)
    index = block[:, 0] * (block[:, 1].max() + 1) + block[:, 1]
    total = np.bincount(index, weight)
    error = (shifts.shift_px - fitted).T
    mean = np.stack([np.bincount(index, weight * e) for e in error]) / np.maximum(total, 1e-12)
    return float(np.sqrt((total * (mean**2).sum(axis=0)).sum() / max(float(total.sum()), 1e-12)))
