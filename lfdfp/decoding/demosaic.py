"""Demosaicing by regression: one lens image at a time, never across a rim.

Every lenslet's image is fitted by the model of `lens_images`. Which scale and amplitude the model
has is found for each lenslet by the likelihood of its pixels, and the fits are averaged with these
weights (Bayesian model averaging). Smooth images average nearly all pixels of a lenslet, detailed
ones few; red, green and blue share their detail; noise is known from the calibration, and its
scale is corrected where a lenslet's residuals contradict.

The lens centers lie anywhere between pixels. Lenslets are sorted by the place of their center in
the Bayer cell, to half a pixel; all of one class share their matrices, so that the work is a few
matrix products. The rest, up to a quarter of a pixel, is made up by shifting the polynomials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.decoding.demosaic_kernels import (
    GatheredPixels,
    PixelPattern,
    fill_from_neighbors,
    gather_lens_images,
    shrink_to_neighbors,
)
from lfdfp.decoding.lens_images import LensImageModel, disk_polynomials
from lfdfp.decoding.sensor import LEAST_RESPONSE, SensorLight
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.progress import Progress

FloatOrArray: TypeAlias = float | NDArray[Any]

IMAGE_RADIUS_PITCH = 0.47
"""Pixels farther from the center mix two lenslets."""

_DEGREE_PER_PX = 1.5
_CHROMA_DEGREE_PER_PX = 0.7
_SCALES_PX = (1.5, 2.7, 5.0)
_AMPLITUDES = (1.0, 8.0, 60.0, 400.0)
_NOISE_PRIOR_PIXELS = 120.0
_LENSLETS_AT_ONCE = 1024
_SUBPIXEL_CLASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensImages:
    """The image under every lenslet of a table, as coefficients of `model`.

    Attributes
    ----------
    coefficients
        Shape (rows, columns, count), about each lenslet's own center, in the sensor's axes;
        white-balanced camera light.
    valid
        Shape (rows, columns): False where the lenslet's center lies outside the sensor. Dead
        lenslets get the mean image of their neighbors and count as valid.
    """

    model: LensImageModel
    coefficients: FloatArray
    valid: NDArray[np.bool_]


def lens_image_model(pitch_px: float) -> LensImageModel:
    """The model whose detail fits lens images of this pitch."""
    radius = IMAGE_RADIUS_PITCH * pitch_px
    chroma_degree = round(_CHROMA_DEGREE_PER_PX * radius)
    return LensImageModel(
        polynomials=disk_polynomials(round(_DEGREE_PER_PX * radius), radius),
        chroma_count=(chroma_degree + 1) * (chroma_degree + 2) // 2,
    )


def demosaic_lens_images(
    sensor: SensorLight,
    response: FloatArray,
    lenslets: LensletArray,
    white_balance: tuple[float, float, float],
    *,
    progress: Progress,
) -> LensImages:
    """Fit the image under every lenslet.

    Parameters
    ----------
    sensor
        Light of every pixel.
    response
        Shape (H, W), for the weights of the pixels.
    white_balance
        Gains that are in `sensor.light`: they scale its noise.
    progress
        Called with (lenslets done, lenslets).
    """
    model = lens_image_model(lenslets.grid.pitch_px)
    # A ten-thousandth of a pixel is exact enough, and what fields were always decoded with.
    centers = lenslets.centers_px.reshape(-1, 2).T.astype(np.float32).astype(np.float64)
    height, width = sensor.light.shape
    limits = np.array([[height - 0.5], [width - 0.5]])
    inside = np.asarray(((centers > -0.5) & (centers < limits)).all(axis=0))
    valid = inside & _measured(response, centers)
    coefficients = np.zeros((centers.shape[1], model.count), np.float32)
    spread = np.zeros((centers.shape[1], 2 * model.chroma_count), np.float32)
    halves = np.rint(2 * centers).astype(np.int64)
    kind = (halves[0] % _SUBPIXEL_CLASSES) * _SUBPIXEL_CLASSES + halves[1] % _SUBPIXEL_CLASSES
    priors = [model.precision(scale) for scale in _SCALES_PX]
    done = 0
    for place in range(_SUBPIXEL_CLASSES**2):
        members = np.flatnonzero(valid & (kind == place))
        if not members.size:
            continue
        shared = _lenslet_class(model, sensor, response, halves[:, members], white_balance, priors)
        for start in range(0, members.size, _LENSLETS_AT_ONCE):
            some = members[start : start + _LENSLETS_AT_ONCE]
            fitted, spread[some] = shared.fit(sensor, response, halves[:, some] // 2)
            rest = centers[:, some] - halves[:, some] / 2
            coefficients[some] = _shifted(model, fitted, rest)
            done += some.size
            progress(done, int(valid.sum()))
    shape = lenslets.centers_px.shape[:2]
    images = LensImages(
        model=model,
        coefficients=coefficients.reshape(*shape, model.count),
        valid=valid.reshape(shape),
    )
    _calm_colors(images, spread.reshape(*shape, -1), lenslets.first_x)
    dead = (inside & ~valid).reshape(shape)
    if dead.any():
        fill_from_neighbors(images.coefficients, images.valid, dead, lenslets.first_x)
    return images


def _measured(response: FloatArray, centers: DoubleArray) -> BoolArray:
    """Shape (lenslets,): whether any of the nine pixels around a center (2, lenslets) works."""
    height, width = response.shape
    row, column = np.rint(centers).astype(np.int64)
    works = np.zeros(centers.shape[1], np.bool_)
    for down, right in np.ndindex(3, 3):
        at = np.clip(row + down - 1, 0, height - 1), np.clip(column + right - 1, 0, width - 1)
        works |= response[at] >= LEAST_RESPONSE
    return works


def _calm_colors(images: LensImages, spread: FloatArray, first_x: FloatArray) -> None:
    """Smooth the color differences where their spread over lenslets is their noise."""
    chroma = slice(images.model.polynomials.count, None)
    colors = np.ascontiguousarray(images.coefficients[..., chroma])
    calm = np.empty_like(colors)
    shrink_to_neighbors(colors, spread, images.valid, first_x, calm)
    images.coefficients[..., chroma] = calm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LensletClass:
    """What all lenslets with the same place in the Bayer cell share.

    Attributes
    ----------
    pattern
        The pixels of a lens image; weighted by the inverse noise variance, relative to a well-lit
        green pixel.
    projection
        Shape (pixels, count): weighted design matrix.
    solutions
        Shape (count, models * count): projection of the pixels to each model's coefficients.
    variances
        Shape (models, 2 chroma_count): of the color differences' coefficients, for unit noise.
    complexity
        Shape (models,): half the log-determinants that the likelihood loses.
    """

    model: LensImageModel
    pattern: PixelPattern
    mean_response: float
    projection: FloatArray
    solutions: FloatArray
    variances: FloatArray
    complexity: FloatArray

    @property
    def pixels(self) -> int:
        """Number of pixels of a lens image."""
        return len(self.pattern.offsets)

    def fit(
        self, sensor: SensorLight, response: FloatArray, corners: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray]:
        """Coefficients, shape (lenslets, count), about the class's common center; variances."""
        count = corners.shape[1]
        gathered = GatheredPixels(
            pixels=np.empty((count, self.pixels), np.float32),
            means=np.empty((count, 3), np.float32),
            levels=np.empty(count, np.float32),
        )
        gather_lens_images(
            sensor.light, response, np.ascontiguousarray(corners.T), self.pattern, gathered
        )
        pixels, means, levels = gathered
        variance = _noise_variance(
            sensor.noise, np.maximum(means[:, 1], 0), levels / self.mean_response, 1.0
        )
        projected = pixels @ self.projection
        fits = (projected @ self.solutions).reshape(count, -1, self.model.count)
        energy = (pixels * pixels) @ self.pattern.weights
        explained = np.einsum("nm,nkm->nk", projected, fits)
        residual = np.maximum(energy[:, None] - explained, 0)
        share = self._probabilities(residual, variance)
        fitted = np.einsum("nk,nkm->nm", share, fits)
        freedom = _NOISE_PRIOR_PIXELS + self.pixels - 3
        noise = (_NOISE_PRIOR_PIXELS * variance + (share * residual).sum(axis=1)) / freedom
        spread = noise[:, None] * (share @ self.variances)
        green, red, blue = self.model.constants
        fitted[:, green] += means[:, 1]
        fitted[:, red] += means[:, 0] - means[:, 1]
        fitted[:, blue] += means[:, 2] - means[:, 1]
        return np.asarray(fitted, np.float32), np.asarray(spread, np.float32)

    def _probabilities(self, residual: FloatArray, variance: FloatArray) -> FloatArray:
        """Of the models; the noise variance is an inverse gamma around the calibrated one."""
        freedom = _NOISE_PRIOR_PIXELS + self.pixels - 3
        scale = _NOISE_PRIOR_PIXELS * variance[:, None] + residual
        likelihood = -0.5 * freedom * np.log(scale) - self.complexity
        likelihood -= likelihood.max(axis=1, keepdims=True)
        share = np.exp(likelihood)
        return np.asarray(share / share.sum(axis=1, keepdims=True), np.float32)


