"""What the raw rays measured: light in white-balanced camera colors, and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import (
    BAYER_COLOR,
    FloatArray,
    LightField,
    NoiseModel,
    RawCapture,
    Rays,
    ViewSampling,
)
from lfdfp.errors import ImageError
from lfdfp.reconstruction.ray_marks import MISSING, SATURATION_OFFSET


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayLight:
    """What every ray measured, in white-balanced camera colors.

    Attributes
    ----------
    light
        Shape (H, W): ``gain (raw - black) / response``; `MISSING` where a pixel is dead or too
        dim; ``SATURATION_OFFSET - value`` where it is saturated: at least `value` arrived.
    response
        Shape (H, W), of the calibration.
    colors
        Shape (2, 2), int64: color (0 red, 1 green, 2 blue) of the Bayer cell.
    gains
        Shape (2, 2): from codes to white-balanced light, before the response.
    noise
        Of the raw codes.
    """

    light: FloatArray
    response: FloatArray
    colors: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    gains: FloatArray
    noise: NoiseModel

    def noise_terms(self) -> FloatArray:
        """Shape (2, 2, 3): (a, b, r) of the variance ``a / w² + b x / w + r x²`` of light x."""
        gain = self.gains.astype(np.float64)
        terms = np.stack(
            [
                self.noise.read_variance * gain**2,
                self.noise.shot_gain * gain,
                np.full((2, 2), self.noise.relative**2),
            ],
            axis=-1,
        )
        return terms.astype(np.float32)


def rays_of(field: LightField) -> tuple[Rays, ViewSampling]:
    """A field's rays, and where its views sample them.

    Raises
    ------
    ImageError
        For a field without rays, as light-field files hold them; the text says what to do.
    """
    if field.rays is None or field.sampling is None:
        raise ImageError(
            "this light field has views but no rays (files of light fields do not keep them): "
            "give the raw capture itself, or fuse a focal stack of the field"
        )
    return field.rays, field.sampling


def measured_light(rays: Rays, *, least_response: float, noise: NoiseModel) -> RayLight:
    """Turn raw codes into light per ray, and mark what carries no measurement.

    Parameters
    ----------
    least_response
        Pixels below this share of full response are missing.
    noise
        Of the raw codes; kept for the variances.
    """
    capture, response = rays.capture, rays.calibration.response
    light = np.full(capture.mosaic.shape, MISSING, np.float32)
    gains = np.zeros((2, 2), np.float32)
    colors = np.zeros((2, 2), np.int64)
    for k, (channel, rows, columns, black, white) in enumerate(capture.bayer_planes()):
        color = BAYER_COLOR[channel]
        gain = capture.color.white_balance[color] / (white - black)
        gains[k // 2, k % 2], colors[k // 2, k % 2] = gain, color
        codes = capture.mosaic[rows, columns]
        share = response[rows, columns]
        usable = share >= least_response
        plane = (codes - np.float32(black)) * np.float32(gain) / np.maximum(share, least_response)
        saturated = codes >= _saturation_code(capture, black, white)
        plane = np.where(saturated, SATURATION_OFFSET - plane, plane)
        light[rows, columns] = np.where(usable, plane, MISSING)
    return RayLight(light=light, response=response, colors=colors, gains=gains, noise=noise)


def _saturation_code(capture: RawCapture, black: float, white: float) -> float:
    """Codes from here on do not tell how bright the light was."""
    return black + 0.985 * (white - black)
