"""Classical baselines on pictures with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.evaluation.metrics import psnr
from lfdfp.fusion.baselines import (
    back_projection,
    laplacian_pyramid,
    mean_of_slices,
    sharpest_slice,
)
from lfdfp.imaging.resampling import Downsampling, bicubic
from tests.factories import multi_focus, textured_picture


def test_fusion_baselines_rank_as_known() -> None:
    truth = textured_picture((97, 160))
    slices, _ = multi_focus(truth, 2)
    mean, sharpest, pyramid = (
        psnr(truth, fuse(slices)) for fuse in (mean_of_slices, sharpest_slice, laplacian_pyramid)
    )
    assert mean + 4 < sharpest
    assert mean + 4 < pyramid


def test_the_pyramid_of_equal_slices_is_the_slice() -> None:
    picture = textured_picture((33, 47))
    np.testing.assert_allclose(laplacian_pyramid(np.stack([picture] * 3)), picture, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_back_projection_gives_the_picture_back_and_beats_bicubic(scale: int) -> None:
    truth = textured_picture((24 * scale, 30 * scale))
    model = Downsampling(shape=(24, 30), scale=scale)
    small = model.forward(truth)
    plain, corrected = bicubic(small, scale), back_projection(small, scale)
    assert np.abs(model.forward(corrected) - small).mean() < 2e-3
    assert psnr(truth, corrected) > psnr(truth, plain) + 0.2
