"""Evidence of focus: positive for the sharp slice, none in flat noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.fusion.focus_evidence import focus_scores, reblur_misfit
from lfdfp.imaging.display import luma
from tests.factories import multi_focus, textured_picture


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("number", [2, 3])
def test_the_sharp_slice_has_the_most_evidence(number: int, noise: float) -> None:
    slices, owner = multi_focus(textured_picture((60, 90), seed=2), number)
    slices = slices + np.random.default_rng(0).normal(0, noise, slices.shape).astype(np.float32)
    scores = focus_scores(np.stack([luma(s) for s in slices]), noise)
    assert np.mean(scores.argmax(axis=0) == owner) > 0.85
    np.testing.assert_allclose(scores.sum(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("noise", [0.003, 0.02, 0.1])
def test_flat_noise_of_any_strength_is_no_evidence(noise: float) -> None:
    flat = np.random.default_rng(1).normal(0.5, noise, (2, 80, 80)).astype(np.float32)
    scores = focus_scores(flat, noise)
    assert abs(scores.mean()) < 0.05
    assert scores.std() < 0.4


def test_one_slice_alone_has_none() -> None:
    assert not focus_scores(np.random.default_rng(2).random((1, 9, 9), np.float32), 0.0).any()


def test_a_sharp_slice_explains_a_blurred_one_and_not_the_other_way_round() -> None:
    sharp = luma(textured_picture((60, 60), seed=3))
    soft = ndimage.gaussian_filter(sharp, 1.5, mode="mirror")
    misfit = reblur_misfit(np.stack([sharp, soft]), 4.0)
    assert misfit[0].mean() < 0.1 * misfit[1].mean()
