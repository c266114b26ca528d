from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.errors import SettingsError
from lfdfp.refocus import focal_stack, refocus
from lfdfp.settings import RefocusSettings

MakePlane = Callable[..., tuple[LightField, FloatArray]]


def test_the_stack_spans_the_scene_evenly(make_plane: MakePlane) -> None:
    field, center = make_plane(0.4)
    stack = focal_stack(field)
    assert stack.slopes is not None
    assert stack.slopes[0] < 0.4 < stack.slopes[-1]
    np.testing.assert_allclose(np.diff(stack.slopes), stack.slopes[1] - stack.slopes[0])
    np.testing.assert_array_equal(stack.reference_view, center)
    nearest = np.abs(stack.slopes - 0.4).argmin()
    errors = np.abs(stack.slices - center)[:, 8:-8, 8:-8].mean(axis=(1, 2, 3))
    assert errors.argmin() == nearest


def test_given_slopes_are_taken_as_they_are(make_plane: MakePlane) -> None:
    field, _ = make_plane(0.0)
    stack = focal_stack(field, RefocusSettings(slopes=(-0.5, 0.5, 3), kernel="linear"))
    np.testing.assert_allclose(stack.slopes, [-0.5, 0.0, 0.5])
    np.testing.assert_allclose(stack.slices[2], refocus(field, 0.5, kernel="linear"), atol=1e-6)
    assert stack.coverage is not None
    assert stack.coverage.shape == stack.slices.shape[:3]


def test_the_number_of_planes_can_be_set(make_plane: MakePlane) -> None:
    field, _ = make_plane(0.0)
    assert len(focal_stack(field, RefocusSettings(planes=5)).slices) == 5


@pytest.mark.parametrize("settings", [RefocusSettings(planes=0), RefocusSettings(slopes=(1, 0, 3))])
def test_impossible_planes_are_refused(make_plane: MakePlane, settings: RefocusSettings) -> None:
    field, _ = make_plane(0.0)
    with pytest.raises(SettingsError, match=r"planes must be at least 1|must ascend"):
        focal_stack(field, settings)
