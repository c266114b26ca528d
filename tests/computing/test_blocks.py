"""Elementwise functions in parts."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.computing import blocks as module
from lfdfp.computing.blocks import map_blocks


@pytest.mark.parametrize("shape", [(7,), (5, 3), (11, 4, 3)])
def test_parts_make_the_whole(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    whole = map_blocks(np.sqrt, values)
    monkeypatch.setattr(module, "_VALUES_AT_ONCE", 4)
    np.testing.assert_array_equal(map_blocks(np.sqrt, values), whole)
    np.testing.assert_array_equal(map_blocks(np.sqrt, values[..., ::-1]), whole[..., ::-1])
    assert map_blocks(np.rint, 9 * values, np.uint8).dtype == np.uint8


def test_nothing_gives_nothing() -> None:
    assert map_blocks(np.sqrt, np.empty((0, 3), np.float32)).shape == (0, 3)
