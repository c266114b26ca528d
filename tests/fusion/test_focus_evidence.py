"""Evidence of focus: positive for the sharp slice, none in flat noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy import ndimage

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.focus_evidence import flat_score, focus_scores, sharper
from lfdfp.imaging.display import luma
from tests.factories import multi_focus, textured_picture

_WINDOW_PX = 2.5


def _scores(lumas: FloatArray, noise_sigma: float) -> FloatArray:
    everywhere = slice(0, lumas.shape[1])
    found = focus_scores(lumas, noise_sigma, _WINDOW_PX)
    return np.stack([score.of(everywhere) for score in found])


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("number", [2, 3, 7])
def test_the_sharp_slice_has_the_most_evidence(number: int, noise: float) -> None:
    slices, owner = multi_focus(textured_picture((60, 45 * number), seed=2), number)
    slices = slices + np.random.default_rng(0).normal(0, noise, slices.shape).astype(np.float32)
    scores = _scores(np.stack([luma(s) for s in slices]), noise)
    assert np.mean(scores.argmax(axis=0) == owner) > 0.85


@pytest.mark.parametrize("noise", [0.003, 0.02, 0.1])
def test_flat_noise_of_any_strength_is_little_evidence(noise: float) -> None:
    flat = np.random.default_rng(1).normal(0.5, noise, (2, 80, 80)).astype(np.float32)
    scores = _scores(flat, noise)
    difference = scores[0] - scores[1]
    assert abs(difference.mean()) < 0.1
    assert difference.std() < 0.8


def test_a_sharp_slice_explains_a_blurred_one_and_not_the_other_way_round() -> None:
    sharp = luma(textured_picture((60, 60), seed=3))
    soft = ndimage.gaussian_filter(sharp, 1.5, mode="mirror")
    assert sharper(sharp, soft, 0.0, 4.0).mean() > np.log(10)
    np.testing.assert_allclose(
        sharper(sharp, soft, 0.0, 4.0), -sharper(soft, sharp, 0.0, 4.0), atol=1e-5
    )


def test_a_slice_is_asked_for_only_when_it_is_needed() -> None:
    asked = []

    def passing() -> Iterator[FloatArray]:
        for number in range(5):
            asked.append(number)
            yield luma(textured_picture((30, 30), seed=number))

    scores = focus_scores(passing(), 0.01, _WINDOW_PX)
    next(scores)
    assert asked == [0, 1]
    next(scores)
    assert asked == [0, 1, 2]


def test_one_slice_or_none_have_no_rival() -> None:
    assert len(_scores(np.zeros((1, 9, 9), np.float32), 0.0)) == 1
    assert not list(focus_scores([], 0.0, _WINDOW_PX))


def test_bands_of_rows_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sharp = luma(textured_picture((200, 40), seed=4))
    soft = ndimage.gaussian_filter(sharp, 2.0, mode="mirror")
    whole = sharper(sharp, soft, 0.01, _WINDOW_PX)
    monkeypatch.setattr("lfdfp.fusion.focus_evidence._ROWS_AT_ONCE", 50)
    np.testing.assert_allclose(sharper(sharp, soft, 0.01, _WINDOW_PX), whole, atol=1e-4)


@pytest.mark.parametrize("noise", [0.003, 0.02])
def test_noise_alone_has_the_score_of_what_is_flat(noise: float) -> None:
    flat = np.random.default_rng(2).normal(0.5, noise, (1, 80, 80)).astype(np.float32)
    assert _scores(flat, noise).mean() == pytest.approx(flat_score(noise), abs=0.05)
