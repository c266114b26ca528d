"""Internal learning: it gains on pictures that repeat across scales, and says when it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.baselines import bicubic
from lfdfp.fusion.downsampling import Downsampling
from lfdfp.fusion.internal_learning import (
    InternalUpscaler,
    Lesson,
    batches,
    learn_from_scales,
    scale_pairs,
)
from lfdfp.fusion.presets import InternalLearningSettings
from lfdfp.fusion.scale_network import ScaleNetwork
from tests.fusion.scenes import textured_picture

_QUICK = InternalLearningSettings(
    start="chance", channels=16, blocks=1, steps=60, learning_rate=4e-3
)
_CPU = torch.device("cpu")


def _fan(side: int) -> FloatArray:
    """Spokes and rings of every width: edges that recur at all scales."""
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2 + 0.3
    spokes = np.sign(np.sin(14 * np.arctan2(y, x)))
    rings = np.sign(np.sin(9 * np.log(np.hypot(x, y))))
    return (0.5 + 0.2 * spokes + 0.15 * rings).astype(np.float32)


def _learn(luma: FloatArray, factor: int, seed: int = 0) -> InternalUpscaler | None:
    return _lesson(luma, factor, _QUICK, seed).upscaler


def _lesson(
    luma: FloatArray, factor: int, settings: InternalLearningSettings, seed: int = 0
) -> Lesson:
    return learn_from_scales(
        luma, factor, 0.0, settings, seed=seed, device=_CPU, on_step=lambda step: None
    )


def test_it_beats_bicubic_on_edges_that_recur() -> None:
    truth = _fan(192)[..., None]
    small = Downsampling(shape=(96, 96), scale=2).forward(truth)
    upscaler = _learn(small[..., 0], 2)
    assert upscaler is not None
    assert upscaler.gain > 0
    ours = np.square(upscaler(small[..., 0]) - truth[..., 0]).mean()
    assert ours < 0.95 * np.square(bicubic(small, 2) - truth).mean()


def test_same_seed_same_bytes() -> None:
    luma = Downsampling(shape=(64, 70), scale=3).forward(_fan(210)[:192, :, None])[..., 0]
    quick = replace(_QUICK, steps=3)
    first, second = (_lesson(luma, 2, quick, seed=5).upscaler for _ in range(2))
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        np.testing.assert_array_equal(first(luma), second(luma))


@pytest.mark.parametrize("factor", [2, 3])
def test_an_untaught_network_is_bicubic_interpolation(factor: int) -> None:
    luma = _fan(40)[:, :33]
    upscaler = InternalUpscaler(ScaleNetwork(factor, 8, 1), 0.0, ensemble=True)
    inner = np.s_[9:-9, 9:-9]
    made = upscaler(luma)
    assert made.shape == (40 * factor, 33 * factor)
    np.testing.assert_allclose(
        made[inner], bicubic(luma[..., None], factor)[inner][..., 0], atol=1e-5
    )


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = ScaleNetwork(2, 8, 3)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    upscaler = InternalUpscaler(network, 0.0, ensemble=False)
    luma = np.random.default_rng(0).random((70, 90)).astype(np.float32)
    whole = upscaler(luma)
    monkeypatch.setattr("lfdfp.fusion.internal_learning._WINDOW_PX", 32)
    np.testing.assert_allclose(upscaler(luma), whole, atol=1e-5)


def test_small_and_flat_pictures_teach_nothing() -> None:
    assert _learn(np.zeros((20, 30), np.float32), 2) is None
    assert _learn(np.full((80, 80), 0.4, np.float32), 2) is None


def test_lost_noise_is_given_back() -> None:
    pairs = scale_pairs(_fan(96), 2, 0.02, InternalLearningSettings())
    assert pairs[0].coarse.shape == (48, 48)
    assert 0.012 < pairs[0].lost_sigma < 0.02
    assert all(p.lost_sigma >= pairs[0].lost_sigma for p in pairs)


def test_random_shapes_taught_something_that_holds_elsewhere() -> None:
    truth = textured_picture((128, 128), channels=1)
    small = Downsampling(shape=(64, 64), scale=2).forward(truth)
    known = _lesson(small[..., 0], 2, InternalLearningSettings(steps=0, ensemble=False)).upscaler
    assert known is not None
    ours = np.square(known(small[..., 0]) - truth[..., 0]).mean()
    assert ours < 0.6 * np.square(bicubic(small, 2) - truth).mean()


def test_a_fit_that_diverges_is_noticed_and_undone() -> None:
    truth = textured_picture((128, 128), channels=1)
    small = Downsampling(shape=(64, 64), scale=2).forward(truth)[..., 0]
    start = _lesson(small, 2, InternalLearningSettings(steps=0)).upscaler
    spoiled = _lesson(small, 2, InternalLearningSettings(steps=8, learning_rate=1e30))
    assert spoiled.diverged
    assert start is not None
    assert spoiled.upscaler is not None
    np.testing.assert_array_equal(spoiled.upscaler(small), start(small))


def test_patches_cover_a_picture_evenly_but_for_the_kept_square() -> None:
    luma = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    settings = replace(_QUICK, patch_px=8, batch=1, scales=(1.0,))
    (pair,) = scale_pairs(luma, 2, 0.0, settings)
    source = batches([pair], 2, settings, np.random.default_rng(0), _CPU)
    seen = np.zeros(pair.coarse.shape, int)
    for _ in range(240):
        coarse, fine = next(source)
        assert fine.shape == (1, 1, 16, 16)
        seen += np.isin(pair.coarse, coarse.numpy())
    assert seen[12:20, 12:20].max() == 0
    beside = seen[9:23, 4]  # drawn freely, 15 patches would come here, give or take 4
    assert beside.min() > 10
    assert np.ptp(beside) <= 2
