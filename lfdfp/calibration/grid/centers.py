"""Sub-pixel refinement of a lenslet grid by the shape of the lenslets' images."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.grid.center_kernels import (
    LightArrays,
    ProfileArrays,
    SensorArrays,
    lenslet_gradients,
    lenslet_shifts,
    radial_histograms,
)
from lfdfp.calibration.grid.polynomials import distortion_precision, monomials
from lfdfp.datatypes import (
    BAYER_COLOR,
    ROW_STEP_PITCHES,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
)
from lfdfp.errors import CalibrationError
from lfdfp.lenslets.table import lenslet_table

_LENSLETS_PER_ROUND = (20_000, 20_000, 60_000)
_RADIUS_PITCH = 0.53
_INNER_PITCH = 0.3
_BINS_PER_PX = 5.0
_SAMPLES_PER_PX = 20.0
_RATIO_BINS = 200
_TOP_RATIO = 2.5
_PROFILE_LENSLETS = 15_000
_PROFILE_ERROR = 0.006
_GRADIENT_PER_PITCH = 0.1
_AMPLITUDE_SPREAD = 0.5
_BLUR_PITCH = 0.5
_MOST_SAMPLES = 30_000  # rows of a picture that OpenCV takes
_MODEL_ERROR = 0.055
_SHIFT_SIGNIFICANCE = 0.3
"""Mean light of a lenslet that counts, in standard deviations of one pixel's read noise."""

_PROFILE_SIGNIFICANCE = 4.0
"""The same for the mean profile, which noise would flatten."""

_SATURATION_SHARE = 0.98
_FEWEST_LENSLETS = 100
_FEWEST_PROFILE_PIXELS = 200_000
_FEWEST_PROFILE_BINS = 6
_LARGEST_SHIFT_PITCH = 0.3
_REWEIGHTINGS = 6
_TUKEY = 4.0
_MEDIAN_OF_MEAN_SQUARE = 0.6931
"""Median of the mean of the squares of two standard normal variables."""

_BLOCK_PITCHES = 8
_LEAST_REST = 0.2
"""What the other blocks know is not less than this share of what all do."""

_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletShifts:
    """Measured minus expected centers of the lenslets that say something.

    Attributes
    ----------
    lattice, expected_px
        Shape (N, 2): (q, r), and the expected center in pixels.
    shift_px
        Shape (N, 2).
    variance
        Shape (N,): of the shift along one axis, in pixels squared, as far as noise and what the
        lenslet's own image leaves unexplained tell.
    """

    lattice: DoubleArray
    expected_px: DoubleArray
    shift_px: DoubleArray
    variance: DoubleArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Displacement:
    """By how much lenslets lie beside where they were expected, as a function of the place.

    Attributes
    ----------
    coefficients
        Shape (10, 2): over `monomials` of the position, in pixels.
    displacement_px
        Shape (N, 2): at the lenslets that were measured.
    covariance
        Shape (10, 10): of the coefficients of either axis, in pixels squared.
    residual_px
        Root mean square of what blocks of lenslets leave over.
    """

    coefficients: DoubleArray
    displacement_px: DoubleArray
    covariance: DoubleArray
    residual_px: float


def refine_centers(capture: RawCapture, grid: LensletGrid, noise: NoiseModel) -> LensletGrid:
    """Move a grid that is right to a fraction of a pitch onto the lenslets' images.

    The mean radial profile of the images is measured; then every lenslet's image is compared
    with it, allowing the scene to vary linearly over the aperture. Tens of thousands of such
    shifts, each with its uncertainty, determine the affine lattice and a smooth distortion of
    third order, which a prior keeps small where the capture says nothing about it.

    Parameters
    ----------
    capture
        The one that `grid` was fitted to.
    grid
        Right to about a fifth of a pitch.
    noise
        Of the raw codes; a rough guess is enough.

    Returns
    -------
    LensletGrid
        With its standard error; the given one where fewer than 100 lenslets can be used, or
        where they contradict it.
    """
    for most in _LENSLETS_PER_ROUND:
        shifts = measure_shifts(capture, grid, noise, most=most)
        if len(shifts.variance) < _FEWEST_LENSLETS:
            return grid
        fit = fit_displacement(shifts, grid)
        if np.abs(fit.displacement_px).max() > _LARGEST_SHIFT_PITCH * grid.pitch_px:
            return grid
        grid = _grid_through(grid, shifts, fit)
    return grid


