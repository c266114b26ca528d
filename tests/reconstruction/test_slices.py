"""Focal stacks finer than the views."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lfdfp.decoding import decode
from lfdfp.errors import ImageError
from lfdfp.reconstruction.plane import refocus_super_resolved
from lfdfp.reconstruction.slices import super_resolved_stack
from lfdfp.refocusing import refocus
from lfdfp.settings import RefocusSettings
from tests.factories import textured_plane, tiny_capture


def test_a_super_resolved_stack_takes_its_blur_from_the_views() -> None:
    """Near leaves before a far plane: detail on the plane, no pattern of lenslets off it."""
    capture = tiny_capture(size=400, seed=5, disparities=(-0.4, 0.0, 0.3))
    field = decode(capture.raw_capture(), capture.true_calibration())
    assert field.sampling is not None
    slope = 0.3 * field.sampling.pixels_per_pitch
    stack = super_resolved_stack(field, RefocusSettings(slopes=(slope, 1.0, 2)), scale=2)
    single, plain = refocus_super_resolved(field, slope), refocus(field, slope)
    enlarged = cv2.resize(plain, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    truth = capture.disparity(2)
    far = cv2.erode((truth > slope - 0.02).astype(np.uint8), np.ones((17, 17))) > 0
    near = cv2.erode((truth < slope - 0.5).astype(np.uint8), np.ones((9, 9))) > 0
    assert far.sum() > 100
    assert near.sum() > 100
    found = stack.slices[0]
    assert np.abs(found - single.picture)[far].mean() < 0.1 * np.abs(found - enlarged)[far].mean()
    np.testing.assert_allclose(found[near], enlarged[near], atol=1e-6)
    assert stack.coverage is not None
    assert stack.coverage[0][near].mean() < stack.coverage[0][far].mean()


def test_a_stack_without_rays_is_refused() -> None:
    field, _ = textured_plane(0.2)
    with pytest.raises(ImageError, match="give the raw capture itself"):
        super_resolved_stack(field, scale=2)
