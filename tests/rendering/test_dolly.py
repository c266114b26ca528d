"""A dolly keeps one plane in place and changes the size of all others, in the right direction."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import Depth, SharpPicture
from lfdfp.errors import ImageError
from lfdfp.rendering.dolly import render_dolly


def _square(slope: float, *, around: float) -> SharpPicture:
    light, disparity = np.zeros((61, 81, 1), np.float32), np.full((61, 81), around, np.float32)
    light[20:41, 30:51] = 1
    disparity[20:41, 30:51] = slope
    return SharpPicture(
        all_in_focus=light, super_resolved=light, scale=1, depth=Depth(disparity=disparity)
    )


def test_what_lies_on_the_plane_stays() -> None:
    picture = _square(0.2, around=0.2)
    np.testing.assert_allclose(render_dolly(picture, 0.2, 4.0), picture.super_resolved, atol=1e-5)


@pytest.mark.parametrize(("viewpoint", "grows"), [(4.0, False), (-4.0, True)])
def test_near_things_shrink_when_the_camera_moves_back(viewpoint: float, grows: bool) -> None:
    picture = _square(-1.5, around=0.0)
    size = float(render_dolly(picture, 0.0, viewpoint).sum())
    factor = 1 / (1 + 1.5 * viewpoint / np.hypot(30, 40))
    assert (size > picture.super_resolved.sum()) == grows
    assert size == pytest.approx(21**2 * factor**2, rel=0.08)


def test_the_middle_stays_the_middle() -> None:
    seen = render_dolly(_square(-1.5, around=0.5), 0.0, 3.0)[..., 0]
    np.testing.assert_allclose(seen, seen[::-1, ::-1], atol=1e-3)


def test_without_depth_there_is_nothing_to_move() -> None:
    light = np.zeros((4, 4, 1), np.float32)
    with pytest.raises(ImageError, match="no depth"):
        render_dolly(SharpPicture(all_in_focus=light, super_resolved=light, scale=1), 0.0, 1.0)
