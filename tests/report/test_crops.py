"""Crops show the same place of every picture, and the places that tell something."""

from __future__ import annotations

import numpy as np

from lfdfp.report.crops import representative_crops, sheet
from lfdfp.report.maps import screen_image


def test_a_sheet_shows_the_same_place_of_every_picture() -> None:
    picture = np.random.default_rng(0).random((40, 60, 3), np.float32)
    shown = sheet({"a": picture, "b": 0.5 * picture}, [(10, 10, 5, 15)], scale=2, columns=20)
    tiles = shown[-20:]
    np.testing.assert_array_equal(tiles[:, :20], screen_image(picture[10:30, 30:50]))
    np.testing.assert_array_equal(tiles[:, -20:], screen_image(0.5 * picture[10:30, 30:50]))


def test_representative_crops_hold_the_detail_and_the_dark() -> None:
    view = np.full((96, 144, 3), 0.4, np.float32)
    view[48:, 96:] += 0.2 * np.random.default_rng(1).standard_normal((48, 48, 3))
    view[:48, :48] = 0.01
    crops = representative_crops(view, 48)
    assert crops[0] == (48, 48, 48, 96)
    assert (48, 48, 0, 0) in crops
    assert len(crops) == len(set(crops))
