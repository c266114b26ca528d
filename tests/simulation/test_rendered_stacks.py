"""Rendered stacks: light is kept, the plane in focus is sharp, the front hides what is behind."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.simulation.rendered_stacks import Handling, disc, handled, rendered_stack
from tests.factories import textured_picture

_PICTURE = decode_srgb(textured_picture((60, 80), seed=1))


def _halves() -> np.ndarray:
    depth = np.zeros((60, 80), np.float32)
    depth[:, 40:] = 1.0
    return depth


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 7.0])
def test_a_disc_keeps_light_and_is_symmetric(radius: float) -> None:
    kernel = disc(radius)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_array_equal(kernel, kernel[::-1, ::-1])


def test_every_part_is_sharp_in_its_own_slice_and_in_no_other() -> None:
    stack = rendered_stack(_PICTURE, _halves(), 2, blur_px=4.0, layers=200)
    near, far = np.s_[8:-8, 8:30], np.s_[8:-8, 50:-8]
    for part, sharp, soft in ((near, 0, 1), (far, 1, 0)):
        np.testing.assert_allclose(stack.slices[sharp][part], stack.truth[part], atol=1e-3)
        assert np.abs(stack.slices[soft][part] - stack.truth[part]).mean() > 0.02
        assert np.all(stack.sharpest[part] == sharp)
    np.testing.assert_allclose(stack.truth[8:-8, 8:36], _PICTURE[8:-8, 8:36], atol=1e-5)


def test_defocus_spreads_light_and_loses_none() -> None:
    stack = rendered_stack(_PICTURE, np.zeros((60, 80), np.float32), 3, blur_px=6.0)
    means = stack.slices.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, means[0], rtol=0.01)


def test_a_bright_front_covers_the_dark_ground_behind_it_and_spills_over_it() -> None:
    picture = np.full((60, 80, 1), 0.05, np.float32)
    picture[:, :40] = 0.9
    stack = rendered_stack(picture, _halves(), 2, blur_px=6.0)
    assert stack.slices[0, 30, 41, 0] == pytest.approx(0.05, abs=0.03)
    assert stack.slices[1, 30, 41, 0] > 0.2


def test_what_a_hand_does_is_known_and_the_middle_slice_stays() -> None:
    stack = rendered_stack(_PICTURE, _halves(), 3, blur_px=3.0)
    rng = np.random.default_rng(0)
    handling = Handling(drift_px=6.0, exposure=0.05)
    slices, motions = handled(stack, handling, rng)
    np.testing.assert_allclose(motions[1], np.eye(2, 3), atol=1e-12)
    assert np.hypot(*(motions[2] - motions[0])[:, 2]) == pytest.approx(6.0)
    np.testing.assert_allclose(encode(slices[1]), encode(stack.slices[1]), atol=1e-4)
    assert slices[0].mean() != pytest.approx(stack.slices[0].mean(), rel=1e-3)
