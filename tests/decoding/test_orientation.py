"""Turning upright: what is seen where, and no disparity, changes."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.decoding.orientation import oriented_field
from lfdfp.disparity import estimate_disparity
from lfdfp.imaging.color import oriented
from tests.factories import textured_plane


def _field() -> LightField:
    return textured_plane(0.4, angular=(3, 5), shape=(24, 30))[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_center_view_is_turned_as_a_picture(orientation: int) -> None:
    field = _field()
    turned = oriented_field(field, orientation)
    picture = oriented(field.view(*field.center), orientation)
    np.testing.assert_array_equal(turned.view(*turned.center), picture)
    assert turned.weights.shape == turned.views.shape[:4]


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [2, 3, 5, 6, 8])
def test_disparity_keeps_its_sign_and_size(orientation: int) -> None:
    field, _ = textured_plane(0.4, angular=(5, 5))
    turned = oriented_field(field, orientation)
    disparity = estimate_disparity(turned, np.linspace(-1, 1, 11)).disparity
    assert np.median(disparity[6:-6, 6:-6]) == pytest.approx(0.4, abs=0.05)


def test_upright_is_left_alone() -> None:
    field = _field()
    assert oriented_field(field, 1) is field


def test_what_was_done_is_noted() -> None:
    assert oriented_field(_field(), 6).history[-1] == "turned upright from EXIF orientation 6"
