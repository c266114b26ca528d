"""The downsampler: adjoint, Pillow's convention, constants, any size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lfdfp.evaluation.adjoint import dot_test
from lfdfp.imaging.resampling import Downsampling, DownsamplingKernel, resample

KERNELS: tuple[DownsamplingKernel, ...] = ("bilinear", "bicubic", "lanczos2", "lanczos3")


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_adjoint_agrees_with_forward(kernel: DownsamplingKernel, scale: int) -> None:
    model = Downsampling(shape=(11, 17), scale=scale, kernel=kernel)
    shapes = (*model.fine_shape, 3), (11, 17, 3)
    for dtype, bound in ((np.float32, 1e-6), (np.float64, 1e-6)):
        rng = np.random.default_rng(scale)
        assert dot_test(model.forward, model.adjoint, *shapes, rng, dtype=dtype) < bound


def test_interpolation_is_not_the_adjoint() -> None:
    model, rng = Downsampling(shape=(11, 17), scale=2), np.random.default_rng(0)
    assert dot_test(model.forward, model.interpolate, (22, 34, 3), (11, 17, 3), rng) > 1e-3


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_shrinking_is_pillows(scale: int) -> None:
    fine = np.random.default_rng(0).random((12 * scale, 7 * scale)).astype(np.float32)
    by_pillow = np.asarray(Image.fromarray(fine).resize((7, 12), Image.Resampling.BICUBIC))
    model = Downsampling(shape=(12, 7), scale=scale)
    np.testing.assert_allclose(model.forward(fine[..., None])[..., 0], by_pillow, atol=2e-6)


def test_bicubic_growing_is_pillows() -> None:
    coarse = np.random.default_rng(0).random((9, 14)).astype(np.float32)
    by_pillow = np.asarray(Image.fromarray(coarse).resize((42, 27), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(resample(coarse[..., None], (27, 42))[..., 0], by_pillow, atol=2e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_stays_constant(kernel: DownsamplingKernel) -> None:
    model = Downsampling(shape=(5, 6), scale=3, kernel=kernel)
    np.testing.assert_allclose(model.forward(np.full((15, 18, 1), 0.7, np.float32)), 0.7, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_fine_pixels_lie_where_the_conventions_say(scale: int) -> None:
    model = Downsampling(shape=(16, 16), scale=scale)
    position = (np.arange(16 * scale) + 0.5) / scale - 0.5
    ramp = np.broadcast_to(position[:, None], model.fine_shape)[..., None].astype(np.float32)
    inside = model.forward(ramp)[3:-3, :, 0]
    np.testing.assert_allclose(inside, np.arange(16)[3:-3, None] + np.zeros(16), atol=1e-4)
