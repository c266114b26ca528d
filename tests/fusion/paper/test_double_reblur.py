"""DoubleReblur: the kernel, the regions, and the cases that broke the published code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.fusion.paper.double_reblur import (
    DoubleReblurSettings,
    double_reblur_maps,
    filled_largest_region,
    spread_kernel,
)
from tests.factories import multi_focus, textured_picture


def test_the_kernel_of_a_known_blur_is_found() -> None:
    sharp = textured_picture((128, 160), channels=1)[..., 0]
    sharp = sharp + 0.05 * np.random.default_rng(0).standard_normal(sharp.shape)
    kernel = spread_kernel(
        sharp.astype(np.float32), ndimage.gaussian_filter(sharp, 1.2).astype(np.float32)
    )
    impulse = np.zeros((9, 9))
    impulse[4, 4] = 1.0
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(kernel, ndimage.gaussian_filter(impulse, 1.2), atol=0.02)


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_a_region_in_a_corner_is_not_inverted(corner: tuple[int, int]) -> None:
    region = np.zeros((40, 50), bool)
    region[:20, :25] = True
    region[8:12, 8:12] = False
    region = region[:: 1 if corner[0] == 0 else -1, :: 1 if corner[1] == 0 else -1]
    assert filled_largest_region(region).sum() == 20 * 25


def test_a_band_across_the_frame_does_not_fill_the_far_side() -> None:
    band = np.zeros((40, 50), bool)
    band[:, 20:25] = True
    np.testing.assert_array_equal(filled_largest_region(band), band)


def test_an_empty_region_falls_back_to_the_stronger_response() -> None:
    slices, owner = multi_focus(textured_picture((80, 120)), 2)
    settings = DoubleReblurSettings(threshold=10.0)
    maps = double_reblur_maps(slices.mean(axis=3), settings)
    np.testing.assert_array_equal(maps.sum(axis=0), 1.0)
    assert np.mean(maps.argmax(axis=0) == owner) > 0.8


@pytest.mark.parametrize("number", [2, 3, 5])
def test_any_number_of_slices(number: int) -> None:
    slices, owner = multi_focus(textured_picture((80, 50 * number)), number)
    maps = double_reblur_maps(slices.mean(axis=3), DoubleReblurSettings(threshold=0.0))
    np.testing.assert_array_equal(maps.sum(axis=0), 1.0)
    assert np.mean(maps.argmax(axis=0) == owner) > 0.7


def test_flat_slices_do_not_break_it() -> None:
    maps = double_reblur_maps(np.full((2, 30, 30), 0.5, np.float32), DoubleReblurSettings())
    np.testing.assert_array_equal(maps.sum(axis=0), 1.0)
