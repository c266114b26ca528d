from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.disparity import estimate_disparity, slope_range_from_views
from lfdfp.errors import SettingsError
from tests.factories import textured_plane


@pytest.mark.parametrize("disparity", [-1.1, -0.3, 0.0, 0.47])
def test_a_plane_has_its_disparity(disparity: float) -> None:
    field, _ = textured_plane(disparity, angular=(5, 7))
    estimate = estimate_disparity(field)
    assert np.abs(estimate.disparity - disparity)[4:-4, 4:-4].max() < 0.05
    assert np.median(estimate.confidence) > 0.5


def test_the_range_holds_the_scene() -> None:
    field, _ = textured_plane(-0.62, angular=(5, 7))
    first, last = slope_range_from_views(field)
    assert first < -0.62 < last
    assert last - first < 0.5


def test_a_field_without_texture_has_no_confidence() -> None:
    field, _ = textured_plane(0.0, angular=(5, 7))
    rng = np.random.default_rng(1)
    flat = LightField(
        views=rng.normal(0.5, 0.01, field.views.shape).astype(np.float32), weights=field.weights
    )
    assert np.median(estimate_disparity(flat).confidence) < 0.3


def test_too_few_planes_are_refused() -> None:
    field, _ = textured_plane(0.0, angular=(5, 7))
    with pytest.raises(SettingsError, match="three or more"):
        estimate_disparity(field, np.array([0.0, 1.0]))
