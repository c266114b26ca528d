"""Pixels that the residual network is checked on."""

from __future__ import annotations

import numpy as np

from lfdfp.imaging.enlargement import Enlarger
from lfdfp.imaging.resampling import Downsampling
from lfdfp.super_resolution.residual import held_out_mask, without_held_out


def test_a_mask_is_true_where_a_pixel_is_held_out() -> None:
    held_out = held_out_mask((60, 80), 0.1, np.random.default_rng(0))
    assert held_out.dtype == bool
    assert 0.08 < held_out.mean() < 0.12


def test_held_out_pixels_are_filled_from_their_neighbors_and_have_no_say() -> None:
    rng = np.random.default_rng(1)
    fused = rng.random((24, 24, 3), np.float32)
    held_out = held_out_mask((24, 24), 0.1, rng)
    filled = without_held_out(fused, held_out)
    np.testing.assert_array_equal(filled[~held_out], fused[~held_out])
    other = np.where(held_out[..., None], np.float32(7), fused)
    np.testing.assert_array_equal(without_held_out(other, held_out)[~held_out], fused[~held_out])
    lonely = np.zeros((24, 24), bool)
    lonely[12, 12] = True
    ring = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    expected = np.tensordot(ring, fused[11:14, 11:14], 2)
    np.testing.assert_allclose(without_held_out(fused, lonely)[12, 12], expected, rtol=1e-5)


def test_an_enlargement_does_not_trust_held_out_pixels() -> None:
    rng = np.random.default_rng(2)
    picture = rng.random((16, 16, 3), np.float32)
    held_out = np.zeros((16, 16), bool)
    held_out[8, 8] = True
    enlarge = Enlarger(Downsampling(shape=(16, 16), scale=2), 0.0, 4)
    plain, careful = enlarge(picture), enlarge(picture, held_out)
    back = enlarge.model.forward(careful)
    assert np.abs(plain - careful).max() > 1e-4
    missing = np.abs(back - picture).max(axis=-1)
    assert missing[8, 8] > 4 * np.median(missing)
