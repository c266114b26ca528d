"""The noise to expect where none could be measured, and who takes it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lfdfp.datatypes import NoiseModel, Rays
from lfdfp.decoding.sensor import sensor_light
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.state import set_up
from lfdfp.settings import FusionSettings
from lfdfp.simulation import CameraName, SimulatedCapture, camera_model
from tests.factories import tiny_capture


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="plane", size=256)


def variance(noise: NoiseModel, signal: float) -> float:
    return noise.read_variance + noise.shot_gain * signal + (noise.relative * signal) ** 2


def test_noise_grows_with_sensitivity(capture: SimulatedCapture) -> None:
    raw = capture.raw_capture()
    slow, fast = (noise_from_iso(dataclasses.replace(raw, iso=iso)) for iso in (100.0, 800.0))
    assert fast.shot_gain == pytest.approx(8 * slow.shot_gain)


@pytest.mark.parametrize("name", ["f01", "illum"])
@pytest.mark.parametrize("iso", [80.0, 400.0, 3200.0])
def test_it_is_about_the_noise_of_the_simulated_cameras(name: CameraName, iso: float) -> None:
    small = tiny_capture(name, scene="plane", size=256).raw_capture()
    expected = noise_from_iso(dataclasses.replace(small, iso=iso))
    true = camera_model(name, size=256).noise_at(iso)
    signal = 0.1 * (small.white_codes[0] - small.black_codes[0])
    assert variance(expected, signal) == pytest.approx(variance(true, signal), rel=0.6)


def test_every_stage_takes_it_where_a_calibration_states_none(capture: SimulatedCapture) -> None:
    raw, calibration = capture.raw_capture(), capture.true_calibration()
    silent = dataclasses.replace(calibration, noise=None)
    told = dataclasses.replace(calibration, noise=noise_from_iso(raw))
    decoded = [sensor_light(raw, one) for one in (silent, told)]
    np.testing.assert_array_equal(decoded[0].noise, decoded[1].noise)
    np.testing.assert_array_equal(decoded[0].light, decoded[1].light)
    setups = [
        set_up(
            Rays(capture=raw, calibration=one), capture.sampling, FusionSettings(), RayParameters()
        )
        for one in (silent, told)
    ]
    assert setups[0].all_light.noise == setups[1].all_light.noise == noise_from_iso(raw)
