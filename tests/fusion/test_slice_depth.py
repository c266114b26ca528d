"""Depth from the order of slices."""

from __future__ import annotations

import numpy as np

from lfdfp.fusion.running_fusion import fused_running
from lfdfp.fusion.seen_slices import slices_at_hand
from lfdfp.fusion.slice_depth import slice_depth
from tests.factories import multi_focus, textured_picture


def test_depth_is_the_number_of_the_sharp_slice() -> None:
    slices, owner = multi_focus(textured_picture((80, 250)), 5)
    depth = slice_depth(fused_running(slices_at_hand(slices, None), sigma=0.003))
    assert np.mean(np.abs(depth - owner) < 0.5) > 0.93
    assert depth.min() >= 0
    assert depth.max() <= 4


def test_what_is_flat_takes_the_depth_of_what_is_around_it() -> None:
    slices, _ = multi_focus(textured_picture((140, 260)), 2)
    slices[:, 40:100, 170:230] = 0.5
    fusion = fused_running(slices_at_hand(slices, None), sigma=0.003)
    inside = np.s_[65:75, 195:205]
    assert fusion.order is not None
    assert fusion.order.share[inside].max() < 0.9
    np.testing.assert_allclose(slice_depth(fusion)[inside], 1.0, atol=0.2)


def test_one_slice_alone_has_depth_zero() -> None:
    one = textured_picture((20, 30))[None]
    fusion = fused_running(slices_at_hand(one, None), sigma=0.003)
    np.testing.assert_array_equal(slice_depth(fusion), 0)


def test_noise_in_a_flat_part_is_no_depth() -> None:
    slices, _ = multi_focus(textured_picture((140, 260)), 2)
    slices[:, 40:100, 170:230] = 0.5
    noise = np.random.default_rng(0).normal(0, 0.01, slices.shape).astype(np.float32)
    source = slices_at_hand(slices + noise, None)
    depth = slice_depth(fused_running(source, sigma=0.01 * 0.67))  # of luma
    assert np.abs(depth[60:80, 190:210] - 1).mean() < 0.2
