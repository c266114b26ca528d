"""The display's curve: sRGB's own, undone exactly, odd, smooth beyond white."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2gray

from lfdfp.imaging.display import decode_srgb, encode, encode_srgb, luma


def test_decoding_undoes_encoding_far_beyond_the_range() -> None:
    light = np.linspace(-2, 4, 6001, dtype=np.float32)
    np.testing.assert_allclose(decode_srgb(encode(light)), light, rtol=2e-6, atol=2e-7)


def test_the_curve_is_that_of_the_standard() -> None:
    """IEC 61966-2-1: 18 % gray is code 118 of 255, half light 188, white 255."""
    light = np.array([0.0, 0.18, 0.5, 1.0], np.float32)
    np.testing.assert_array_equal(np.rint(255 * encode(light)), [0, 118, 188, 255])


def test_the_curve_is_odd_and_rises() -> None:
    light = np.linspace(-1.5, 1.5, 3001, dtype=np.float32)
    np.testing.assert_array_equal(encode(-light), -encode(light))
    assert np.all(np.diff(encode(light)) > 0)


def test_large_pictures_are_encoded_as_small_ones() -> None:
    light = np.random.default_rng(0).random((700, 600, 3), np.float32)
    np.testing.assert_array_equal(encode(light)[350], encode(light[350]))


def test_what_a_screen_shows_is_the_same_curve_clipped() -> None:
    light = np.linspace(-1, 2, 301, dtype=np.float32)
    np.testing.assert_array_equal(encode_srgb(light), encode(np.clip(light, 0, 1)))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_luma_of_other_than_three_channels_is_their_mean(channels: int) -> None:
    picture = np.random.default_rng(1).random((5, 6, channels), np.float32)
    np.testing.assert_allclose(luma(picture), picture.mean(axis=-1), rtol=1e-6)


def test_luma_of_gray_is_gray_and_weighs_green_most() -> None:
    np.testing.assert_allclose(luma(np.full((2, 2, 3), 0.3, np.float32)), 0.3, rtol=1e-6)
    red, green, blue = luma(np.eye(3, dtype=np.float32)[None])[0]
    assert blue < red < green
    # Rec. 709, as scikit-image has it, differs by a few per cent.
    np.testing.assert_allclose([red, green, blue], rgb2gray(np.eye(3)[None])[0], atol=0.13)
