"""The range holds all that has texture, and little more."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.disparity import slope_range_from_views
from tests.factories import textured_plane, two_planes


@pytest.mark.parametrize(("near", "far"), [(-0.5, 0.3), (-1.2, -0.9), (0.1, 0.8)])
def test_it_holds_both_planes_and_little_more(near: float, far: float) -> None:
    field, _, _ = two_planes(near, far, angular=7, shape=(64, 80))
    first, last = slope_range_from_views(field)
    assert first < near < far < last
    assert last - first < far - near + 0.4


def test_threads_change_nothing() -> None:
    field, _ = textured_plane(0.2)
    assert slope_range_from_views(field, threads=1) == slope_range_from_views(field, threads=3)


def test_without_texture_it_is_a_default() -> None:
    views = np.random.default_rng(0).normal(0.5, 0.01, (5, 5, 40, 48, 3)).astype(np.float32)
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    first, last = slope_range_from_views(field)
    assert first < last
