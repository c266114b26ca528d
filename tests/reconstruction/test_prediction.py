"""What rays should measure, if a picture is right."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import Rays
from lfdfp.evaluation.held_out_rays import held_out_mask
from lfdfp.reconstruction.prediction import RayPredictor, band_limited
from lfdfp.reconstruction.reconstruct import solve_rays
from tests.factories import tiny_capture, true_field


def test_a_perfect_view_predicts_the_rays_through_its_own_direction() -> None:
    capture = tiny_capture("f01", scene="plane", size=256, disparities=(0.22,))
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    solution = solve_rays(rays, sampling=capture.sampling, disparity_range=(0.1, 0.4))
    predictor = RayPredictor(rays, solution, border_view_px=3)
    of_view = predictor.of_view(true_field(capture, radius=0).view(0, 0))
    central = held_out_mask(rays.calibration.grid, "sub-aperture", direction_px=(0.0, 0.0))
    seen = central & (of_view != 0) & (predictor.measured > -1)
    assert seen.sum() > 200
    error = (of_view - predictor.measured)[seen]
    assert np.sqrt(np.mean(error**2)) < 0.15 * predictor.measured[seen].std()


def test_band_limiting_keeps_coarse_waves_and_removes_fine_ones() -> None:
    x = np.arange(64) + 0.5
    coarse, fine = np.cos(np.pi * 10 * x / 64), np.cos(np.pi * 20 * x / 64)
    picture = np.broadcast_to((coarse + fine).astype(np.float32), (3, 48, 64))
    expected = np.broadcast_to(coarse, picture.shape)
    np.testing.assert_allclose(band_limited(picture, 4), expected, atol=1e-5)
