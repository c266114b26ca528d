"""Disparity is judged rightly on maps whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.evaluation.disparity_score import disparity_score, near_edges, textured
from tests.factories import tiny_capture


def test_a_known_error_is_found_where_there_is_texture() -> None:
    capture = tiny_capture(size=256)
    truth = capture.disparity()
    exact = disparity_score(capture, truth, cpu_s=0.0)
    assert (exact.mean_absolute_px, exact.bad) == (0, 0)
    shifted = truth + np.float32(0.05)
    shifted[:, : truth.shape[1] // 2] += np.float32(0.05)
    found = disparity_score(capture, shifted, cpu_s=0.0)
    judged = textured(capture.all_in_focus())
    assert found.textured == pytest.approx(judged.mean())
    half = judged[:, : truth.shape[1] // 2].sum() / judged.sum()
    assert found.bad == pytest.approx(half)
    assert found.mean_absolute_px == pytest.approx(0.05 + 0.05 * half, abs=1e-5)


def test_flat_parts_have_no_texture_and_steps_are_edges() -> None:
    picture = np.full((20, 40, 3), 0.2, np.float32)
    picture[:, 20:] += np.random.default_rng(1).random((20, 20, 3), np.float32)
    found = textured(picture)
    assert not found[:, :16].any()
    assert found[:, 24:].all()
    step = np.repeat(np.array([[0.0, 0.3]], np.float32), 20, axis=1).repeat(20, axis=0)
    edges = near_edges(step)
    assert edges[:, 17:23].all()
    assert not edges[:, :16].any()
