"""The center view replaces a fused picture where they differ by more than noise."""

from __future__ import annotations

import numpy as np

from lfdfp.fusion.center_view import with_reference_view
from tests.factories import textured_picture


def test_a_ghost_gives_way_to_the_center_view() -> None:
    truth = textured_picture((60, 60))
    noise = np.random.default_rng(0).normal(0, 0.005, truth.shape).astype(np.float32)
    ghosted = truth.copy()
    ghosted[20:40, 20:40] += 0.2
    mixed, _ = with_reference_view(ghosted, truth + noise)
    assert np.abs(mixed - truth)[24:36, 24:36].mean() < 0.02


def test_elsewhere_its_noise_stays_out() -> None:
    truth = textured_picture((60, 60))
    noise = np.random.default_rng(1).normal(0, 0.02, truth.shape).astype(np.float32)
    mixed, sigma = with_reference_view(truth, truth + noise)
    assert np.abs(mixed - truth).mean() < 0.3 * np.abs(noise).mean()
    assert sigma < 0.3 * noise.std()


def test_inputs_stay_as_they_are() -> None:
    truth, other = textured_picture((30, 30)), textured_picture((30, 30), seed=1)
    before = truth.copy(), other.copy()
    with_reference_view(truth, other)
    np.testing.assert_array_equal(truth, before[0])
    np.testing.assert_array_equal(other, before[1])
