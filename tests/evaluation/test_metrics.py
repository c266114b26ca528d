"""Metrics against independent formulas and known pictures."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from lfdfp.evaluation import metrics


def _noise(seed: int = 0, shape: tuple[int, ...] = (40, 50, 3)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def test_psnr_is_scikit_images() -> None:
    truth, picture = _noise(0), _noise(1)
    expected = peak_signal_noise_ratio(truth, picture, data_range=1.0)
    assert metrics.psnr(truth, picture) == pytest.approx(expected, abs=1e-4)
    assert metrics.psnr(truth, truth) == float("inf")


def test_psnr_clips_as_a_file_would() -> None:
    truth = np.ones((4, 4, 3), np.float32)
    assert metrics.psnr(truth, truth * 3) == float("inf")


def test_luma_of_gray_is_gray() -> None:
    gray = np.full((3, 3, 3), 0.5, np.float32)
    np.testing.assert_allclose(metrics.luma_codes(gray), 127.5, atol=1e-4)
    assert metrics.mean_gray(gray) == pytest.approx(127.5, abs=1e-4)


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    picture = _noise()
    assert metrics.ssim(picture, picture) == pytest.approx(1.0)
    assert metrics.ssim(picture, _noise(1)) < 0.2


def test_gradients_of_a_ramp() -> None:
    ramp = np.tile(np.arange(32, dtype=np.float32) / 255, (20, 1))
    assert metrics.mean_gradient(ramp) == pytest.approx(np.sqrt(0.5), rel=1e-5)
    assert metrics.edge_intensity(ramp[:, 1:-1]) == pytest.approx(8 * 29 / 30, rel=0.05)


def test_entropy_counts_levels() -> None:
    assert metrics.information_entropy(np.full((8, 8), 0.3, np.float32)) == 0.0
    four = np.tile(np.array([0, 80, 160, 255], np.float32) / 255, (6, 3))
    assert metrics.information_entropy(four) == pytest.approx(2.0)


def test_edge_coherence_prefers_straight_edges_and_ignores_their_direction() -> None:
    step = np.zeros((64, 64), np.float32)
    step[:, 32:] = 1.0
    across, along = metrics.edge_coherence(step), metrics.edge_coherence(step.T)
    assert across == pytest.approx(along, abs=1e-6)
    assert across > 0.5 > abs(metrics.edge_coherence(_noise(0, (64, 64))))


def test_figures_relative_to_the_truth_itself_are_zero() -> None:
    picture = _noise()
    assert all(v == 0.0 for v in metrics.relative_to_truth(picture, picture).values())
    assert metrics.relative_to_truth(picture, picture * 0.9)["MGA"] > 5


def test_pictures_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(3, 4\)"):
        metrics.psnr(np.zeros((3, 3)), np.zeros((3, 4)))
