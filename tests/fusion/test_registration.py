"""Alignment to a fraction of a pixel, and exposure."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import ImageError
from lfdfp.fusion.registration import (
    aligned,
    corner_motion,
    find_motion,
    stack_of_photographs,
    warped,
)
from lfdfp.imaging.display import decode_srgb
from tests.factories import multi_focus, textured_picture


def _moved_pair(row: float, column: float) -> tuple[np.ndarray, np.ndarray]:
    slices, _ = multi_focus(textured_picture((120, 150)), 2)
    warp = np.array([[1, 0, column], [0, 1, row]], np.float32)
    return slices, np.stack([slices[0], warped(slices[1], warp)])


@pytest.mark.parametrize(("row", "column"), [(0.0, 1.0), (-0.6, 0.4), (3.2, -5.7)])
def test_a_shift_is_found_to_a_tenth_of_a_pixel(row: float, column: float) -> None:
    slices, moved = _moved_pair(row, column)
    warp = find_motion(slices[0].mean(axis=2), moved[1].mean(axis=2), "affine")
    assert corner_motion(warp - [[0, 0, -column], [0, 0, -row]], (120, 150)) < 0.5
    np.testing.assert_allclose(warp[:, 2], [-column, -row], atol=0.35)


def test_moved_photographs_fit_again() -> None:
    slices, moved = _moved_pair(0.8, -1.3)
    again, coverage, distances = aligned(decode_srgb(moved))
    inner = np.s_[10:-10, 10:-10]
    before = np.abs(moved[1][inner] - slices[1][inner]).mean()
    after = np.abs(again[1][inner] - decode_srgb(slices)[1][inner]).mean()
    assert after < 0.3 * before
    assert distances[0] == 0
    assert coverage is not None
    assert coverage[1].min() == 0
    assert coverage[1][inner].min() == 1


def test_what_fits_is_left_untouched() -> None:
    slices, _ = multi_focus(textured_picture((120, 150)), 3)
    again, coverage, distances = aligned(slices)
    np.testing.assert_array_equal(again, slices)
    assert distances == [0.0, 0.0, 0.0]
    assert coverage is None


def test_flat_photographs_are_left_untouched() -> None:
    flat = np.full((2, 80, 80, 3), 0.2, np.float32)
    np.testing.assert_array_equal(aligned(flat)[0], flat)


def test_photographs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ImageError, match="at least two"):
        stack_of_photographs([np.zeros((8, 8, 3), np.float32)])
    with pytest.raises(ImageError, match=r"\(8, 8, 3\).*\(8, 9, 3\)"):
        stack_of_photographs([np.zeros((8, n, 3), np.float32) for n in (8, 9)])


def test_pictures_too_long_to_be_moved_are_refused() -> None:
    with pytest.raises(ImageError, match="40000 x 8 pixels cannot be aligned"):
        aligned(np.zeros((2, 8, 40_000, 1), np.float32))
