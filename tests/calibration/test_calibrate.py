"""The calibration's targets on simulated cameras, against their truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lfdfp.calibration import calibrate, fit_lenslet_grid
from lfdfp.datatypes import RawCapture
from lfdfp.errors import CalibrationError
from lfdfp.simulation import (
    REALISTIC,
    CameraModel,
    CameraName,
    Imperfections,
    SimulatedCapture,
    camera_model,
    make_scene,
    simulate_capture,
)
from tests.factories.lattices import center_error_px

pytestmark = pytest.mark.slow

SIZE = {"f01": 600, "illum": 720}
CASES = [("f01", 1, False), ("f01", 2, True), ("illum", 3, False), ("illum", 4, True)]


def random_camera(name: CameraName, seed: int, *, realistic: bool) -> CameraModel:
    """Random pitch, rotation, scale and offset; up to 1 px of distortion at the crop's border."""
    rng = np.random.default_rng(seed)
    model = camera_model(name, size=SIZE[name])
    array = model.microlens_array
    enlarged = (model.full_shape[0] / model.shape[0]) ** 3
    return dataclasses.replace(
        model,
        microlens_array=dataclasses.replace(
            array,
            pitch_m=array.pitch_m * rng.uniform(0.98, 1.02),
            rotation_rad=rng.uniform(-0.01, 0.01),
            scale=(rng.uniform(0.999, 1.001), 1.0),
            sensor_offset_m=(*rng.uniform(-1e-5, 1e-5, 2), array.sensor_offset_m[2]),
        ),
        imperfections=dataclasses.replace(
            REALISTIC if realistic else Imperfections(),
            distortion_px=rng.uniform(-1, 1) * enlarged,
        ),
    )


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def simulated(request: pytest.FixtureRequest) -> SimulatedCapture:
    name, seed, realistic = request.param
    camera = random_camera(name, seed, realistic=realistic)
    scene = make_scene("layers", camera.field_pitch, seed=seed)
    return simulate_capture(scene, camera, seed=seed, rays_per_pixel=16)


def with_false_metadata(capture: RawCapture, factor: float) -> RawCapture:
    array = capture.microlens_array
    false = dataclasses.replace(
        array,
        pitch_m=array.pitch_m * factor,
        rotation_rad=0.0,
        sensor_offset_m=(0.0, 0.0, array.sensor_offset_m[2]),
    )
    return dataclasses.replace(capture, microlens_array=false)


def rms_error_px(capture: RawCapture, camera: CameraModel) -> float:
    error = center_error_px(fit_lenslet_grid(capture), camera.grid)
    return float(np.sqrt((error**2).sum(axis=0).mean()))


def test_with_a_white_image_centers_are_right_to_a_twentieth_of_a_pixel(
    simulated: SimulatedCapture,
) -> None:
    white = with_false_metadata(simulated.white_capture(), 1.01)
    assert rms_error_px(white, simulated.camera) <= 0.05


def test_without_a_white_image_centers_are_right_to_a_tenth_of_a_pixel(
    simulated: SimulatedCapture,
) -> None:
    capture = with_false_metadata(simulated.raw_capture(), 0.99)
    assert rms_error_px(capture, simulated.camera) <= 0.1


def test_a_white_image_is_cleaned_of_its_noise(simulated: SimulatedCapture) -> None:
    white = simulated.white_capture()
    calibration = calibrate(simulated.raw_capture(), white)
    lit = (simulated.response > 0.3) & (calibration.response > 0)
    codes = white.mosaic - np.float32(white.black_codes[0])
    errors = []
    for estimate in (codes, calibration.response):
        per_channel = []
        for k in range(4):
            cell = slice(k // 2, None, 2), slice(k % 2, None, 2)
            ratio = (estimate[cell] / np.maximum(simulated.response[cell], 1e-3))[lit[cell]]
            per_channel.append(np.std(ratio / np.median(ratio)))
        errors.append(np.mean(per_channel))
    assert errors[1] < 0.85 * errors[0]


@pytest.mark.parametrize("falsified", [0.97, 0.985, 1.015, 1.03])
def test_no_lattice_row_is_taken_for_another(simulated: SimulatedCapture, falsified: float) -> None:
    """Far seeds either find the lattice everywhere, or say that they did not."""
    capture = with_false_metadata(simulated.raw_capture(), falsified)
    try:
        error = center_error_px(fit_lenslet_grid(capture), simulated.camera.grid)
    except CalibrationError:
        return
    assert np.hypot(*error).max() < 0.1 * simulated.camera.grid.pitch_px


@pytest.mark.parametrize("falsified", [0.85, 1.15])
def test_a_pitch_beyond_reach_is_refused(simulated: SimulatedCapture, falsified: float) -> None:
    capture = with_false_metadata(simulated.raw_capture(), falsified)
    with pytest.raises(CalibrationError):
        fit_lenslet_grid(capture)
