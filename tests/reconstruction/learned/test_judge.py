"""How held-out rays decide on a correction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lfdfp.datatypes import RayEvidence
from lfdfp.evaluation.protocol import score
from lfdfp.reconstruction.learned.apply import with_correction
from lfdfp.reconstruction.learned.judge import Judgment, contained_shares
from lfdfp.reconstruction.learned.network import Committee, CorrectionNetwork
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.reconstruction.reconstruct import reconstruct, solve_rays, solved_state
from lfdfp.reconstruction.solution import RaySolution, sharp_picture
from lfdfp.reconstruction.state import set_up
from lfdfp.settings import FusionSettings
from tests.factories import ray_field, tiny_capture


def shares(cc: float, cf: float, ff: float, rc: float, rf: float) -> tuple[float, float]:
    return contained_shares((cc, cf, ff, rc, rf), (0.3, 0.3))


def test_what_many_rays_contain_is_found() -> None:
    assert shares(1e6, 0, 1e6, 0.7e6, -0.2e6) == pytest.approx((0.7, -0.2), abs=1e-3)


def test_both_parts_are_told_apart_where_rays_see_them_mixed() -> None:
    residual = 0.2 * np.array([1e6, 4e5]) + 0.9 * np.array([4e5, 1e6])
    assert shares(1e6, 4e5, 1e6, *residual) == pytest.approx((0.2, 0.9), abs=1e-3)


def test_without_rays_it_is_as_expected() -> None:
    assert shares(0, 0, 0, 0, 0) == pytest.approx((0.3, 0.3))


def test_few_rays_hardly_overrule_what_is_known() -> None:
    coarse, fine = shares(1, 0, 1, -1, 0)
    assert 0.1 < coarse < 0.3
    assert 0.2 < fine < 0.3


def test_places_are_judged_as_the_whole_is() -> None:
    evidence = [np.full((3, 4), one) for one in (50.0, 10.0, 40.0, 5.0, 20.0)]
    coarse, fine = contained_shares(tuple(evidence), (0.1, 0.4))  # type: ignore[arg-type]
    one = contained_shares((50.0, 10.0, 40.0, 5.0, 20.0), (0.1, 0.4))
    assert coarse.shape == (3, 4)
    assert (coarse[1, 2], fine[1, 2]) == pytest.approx(one)


def test_both_parts_whole_are_the_whole_correction() -> None:
    added = np.random.default_rng(0).standard_normal((3, 40, 48)).astype(np.float32)
    ones = np.ones((40, 48), np.float32)
    judgment = Judgment(coarse_share=ones, fine_share=ones, measured=(1.0, 1.0), rays=0)
    np.testing.assert_allclose(judgment.applied(added), added, atol=1e-5)


def _harmful() -> Committee:
    """Adds noise of its own to the picture."""
    torch.manual_seed(0)
    network = CorrectionNetwork(fine=8, coarse=8, blocks=1)
    torch.nn.init.normal_(network.head.weight, std=0.5)
    return Committee([network]).eval()


@pytest.mark.slow
def test_a_network_that_invents_is_refused_and_the_picture_stays() -> None:
    capture = tiny_capture("f01", scene="curved", size=256, seed=5)
    field = ray_field(capture)
    rays, sampling = rays_of(field)
    setup = set_up(rays, sampling, FusionSettings(), RayParameters())
    plain = solve_rays(rays, sampling=sampling)
    found = with_correction(setup, solved_state(setup), plain, _harmful())

    def psnr(solution: RaySolution) -> float:
        picture = sharp_picture(solution, field, FusionSettings()).super_resolved
        return score("", capture.all_in_focus(2), picture, scale=2).psnr_db

    assert found.learned is not None
    assert max(found.learned.coarse_share, found.learned.fine_share) < 0.05
    assert psnr(found) > psnr(plain) - 0.05


@pytest.mark.slow
def test_the_shipped_network_brings_a_drawn_scene_nearer_to_the_truth() -> None:
    capture = tiny_capture("f01", scene="page", size=400, seed=31)
    field = ray_field(capture)
    gains = {}
    for scale in (2, 4):
        pictures = (
            reconstruct(field, FusionSettings(scale=scale, prior=prior)).super_resolved
            for prior in ("variation", "learned")
        )
        truth = capture.all_in_focus(scale)
        plain, learned = (score("", truth, one, scale=scale).psnr_db for one in pictures)
        gains[scale] = learned - plain
    assert gains[2] > 0.1
    assert gains[4] > 0.05


@pytest.mark.slow
def test_a_picture_says_what_of_it_was_learned() -> None:
    field = ray_field(tiny_capture("f01", scene="curved", size=256, seed=5))
    picture = reconstruct(field, FusionSettings(prior="learned"))
    plain = reconstruct(field)
    made, evidence = picture.provenance, picture.evidence
    assert isinstance(evidence, RayEvidence)
    assert isinstance(plain.evidence, RayEvidence)
    assert evidence.from_prior is not None
    assert evidence.from_prior.min() >= 0
    assert plain.evidence.from_prior is None
    np.testing.assert_array_equal(evidence.observability, plain.evidence.observability)
    assert (evidence.from_prior.max() > 0) == ("learned" in made.prior)
    assert 0 <= made.losses["learned_fine_share"] <= 1
