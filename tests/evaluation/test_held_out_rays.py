"""Masks hold what they say; scores and the regression tell real detail from invented."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import CaptureError
from lfdfp.evaluation.held_out_rays import (
    comparable_rays,
    detail_regression,
    detailed_rays,
    held_out_mask,
    held_out_score,
    without,
)
from tests.factories import tiny_capture


def test_masks_hold_their_share_and_whole_lenslets() -> None:
    grid = tiny_capture("f01", size=256).camera.grid
    assert held_out_mask(grid, "pixels", share=0.1).mean() == pytest.approx(0.1, abs=0.01)
    lenslets = held_out_mask(grid, "lenslets", share=0.1)
    assert lenslets.mean() == pytest.approx(0.1, abs=0.04)
    centers = grid.centers(np.arange(-8.0, 9.0), np.zeros(17))
    rows, columns = np.rint(centers).astype(int)
    for row, column in zip(rows, columns, strict=True):
        patch = lenslets[row - 2 : row + 3, column - 2 : column + 3]
        assert patch.all() or not patch.any()


def test_a_sub_aperture_is_one_direction_under_every_lenslet() -> None:
    grid = tiny_capture("f01", size=256).camera.grid
    held = held_out_mask(grid, "sub-aperture", direction_px=(0.0, 2.0))
    assert held.mean() == pytest.approx(1 / (0.75**0.5 * grid.pitch_px**2), rel=0.1)


def test_held_out_pixels_are_dead_and_the_calibration_stays_as_it_is() -> None:
    calibration = tiny_capture("f01", size=256).true_calibration()
    before = calibration.response.copy()
    held = held_out_mask(calibration.grid, "pixels")
    left = without(calibration, held)
    assert not left.response[held].any()
    np.testing.assert_array_equal(left.response[~held], before[~held])
    assert left.noise is None
    np.testing.assert_array_equal(calibration.response, before)


def test_real_detail_has_slope_one_and_invented_detail_none() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0.2, 0.8, (80, 80)).astype(np.float32)
    real = 0.05 * rng.standard_normal(coarse.shape).astype(np.float32)
    invented = 0.05 * rng.standard_normal(coarse.shape).astype(np.float32)
    noise = 0.02 * rng.standard_normal(coarse.shape).astype(np.float32)
    held = np.ones(coarse.shape, bool)
    measured = coarse + real + noise
    slope, error = detail_regression(measured, coarse + real, coarse, held)
    assert abs(slope - 1) < 4 * error < 0.1
    slope, error = detail_regression(measured, coarse + invented, coarse, held)
    assert abs(slope) < 4 * error < 0.2
    detailed = detailed_rays(held, np.abs(real), share=0.3)
    predictions = {"fine": coarse + real, "coarse": coarse}
    score = held_out_score(measured, predictions, held, detailed)
    assert score.detailed_rays == pytest.approx(0.3 * score.rays, rel=0.02)
    assert score.detailed_gain_db("fine", over="coarse") > score.gain_db("fine", over="coarse") > 3


def test_only_rays_that_are_measured_and_predicted_by_all_are_compared() -> None:
    held = np.array([True, True, True, True, False])
    measured = np.array([0.5, -1e9, 0.5, 0.5, 0.5], np.float32)
    first = np.array([0.4, 0.4, 0.0, 0.4, 0.4], np.float32)
    used = comparable_rays(measured, {"a": first, "b": np.full(5, 0.3, np.float32)}, held)
    np.testing.assert_array_equal(used, [True, False, False, True, False])
    with pytest.raises(CaptureError, match="no held-out ray"):
        comparable_rays(measured, {"a": np.zeros(5, np.float32)}, held)
