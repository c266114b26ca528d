from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lfdfp
from lfdfp.calibration import assess, calibrate
from lfdfp.calibration.black_level import measured_black_level
from lfdfp.datatypes import RawCapture
from lfdfp.simulation import REALISTIC, SimulatedCapture, camera_model, make_scene, simulate_capture
from lfdfp.simulation.names import CameraName, ScenePreset

pytestmark = pytest.mark.slow

_SIZES = {"f01": 800, "illum": 1100}


def _simulated(camera: CameraName, scene: ScenePreset) -> SimulatedCapture:
    model = replace(camera_model(camera, size=_SIZES[camera]), imperfections=REALISTIC)
    return simulate_capture(
        make_scene(scene, model.field_pitch, seed=1), model, seed=1, rays_per_pixel=16
    )


def _stated(capture: RawCapture, off: float) -> RawCapture:
    """The capture, whose metadata state a black level that is off."""
    black = tuple(code + off for code in capture.black_codes)
    return replace(capture, black_codes=black)


@pytest.fixture(scope="module")
def dark() -> SimulatedCapture:
    return _simulated("f01", "low-light")


@pytest.mark.parametrize("scene", ["low-light", "night-sky", "nearly-black"])
@pytest.mark.parametrize("camera", ["f01", "illum"])
def test_the_true_level_is_found_to_a_code(camera: CameraName, scene: ScenePreset) -> None:
    simulated = _simulated(camera, scene)
    capture = simulated.raw_capture()
    found = measured_black_level(capture, simulated.camera.grid)
    assert found is not None
    assert not found.surely_differs
    off = np.subtract(found.codes, capture.black_codes)
    assert np.abs(off).max() < 1.5
    assert (np.abs(off) < 5 * np.array(found.standard_error)).all()


@pytest.mark.parametrize("off", [-12.0, 12.0])
def test_what_the_metadata_say_does_not_count(dark: SimulatedCapture, off: float) -> None:
    capture = dark.raw_capture()
    found = measured_black_level(_stated(capture, off), dark.camera.grid)
    assert found is not None
    assert found.surely_differs
    np.testing.assert_allclose(found.codes, capture.black_codes, atol=1.5)
    assert found.corrected(_stated(capture, off)).black_codes == found.codes


@pytest.mark.parametrize("scene", ["nearly-flat", "page", "foliage"])
def test_scenes_without_dark_parts_do_not_tell(scene: ScenePreset) -> None:
    simulated = _simulated("f01", scene)
    assert measured_black_level(simulated.raw_capture(), simulated.camera.grid) is None


def test_a_wrong_level_is_said_and_mended(dark: SimulatedCapture) -> None:
    """Views are those of the right metadata, up to noise of the measured level."""
    right, wrong = dark.raw_capture(), _stated(dark.raw_capture(), -15)
    before, after = (calibrate(one) for one in (right, wrong))
    assert not any("black level" in warning for warning in before.warnings)
    assert any("a black level of 16" in warning for warning in after.warnings)
    views = [lfdfp.decode(*pair) for pair in ((right, before), (wrong, after))]
    v, u = views[0].center
    error = np.abs(views[1].view(v, u) - views[0].view(v, u))
    unmended = lfdfp.decode(wrong, replace(after, black=None))
    assert error.mean() < 0.25 * np.abs(unmended.view(v, u) - views[0].view(v, u)).mean()
    told = {finding.subject: finding for finding in assess(wrong)}
    assert told["black level"].verdict == "fair"
    assert "the metadata say 153" in told["black level"].fact


def test_a_sensor_too_small_for_one_block_has_no_measured_level() -> None:
    camera = camera_model("f01", size=120)
    simulated = simulate_capture(make_scene("plane", camera.field_pitch, seed=1), camera, seed=1)
    grid = simulated.true_calibration().grid
    assert measured_black_level(simulated.raw_capture(), grid) is None
