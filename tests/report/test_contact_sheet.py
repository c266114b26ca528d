"""Every slice is on the sheet once, with its name."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FocalStack
from lfdfp.report.contact_sheet import contact_sheet, slice_label


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_every_slice_is_on_the_sheet(number: int) -> None:
    levels = np.linspace(0.1, 0.9, number, dtype=np.float32)
    slices = np.broadcast_to(levels[:, None, None, None], (number, 40, 50, 3))
    sheet = contact_sheet(FocalStack(slices=slices))
    from lfdfp.report.maps import screen_image

    for level in levels:
        code = screen_image(np.full((1, 1, 3), level, np.float32))[0, 0, 0]
        assert np.count_nonzero(np.all(sheet == code, axis=2)) >= 40 * 50


def test_wide_slices_are_reduced() -> None:
    stack = FocalStack(slices=np.zeros((4, 100, 1000, 3), np.float32))
    sheet = contact_sheet(stack, tile_columns=200)
    assert 2 * 200 < sheet.shape[1] < 2 * 200 + 20
    assert sheet.dtype == np.uint8


def test_slices_are_named_by_number_and_slope() -> None:
    slices = np.zeros((2, 4, 4, 3), np.float32)
    assert slice_label(FocalStack(slices=slices), 1) == "2"
    stack = FocalStack(slices=slices, slopes=np.array([-0.25, 0.5]))
    assert slice_label(stack, 0) == "1: -0.250 px/step"
