"""Textures look like photographs in their numbers: range, spectrum, share of cover."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.simulation.textures import (
    TextureStyle,
    dead_leaves,
    matte,
    palette,
    pink_noise,
    random_shapes,
)

SHAPE = (120, 150)


def test_the_same_seed_gives_the_same_texture() -> None:
    one, two = (dead_leaves(np.random.default_rng(3), SHAPE, TextureStyle()) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (*SHAPE, 3)
    assert 0.005 - 1e-6 <= one.min() < one.max() <= 0.95 + 1e-6
    assert one.std() > 0.03


def test_without_saturation_colors_are_gray() -> None:
    colors = palette(np.random.default_rng(1), 50, 0.0)
    np.testing.assert_allclose(colors, colors[:, :1].repeat(3, axis=1), atol=1e-6)
    vivid = palette(np.random.default_rng(1), 50, 1.0)
    assert np.ptp(vivid, axis=1).mean() > 0.05


def test_octaves_of_pink_noise_are_equally_strong() -> None:
    noise = pink_noise(np.random.default_rng(2), (512, 512), 64.0)
    assert noise.std() == pytest.approx(1, abs=0.15)
    power = np.abs(np.fft.fft2(noise)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512), indexing="ij"))
    octaves = [
        power[(frequency > f) & (frequency <= 2 * f)].sum() for f in (1 / 64, 1 / 32, 1 / 16)
    ]
    assert max(octaves) < 2.5 * min(octaves)


def test_small_shapes_are_many_and_large_ones_few() -> None:
    style = TextureStyle(smallest=5, largest=100)
    shapes = random_shapes(np.random.default_rng(3), 4000, (1000, 1000), style)
    radius = np.sqrt(shapes["half_height"] * shapes["half_width"])
    assert 5 <= radius.min() <= radius.max() <= 100
    share = np.mean(radius > 10)
    assert share == pytest.approx(0.25, abs=0.03)  # density ~ r⁻³: a quarter beyond twice as far


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_cover_has_about_the_share_that_is_asked_for(share: float) -> None:
    opacity = matte(np.random.default_rng(4), (200, 200), share=share, smallest=10, largest=60)
    assert 0 <= opacity.min() <= opacity.max() <= 1
    assert share / 2 <= opacity.mean() <= share + 0.35
