from __future__ import annotations

import numpy as np
import pytest

from lfdfp.calibration import fit_lenslet_grid
from lfdfp.calibration.defects import defects_in_capture, hot_pixels_from_dark_frames
from lfdfp.calibration.grid.fit import fit_lenslet_grid as fit
from lfdfp.calibration.noise import noise_from_capture, noise_from_pair
from lfdfp.datatypes import NoiseModel
from lfdfp.errors import CalibrationError
from tests.factories.lattices import WHITE, capture_of, lenslet_profile, random_grid, scene_light

SHAPE = (600, 640)
NOISE = 0.02
CODES = WHITE - 168.0
TRUE = NoiseModel(read_variance=1e-3 * (NOISE * CODES) ** 2, shot_gain=NOISE**2 * CODES)


def variance(noise: NoiseModel, signal: np.ndarray) -> np.ndarray:
    return noise.read_variance + noise.shot_gain * signal + (noise.relative * signal) ** 2


def test_noise_under_the_lenslets_is_that_of_the_sensor() -> None:
    rng = np.random.default_rng(1)
    true = random_grid(rng, SHAPE)
    profile = lenslet_profile(true)
    capture = capture_of(profile * scene_light(rng, true), rng, pitch_px=true.pitch_px, noise=NOISE)
    found = noise_from_capture(capture, fit(capture), profile)
    signal = CODES * np.array([0.05, 0.15, 0.4])
    np.testing.assert_allclose(variance(found, signal), variance(TRUE, signal), rtol=0.2)


def test_two_white_images_tell_their_noise() -> None:
    rng = np.random.default_rng(2)
    true = random_grid(rng, SHAPE)
    light = 0.8 * lenslet_profile(true)
    pair = [capture_of(light * f, rng, pitch_px=true.pitch_px, noise=NOISE) for f in (1, 0.95)]
    found = noise_from_pair(*pair)
    signal = CODES * np.array([0.1, 0.3, 0.7])
    np.testing.assert_allclose(variance(found, signal), variance(TRUE, signal), rtol=0.1)


def test_hot_and_dead_pixels_are_found_and_little_else() -> None:
    rng = np.random.default_rng(4)
    true = random_grid(rng, SHAPE)
    profile = lenslet_profile(true)
    light = profile * scene_light(rng, true)
    bad = np.zeros(SHAPE, bool)
    bad.ravel()[rng.integers(0, bad.size, 40)] = True
    bad &= profile > 0.5
    hot = bad & (rng.random(SHAPE) < 0.5)
    light[hot] += 0.8
    light[bad & ~hot] = 0.0
    capture = capture_of(light, rng, pitch_px=true.pitch_px)
    grid = fit_lenslet_grid(capture)
    noise = noise_from_capture(capture, grid, profile)
    found = defects_in_capture(capture, profile, noise, grid.pitch_px)
    assert (found & bad).sum() >= 0.8 * bad.sum()
    assert (found & ~bad).sum() <= 0.2 * bad.sum()


def test_dark_frames_of_two_sizes_are_refused() -> None:
    rng = np.random.default_rng(5)
    frames = [capture_of(np.zeros(s), rng, pitch_px=10.0) for s in ((20, 20), (20, 22))]
    with pytest.raises(CalibrationError, match="one size"):
        hot_pixels_from_dark_frames(frames)
