"""What ordinary captures tell of profiles and fall-off, against the truth of simulated ones."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from lfdfp.calibration import calibrate
from lfdfp.calibration.raw_codes import plane_colors
from lfdfp.calibration.response.fall_off import (
    FieldShading,
    combined_shading,
    natural_vignetting,
    unmeasured_shading,
)
from lfdfp.calibration.response.profile_fit import fitted_profiles
from lfdfp.calibration.response.profiles import rendered_profiles
from lfdfp.datatypes import FloatArray
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture


@pytest.fixture(scope="module")
def shaded() -> SimulatedCapture:
    """A capture whose corners lack 35 % of the light."""
    small = camera_model("f01", size=900)
    camera = dataclasses.replace(small, full_shape=small.shape)
    scene = make_scene("layers", camera.field_pitch, seed=2)
    return simulate_capture(scene, camera, seed=2, rays_per_pixel=16)


def field_error(response: FloatArray, truth: FloatArray) -> float:
    """Standard deviation of the slow part of the relative error."""
    lit = truth > 0.5
    error = np.where(lit, np.log(np.maximum(response, 1e-3) / np.maximum(truth, 1e-3)), 0.0)
    cells = (slice(0, 900 // 60 * 60),) * 2
    total, count = (a[cells].reshape(15, 60, 15, 60).sum(axis=(1, 3)) for a in (error, lit))
    return float(np.std(total / count))


@pytest.mark.slow
def test_parallax_tells_the_fall_off_of_light_over_the_field(shaded: SimulatedCapture) -> None:
    capture = shaded.raw_capture()
    grid = shaded.camera.grid
    profiles = fitted_profiles([(capture, grid)], is_white=False)
    flat = rendered_profiles(profiles, plane_colors(capture.bayer), grid)
    unknown = field_error(flat, shaded.response)
    assert unknown > 0.07
    assert field_error(calibrate(capture).response, shaded.response) < 0.4 * unknown


@pytest.mark.parametrize("camera", ["f01", "illum"])
def test_the_profile_is_right_to_two_percent(camera) -> None:
    model = camera_model(camera, size=500)
    scene = make_scene("layers", model.field_pitch, seed=1)
    simulated = simulate_capture(scene, model, seed=1, rays_per_pixel=16)
    lit = simulated.response > 0.4
    ratio = calibrate(simulated.raw_capture()).response[lit] / simulated.response[lit]
    assert np.std(ratio) < 0.02
    assert abs(np.mean(ratio) - 1) < 0.015


CORNER = np.array([np.sqrt(0.5), np.sqrt(0.5)])
F01 = simulate_capture(
    make_scene("plane", (20.0, 20.0), seed=1),
    camera_model("f01", size=200),
    seed=1,
    rays_per_pixel=16,
).raw_capture()
FULL = replace(F01, mosaic=np.zeros((3280, 3280), np.uint16))


def measured(change_at_corners: float) -> FieldShading:
    information = np.diag([1e6] * 28)
    coefficients = np.zeros(28)
    coefficients[0] = change_at_corners
    return FieldShading(
        information=information,
        moment=information @ coefficients,
        usual=natural_vignetting(FULL),
        blocks=100,
    )


def test_a_clear_measurement_outweighs_what_is_usual() -> None:
    assert measured(-0.3).log_light(CORNER) == pytest.approx(-0.3, abs=1e-3)


def test_light_never_grows_towards_the_corners() -> None:
    usual = unmeasured_shading(FULL).log_light(CORNER)
    assert measured(0.3).log_light(CORNER) == pytest.approx(usual)
    assert measured(0.3).uncertainty() > 10 * measured(-0.3).uncertainty()


def test_the_usual_fall_off_is_that_of_the_field_angle() -> None:
    """Half a diagonal of 3.25 mm at 6.45 mm of focal length."""
    angle = np.arctan(1640 * np.sqrt(2) * 1.4e-6 / 6.45e-3)
    light = unmeasured_shading(FULL).log_light(CORNER * np.array([[0.0], [0.5], [1.0]]))
    half = np.arctan(np.tan(angle) / 2)
    expected = 4 * np.log(np.cos([0.0, half, angle]))
    np.testing.assert_allclose(light, expected, atol=0.01)


@pytest.mark.parametrize("focal_length_m", [None, 0.0, 5.0])
def test_without_a_focal_length_no_fall_off_is_usual(focal_length_m: float | None) -> None:
    lens = replace(FULL.lens, focal_length_m=focal_length_m)
    assert not natural_vignetting(replace(FULL, lens=lens)).any()


def test_captures_of_one_camera_share_their_evidence() -> None:
    both = combined_shading([measured(-0.2), measured(-0.4)])
    assert both.coefficients[0] == pytest.approx(-0.3, abs=1e-3)


def test_a_fall_off_that_stays_unknown_is_said() -> None:
    camera = camera_model("f01", size=300)
    scene = make_scene("plane", camera.field_pitch, seed=1)
    simulated = simulate_capture(scene, camera, seed=1, rays_per_pixel=16)
    warnings = calibrate(simulated.raw_capture()).warnings
    said = [warning for warning in warnings if "Corner brightness is uncertain" in warning]
    assert len(said) == 1
    assert "a white image would fix it" in said[0]
