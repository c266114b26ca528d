"""The guided filter: linear, keeps what the guide explains, smooths what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.guided_filter import GuidedFilter


@pytest.fixture
def guide() -> FloatArray:
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1.0
    return step


def test_a_constant_stays_as_it_is(guide: FloatArray) -> None:
    smooth = GuidedFilter(guide, radius_px=4, regularization=1e-3)
    np.testing.assert_allclose(smooth(np.full_like(guide, 0.7)), 0.7, atol=1e-6)


def test_edges_of_the_guide_are_kept(guide: FloatArray) -> None:
    image = 0.2 + 0.5 * guide
    smooth = GuidedFilter(guide, radius_px=4, regularization=1e-6)
    np.testing.assert_allclose(smooth(image), image, atol=1e-3)


def test_noise_is_averaged_away_on_either_side(guide: FloatArray) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, guide.shape).astype(np.float32)
    made = GuidedFilter(guide, radius_px=4, regularization=1e-3)(guide + noise)
    assert np.abs(made - guide).std() < 0.25 * noise.std()
    assert (made[:, 31] - made[:, 28]).min() > 0.8


def test_without_an_edge_in_the_guide_an_edge_is_blurred(guide: FloatArray) -> None:
    made = GuidedFilter(np.zeros_like(guide), radius_px=4, regularization=1e-3)(guide)
    assert 0.2 < made[20, 30] < 0.8


def test_it_is_linear_in_the_image(guide: FloatArray) -> None:
    rng = np.random.default_rng(1)
    smooth = GuidedFilter(rng.random(guide.shape, np.float32), radius_px=3, regularization=1e-2)
    a, b = rng.random((2, *guide.shape), np.float32)
    np.testing.assert_allclose(smooth(2 * a - 3 * b), 2 * smooth(a) - 3 * smooth(b), atol=1e-4)
