"""Steps that find disparity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lfdfp.datatypes import Rays
from lfdfp.reconstruction.disparity_steps import first_disparity, fit_surfaces, sweep_planes
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.picture_steps import begin, follow_rays, solve_picture
from lfdfp.reconstruction.state import RaySetup, set_up
from lfdfp.settings import FusionSettings
from lfdfp.simulation import SimulatedCapture
from tests.factories import tiny_capture

PARAMETERS = RayParameters()


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="curved", size=300, seed=5)


@pytest.fixture(scope="module")
def setup(capture: SimulatedCapture) -> RaySetup:
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    return set_up(rays, capture.sampling, FusionSettings(), PARAMETERS)


def median_error(setup: RaySetup, slope_map: np.ndarray, capture: SimulatedCapture) -> float:
    found = setup.grid.inner(slope_map) / setup.grid.pixels_per_pitch
    return float(np.median(np.abs(found - capture.disparity_pitch(4))[16:-16, 16:-16]))


def test_every_step_comes_closer_to_the_true_disparity(
    setup: RaySetup, capture: SimulatedCapture
) -> None:
    first = first_disparity(setup, None)
    assert first.shape == setup.grid.shape
    state = solve_picture(setup, begin(setup, first), PARAMETERS.first_rounds)
    swept = sweep_planes(setup, state)
    followed = solve_picture(setup, follow_rays(setup, swept), PARAMETERS.rounds)
    fitted = fit_surfaces(setup, followed)
    errors = [
        median_error(setup, one, capture) for one in (first, swept.slope_map, fitted.slope_map)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


def test_a_given_range_bounds_the_first_disparity(setup: RaySetup) -> None:
    found = setup.grid.inner(first_disparity(setup, (0.1, 0.2))) / setup.grid.slope_scale
    widened = PARAMETERS.widening
    assert 0.1 - widened <= found.min() + 1e-5
    assert found.max() <= 0.2 + widened + 1e-5


def test_rays_of_a_wrong_surface_disagree(setup: RaySetup) -> None:
    true = begin(setup, first_disparity(setup, None))
    state = solve_picture(setup, true, PARAMETERS.first_rounds)
    wrong = follow_rays(setup, dataclasses.replace(state, slope_map=state.slope_map + 2.0))
    right, moved = (fit_surfaces(setup, one).disagreement for one in (state, wrong))
    assert np.median(moved) > 2 * np.median(right)
    assert right.min() >= 1