def measure_shifts(
    capture: RawCapture, grid: LensletGrid, noise: NoiseModel, *, most: int
) -> LensletShifts:
    """Shift of lenslets' images against their mean profile; see `refine_centers`.

    Takes about `most` lenslets, evenly spread, or all if there are fewer.
    """
    centers = _spread(grid, most)
    sensor = _sensor(capture, noise, _PROFILE_SIGNIFICANCE)
    profile = _mean_profile(sensor, centers, grid.pitch_px)
    sensor = _sensor(capture, noise, _SHIFT_SIGNIFICANCE)
    light = _expected_light(capture, sensor, profile, centers, noise, grid.pitch_px)
    information = np.empty((len(centers), 3), np.float32)
    pull = np.empty((len(centers), 2), np.float32)
    variances = noise.read_variance, noise.shot_gain
    lenslet_shifts(sensor, profile, centers, light, variances, information, pull)
    return _solved(grid, centers, information, pull)


def _spread(grid: LensletGrid, most: int) -> DoubleArray:
    """Expected centers, shape (L, 2), of every n-th lenslet: n is odd, so that rows alternate."""
    centers = lenslet_table(grid).centers_px
    every = -(-len(centers) // most)
    return np.ascontiguousarray(centers[:: every + 1 - every % 2], np.float64)


def _sensor(capture: RawCapture, noise: NoiseModel, significance: float) -> SensorArrays:
    """For the kernels; means count from `significance` standard deviations in the dark on."""
    least = significance * float(np.sqrt(noise.read_variance))
    levels = [
        (black, least, black + _SATURATION_SHARE * (white - black))
        for _, _, _, black, white in capture.bayer_planes()
    ]
    colors = np.array([BAYER_COLOR[channel] for channel in capture.bayer], np.int64)
    return SensorArrays(capture.mosaic, np.array(levels), colors)


def _expected_light(
    capture: RawCapture,
    sensor: SensorArrays,
    profile: ProfileArrays,
    centers: DoubleArray,
    noise: NoiseModel,
    pitch_px: float,
) -> LightArrays:
    """Amplitude and gradient of the light under every lenslet, as its neighbors have it.

    The amplitude is that of the blurred mosaic. Where a scene lies off the plane of focus, light
    that changes from lenslet to lenslet changes over the aperture too, in proportion to the
    disparity: in every block of lenslets that proportion is fitted, and predicts the gradients.
    """
    amplitude, slope = _blurred_light(capture, centers, pitch_px)
    amplitude /= _mean_of_profile(profile, pitch_px)
    light = LightArrays(
        amplitude,
        np.zeros_like(slope),
        _AMPLITUDE_SPREAD,
        _GRADIENT_PER_PITCH / pitch_px,
        _MODEL_ERROR,
    )
    gradients = np.empty((len(centers), 2), np.float32)
    weights = np.empty(len(centers), np.float32)
    variances = noise.read_variance, noise.shot_gain
    lenslet_gradients(sensor, profile, centers, light, variances, gradients, weights)
    share = _block_slope(gradients, slope, weights, _blocks(centers, pitch_px))
    return light._replace(gradient=share[:, None] * slope)


def _blurred_light(
    capture: RawCapture, centers: DoubleArray, pitch_px: float
) -> tuple[DoubleArray, DoubleArray]:
    """Mean light by color (L, 3), and the logarithm's slope (L, 2) per pixel down and right."""
    import cv2

    amplitude = np.zeros((len(centers), 3))
    number = np.zeros(3)
    slope, total = np.zeros((len(centers), 2)), np.zeros(len(centers))
    for k, (channel, rows, columns, black, _) in enumerate(capture.bayer_planes()):
        plane = capture.mosaic[rows, columns].astype(np.float32) - np.float32(black)
        mean = cv2.GaussianBlur(plane, (0, 0), _BLUR_PITCH * pitch_px / 2)
        place = ((centers - (k // 2, k % 2)) / 2).astype(np.float32)
        color = BAYER_COLOR[channel]
        amplitude[:, color] += _sampled(mean, place)
        number[color] += 1
        total += _sampled(mean, place)
        for axis in range(2):
            step = np.eye(2, dtype=np.float32)[axis] * np.float32(pitch_px / 2)
            change = _sampled(mean, place + step) - _sampled(mean, place - step)
            slope[:, axis] += change / (2 * pitch_px)
    return amplitude / number, slope / np.maximum(total, 1e-3)[:, None]


def _sampled(image: FloatArray, place: FloatArray) -> FloatArray:
    """Bilinear samples, shape (N,), of an image at (row, column), shape (N, 2)."""
    import cv2

    rows, columns = np.ascontiguousarray(place.T)
    parts = [
        cv2.remap(image, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for y, x in zip(
            np.array_split(rows, -(-len(rows) // _MOST_SAMPLES)),
            np.array_split(columns, -(-len(rows) // _MOST_SAMPLES)),
            strict=True,
        )
    ]
    return np.asarray(np.concatenate(parts)[:, 0], np.float32)


def _mean_of_profile(profile: ProfileArrays, pitch_px: float) -> float:
    """Mean of the profile over a lenslet's area."""
    distance = np.arange(profile.samples.shape[1]) / profile.samples_per_px
    ring = 2 * np.pi * distance / profile.samples_per_px
    inside = distance <= profile.radius_px
    area = pitch_px**2 * ROW_STEP_PITCHES
    return float((profile.samples[0] * ring)[inside].sum() / area)


def _block_slope(
    gradients: FloatArray, slope: DoubleArray, weights: FloatArray, block: NDArray[np.int64]
) -> DoubleArray:
    """Shape (L,): by how much gradients follow the slope of the light, in each lenslet's block.

    The mean gradient of a block is left out: that is what an error of the grid makes.
    """
    count = int(block.max()) + 1
    weight = np.minimum(weights, np.percentile(weights, 75)).astype(np.float64)
    total = np.maximum(np.bincount(block, weight, count), 1e-12)
    product, square = np.zeros(count), np.zeros(count)
    for axis in range(2):
        y, x = gradients[:, axis].astype(np.float64), slope[:, axis]
        y = y - (np.bincount(block, weight * y, count) / total)[block]
        x = x - (np.bincount(block, weight * x, count) / total)[block]
        product += np.bincount(block, weight * y * x, count)
        square += np.bincount(block, weight * x * x, count)
    return np.asarray((product / np.maximum(square + 1e-3 * square.max(), 1e-12))[block])


def _mean_profile(sensor: SensorArrays, centers: DoubleArray, pitch_px: float) -> ProfileArrays:
    """Typical profile and its derivative, as an even spline.

    The median over lenslets, which the scene's detail does not move; where nearly all of them
    are lost in noise, the mean.
    """
    from scipy.interpolate import UnivariateSpline

    outer = (_RADIUS_PITCH + 0.04) * pitch_px
    counts = np.zeros((int(outer * _BINS_PER_PX) + 1, _RATIO_BINS), np.int64)
    sums = np.zeros((2, len(counts)))
    some = np.ascontiguousarray(centers[:: -(-len(centers) // _PROFILE_LENSLETS)])
    radii = (_INNER_PITCH * pitch_px, outer)
    radial_histograms(sensor, some, radii, _BINS_PER_PX, _TOP_RATIO, counts, sums)
    distance = (np.arange(len(counts) - 1) + 0.5) / _BINS_PER_PX
    if counts.sum() >= _FEWEST_PROFILE_PIXELS:
        known, value = counts[:-1].sum(axis=1) > 0, _binned_median(counts[:-1])
    else:
        known = sums[1, :-1] > 0
        value = sums[0, :-1] / np.where(known, sums[1, :-1], 1.0)
    distance, value = distance[known], value[known]
    if len(value) < _FEWEST_PROFILE_BINS:
        raise CalibrationError("the images under the lenslets are lost in noise")
    spline = UnivariateSpline(
        np.concatenate([-distance[::-1], distance]),
        np.concatenate([value[::-1], value]),
        k=4,
        s=2 * len(value) * _PROFILE_ERROR**2,
    )
    fine = np.arange(int(outer * _SAMPLES_PER_PX) + 2) / _SAMPLES_PER_PX
    samples = np.stack([spline(fine), spline.derivative()(fine)])
    return ProfileArrays(samples, _SAMPLES_PER_PX, _RADIUS_PITCH * pitch_px)


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
    expected = centers[usable]
    lattice = np.rint(grid.lattice_coordinates(expected[:, 0], expected[:, 1])).T
    return LensletShifts(
        lattice=lattice,
        expected_px=expected,
        shift_px=shift[usable],
        variance=1 / np.sqrt(determinant[usable]),
    )


def fit_displacement(shifts: LensletShifts, grid: LensletGrid) -> Displacement:
    """A smooth displacement over the sensor from single lenslets' shifts, robustly.

    A cubic polynomial of the position by iteratively reweighted least squares: the variance of
    every shift is its own and that of the scene's detail, which is estimated; shifts that are
    far off lose their say (Tukey's biweight). A Gaussian prior keeps the grid's second- and
    third-order terms within what lenses do. Shifts of neighbors err alike, since they see the
    same scene: what blocks of lenslets leave over says how much less they know together, and how
    far the result would move without any one of them, how certain it is.
    """
    half_height = grid.sensor_shape[0] / 2
    middle = (np.array(grid.sensor_shape) - 1) / 2
    terms = monomials((shifts.expected_px - middle) / half_height)
    block = _blocks(shifts.expected_px, grid.pitch_px)
    prior = np.diag(distortion_precision())
    coefficients = np.zeros((terms.shape[1], 2))
    coefficients[0] = np.median(shifts.shift_px, axis=0)
    for _ in range(_REWEIGHTINGS):
        error = shifts.shift_px - terms @ coefficients
        weight = _robust_weights(error, shifts.variance)
        weight /= _inflation(error, weight, block)
        gram = (terms * weight[:, None]).T @ terms + prior
        gram += _TINY * np.trace(gram) * np.eye(len(gram))
        moment = (terms * weight[:, None]).T @ shifts.shift_px - prior @ grid.distortion_px.T
        coefficients = np.asarray(np.linalg.solve(gram, moment), np.float64)
    error = shifts.shift_px - terms @ coefficients
    return Displacement(
        coefficients=coefficients,
        displacement_px=terms @ coefficients,
        covariance=_covariance(terms, error, weight, block, gram, prior),
        residual_px=_block_residual_px(error, weight, block),
    )


def _covariance(
    terms: DoubleArray,
    error: DoubleArray,
    weight: DoubleArray,
    block: NDArray[np.int64],
    gram: DoubleArray,
    prior: DoubleArray,
) -> DoubleArray:
    """Jackknife: how far the coefficients (mean of both axes) move as each block is left out.

    To which comes what the prior keeps them from.
    """
    total = np.bincount(block, weight)
    seen = total > 0
    total = total[seen]
    middle = np.stack([np.bincount(block, weight * t)[seen] / total for t in terms.T], axis=1)
    pull = np.stack([np.bincount(block, weight * e)[seen] for e in error.T], axis=1)
    inverse = np.linalg.inv(gram)
    lever = total * np.einsum("bi,ij,bj->b", middle, inverse, middle)
    square = (pull**2).mean(axis=1) / np.maximum(1 - lever, _LEAST_REST) ** 2
    moved = inverse @ ((middle * square[:, None]).T @ middle + prior) @ inverse
    return np.asarray(moved, np.float64)


def _robust_weights(error: DoubleArray, variance: DoubleArray) -> DoubleArray:
    """Inverse variances, shape (N,), of errors (N, 2): their own, the scene's, and how far off."""
    square = (error**2).sum(axis=1) / 2
    scene = 0.0
    for _ in range(_REWEIGHTINGS):
        ratio = float(np.median(square / (variance + scene))) / _MEDIAN_OF_MEAN_SQUARE
        scene = max((ratio - 1) * float(np.median(variance)) + ratio * scene, 0.0)
    total = variance + scene
    inside = np.clip(1 - square / (_TUKEY**2 * total), 0, None)
    return np.asarray(inside**2 / total)


def _blocks(position_px: DoubleArray, pitch_px: float) -> NDArray[np.int64]:
    """Index of the block of 8 x 8 pitches that every position (N, 2) lies in."""
    block = (position_px // (_BLOCK_PITCHES * pitch_px)).astype(np.int64).clip(0)
    return np.asarray(block[:, 0] * (block[:, 1].max() + 1) + block[:, 1])


def _inflation(error: DoubleArray, weight: DoubleArray, block: NDArray[np.int64]) -> float:
    """How many times the blocks' errors exceed what their lenslets' weights promise, squared."""
    pulls = [np.bincount(block, weight * e) for e in error.T]
    promised = np.bincount(block, weight)
    seen = promised > 0
    found = sum(float((pull[seen] ** 2).sum()) for pull in pulls) / 2
    return max(found / float(promised[seen].sum()), 1.0)


def _block_residual_px(error: DoubleArray, weight: DoubleArray, block: NDArray[np.int64]) -> float:
    """Root mean square over blocks of what the fit leaves of their mean shift."""
    total = np.bincount(block, weight)
    mean = np.stack([np.bincount(block, weight * e) for e in error.T]) / np.maximum(total, 1e-12)
    return float(np.sqrt((total * (mean**2).sum(axis=0)).sum() / max(float(total.sum()), 1e-12)))


def _grid_through(grid: LensletGrid, shifts: LensletShifts, fit: Displacement) -> LensletGrid:
    """Affine lattice and distortion of the lenslets' centers at their expected place + fitted."""
    positions = lenslet_table(grid).centers_px.astype(np.float64)
    positions = positions[:: max(1, len(positions) // _PROFILE_LENSLETS)]
    middle = (np.array(grid.sensor_shape) - 1) / 2
    half_height = grid.sensor_shape[0] / 2
    lattice = np.rint(grid.lattice_coordinates(positions[:, 0], positions[:, 1])).T
    over_sensor = monomials((positions - middle) / half_height)
    centers = positions + over_sensor @ fit.coefficients
    design = np.column_stack([np.ones(len(centers)), lattice])
    affine, *_ = np.linalg.lstsq(design, centers, rcond=None)
    straight = design @ affine
    terms = monomials((straight - middle) / half_height)
    distortion, *_ = np.linalg.lstsq(terms, centers - straight, rcond=None)
    variance = np.einsum("ni,ij,nj->n", over_sensor, fit.covariance, over_sensor)
    return dataclasses.replace(
        grid,
        origin_px=(float(affine[0, 0]), float(affine[0, 1])),
        right_px=(float(affine[1, 0]), float(affine[1, 1])),
        down_px=(float(affine[2, 0]), float(affine[2, 1])),
        distortion_px=np.ascontiguousarray(distortion.T),
        residual_px=fit.residual_px,
        standard_error_px=float(np.sqrt(2 * variance.mean())),
    )
