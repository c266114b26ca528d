from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import SettingsError
from lfdfp.refocusing import focal_stack, refocus, refocus_on_surface, tilted_slopes
from lfdfp.refocusing.aperture import round_aperture
from lfdfp.refocusing.focus_curves import coarse_focus_curves
from lfdfp.settings import RefocusSettings
from tests.factories import textured_plane


def test_the_stack_spans_the_scene_evenly() -> None:
    field, center = textured_plane(0.4, angular=(5, 7))
    stack = focal_stack(field)
    assert stack.slopes is not None
    assert stack.slopes[0] < 0.4 < stack.slopes[-1]
    np.testing.assert_allclose(np.diff(stack.slopes), stack.slopes[1] - stack.slopes[0])
    np.testing.assert_array_equal(stack.reference_view, center)
    nearest = np.abs(stack.slopes - 0.4).argmin()
    errors = np.abs(stack.slices - center)[:, 8:-8, 8:-8].mean(axis=(1, 2, 3))
    assert errors.argmin() == nearest


def test_given_slopes_are_taken_as_they_are() -> None:
    field, _ = textured_plane(0.0, angular=(5, 7))
    stack = focal_stack(field, RefocusSettings(slopes=(-0.5, 0.5, 3), kernel="linear"))
    np.testing.assert_allclose(stack.slopes, [-0.5, 0.0, 0.5])
    np.testing.assert_allclose(stack.slices[2], refocus(field, 0.5, kernel="linear"), atol=1e-6)
    assert stack.coverage is not None
    assert stack.coverage.shape == stack.slices.shape[:3]


def test_the_number_of_planes_can_be_set() -> None:
    field, _ = textured_plane(0.0, angular=(5, 7))
    assert len(focal_stack(field, RefocusSettings(planes=5)).slices) == 5


def test_focus_curves_peak_at_the_plane_and_are_small() -> None:
    field, _ = textured_plane(0.3, angular=(7, 7), shape=(48, 64))
    stack = focal_stack(field, RefocusSettings(slopes=(-0.3, 0.9, 7)))
    assert stack.focus_curves is not None
    assert stack.slopes is not None
    assert stack.focus_curves.shape == (7, 3, 4)
    inner = stack.focus_curves[:, 1, 1:3]
    np.testing.assert_allclose(stack.slopes[inner.argmax(axis=0)], 0.3, atol=1e-6)


def test_the_mean_of_the_cells_is_that_of_the_picture() -> None:
    slices = np.random.default_rng(1).random((2, 37, 50, 3), np.float32)
    one = coarse_focus_curves(slices, scale=100)
    assert one.shape == (2, 1, 1)
    cells = coarse_focus_curves(slices)
    assert cells.shape == (2, 2, 3)
    np.testing.assert_allclose(cells.mean(axis=(1, 2)), one[:, 0, 0], rtol=1e-4)


def test_aperture_and_viewpoint_reach_the_slices() -> None:
    field, _ = textured_plane(0.5, angular=(5, 7))
    settings = RefocusSettings(slopes=(0.0, 0.5, 2), aperture="round:0.5")
    stack = focal_stack(field, settings, viewpoint=(1, -2))
    aperture = round_aperture(field.angular_shape, stop=2)
    expected = refocus(field, 0.5, aperture=aperture, viewpoint=(3, 1))
    np.testing.assert_array_equal(stack.slices[1], expected)
    np.testing.assert_array_equal(stack.reference_view, field.view(3, 1))
    assert "round:0.5 aperture" in stack.history[-1]
    assert "viewpoint moved by 1, -2" in stack.history[-1]
    assert focal_stack(field, settings, viewpoint=(0.5, 0)).reference_view is None


def test_tilt_is_the_change_over_the_whole_picture() -> None:
    field, _ = textured_plane(0.2, angular=(5, 7))
    stack = focal_stack(field, RefocusSettings(slopes=(0.0, 0.3, 2)), tilt=(0.4, -0.2))
    height, width = field.spatial_shape
    surface = tilted_slopes(field, 0.3, per_row=0.4 / (height - 1), per_column=-0.2 / (width - 1))
    assert surface[-1, 0] - surface[0, 0] == pytest.approx(0.4)
    np.testing.assert_array_equal(stack.slices[1], refocus_on_surface(field, surface))
    assert stack.coverage is not None
    assert stack.coverage.max() == pytest.approx(1)


def test_what_cannot_be_refocused_is_named() -> None:
    field, _ = textured_plane(0.2, angular=(5, 7))
    with pytest.raises(SettingsError, match=r"viewpoint \(3, 0\) is beside all views"):
        focal_stack(field, viewpoint=(3, 0))
    linear = RefocusSettings(slopes=(0, 1, 2), kernel="linear")
    with pytest.raises(SettingsError, match="cubic kernel, not linear"):
        focal_stack(field, linear, tilt=(0.1, 0))
