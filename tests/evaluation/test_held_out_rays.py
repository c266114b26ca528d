"""Masks hold what they say; scores and the regression tell real detail from invented."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import Rays
from lfdfp.evaluation.held_out_rays import (
    detail_regression,
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


def test_held_out_pixels_are_dead_and_the_rays_stay_as_they_are() -> None:
    capture = tiny_capture("f01", size=256)
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    before = rays.calibration.response.copy()
    held = held_out_mask(rays.calibration.grid, "pixels")
    left = without(rays, held)
    assert not left.calibration.response[held].any()
    np.testing.assert_array_equal(rays.calibration.response, before)


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
    score = held_out_score(
        measured, {"fine": coarse + real, "coarse": coarse}, held, detail=np.abs(real)
    )
    assert score.detailed_rays == pytest.approx(0.3 * score.rays, rel=0.02)
    assert score.gain_db("fine", over="coarse") > 6
