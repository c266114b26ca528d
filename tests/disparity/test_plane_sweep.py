from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.disparity import estimate_disparity
from lfdfp.disparity.plane_sweep import sweep_planes
from lfdfp.imaging.guided_filter import GuidedFilter
from tests.factories import textured_plane


def test_views_of_a_plane_agree_on_their_plane_alone() -> None:
    field, _ = textured_plane(0.3, angular=(5, 7))
    variance = sweep_planes(field, np.array([-0.3, 0.0, 0.3]))[:, 8:-8, 8:-8]
    assert variance[2].max() < 1e-6
    assert np.median(variance[0]) > 1e-4


def test_half_an_aperture_sees_past_an_occluder() -> None:
    """An edge hides the plane from the left half of the views, right of column 26."""
    field, _ = textured_plane(0.0, angular=(7, 7))
    views = field.views.copy()
    views[:, :3] = 0.9
    hidden = replace(field, views=views)
    variance = sweep_planes(hidden, np.array([0.0]))[0, 8:-8, 8:-8]
    assert variance.max() < 1e-3 * np.var(views[:, :, 20, 30])


@pytest.mark.slow
def test_codes_and_their_light_agree() -> None:
    field, _ = textured_plane(0.2, angular=(5, 7))
    codes = np.rint(field.views * 60000 + 2000).astype(np.uint16)
    stored = replace(field, views=codes, scale=1 / 60000, offset=2000.0)
    slopes = np.linspace(-0.2, 0.4, 7)
    np.testing.assert_allclose(
        estimate_disparity(stored, slopes).disparity,
        estimate_disparity(field, slopes).disparity,
        atol=5e-3,
    )


def test_a_step_in_depth_stays_a_step() -> None:
    """The left half of the picture on one plane, the right half on another, behind it."""
    near, _ = textured_plane(-0.5, angular=(7, 7), shape=(40, 60), seed=2)
    far, _ = textured_plane(0.3, angular=(7, 7), shape=(40, 60), seed=3)
    views = far.views.copy()
    columns = np.arange(60)
    for u in range(7):
        seen_near = columns <= 30 - 0.5 * (u - 3)
        views[:, u, :, seen_near] = near.views[:, u, :, seen_near]
    field = LightField(views=views, weights=near.weights)
    disparity = estimate_disparity(field, np.linspace(-0.8, 0.6, 29)).disparity
    assert np.abs(disparity[5:-5, 5:27] + 0.5).max() < 0.03
    assert np.abs(disparity[5:-5, 35:-5] - 0.3).max() < 0.03


def test_the_field_comes_back_unchanged() -> None:
    field, _ = textured_plane(0.1, angular=(5, 7))
    views, weights = field.views.copy(), field.weights.copy()
    estimate_disparity(field)
    np.testing.assert_array_equal(field.views, views)
    np.testing.assert_array_equal(field.weights, weights)


def test_a_guided_filter_keeps_the_guides_edges_and_smooths_the_rest() -> None:
    rng = np.random.default_rng(1)
    step = np.where(np.arange(40) < 20, 0.0, 1.0).astype(np.float32) * np.ones((40, 1), np.float32)
    noisy = (step + rng.normal(0, 0.1, step.shape)).astype(np.float32)
    smooth = GuidedFilter(step, radius_px=4, regularization=1e-4)(noisy)
    assert np.abs(smooth - step).std() < 0.03
    constant = np.full((40, 40), 0.3, np.float32)
    np.testing.assert_allclose(
        GuidedFilter(noisy, radius_px=4, regularization=1e-4)(constant), constant, atol=1e-4
    )


@pytest.mark.data
def test_a_real_capture_lies_near_its_focus(data_dir: Path) -> None:
    """Published views of an Illum: neighbors differ by less than two pixels."""
    import cv2

    folder = data_dir / "lightfields" / "illum-9x9"
    views = np.stack(
        [
            [
                cv2.imread(str(folder / f"{v}_{u}.png"))[100:220, 200:320, ::-1].astype(np.float32)
                for u in range(4, 11)
            ]
            for v in range(4, 11)
        ]
    )
    field = LightField(
        views=(views / 255) ** np.float32(2.2), weights=np.ones(views.shape[:4], np.float32)
    )
    estimate = estimate_disparity(field)
    assert -2 < estimate.slopes[0] < estimate.slopes[-1] < 2
    assert np.median(estimate.confidence) > 0.2
