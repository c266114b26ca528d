"""Pictures and maps made from the solution on its finest grid."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.reconstruction.solution import area_average


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_averages_keep_the_light(scale: int) -> None:
    finest = np.random.default_rng(0).random((24, 36, 3), np.float32)
    average = area_average(finest, (6, 9), scale)
    assert average.shape == (6 * scale, 9 * scale, 3)
    np.testing.assert_allclose(average.mean(axis=(0, 1)), finest.mean(axis=(0, 1)), rtol=1e-5)


def test_an_average_is_the_mean_of_its_block() -> None:
    finest = np.random.default_rng(1).random((24, 36, 3), np.float32)
    blocks = finest.reshape(6, 4, 9, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(area_average(finest, (6, 9), 1), blocks, rtol=1e-5)
