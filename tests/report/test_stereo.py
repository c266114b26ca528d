"""Views find their places: left is left, quilts run from the lower left to the upper right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lfdfp.report.stereo import quilt, quilt_name, stereo_picture

LEFT, RIGHT = np.full((4, 5, 3), 0.2, np.float32), np.full((4, 5, 3), 0.7, np.float32)


def test_pairs_lie_as_eyes_look() -> None:
    side = stereo_picture(LEFT, RIGHT, "sbs")
    np.testing.assert_array_equal(side[:, :5], LEFT)
    np.testing.assert_array_equal(stereo_picture(LEFT, RIGHT, "cross")[:, :5], RIGHT)


def test_an_anaglyph_gives_red_to_the_left_eye_and_keeps_gray_nearly_gray() -> None:
    gray = stereo_picture(LEFT, LEFT, "anaglyph")[0, 0]
    np.testing.assert_allclose(gray, LEFT[0, 0], atol=0.02)
    black = np.zeros_like(LEFT)
    red, cyan = stereo_picture(LEFT, black, "anaglyph"), stereo_picture(black, LEFT, "anaglyph")
    assert red[0, 0, 0] > 0.2
    assert max(red[0, 0, 1:]) < 0.01
    assert cyan[0, 0, 0] < 0.01
    assert min(cyan[0, 0, 1:]) > 0.19


def test_a_quilt_begins_at_the_lower_left() -> None:
    views = [np.full((2, 3, 3), n, np.float32) for n in range(6)]
    tiles = quilt(views, 3)[::2, ::3, 0]
    np.testing.assert_array_equal(tiles, [[3, 4, 5], [0, 1, 2]])
    with pytest.raises(ValueError, match="6 views do not fill rows of 4"):
        quilt(views, 4)


def test_a_quilt_tells_its_grid_by_its_name() -> None:
    assert quilt_name(Path("a/b.png"), 8, 6, 4 / 3) == "b_qs8x6a1.33.png"
