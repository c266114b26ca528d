"""A thumbnail shows the sharp picture and slices from near to far, in small frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lfdfp.datatypes import FocalStack, SharpPicture
from lfdfp.report.thumbnail import thumbnail


@pytest.mark.parametrize(("slices", "frames"), [(2, 3), (9, 7)])
def test_frames_lie_side_by_side(slices: int, frames: int) -> None:
    levels = np.linspace(0.1, 0.9, slices, dtype=np.float32)
    light = np.broadcast_to(levels[:, None, None, None], (slices, 300, 400, 3))
    stack = FocalStack(slices=np.ascontiguousarray(light))
    sharp = SharpPicture(
        all_in_focus=np.zeros((300, 400, 3), np.float32),
        super_resolved=np.zeros((300, 400, 3), np.float32),
        scale=1,
    )
    made = thumbnail(sharp, stack)
    assert (made.frames, made.size) == (frames, (192, 144))
    with Image.open(io.BytesIO(made.content)) as image:
        strip = np.asarray(image.convert("L"), float)
    assert strip.shape == (144, 192 * frames)
    brightness = [strip[:, n * 192 + 40 : n * 192 + 150].mean() for n in range(frames)]
    assert brightness[0] < 5
    assert brightness[1:] == sorted(brightness[1:])
    assert len(made.content) < 30_000


def test_gray_and_small_pictures_have_thumbnails_too() -> None:
    gray = np.full((1, 20, 30, 1), 0.5, np.float32)
    sharp = SharpPicture(all_in_focus=gray[0], super_resolved=gray[0], scale=1)
    made = thumbnail(sharp, FocalStack(slices=gray))
    assert (made.frames, made.size) == (2, (30, 20))
