"""The best checked iterate is kept; patience and a loss without bounds end a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from lfdfp.networks.fit import optimize, to_picture, to_tensor
from lfdfp.networks.settings import NetworkSettings

SETTINGS = NetworkSettings(iterations=60, learning_rate=0.05, check_every=5, patience=3)


def _fit(loss, error, settings: NetworkSettings = SETTINGS):
    value = torch.zeros(1, requires_grad=True)
    steps: list[int] = []
    fit = optimize(lambda: value * 1, [value], loss, error, settings, steps.append)
    return fit, steps


def test_a_parabola_is_descended() -> None:
    fit, steps = _fit(lambda x: (x - 1).square().sum(), lambda x: float((x - 1).abs()))
    assert float(fit.best) == pytest.approx(1, abs=0.15)
    assert fit.error == pytest.approx(abs(float(fit.best) - 1))
    assert not fit.diverged
    assert steps == sorted(steps)


def test_what_is_held_out_decides_and_stops() -> None:
    """The loss pulls to 10, what is held out is best at 0.5: the fit stops soon after that."""
    fit, steps = _fit(lambda x: (10 - x).sum(), lambda x: abs(float(x) - 0.5))
    assert float(fit.best) == pytest.approx(0.5, abs=0.15)
    assert len(steps) < SETTINGS.iterations


def test_a_loss_without_bounds_gives_back_what_was_best() -> None:
    def loss(x: Tensor) -> Tensor:
        return torch.where(x > 0.6, torch.nan, -x).sum()

    fit, _ = _fit(loss, lambda x: -float(x), replace(SETTINGS, check_every=1))
    assert fit.diverged
    assert 0.3 < float(fit.best) <= 0.6 + 1e-6


def test_pictures_come_back_from_tensors() -> None:
    picture = np.random.default_rng(0).random((5, 7, 3), np.float32)
    tensor = to_tensor(picture, torch.device("cpu"))
    assert tensor.shape == (1, 3, 5, 7)
    np.testing.assert_array_equal(to_picture(tensor), picture)
