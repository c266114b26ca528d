"""Steps that follow rays, solve for the picture, and learn the noise."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, Rays
from lfdfp.imaging.color import display_matrix
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.picture_steps import begin, learn_noise, solve_picture
from lfdfp.reconstruction.state import RaySetup, RayState, set_up
from lfdfp.settings import FusionSettings
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture

PARAMETERS = RayParameters()


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="plane", size=256, disparities=(0.23,))


@pytest.fixture(scope="module")
def setup(capture: SimulatedCapture) -> RaySetup:
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    return set_up(rays, capture.sampling, FusionSettings(), PARAMETERS)


@pytest.fixture(scope="module")
def begun(setup: RaySetup) -> RayState:
    """At the true disparity."""
    slope = np.full(setup.grid.shape, 0.23 * setup.grid.pixels_per_pitch, np.float32)
    return begin(setup, slope)


def error(setup: RaySetup, state: RayState, capture: SimulatedCapture) -> float:
    shown: FloatArray = np.tensordot(display_matrix(setup.color), state.picture, 1)
    found = setup.grid.inner(np.moveaxis(shown, 0, -1))
    difference = (found - capture.all_in_focus(4))[16:-16, 16:-16]
    return float(np.sqrt(np.mean(difference**2)))


def test_every_round_comes_closer_to_the_truth(
    setup: RaySetup, begun: RayState, capture: SimulatedCapture
) -> None:
    first = solve_picture(setup, begun, PARAMETERS.first_rounds[:1])
    second = solve_picture(setup, first, PARAMETERS.first_rounds[1:])
    errors = [error(setup, state, capture) for state in (begun, first, second)]
    assert errors[0] > errors[1] > errors[2]


def test_the_noise_is_learned_from_rays_that_were_not_seen(
    setup: RaySetup, begun: RayState, capture: SimulatedCapture
) -> None:
    state = solve_picture(setup, begun, PARAMETERS.first_rounds)
    learned, true = learn_noise(setup, state).noise, capture.camera.noise
    signal = 0.15 * 3927
    found, stated = (
        noise.read_variance + noise.shot_gain * signal + (noise.relative * signal) ** 2
        for noise in (learned, true)
    )
    assert 0.8 < found / stated < 2.5
    assert state.noise == begun.noise
