"""Exposure: what changed is found, what focus alone changed is left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lfdfp.alignment.exposure import (
    ExposureMatch,
    described,
    exposure_blocks,
    exposure_windows,
    match_exposures,
)
from lfdfp.alignment.photographs import stack_of_photographs
from lfdfp.datatypes import FloatArray
from lfdfp.imaging.display import decode_srgb, encode
from tests.factories import multi_focus, textured_picture


def _match(photographs: FloatArray | list[FloatArray], reference: int = 0) -> ExposureMatch:
    return match_exposures(
        [exposure_windows(exposure_blocks(one)) for one in photographs], reference
    )


def _harsh_texture() -> FloatArray:
    """Random squares of black, gray and white: nowhere flat."""
    rng = np.random.default_rng(4)
    squares = rng.choice([0.15, 0.5, 0.88], (60, 75)).astype(np.float32)
    return np.repeat(np.kron(squares, np.ones((4, 4), np.float32))[..., None], 3, axis=2)


def _half_blurred(picture: FloatArray, side: int) -> FloatArray:
    half = picture.shape[1] // 2
    part = np.s_[:, :half] if side == 0 else np.s_[:, half:]
    made = picture.copy()
    made[part] = cv2.GaussianBlur(picture, (0, 0), 4.0)[part]
    return made


@pytest.mark.parametrize("blurred_in", ["linear light", "encoded values"])
def test_blur_is_not_taken_for_exposure(blurred_in: str) -> None:
    encoded = _harsh_texture()
    if blurred_in == "encoded values":
        pair = [decode_srgb(_half_blurred(encoded, side)) for side in (0, 1)]
    else:
        pair = [_half_blurred(decode_srgb(encoded), side) for side in (0, 1)]
    match = _match(pair)
    assert not match.applied
    np.testing.assert_array_equal(match.gains, 1.0)
    assert "left as it is" in described(match)


@pytest.mark.parametrize("gain", [0.8, 0.97, 1.02])
def test_exposure_is_equalized(gain: float) -> None:
    slices, _ = multi_focus(textured_picture((240, 300)), 2)
    light = decode_srgb(slices) * np.array([1.0, gain], np.float32)[:, None, None, None]
    np.testing.assert_allclose(_match(light).gains[1], 1 / gain, rtol=0.004)
    made = stack_of_photographs(light, align=False, reference="first").stack
    np.testing.assert_allclose(made.slices[1], light[1] / gain, rtol=0.004)


def test_white_balance_is_equalized() -> None:
    slices, _ = multi_focus(textured_picture((240, 300)), 2)
    drift = np.array([1.04, 1.0, 0.97], np.float32)
    light = decode_srgb(slices) * np.stack([np.ones(3, np.float32), drift])[:, None, None]
    np.testing.assert_allclose(_match(light).gains[1], 1 / drift, rtol=0.005)


def test_a_drift_over_many_photographs_does_not_add_up_errors() -> None:
    picture = decode_srgb(textured_picture((240, 300)))
    drift = np.exp(np.linspace(-0.1, 0.1, 9)).astype(np.float32)
    rng = np.random.default_rng(0)
    noisy = [
        decode_srgb(encode(g * picture) + rng.normal(0, 0.01, picture.shape).astype(np.float32))
        for g in drift
    ]
    np.testing.assert_allclose(_match(noisy, 4).gains[:, 0], 1 / drift, rtol=0.002)


def test_clipped_and_uncovered_parts_do_not_count() -> None:
    picture = decode_srgb(textured_picture((240, 300)))
    brighter = 1.05 * picture
    picture[:60], brighter[:60] = 1.0, 1.0
    moved = np.array([[1, 0, -80.0], [0, 1, 0], [0, 0, 1]])
    brighter = np.roll(brighter, -80, axis=1)
    blocks = [exposure_blocks(picture), exposure_blocks(brighter)]
    windows = [exposure_windows(blocks[0]), exposure_windows(blocks[1], moved)]
    np.testing.assert_allclose(match_exposures(windows).gains[1], 1 / 1.05, rtol=0.003)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_nothing_is_measured_where_nothing_can_be(level: float) -> None:
    match = _match(np.full((3, 20, 20, 1), level, np.float32))
    np.testing.assert_array_equal(match.gains, 1.0)
