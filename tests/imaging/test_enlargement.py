"""What is enlarged gives the picture back when it is shrunk; noise is not put back."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.imaging.enlargement import Enlarger, luma_sigma, signal_share, without_noise
from lfdfp.imaging.resampling import Downsampling
from tests.factories import textured_picture


@pytest.mark.parametrize("scale", [2, 3])
def test_shrinking_gives_the_picture_back_the_closer_the_more_often_it_is_corrected(
    scale: int,
) -> None:
    picture = textured_picture((30, 36))
    model = Downsampling(shape=(30, 36), scale=scale)
    left = []
    for back_projections in (0, 2, 8):
        fine = Enlarger(model, 0.0, back_projections)(picture)
        assert fine.shape == (30 * scale, 36 * scale, 3)
        left.append(np.abs(model.forward(fine) - picture).max())
    assert left[2] < left[1] < left[0]
    assert left[2] < 0.1 * left[0]


def test_at_scale_one_it_is_a_copy() -> None:
    picture = textured_picture((12, 10))
    made = Enlarger(Downsampling(shape=(12, 10), scale=1), 0.0, 5)(picture)
    np.testing.assert_array_equal(made, picture)
    assert made is not picture


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = textured_picture((200, 150))
    enlarger = Enlarger(Downsampling(shape=(200, 150), scale=2), 0.0, 3)
    monkeypatch.setattr("lfdfp.imaging.enlargement._TILE_FINE_PX", 160)
    np.testing.assert_allclose(enlarger.by_tiles(picture), enlarger(picture), atol=1e-5)


def test_where_pixels_are_held_out_they_have_no_say() -> None:
    picture = textured_picture((24, 24))
    held_out = np.zeros((24, 24), bool)
    held_out[10:13, 10:13] = True
    enlarger = Enlarger(Downsampling(shape=(24, 24), scale=2), 0.0, 0)
    fine = enlarger.model.interpolate(picture)
    changed = picture.copy()
    changed[held_out] += 0.3
    five = Enlarger(enlarger.model, 0.0, 5)
    np.testing.assert_array_equal(
        five.back_projected(fine, picture, held_out), five.back_projected(fine, changed, held_out)
    )


def test_luma_comes_from_the_upscalers() -> None:
    picture = textured_picture((16, 20))
    model = Downsampling(shape=(16, 20), scale=2)

    def black(luma: np.ndarray) -> np.ndarray:
        return np.zeros((2 * luma.shape[0], 2 * luma.shape[1]), np.float32)

    made = Enlarger(model, 0.0, 0, (black,))(picture)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(made @ weights).max() < 0.02
    assert np.abs(picture @ weights).min() > 0.05


def test_the_share_of_signal_is_none_in_noise_and_all_in_signal() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (60, 60, 1)).astype(np.float32)
    assert signal_share(noise, 0.1).mean() < 0.15
    assert signal_share(100 * noise, 0.1).min() > 0.99
    assert np.abs(without_noise(noise, 0.1)).mean() < 0.2 * np.abs(noise).mean()


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_of_luma_is_as_measured(channels: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, (300, 300, channels))
    weights = np.array([0.299, 0.587, 0.114]) if channels == 3 else np.ones(1)
    assert (noise @ weights).std() == pytest.approx(luma_sigma(0.2, channels), rel=0.02)
