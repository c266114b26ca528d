"""Raw codes to linear light: levels, white balance, vignetting, highlights, hot pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import (
    BAYER_COLOR,
    Calibration,
    DoubleArray,
    FloatArray,
    NoiseModel,
    RawCapture,
)
from lfdfp.decoding.sensor_kernels import (
    fill_unmeasured,
    linearize,
    neutralize_highlights,
    repair_hot_pixels,
)
from lfdfp.imaging.sensor_noise import noise_from_iso

LEAST_RESPONSE = 0.02
"""A pixel with a smaller share of the light holds nothing but noise."""

_SATURATION_SHARE = 0.985
_HOT_RATIO = 1.8
_HOT_DEVIATIONS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorLight:
    """The mosaic in linear light.

    Attributes
    ----------
    light
        Shape (H, W): white-balanced, vignetting divided out; not clipped.
    bayer_colors
        Shape (2, 2): color index (0 red, 1 green, 2 blue) of each place in the Bayer cell.
    noise
        Read variance, shot gain and relative noise in units of light before white balance.
    saturated, unmeasured, hot
        How many pixels were at the white level, without response, and repaired as hot.
    """

    light: FloatArray
    bayer_colors: NDArray[np.int64]
    noise: DoubleArray
    saturated: int
    unmeasured: int
    hot: int


def sensor_light(capture: RawCapture, calibration: Calibration) -> SensorLight:
    """Linear light of every pixel, white-balanced, with the vignetting divided out.

    Nothing is clipped. Saturated pixels are raised to gray where their neighbors say so, dead and
    hot ones are filled from neighbors of the same color.
    """
    light = np.empty(capture.mosaic.shape, np.float32)
    levels = _plane_levels(capture)
    linearize(capture.mosaic, calibration.response, levels, light)
    unmeasured = fill_unmeasured(light)
    saturated = neutralize_highlights(capture.mosaic, calibration.response, levels, light)
    noise = noise_of_light(capture, calibration.noise or noise_from_iso(capture))
    hot = repair_hot_pixels(calibration.response, noise, _HOT_RATIO, _HOT_DEVIATIONS, light)
    return SensorLight(
        light=light,
        bayer_colors=np.array([BAYER_COLOR[c] for c in capture.bayer]).reshape(2, 2),
        noise=noise,
        saturated=saturated,
        unmeasured=unmeasured,
        hot=hot,
    )


def noise_of_light(capture: RawCapture, noise: NoiseModel) -> DoubleArray:
    """Read variance, shot gain, relative noise, shape (3,), with the white level at 1."""
    span = float(np.mean(np.subtract(capture.white_codes, capture.black_codes)))
    return np.array([noise.read_variance / span**2, noise.shot_gain / span, noise.relative])


def _plane_levels(capture: RawCapture) -> FloatArray:
    levels = np.empty((4, 4), np.float32)
    for k, (channel, _, _, black, white) in enumerate(capture.bayer_planes()):
        gain = capture.color.white_balance[BAYER_COLOR[channel]]
        saturated = black + _SATURATION_SHARE * (white - black)
        levels[k] = black, gain / (white - black), saturated, LEAST_RESPONSE
    return levels.reshape(2, 2, 4)
