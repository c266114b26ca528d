"""The paper's recipe, shortened, and its losses against plain NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lfdfp.datatypes import FloatArray, FocalStack, StackEvidence
from lfdfp.evaluation.metrics import psnr
from lfdfp.fusion import fuse
from lfdfp.fusion.paper.recipe import follow_paper
from lfdfp.fusion.paper.settings import Code, PaperSettings
from lfdfp.fusion.presets import EngineSettings
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.imaging.resampling import Downsampling
from lfdfp.networks.fusion_losses import FusionLoss, TorchDownsampling
from lfdfp.networks.settings import LossSettings, SkipnetSettings
from lfdfp.settings import FusionSettings
from tests.factories import multi_focus, textured_picture

_SHORT = PaperSettings(
    skipnet=SkipnetSettings(channels=(8, 16), skip_channels=(4, 4), kernel_size=3),
    mask_skipnet=SkipnetSettings(channels=(8, 16), skip_channels=(0, 4), kernel_size=3),
    iterations=40,
    embedding_iterations=15,
    learning_rate=1e-2,
)


def _ignore(done: int, total: int) -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 3])
def test_a_short_run_comes_close_to_the_truth(number: int) -> None:
    truth = textured_picture((48, 64))
    slices, _ = multi_focus(truth, number)
    stack = FocalStack(slices=decode_srgb(slices))
    result = fuse(stack, FusionSettings(scale=1), engine=EngineSettings(paper=_SHORT))
    assert result.provenance.prior == "SKIPnet"
    assert isinstance(result.evidence, StackEvidence)
    np.testing.assert_array_equal(result.evidence.decision_map.sum(axis=0), 1.0)
    assert psnr(truth, encode(result.super_resolved)) > 17
    assert set(result.provenance.losses) == {"content", "joint_gradient", "gradient_limit"}


@pytest.mark.slow
@pytest.mark.parametrize("code", ["mean", "noise"])
def test_same_seed_same_bytes(code: Code) -> None:
    slices, _ = multi_focus(textured_picture((31, 37)), 2)
    settings = replace(_SHORT, code=code, iterations=4, embedding_iterations=2)
    first, second = (
        follow_paper(slices, 2, settings, seed=7, device=torch.device("cpu"), progress=_ignore).fine
        for _ in range(2)
    )
    assert first.shape == (62, 74, 3)
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_a_score_picks_the_iterate_only_when_it_is_given() -> None:
    slices, _ = multi_focus(textured_picture((31, 37)), 2)
    settings = replace(_SHORT, iterations=51, embedding_iterations=0)
    seen: list[float] = []

    def darkest(picture: FloatArray) -> float:
        seen.append(-float(picture.mean()))
        return seen[-1]

    made = follow_paper(
        slices,
        1,
        settings,
        seed=0,
        device=torch.device("cpu"),
        progress=_ignore,
        score=darkest,
    )
    assert len(seen) == 2
    assert -float(made.fine.mean()) == pytest.approx(max(seen), abs=1e-6)


@pytest.mark.slow
def test_who_watches_has_no_say() -> None:
    slices, _ = multi_focus(textured_picture((31, 37)), 2)
    settings = replace(_SHORT, iterations=51, embedding_iterations=2)
    seen: list[int] = []

    def spoil(step: int, picture: FloatArray) -> None:
        seen.append(step)
        picture[...] = 0

    watched, alone = (
        follow_paper(
            slices, 1, settings, seed=0, device=torch.device("cpu"), progress=_ignore, watch=watch
        ).fine
        for watch in (spoil, None)
    )
    assert len(seen) == 2
    np.testing.assert_array_equal(watched, alone)


def _loss_terms(settings: LossSettings) -> tuple[dict[str, float], FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    slices, x = (rng.random(s).astype(np.float32) for s in ((2, 3, 9, 11), (1, 3, 9, 11)))
    maps = np.stack([np.ones((9, 11)), np.zeros((9, 11))]).astype(np.float32)
    model = TorchDownsampling(Downsampling(shape=(9, 11), scale=1), torch.device("cpu"))
    loss = FusionLoss(torch.from_numpy(slices), torch.from_numpy(maps), model, settings)
    return {k: float(v) for k, v in loss.terms(torch.from_numpy(x)).items()}, slices, x


def test_losses_are_those_of_the_paper() -> None:
    terms, slices, x = _loss_terms(LossSettings())
    assert terms["content"] == pytest.approx(np.abs(x[0] - slices[0]).mean(), rel=1e-5)
    limit = np.abs(np.diff(x, axis=2)).mean() + np.abs(np.diff(x, axis=3)).mean()
    assert terms["gradient_limit"] == pytest.approx(limit, rel=1e-5)

    def laplacian(picture: FloatArray) -> FloatArray:
        y = np.pad(np.tensordot([0.299, 0.587, 0.114], picture, 1), 1, mode="edge")
        return (y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]).astype(
            np.float32
        )

    first, second = (laplacian(s) for s in slices)
    strongest = np.where(np.abs(first) >= np.abs(second), first, second)
    joint = np.abs(laplacian(x[0]) - strongest).mean()
    assert terms["joint_gradient"] == pytest.approx(joint, rel=1e-4)


def test_both_corrections_can_be_switched_back() -> None:
    ours = _loss_terms(LossSettings())[0]["joint_gradient"]
    for switched in (LossSettings(luma="code"), LossSettings(laplacian="absolute")):
        assert _loss_terms(switched)[0]["joint_gradient"] != pytest.approx(ours, rel=1e-3)


def test_held_out_pixels_have_no_say() -> None:
    slices = torch.rand(2, 3, 12, 12)
    maps = torch.full((2, 12, 12), 0.5)
    held_out = torch.zeros(12, 12, dtype=torch.bool)
    held_out[5, 5] = True
    model = TorchDownsampling(Downsampling(shape=(12, 12), scale=1), torch.device("cpu"))
    settings = LossSettings(gradient_limit=0.0)
    loss = FusionLoss(slices, maps, model, settings, held_out)
    x = torch.rand(1, 3, 12, 12)
    changed = x.clone()
    changed[..., 5, 5] += 1.0
    assert float(loss.terms(x)["content"]) == float(loss.terms(changed)["content"])
