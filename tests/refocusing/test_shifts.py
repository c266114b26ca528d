"""Where a slice looks in a view, and how much the view counts."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import SettingsError
from lfdfp.refocusing.aperture import SyntheticAperture
from lfdfp.refocusing.shifts import Shifts, full_weight
from tests.factories import textured_plane

SLOPES = np.array([-0.5, 0.0, 0.75])


def test_the_center_is_not_shifted_and_others_in_proportion() -> None:
    field, _ = textured_plane(0.0, angular=(3, 5))
    shifts = Shifts.of(field, SLOPES, SyntheticAperture())
    np.testing.assert_allclose(shifts.along_t, SLOPES[:, None] * [-1, 0, 1])
    np.testing.assert_allclose(shifts.along_s, SLOPES[:, None] * [-2, -1, 0, 1, 2])
    assert shifts.count == 3
    np.testing.assert_array_equal(shifts.of_planes(slice(1, 3)).along_s, shifts.along_s[1:])


def test_another_viewpoint_stands_still_instead() -> None:
    field, _ = textured_plane(0.0, angular=(3, 5))
    shifts = Shifts.of(field, SLOPES, SyntheticAperture(viewpoint=(0.5, 4)))
    np.testing.assert_allclose(shifts.along_t, SLOPES[:, None] * [-0.5, 0.5, 1.5])
    assert not shifts.along_s[:, 4].any()


def test_full_weight_is_that_of_all_open_views() -> None:
    field, _ = textured_plane(0.0, angular=(3, 5))
    half = np.zeros((3, 5))
    half[:, :2] = 1
    for factors, expected in ((None, 15), (half, 6)):
        shifts = Shifts.of(field, SLOPES, SyntheticAperture(factors=factors))
        assert full_weight(field, shifts) == expected


@pytest.mark.parametrize("slope", [np.nan, np.inf])
def test_slopes_are_finite(slope: float) -> None:
    field, _ = textured_plane(0.0, angular=(3, 3))
    with pytest.raises(SettingsError, match="finite"):
        Shifts.of(field, np.array([0.0, slope]), SyntheticAperture())
