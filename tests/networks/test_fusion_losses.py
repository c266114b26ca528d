"""The losses' downsampler: that of NumPy, with autograd as its adjoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.adjoint import dot_test
from lfdfp.imaging.resampling import Downsampling
from lfdfp.networks.fusion_losses import TorchDownsampling


def _forward(model: Downsampling, fine: FloatArray) -> FloatArray:
    apply = TorchDownsampling(model, torch.device("cpu"))
    return apply(torch.from_numpy(fine)[None]).numpy()[0]


def _gradient(model: Downsampling, coarse: FloatArray) -> FloatArray:
    apply = TorchDownsampling(model, torch.device("cpu"))
    fine = torch.zeros(1, len(coarse), *model.fine_shape, requires_grad=True)
    (apply(fine)[0] * torch.from_numpy(coarse)).sum().backward()
    assert fine.grad is not None
    return fine.grad.numpy()[0]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_its_gradient_is_its_adjoint(scale: int) -> None:
    model, rng = Downsampling(shape=(9, 13), scale=scale), np.random.default_rng(scale)
    shapes = (3, *model.fine_shape), (3, 9, 13)
    assert dot_test(lambda x: _forward(model, x), lambda y: _gradient(model, y), *shapes, rng) < (
        1e-6
    )


@pytest.mark.parametrize("scale", [2, 4])
def test_it_is_the_downsampler_of_numpy(scale: int) -> None:
    model = Downsampling(shape=(9, 13), scale=scale)
    fine = np.random.default_rng(scale).random((*model.fine_shape, 3), np.float32)
    by_torch = _forward(model, np.ascontiguousarray(np.moveaxis(fine, -1, 0)))
    np.testing.assert_allclose(np.moveaxis(by_torch, 0, -1), model.forward(fine), atol=1e-6)
