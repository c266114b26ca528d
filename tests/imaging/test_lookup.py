"""Looked-up values are those of the curve of each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lfdfp.imaging.lookup import looked_up


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_channel_has_its_curve(dtype: Any, channels: int) -> None:
    rng = np.random.default_rng(0)
    levels = np.iinfo(dtype).max + 1
    curves = rng.random((levels, channels)).astype(np.float32)
    codes = rng.integers(0, levels, (30, 40, channels)).astype(dtype)
    found = looked_up(codes[3:20, ::2], curves)
    for channel in range(channels):
        wanted = curves[codes[3:20, ::2, channel], channel]
        np.testing.assert_array_equal(found[..., channel], wanted)


def test_gray_that_is_repeated_without_memory_is_looked_up_too() -> None:
    codes = np.broadcast_to(np.arange(12, dtype=np.uint8).reshape(3, 4, 1), (3, 4, 3))
    curves = np.arange(768, dtype=np.float32).reshape(256, 3)
    np.testing.assert_array_equal(looked_up(codes, curves), curves[codes[..., 0]])
