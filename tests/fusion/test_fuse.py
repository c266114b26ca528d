"""`fuse`: shapes, determinism, purity, honest stopping, clear refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray, FocalStack, SharpPicture, StackEvidence
from lfdfp.errors import ImageError, SettingsError
from lfdfp.evaluation.metrics import psnr
from lfdfp.fusion import fuse
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.fusion.presets import EngineSettings
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.imaging.resampling import Downsampling
from lfdfp.networks.settings import NetworkSettings
from lfdfp.settings import FusionSettings
from lfdfp.super_resolution.settings import InternalLearningSettings, SuperResolutionSettings
from tests.factories import multi_focus, textured_picture


def _stack(shape: tuple[int, int] = (31, 45), number: int = 2) -> FocalStack:
    slices, _ = multi_focus(textured_picture(shape), number)
    return FocalStack(slices=decode_srgb(slices), slopes=np.linspace(-1.0, 1.0, number))


def _maps(picture: SharpPicture) -> FloatArray:
    assert isinstance(picture.evidence, StackEvidence)
    return picture.evidence.decision_map


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_every_scale_covers_the_same_area(scale: int) -> None:
    stack = _stack()
    result = fuse(stack, FusionSettings(scale=scale, preset="fast"))
    assert result.super_resolved.shape == (31 * scale, 45 * scale, 3)
    shrunk = Downsampling(shape=(31, 45), scale=scale).forward(encode(result.super_resolved))
    assert psnr(encode(result.all_in_focus), shrunk) > 38


def test_the_fused_picture_is_closer_to_the_truth_than_any_slice() -> None:
    truth = textured_picture((64, 90))
    slices, _ = multi_focus(truth, 3)
    stack = FocalStack(slices=decode_srgb(slices))
    fused = encode(fuse(stack, FusionSettings(preset="fast")).all_in_focus)
    assert psnr(truth, fused) > max(psnr(truth, s) for s in slices) + 6


def test_same_seed_same_bytes_and_inputs_unchanged() -> None:
    stack = _stack()
    before = stack.slices.copy()
    first, second = (fuse(stack, FusionSettings(seed=3)) for _ in range(2))
    np.testing.assert_array_equal(first.super_resolved, second.super_resolved)
    np.testing.assert_array_equal(stack.slices, before)


def test_disparity_runs_from_slope_to_slope() -> None:
    result = fuse(_stack((48, 120), 3), FusionSettings(preset="fast"))
    assert result.depth is not None
    left, right = (result.depth.disparity[:, column].mean() for column in (10, -10))
    assert left < -0.6
    assert right > 0.6


def test_a_black_stack_stays_black() -> None:
    stack = FocalStack(slices=np.zeros((3, 16, 20, 3), np.float32))
    result = fuse(stack)
    assert np.all(result.super_resolved == 0)


def test_light_above_one_and_below_zero_survives() -> None:
    slices = np.full((2, 12, 12, 3), 1.5, np.float32)
    slices[:, :, :6] = -0.01
    result = fuse(FocalStack(slices=slices), FusionSettings(preset="fast", scale=1))
    np.testing.assert_allclose(result.all_in_focus, slices[0], atol=1e-5)


@pytest.mark.parametrize("scale", [0, 5, 2.5])
def test_an_impossible_scale_is_refused(scale: int) -> None:
    with pytest.raises(SettingsError, match=f"got {scale}"):
        fuse(_stack(), FusionSettings(scale=scale))


def test_an_unknown_preset_and_device_are_refused() -> None:
    with pytest.raises(SettingsError, match="unknown preset 'turbo'"):
        fuse(_stack(), FusionSettings(preset="turbo"))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="'quantum'"):
        fuse(_stack(), FusionSettings(device="quantum"))


def test_slices_that_are_not_finite_are_refused() -> None:
    slices = np.zeros((2, 8, 8, 3), np.float32)
    slices[1, 2, 2] = np.nan
    with pytest.raises(ImageError, match="slice 1"):
        fuse(FocalStack(slices=slices))


def test_the_center_view_steps_in_where_slices_are_ghosted() -> None:
    truth = textured_picture((60, 80))
    slices, _ = multi_focus(truth, 2)
    slices[:, 20:40, 30:50] = slices[:, 20:40, 30:50].mean(axis=(1, 2), keepdims=True)
    noise = np.random.default_rng(0).normal(0, 0.02, truth.shape).astype(np.float32)
    stack = FocalStack(slices=decode_srgb(slices), reference_view=decode_srgb(truth + noise))
    settings = FusionSettings(preset="fast", scale=1)
    without = FocalStack(slices=stack.slices)
    mixed, plain = (encode(fuse(s, settings).all_in_focus) for s in (stack, without))
    assert psnr(truth, mixed) > psnr(truth, plain) + 3
    assert psnr(truth, mixed) > psnr(truth, truth + noise)


@pytest.mark.slow
def test_bands_and_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    slices, _ = multi_focus(textured_picture((150, 170)), 2)
    noise = np.random.default_rng(0).normal(0, 0.01, slices.shape).astype(np.float32)
    stack = FocalStack(slices=decode_srgb(slices + noise))
    settings = FusionSettings(scale=2, preset="fast")
    whole = fuse(stack, settings)
    monkeypatch.setattr("lfdfp.fusion.running_fusion._ROWS_AT_ONCE", 40)
    monkeypatch.setattr("lfdfp.fusion.running_fusion._COLUMNS_AT_ONCE", 56)
    monkeypatch.setattr("lfdfp.fusion.focus_evidence._ROWS_AT_ONCE", 40)
    monkeypatch.setattr("lfdfp.imaging.enlargement._TILE_FINE_PX", 100)
    parts = fuse(stack, settings)
    np.testing.assert_allclose(_maps(parts), _maps(whole), atol=1e-3)
    np.testing.assert_allclose(parts.super_resolved, whole.super_resolved, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["internal", "network"])
def test_a_fit_that_diverges_leaves_the_base_and_a_warning(part: str) -> None:
    slices, _ = multi_focus(textured_picture((72, 80)), 2)
    noise = np.random.default_rng(0).normal(0, 0.03, slices.shape).astype(np.float32)
    stack = FocalStack(slices=decode_srgb(slices + noise))
    settings = FusionSettings(scale=2)
    base = SuperResolutionSettings(internal=InternalLearningSettings(steps=0))
    spoiled = {
        "internal": replace(base, internal=InternalLearningSettings(steps=8, learning_rate=1e30)),
        "network": replace(base, network=NetworkSettings(learning_rate=1e30)),
    }[part]
    result, plain = (
        fuse(stack, settings, engine=EngineSettings(super_resolution=way))
        for way in (spoiled, base)
    )
    assert any("diverged" in warning for warning in result.provenance.warnings)
    assert not plain.provenance.warnings
    np.testing.assert_allclose(result.super_resolved, plain.super_resolved, atol=1e-6)


def test_the_paper_recipe_that_diverges_leaves_the_base_and_a_warning() -> None:
    stack = _stack((40, 48))
    paper = PaperSettings(iterations=6, embedding_iterations=2, learning_rate=1e30)
    result = fuse(stack, FusionSettings(scale=2), engine=EngineSettings(paper=paper))
    assert any("diverged" in warning for warning in result.provenance.warnings)
    shrunk = Downsampling(shape=(40, 48), scale=2).forward(encode(result.super_resolved))
    assert psnr(encode(result.all_in_focus), shrunk) > 30


def test_a_result_that_is_too_large_is_refused_before_memory_is_taken() -> None:
    slices = np.broadcast_to(np.zeros(1, np.float32), (2, 10_000, 10_000, 3))
    with pytest.raises(ImageError, match="10000 x 10000 pixels at scale 2 make 400 megapixels"):
        fuse(FocalStack(slices=slices), FusionSettings(scale=2))


def test_nine_slices_and_a_subject_at_every_border() -> None:
    truth = textured_picture((80, 180))
    slices, owner = multi_focus(truth, 9, blur_px=1.5)
    stack = FocalStack(slices=decode_srgb(slices), slopes=np.linspace(-1, 1, 9))
    result = fuse(stack, FusionSettings(scale=1))
    assert np.mean(np.abs(_maps(result).argmax(axis=0) - owner) <= 1) > 0.9
    assert psnr(truth, encode(result.all_in_focus)) > 32


def test_noise_does_not_cost_the_fused_picture() -> None:
    truth = textured_picture((96, 120))
    slices, _ = multi_focus(truth, 2)
    noise = np.random.default_rng(1).normal(0, 5 / 255, slices.shape).astype(np.float32)
    stack = FocalStack(slices=decode_srgb(slices + noise))
    fused = encode(fuse(stack, FusionSettings(scale=1)).all_in_focus)
    assert psnr(truth, fused) > psnr(truth, truth + noise[0]) - 0.5
