"""The display's curve and its inverse, and what both do beyond the range of a screen."""

from __future__ import annotations

import numpy as np

from lfdfp.imaging.display import decode_srgb, encode, encode_srgb, luma


def test_the_curve_and_its_inverse_agree_beyond_the_range_too() -> None:
    light = np.linspace(-2, 3, 1001, dtype=np.float32)
    np.testing.assert_allclose(decode_srgb(encode(light)), light, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(encode(-light), -encode(light))


def test_what_a_screen_shows_is_the_same_curve_clipped() -> None:
    light = np.linspace(-1, 2, 301, dtype=np.float32)
    np.testing.assert_array_equal(encode_srgb(light), encode(np.clip(light, 0, 1)))


def test_the_curve_is_that_of_the_standard() -> None:
    light = np.array([0.0, 0.0031308, 0.214041, 1.0], np.float32)
    np.testing.assert_allclose(encode(light), [0.0, 0.04045, 0.5, 1.0], atol=1e-5)


def test_gray_has_its_own_luma() -> None:
    gray = np.random.default_rng(0).random((5, 7, 1)).astype(np.float32)
    np.testing.assert_allclose(luma(np.repeat(gray, 3, axis=2)), gray[..., 0], rtol=1e-6)
    np.testing.assert_allclose(luma(gray), gray[..., 0])
