"""How noisy a raw code is, as a function of the light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.noise_kernels import ResidualCounts, smooth_light_residuals
from lfdfp.calibration.raw_codes import raw_codes
from lfdfp.datatypes import (
    BoolArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
)
from lfdfp.errors import CalibrationError
from lfdfp.imaging.sensor_noise import (
    MEDIAN_OF_SQUARE,
    QUANTIZATION_VARIANCE,
    noise_from_iso,
)
from lfdfp.lenslets.table import lenslet_table

_PIXELS = 2.2e6
_RADIUS_PITCH = 0.38
_SATURATION_SHARE = 0.9
_QUIET_SHARE = 0.05
_BINS = (2.0, 4.0, -10.0)
_SIGNAL_BINS, _RESIDUAL_BINS = 28, 160
_LEAST_COUNT = 150
_LEAST_LEVELS = 4
_VARIANCE_ERROR = 0.05
_RELATIVE_PRIOR = 0.02


def noise_from_capture(capture: RawCapture, grid: LensletGrid, response: FloatArray) -> NoiseModel:
    """Noise of a capture's codes, from what smooth light under its lenslets does not explain.

    Light varies slowly with direction, so under one lenslet each color is fitted by ``response
    (a + b down + c right)``. Residuals are collected where *another* color of the same lenslet
    is fitted well, which picks plain parts of the scene without favoring small noise. The median
    of their squares by signal gives the variance; read, shot and relative noise are fitted to it.
    What the response gets wrong counts as relative noise.

    Raises
    ------
    CalibrationError
        Where too few lenslets are well lit.
    """
    noise = noise_from_iso(capture)
    every = lenslet_table(grid).centers_px
    enough = int(_PIXELS / (np.pi * (_RADIUS_PITCH * grid.pitch_px) ** 2))
    centers = np.ascontiguousarray(every[:: -(-len(every) // enough)], np.float64)
    quiet = np.zeros((len(centers), 3), np.bool_)
    for _ in range(3):
        misfit, counts = _residuals(capture, grid, response, centers, noise, quiet)
        if quiet.any():
            noise = _fitted(counts, noise_from_iso(capture))
        quiet = _quiet_by_another_color(misfit)
        if not quiet.any():
            raise CalibrationError("too few lenslets are well lit to measure the noise")
    return noise


def _residuals(
    capture: RawCapture,
    grid: LensletGrid,
    response: FloatArray,
    centers: DoubleArray,
    noise: NoiseModel,
    quiet: BoolArray,
) -> tuple[FloatArray, NDArray[np.int64]]:
    misfit = np.empty((len(centers), 3), np.float32)
    counts = np.zeros((_SIGNAL_BINS, _RESIDUAL_BINS), np.int64)
    smooth_light_residuals(
        raw_codes(capture, saturation_share=_SATURATION_SHARE),
        response,
        centers,
        _RADIUS_PITCH * grid.pitch_px,
        (noise.read_variance, noise.shot_gain, noise.relative**2),
        misfit,
        quiet,
        ResidualCounts(counts, *_BINS),
    )
    return misfit, counts


def _quiet_by_another_color(misfit: FloatArray) -> BoolArray:
    """Shape (L, 3): green where red and blue are fitted well, red and blue where green is."""
    fitted = np.asarray(np.isfinite(misfit).all(axis=1), np.bool_)
    if fitted.sum() < _LEAST_COUNT // 10:
        return np.zeros(misfit.shape, np.bool_)
    filled = np.where(fitted[:, None], misfit, np.inf)
    others = np.stack([filled[:, 1], filled[:, 0] + filled[:, 2], filled[:, 1]], axis=1)
    limit = np.quantile(others[fitted], _QUIET_SHARE, axis=0)
    return np.asarray(others <= limit, np.bool_)


def _fitted(counts: NDArray[np.int64], guess: NoiseModel) -> NoiseModel:
    """Read, shot and relative noise from the medians of the squared residuals by signal."""
    number = counts.sum(axis=1)
    used = number >= _LEAST_COUNT
    used[0] = False  # codes at and below black
    if used.sum() < _LEAST_LEVELS:
        raise CalibrationError("the light in the capture varies too little to measure the noise")
    signal = np.asarray(2.0 ** ((np.flatnonzero(used) + 0.5) / _BINS[0]), np.float64)
    variance = _medians(counts[used]) / MEDIAN_OF_SQUARE
    return noise_through(signal, variance, number[used].astype(np.float64), guess)


def _medians(counts: NDArray[np.int64]) -> DoubleArray:
    cumulative = np.cumsum(counts, axis=1)
    half = 0.5 * cumulative[:, -1]
    index = np.argmax(cumulative >= half[:, None], axis=1)
    inside = counts[np.arange(len(counts)), index]
    before = cumulative[np.arange(len(counts)), index] - inside
    place = index + (half - before) / np.maximum(inside, 1)
    return np.asarray(2.0 ** (place / _BINS[1] + _BINS[2]))


def noise_through(
    signal: DoubleArray, variance: DoubleArray, number: DoubleArray, guess: NoiseModel
) -> NoiseModel:
    """Noise model through measured variances (N,), each from `number` residuals.

    Relative errors count, so that the dark end is fitted as well as the bright one. Where the
    signals do not tell read from relative noise, the first stays near the guess, the second
    near nothing.
    """
    from scipy.optimize import nnls

    design = np.stack([np.ones_like(signal), signal, signal**2], axis=1)
    weight = 1 / (np.maximum(variance, 1e-9) * np.sqrt(_VARIANCE_ERROR**2 + 4 / number))
    prior = np.diag([1 / guess.read_variance, 0.0, 1 / _RELATIVE_PRIOR**2])
    rows = np.concatenate([design * weight[:, None], prior])
    target = np.concatenate([variance * weight, [1.0, 0.0, 0.0]])
    scale = np.linalg.norm(rows, axis=0)
    solution, _ = nnls(rows / scale, target)
    read, shot, relative = solution / scale
    return NoiseModel(
        read_variance=float(max(read, QUANTIZATION_VARIANCE)),
        shot_gain=float(shot),
        relative=float(np.sqrt(relative)),
    )


def noise_from_pair(first: RawCapture, second: RawCapture) -> NoiseModel:
    """Noise from two captures of the same still light, such as two white images.

    Their difference, after the second is scaled to the first, holds nothing but noise.

    Raises
    ------
    CalibrationError
        When the two do not show the same.
    """
    if first.mosaic.shape != second.mosaic.shape:
        raise CalibrationError(
            f"two captures of {first.mosaic.shape} and {second.mosaic.shape} pixels are no pair"
        )
    counts = np.zeros((_SIGNAL_BINS, _RESIDUAL_BINS), np.int64)
    for (_, rows, columns, black, white), other in zip(
        first.bayer_planes(), second.bayer_planes(), strict=True
    ):
        a = first.mosaic[rows, columns].astype(np.float32) - black
        b = second.mosaic[rows, columns].astype(np.float32) - other[3]
        factor = float(a.sum() / max(float(b.sum()), 1.0))
        lit = (np.maximum(a, b) < _SATURATION_SHARE * (white - black)).ravel()
        mean = 0.5 * (a + factor * b).ravel()[lit]
        square = ((a - factor * b).ravel()[lit] ** 2) / (1 + factor**2)
        i = (np.log2(np.maximum(mean, 1.0)) * _BINS[0]).astype(int)
        j = ((np.log2(np.maximum(square, 1e-9)) - _BINS[2]) * _BINS[1]).astype(int)
        i, j = i.clip(0, _SIGNAL_BINS - 1), j.clip(0, _RESIDUAL_BINS - 1)
        counts += np.bincount(i * _RESIDUAL_BINS + j, minlength=counts.size).reshape(counts.shape)
    return _fitted(counts, noise_from_iso(first))
