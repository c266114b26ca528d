from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lfdfp.calibration import calibrate, fit_lenslet_grid, grid_from_metadata
from lfdfp.datatypes import Lens, LensletGrid, MicrolensArray
from lfdfp.errors import CalibrationError, CaptureError
from tests.factories.lattices import (
    capture_of,
    center_error_px,
    lenslet_profile,
    random_grid,
    scene_light,
    untouched_rings,
)

SHAPE = (420, 500)


def rms(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).sum(axis=0).mean()))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pitch", [10.0, 14.286])
def test_a_white_image_gives_the_centers_to_a_twentieth_of_a_pixel(seed: int, pitch: float) -> None:
    rng = np.random.default_rng(seed)
    true = random_grid(rng, SHAPE, pitch=pitch)
    white = capture_of(0.7 * lenslet_profile(true), rng, pitch_px=pitch)
    found = fit_lenslet_grid(white, is_white=True)
    assert rms(center_error_px(found, true)) < 0.05


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("falsified", [0.97, 1.0, 1.03])
def test_a_scene_gives_the_centers_to_a_tenth_of_a_pixel(seed: int, falsified: float) -> None:
    rng = np.random.default_rng(seed)
    true = random_grid(rng, SHAPE)
    capture = capture_of(
        lenslet_profile(true) * scene_light(rng, true), rng, pitch_px=true.pitch_px * falsified
    )
    found = fit_lenslet_grid(capture)
    assert rms(center_error_px(found, true)) < 0.1


def test_lattice_rows_run_along_the_sensor_rows() -> None:
    rng = np.random.default_rng(5)
    true = random_grid(rng, SHAPE)
    found = fit_lenslet_grid(capture_of(lenslet_profile(true), rng, pitch_px=10.0))
    np.testing.assert_allclose(found.right_px, true.right_px, atol=2e-3)
    np.testing.assert_allclose(found.down_px, true.down_px, atol=2e-3)


def test_the_origin_is_the_lenslet_nearest_to_the_middle() -> None:
    rng = np.random.default_rng(6)
    true = random_grid(rng, SHAPE)
    found = fit_lenslet_grid(capture_of(lenslet_profile(true), rng, pitch_px=10.0))
    middle = (np.array(SHAPE) - 1) / 2
    q, r = np.mgrid[-2:3, -2:3].reshape(2, -1)
    distance = np.linalg.norm(found.centers(q, r).T - middle, axis=1)
    assert np.linalg.norm(found.origin_px - middle) == pytest.approx(distance.min())


def test_noise_is_refused() -> None:
    rng = np.random.default_rng(7)
    with pytest.raises(CalibrationError, match="lattice"):
        fit_lenslet_grid(capture_of(rng.uniform(0.2, 0.6, SHAPE), rng, pitch_px=10.0))


def test_the_metadata_grid_has_the_exit_pupil_in_it() -> None:
    rng = np.random.default_rng(8)
    capture = dataclasses.replace(
        capture_of(np.ones(SHAPE), rng, pitch_px=10.0),
        microlens_array=MicrolensArray(
            pitch_m=14e-6, rotation_rad=0.01, scale=(1.001, 1.0), sensor_offset_m=(0, 0, 25e-6)
        ),
        lens=Lens(exit_pupil_offset_m=0.05),
    )
    grid = grid_from_metadata(capture)
    assert np.hypot(*grid.right_px) == pytest.approx(10.0 * 1.0005)
    assert grid.rotation_rad == pytest.approx(0.01)
    assert grid.down_px[0] > grid.right_px[0]


def test_a_capture_without_structure_falls_back_to_the_metadata_and_says_so() -> None:
    rng = np.random.default_rng(9)
    capture = capture_of(np.full(SHAPE, 0.4), rng, pitch_px=10.0)
    calibration = calibrate(capture)
    assert "metadata" in calibration.source
    assert "could not be found" in calibration.warnings[0]


def test_a_black_capture_is_refused_in_one_line() -> None:
    rng = np.random.default_rng(10)
    with pytest.raises(CaptureError, match="black"):
        calibrate(capture_of(np.zeros(SHAPE), rng, pitch_px=10.0))


def test_an_overexposed_capture_is_not_called_dark() -> None:
    rng = np.random.default_rng(10)
    with pytest.raises(CaptureError, match=r"overexposed everywhere: 100\.0 % of its pixels"):
        calibrate(capture_of(np.full(SHAPE, 2.0), rng, pitch_px=10.0))


@pytest.mark.parametrize("side", [2, 8, 16, 40, 78])
def test_a_sensor_of_a_few_lenslets_is_refused(side: int) -> None:
    rng = np.random.default_rng(10)
    capture = capture_of(np.full(SHAPE, 0.4), rng, pitch_px=10.0)
    small = dataclasses.replace(capture, mosaic=capture.mosaic[:side, :200].copy())
    with pytest.raises(CalibrationError, match=rf"200 x {side} pixels shows fewer than 8 x 8"):
        calibrate(small)


def test_inputs_come_back_unchanged() -> None:
    rng = np.random.default_rng(11)
    true = random_grid(rng, SHAPE)
    capture = capture_of(lenslet_profile(true), rng, pitch_px=10.0)
    before = capture.mosaic.copy()
    calibrate(capture)
    np.testing.assert_array_equal(capture.mosaic, before)


def test_the_estimated_response_is_the_lenslets_profile() -> None:
    rng = np.random.default_rng(12)
    true = random_grid(rng, SHAPE)
    profile = lenslet_profile(true)
    calibration = calibrate(
        capture_of(profile * scene_light(rng, true), rng, pitch_px=true.pitch_px)
    )
    inner = untouched_rings(true, 0.4)
    ratio = calibration.response[inner] / (profile[inner] / profile.max())
    assert abs(np.median(ratio) - 1) < 0.03
    assert np.percentile(np.abs(ratio - np.median(ratio)), 90) < 0.05


@pytest.mark.slow
def test_a_white_image_is_its_own_response() -> None:
    rng = np.random.default_rng(13)
    true: LensletGrid = random_grid(rng, SHAPE)
    profile = lenslet_profile(true)
    white = capture_of(0.7 * profile, rng, pitch_px=true.pitch_px, noise=0.002)
    capture = capture_of(profile * scene_light(rng, true), rng, pitch_px=true.pitch_px)
    calibration = calibrate(capture, white)
    assert "given white image" in calibration.source
    inner = untouched_rings(true, 0.4)
    ratio = calibration.response[inner] / (profile[inner] / profile.max())
    assert np.percentile(np.abs(ratio - 1), 95) < 0.03
