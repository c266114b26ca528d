"""Internal learning: it gains on pictures that repeat across scales, and says when it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.presets import PRESETS
from lfdfp.imaging.resampling import Downsampling, bicubic
from lfdfp.settings import Preset
from lfdfp.super_resolution.examples import batches, scale_pairs, shape_pairs
from lfdfp.super_resolution.internal_learning import (
    InternalUpscaler,
    Lesson,
    checked_gain,
    learn_from_scales,
    starting_network,
)
from lfdfp.super_resolution.scale_network import ScaleNetwork
from lfdfp.super_resolution.settings import InternalLearningSettings
from tests.factories import textured_picture

pytestmark = pytest.mark.slow

_QUICK = InternalLearningSettings(
    start="chance", channels=16, blocks=1, steps=60, shapes=0, learning_rate=4e-3
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
def test_a_network_that_has_learned_nothing_is_bicubic_interpolation(factor: int) -> None:
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
    monkeypatch.setattr("lfdfp.super_resolution.internal_learning._WINDOW_PX", 32)
    np.testing.assert_allclose(upscaler(luma), whole, atol=1e-5)


def test_small_and_flat_pictures_teach_nothing() -> None:
    assert _learn(np.zeros((20, 30), np.float32), 2) is None
    assert _learn(np.full((80, 80), 0.4, np.float32), 2) is None


def test_lost_noise_is_given_back() -> None:
    pairs = scale_pairs(_fan(96), 2, 0.02, scales=(1.0, 0.8), patch_px=24)
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
    (pair,) = scale_pairs(luma, 2, 0.0, scales=(1.0,), patch_px=8)
    rng = np.random.default_rng(0)
    source = batches([pair], 2, number=1, side=8, rng=rng, device=_CPU)
    seen = np.zeros(pair.fine.shape, int)
    for _ in range(240):
        _, fine, share = next(source)
        assert fine.shape == share.shape == (1, 1, 16, 16)
        seen += np.isin(pair.fine, fine.numpy()[share.numpy() > 0])
    kept = seen[24:40, 24:40]
    assert kept.max() == 0
    assert seen[23, 24:40].min() > 5, "taught up to the square's edge"
    beside = seen[18:46, 8]  # drawn freely, 15 patches would come here, give or take 4
    assert beside.min() > 10
    assert np.ptp(beside) <= 2


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_both_shipped_weights_enlarge_new_shapes_better_than_bicubic(preset: Preset) -> None:
    internal = PRESETS[preset].super_resolution.internal
    assert internal is not None
    network = starting_network(2, internal)
    pairs = shape_pairs(2, 128, 2, 0.0, np.random.default_rng(12345))
    assert checked_gain(network, pairs, 2, np.random.default_rng(0), _CPU) > 0.3


def test_patches_of_shapes_keep_what_the_start_knew() -> None:
    """A picture of one kind of stripe teaches the network to forget all else."""
    rows = np.arange(96, dtype=np.float32)
    stripes = np.tile(0.5 + 0.4 * np.sign(np.sin(0.9 * rows)), (96, 1)).astype(np.float32)
    others = shape_pairs(3, 128, 2, 0.0, np.random.default_rng(12345))
    kept = []
    for shapes in (0, 4):
        settings = InternalLearningSettings(steps=80, shapes=shapes)
        upscaler = _lesson(stripes, 2, settings).upscaler
        assert upscaler is not None
        kept.append(checked_gain(upscaler.network, others, 2, np.random.default_rng(0), _CPU))
    assert kept[1] > kept[0] + 0.02


def test_the_start_stays_where_learning_led_to_less_than_bicubic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the start itself is hardly better than bicubic interpolation."""
    small = textured_picture((64, 64), channels=1)[..., 0]
    start = _lesson(small, 2, InternalLearningSettings(steps=0)).upscaler
    gains = iter([0.1, -0.05])
    monkeypatch.setattr(
        "lfdfp.super_resolution.internal_learning.checked_gain", lambda *arguments: next(gains)
    )
    kept = _lesson(small, 2, InternalLearningSettings(steps=2)).upscaler
    assert start is not None
    assert kept is not None
    assert kept.gain == 0.1
    np.testing.assert_array_equal(kept(small), start(small))
