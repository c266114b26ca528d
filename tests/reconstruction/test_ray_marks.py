"""Marks of rays without a measurement or a surface lie apart from all that is measured."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.ray_marks import (
    HIDDEN,
    LEAST_MEASURED,
    LEAST_PRESENT,
    MISSING,
    SATURATION_OFFSET,
    STEEPEST,
)


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0, 40.0])
def test_missing_saturated_and_measured_light_are_told_apart(light: float) -> None:
    saturated = SATURATION_OFFSET - np.float32(light)
    assert MISSING < LEAST_PRESENT < saturated < LEAST_MEASURED < -0.5 < light
    assert SATURATION_OFFSET - saturated == pytest.approx(light)


def test_no_slope_of_a_scene_is_hidden() -> None:
    assert 1e4 < STEEPEST < HIDDEN
    assert np.isfinite(HIDDEN)
