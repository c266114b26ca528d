"""Noise level: known noise is found, detail is not taken for noise."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.imaging.noise_level import noise_sigma, stack_noise
from tests.factories import multi_focus, textured_picture


@pytest.mark.parametrize("sigma", [2 / 255, 5 / 255, 0.05])
def test_known_noise_is_found(sigma: float) -> None:
    slices, _ = multi_focus(textured_picture((128, 160)), 2)
    noise = np.random.default_rng(0).normal(0, sigma, slices.shape).astype(np.float32)
    assert stack_noise(slices + noise).channel == pytest.approx(sigma, rel=0.2)


def test_gray_detail_is_not_noise() -> None:
    gray = np.random.default_rng(0).random((96, 96, 1)).astype(np.float32)
    textured = np.repeat(gray, 3, axis=2) * 0.2 + 0.4
    assert noise_sigma(textured[..., 0]) > 0.03
    assert stack_noise(textured[None]).channel < 1e-3


def test_pictures_without_measurable_noise() -> None:
    assert noise_sigma(np.zeros((40, 40), np.float32)) == 0.0
    assert noise_sigma(np.zeros((3, 3), np.float32)) == 0.0
    assert stack_noise(np.full((2, 40, 40, 3), 0.5, np.float32)).channel == 0.0