def _lenslet_class(
    model: LensImageModel,
    sensor: SensorLight,
    response: FloatArray,
    halves: NDArray[np.int64],
    white_balance: tuple[float, float, float],
    priors: list[DoubleArray],
) -> _LensletClass:
    odd = halves[:, 0] % 2
    reach = int(model.polynomials.radius_px) + 2
    side = np.arange(-reach, reach + 1)
    square = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    positions = square - odd / 2
    inside = (positions**2).sum(-1) <= model.polynomials.radius_px**2
    offsets, positions = square[inside], positions[inside]
    corner = halves[:, 0] // 2
    colors = sensor.bayer_colors[(corner[0] + offsets[:, 0]) & 1, (corner[1] + offsets[:, 1]) & 1]
    profile = _profile(response, halves // 2, offsets)
    gains = np.asarray(white_balance)[colors]
    level = _typical_light(sensor, halves // 2)
    noise = _noise_variance(sensor.noise, level, profile, gains)
    weights = _noise_variance(sensor.noise, level, 1.0, 1.0) / noise
    design = np.stack([model.design(p, int(c)) for p, c in zip(positions, colors, strict=True)])
    projection = weights[:, None] * design
    solutions, variances, complexity = _solutions(model, design.T @ projection, priors)
    return _LensletClass(
        model=model,
        pattern=PixelPattern(offsets.astype(np.int64), colors, weights.astype(np.float32)),
        mean_response=float(profile.mean()),
        projection=projection.astype(np.float32),
        solutions=solutions.astype(np.float32),
        variances=variances.astype(np.float32),
        complexity=complexity.astype(np.float32),
    )


def _solutions(
    model: LensImageModel, information: DoubleArray, priors: list[DoubleArray]
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Posterior covariances of all models side by side, chroma variances, complexity."""
    free = np.setdiff1d(np.arange(model.count), model.constants)
    solutions, variances, complexity = [], [], []
    for prior in priors:
        for amplitude in _AMPLITUDES:
            precision = information + prior / amplitude
            posterior = np.linalg.inv(precision)
            solutions.append(posterior)
            # Of the estimate under repeated noise, not of the unknown: shrinking has its own prior.
            noise = np.einsum("ij,jk,ki->i", posterior, information, posterior)
            variances.append(noise[model.polynomials.count :])
            inner = prior[np.ix_(free, free)] / amplitude
            complexity.append((np.linalg.slogdet(precision)[1] - np.linalg.slogdet(inner)[1]) / 2)
    return np.concatenate(solutions, axis=1), np.array(variances), np.array(complexity)


def _profile(
    response: FloatArray, corners: NDArray[np.int64], offsets: NDArray[np.int64]
) -> DoubleArray:
    """Median response at each pixel of a lens image, over up to 500 lenslets."""
    some = corners[:, :: max(corners.shape[1] // 500, 1)]
    rows = np.clip(some[0][:, None] + offsets[:, 0], 0, response.shape[0] - 1)
    columns = np.clip(some[1][:, None] + offsets[:, 1], 0, response.shape[1] - 1)
    median = np.median(response[rows, columns], axis=0)
    return np.asarray(np.maximum(median, LEAST_RESPONSE), np.float64)


def _typical_light(sensor: SensorLight, corners: NDArray[np.int64]) -> float:
    rows = np.clip(corners[0], 0, sensor.light.shape[0] - 1)
    columns = np.clip(corners[1], 0, sensor.light.shape[1] - 1)
    return max(float(np.median(sensor.light[rows, columns])), 1e-3)


def _noise_variance(
    noise: DoubleArray, light: FloatOrArray, response: FloatOrArray, gain: FloatOrArray
) -> Any:
    """Variance of light that was multiplied by `gain` and divided by `response`."""
    read, shot, relative = noise
    return gain**2 * read / response**2 + gain * shot * light / response + (relative * light) ** 2


def _shifted(model: LensImageModel, fitted: FloatArray, rest: DoubleArray) -> FloatArray:
    """Coefficients about centers that lie `rest` (row, column) farther: Taylor to second order."""
    down, right = (matrix.T.astype(np.float32) for matrix in model.polynomials.derivatives())
    n, chroma = model.polynomials.count, model.chroma_count
    shift_y, shift_x = rest.astype(np.float32)[:, :, None]
    out = np.empty_like(fitted)
    start = 0
    for length in (n, chroma, chroma):
        part = fitted[:, start : start + length]
        d, r = down[:length, :length], right[:length, :length]
        first = shift_y * (part @ d) + shift_x * (part @ r)
        second = shift_y * (first @ d) + shift_x * (first @ r)
        out[:, start : start + length] = part + first + 0.5 * second
        start += length
    return out
