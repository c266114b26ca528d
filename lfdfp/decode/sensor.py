"""Raw codes to linear light: levels, white balance, vignetting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import BAYER_COLOR, Calibration, FloatArray, RawCapture
from lfdfp.decode.sensor_kernels import linearize

LEAST_RESPONSE = 0.08
"""Pixels that see less than this share of the light carry more noise than picture."""

_SATURATION_SHARE = 0.985


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorLight:
    """The mosaic in linear light.

    Attributes
    ----------
    light
        Shape (H, W): white-balanced, devignetted; not clipped.
    trust
        Shape (H, W): the pixel's response, 0 where the pixel says nothing.
    bayer_colors
        Shape (2, 2): color index (0 red, 1 green, 2 blue) of each place in the Bayer cell.
    """

    light: FloatArray
    trust: FloatArray
    bayer_colors: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def sensor_light(capture: RawCapture, calibration: Calibration) -> SensorLight:
    """Linear light of every pixel, white-balanced and with the vignetting divided out."""
    light = np.empty(capture.mosaic.shape, np.float32)
    trust = np.empty(capture.mosaic.shape, np.float32)
    levels = _plane_levels(capture)
    linearize(capture.mosaic, calibration.response, levels, LEAST_RESPONSE, light, trust)
    colors = np.array([BAYER_COLOR[channel] for channel in capture.bayer]).reshape(2, 2)
    return SensorLight(light=light, trust=trust, bayer_colors=colors)


def _plane_levels(capture: RawCapture) -> FloatArray:
    levels = np.empty((4, 3), np.float32)
    for k, (channel, _, _, black, white) in enumerate(capture.bayer_planes()):
        gain = capture.color.white_balance[BAYER_COLOR[channel]]
        levels[k] = black, gain / (white - black), black + _SATURATION_SHARE * (white - black)
    return levels.reshape(2, 2, 3)
