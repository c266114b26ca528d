"""Between planes the least cost is found by a parabola; a flat cost gives no confidence."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.disparity.least_cost import disparity_of_least_cost, noise_variance

SLOPES = np.linspace(-1, 1, 11)


@pytest.mark.parametrize("true", [-0.83, -0.2, 0.0, 0.31, 0.77])
def test_the_bottom_of_a_parabola_is_found_exactly(true: float) -> None:
    costs = np.broadcast_to(((SLOPES - true) ** 2)[:, None, None], (11, 3, 4)).astype(np.float32)
    disparity, _ = disparity_of_least_cost(40 * costs, SLOPES)
    np.testing.assert_allclose(disparity, true, atol=1e-3)


def test_disparity_stays_within_the_planes() -> None:
    costs = np.random.default_rng(0).random((11, 20, 20), np.float32)
    disparity, confidence = disparity_of_least_cost(costs, SLOPES)
    assert np.abs(disparity).max() <= 1 + 0.5 * (SLOPES[1] - SLOPES[0]) + 1e-6
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_a_clear_valley_is_surer_than_none() -> None:
    valley = (10 * (SLOPES - 0.2) ** 2)[:, None, None].astype(np.float32)
    _, clear = disparity_of_least_cost(valley, SLOPES)
    _, flat = disparity_of_least_cost(np.ones((11, 1, 1), np.float32), SLOPES)
    assert clear > 0.9
    assert flat < 0.1


def test_noise_is_what_the_best_plane_leaves() -> None:
    variance = np.full((5, 20, 20), 0.3, np.float32)
    variance[2] = 0.01
    assert noise_variance(variance) == pytest.approx(0.01)
    assert noise_variance(np.zeros((5, 4, 4), np.float32)) > 0
