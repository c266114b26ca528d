"""Rendered views and slices agree with the simulated camera."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import Rays
from lfdfp.fusion.ray_reconstruction import RaySolution, area_average, display_matrix, solve_rays
from lfdfp.fusion.ray_rendering import render_slice, render_view
from lfdfp.simulate import SimulatedCapture
from tests.factories import tiny_capture


@pytest.fixture(scope="module")
def capture() -> SimulatedCapture:
    return tiny_capture("f01", scene="plane", size=256, disparities=(0.22,))


@pytest.fixture(scope="module")
def solution(capture: SimulatedCapture) -> RaySolution:
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    return solve_rays(rays, sampling=capture.sampling, disparity_range=(0.1, 0.4))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b)[4:-4, 4:-4] ** 2)))


def test_a_view_moves_as_the_camera_sees_it(
    capture: SimulatedCapture, solution: RaySolution
) -> None:
    color = capture.camera.color
    moved = area_average(render_view(solution, color, v=-2.0, u=3.0), capture.sampling.shape, 1)
    truth, still = capture.view(-2.0, 3.0), capture.view(0.0, 0.0)
    assert difference(moved, truth) < 0.5 * difference(still, truth)


def test_the_center_view_is_the_picture(capture: SimulatedCapture, solution: RaySolution) -> None:
    color = capture.camera.color
    picture = np.moveaxis(np.tensordot(display_matrix(color), solution.picture, 1), 0, -1)
    view = render_view(solution, color, v=0.0, u=0.0)
    np.testing.assert_allclose(view, solution.grid.inner(picture), atol=1e-5)


def test_a_slice_is_sharp_at_its_own_slope(
    capture: SimulatedCapture, solution: RaySolution
) -> None:
    color = capture.camera.color
    slope = float(capture.disparity(1).mean())
    sharp = render_view(solution, color, v=0.0, u=0.0)
    focused = render_slice(solution, color, slope=slope, aperture_px=4.0, views=16)
    blurred = render_slice(solution, color, slope=slope + 0.5, aperture_px=4.0, views=16)
    assert difference(focused, sharp) < 0.3 * difference(blurred, sharp)
