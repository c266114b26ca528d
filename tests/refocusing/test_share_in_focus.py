"""Which pixels lie on a plane."""

from __future__ import annotations

import numpy as np

from lfdfp.refocusing.share_in_focus import share_in_focus


def test_what_is_near_spreads_over_the_plane_and_what_is_far_is_hidden_by_it() -> None:
    disparity = np.zeros((21, 30), np.float32)
    disparity[:, 15:] = -0.5
    before, behind = (share_in_focus(disparity, slope, views=9) for slope in (0.0, -0.5))
    np.testing.assert_array_equal(before[:, :12], 1)
    np.testing.assert_array_equal(before[:, 14:], 0)
    np.testing.assert_array_equal(behind[:, 16:], 1)
    np.testing.assert_array_equal(behind[:, :14], 0)
