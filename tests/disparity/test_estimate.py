from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.disparity import estimate_disparity, scene_range
from lfdfp.errors import SettingsError

MakePlane = Callable[..., tuple[LightField, FloatArray]]


@pytest.mark.parametrize("disparity", [-1.1, -0.3, 0.0, 0.47])
def test_a_plane_has_its_disparity(make_plane: MakePlane, disparity: float) -> None:
    field, _ = make_plane(disparity)
    estimate = estimate_disparity(field)
    assert np.abs(estimate.disparity - disparity)[4:-4, 4:-4].max() < 0.05
    assert np.median(estimate.confidence) > 0.5


def test_the_range_holds_the_scene(make_plane: MakePlane) -> None:
    field, _ = make_plane(-0.62)
    first, last = scene_range(field)
    assert first < -0.62 < last
    assert last - first < 0.5


def test_a_field_without_texture_has_no_confidence(make_plane: MakePlane) -> None:
    field, _ = make_plane(0.0)
    rng = np.random.default_rng(1)
    flat = LightField(
        views=rng.normal(0.5, 0.01, field.views.shape).astype(np.float32), weights=field.weights
    )
    assert np.median(estimate_disparity(flat).confidence) < 0.3


def test_too_few_planes_are_refused(make_plane: MakePlane) -> None:
    field, _ = make_plane(0.0)
    with pytest.raises(SettingsError, match="three or more"):
        estimate_disparity(field, np.array([0.0, 1.0]))
