"""Raw codes as light of rays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lfdfp.datatypes import NoiseModel, Rays
from lfdfp.errors import ImageError
from lfdfp.reconstruction.ray_light import RayLight, measured_light, rays_of
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED, MISSING, SATURATION_OFFSET
from tests.factories import ray_field, textured_plane, tiny_capture

NOISE = NoiseModel(read_variance=20.0, shot_gain=0.7, relative=0.01)


@pytest.fixture(scope="module")
def rays() -> Rays:
    capture = tiny_capture("f01", scene="plane", size=256)
    made = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    mosaic, response = made.capture.mosaic.copy(), made.calibration.response.copy()
    mosaic[100:104, 100:104] = made.capture.white_codes[0]
    response[50:54, 50:54] = 0.0
    return Rays(
        capture=dataclasses.replace(made.capture, mosaic=mosaic),
        calibration=dataclasses.replace(made.calibration, response=response),
    )


@pytest.fixture(scope="module")
def light(rays: Rays) -> RayLight:
    return measured_light(rays, least_response=0.25, noise=NOISE)


def test_light_times_response_gives_the_codes_back(rays: Rays, light: RayLight) -> None:
    measured = light.light > LEAST_MEASURED
    gain = np.tile(light.gains, np.array(light.light.shape) // 2)
    codes = light.light * light.response / gain + rays.capture.black_codes[0]
    np.testing.assert_allclose(codes[measured], rays.capture.mosaic[measured], rtol=1e-4)
    assert measured.mean() > 0.5


def test_dead_pixels_are_missing_and_saturated_ones_say_how_bright_at_least(
    light: RayLight,
) -> None:
    assert (light.light[50:54, 50:54] == MISSING).all()
    saturated = light.light[100:104, 100:104]
    assert (saturated[saturated != MISSING] < LEAST_MEASURED).all()
    assert (SATURATION_OFFSET - saturated[saturated != MISSING] > 0.9 * light.gains.min()).all()


def test_noise_terms_are_the_variance_of_light(light: RayLight) -> None:
    a, b, r = light.noise_terms()[0, 1]
    gain, w, x = float(light.gains[0, 1]), 0.6, 0.3
    codes = x * w / gain
    variance = NOISE.read_variance + NOISE.shot_gain * codes + (NOISE.relative * codes) ** 2
    assert a / w**2 + b * x / w + r * x**2 == pytest.approx(variance * (gain / w) ** 2, rel=1e-5)


def test_a_field_is_asked_for_its_rays() -> None:
    capture = tiny_capture("f01", scene="plane", size=256)
    rays, sampling = rays_of(ray_field(capture))
    assert sampling == capture.sampling
    assert rays.capture.mosaic.shape == (256, 256)
    with pytest.raises(ImageError, match="views but no rays"):
        rays_of(textured_plane(0.0)[0])
