"""The scene that the round trips are judged on tells every mistake that they could make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.interchange.asymmetric_scene import (
    SPOTS,
    assert_axes_and_signs,
    asymmetric_field,
    spot,
)


def test_the_scene_itself_is_right() -> None:
    assert_axes_and_signs(asymmetric_field())
    (_, s0), disparity, _ = SPOTS["red"]
    assert spot(asymmetric_field(), "red", 1, 3)[1] == pytest.approx(s0 + disparity, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, 4])
def test_a_flipped_axis_is_told(axis: int) -> None:
    field = asymmetric_field()
    with pytest.raises(AssertionError):
        assert_axes_and_signs(replace(field, views=np.flip(field.views, axis)))


@pytest.mark.parametrize("axes", [(1, 0, 2, 3, 4), (0, 1, 3, 2, 4), (2, 3, 0, 1, 4)])
def test_exchanged_axes_are_told(axes: tuple[int, ...]) -> None:
    field = asymmetric_field()
    weights = field.weights.transpose(axes[:4])
    with pytest.raises(AssertionError):
        assert_axes_and_signs(replace(field, views=field.views.transpose(axes), weights=weights))
