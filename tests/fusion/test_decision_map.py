"""Decision maps: they sum to one, find what is sharp, and respect what was not covered."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.metrics import psnr
from lfdfp.fusion.decision_map import (
    DecisionSettings,
    decision_maps,
    disparity_from_maps,
    fuse_slices,
    usable_slices,
)
from lfdfp.fusion.running_fusion import fused_running
from lfdfp.fusion.seen_slices import SeenSlice, SliceAtHand, slices_at_hand
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.simulation.rendered_stacks import rendered_stack
from tests.factories import multi_focus, textured_picture


@pytest.mark.parametrize("number", [2, 3, 9])
def test_every_band_is_taken_from_its_sharp_slice(number: int) -> None:
    picture = textured_picture((64, 40 * number))
    slices, owner = multi_focus(picture, number)
    maps = decision_maps(slices)
    np.testing.assert_allclose(maps.sum(axis=0), 1.0, atol=1e-5)
    assert np.mean(maps.argmax(axis=0) == owner) > 0.93


def test_noise_does_not_fool_the_decision() -> None:
    slices, owner = multi_focus(textured_picture((96, 160)), 2)
    noise = np.random.default_rng(1).normal(0, 5 / 255, slices.shape).astype(np.float32)
    assert np.mean(decision_maps(slices + noise).argmax(axis=0) == owner) > 0.9


def test_identical_slices_give_the_slice_back() -> None:
    picture = textured_picture((40, 50))
    slices = np.stack([picture] * 3)
    maps = decision_maps(slices)
    np.testing.assert_allclose(maps, 1 / 3, atol=1e-3)
    np.testing.assert_allclose(fuse_slices(slices, maps), picture, atol=1e-6)


def test_flat_slices_share_equally() -> None:
    maps = decision_maps(np.full((4, 20, 30, 3), 0.3, np.float32))
    np.testing.assert_allclose(maps, 0.25, atol=1e-6)


def test_what_was_known_before_decides_where_the_slices_show_nothing() -> None:
    slices, owner = multi_focus(textured_picture((64, 80)), 2)
    slices[:, :, 60:] = 0.4  # flat
    prior = np.zeros((2, 64, 80), np.float32)
    prior[0] = -0.5
    plain, informed = decision_maps(slices), decision_maps(slices, prior=prior)
    np.testing.assert_allclose(plain[:, 20:44, 76:], 0.5, atol=0.05)
    assert informed[1, :, 76:].min() > 0.65
    seen = np.s_[:, :50]
    assert np.mean(informed.argmax(axis=0)[seen] == owner[seen]) > 0.93


def test_an_uncovered_pixel_is_never_chosen() -> None:
    slices, _ = multi_focus(textured_picture((40, 60)), 2)
    coverage = np.ones(slices.shape[:3], np.float32)
    coverage[0, :, :15] = 0.0
    coverage[:, :5, :5] = 0.0
    maps = decision_maps(slices, coverage)
    assert maps[0, 6:, :15].max() == 0.0
    np.testing.assert_allclose(maps.sum(axis=0), 1.0, atol=1e-5)


def test_one_slice_takes_all() -> None:
    assert np.all(decision_maps(textured_picture((20, 20))[None]) == 1.0)


def test_a_subject_that_touches_every_border_is_found() -> None:
    picture = textured_picture((96, 128))
    slices, _ = multi_focus(picture, 2)
    blurred = slices[1].copy()
    blurred[:, :64] = slices[1][:, :64]
    sharp_everywhere = np.stack([picture, np.concatenate([blurred[:, :64], slices[0][:, 64:]], 1)])
    assert np.mean(decision_maps(sharp_everywhere)[0] > 0.5) > 0.95


def test_disparity_is_the_slope_of_the_chosen_slice() -> None:
    maps = np.zeros((3, 2, 2), np.float32)
    maps[2] = 1.0
    np.testing.assert_allclose(disparity_from_maps(maps, np.array([-1.0, 0.0, 1.0])), 1.0)


def test_slices_that_pass_by_give_the_picture_of_slices_at_hand() -> None:
    slices, owner = multi_focus(textured_picture((60, 150)), 5)
    coverage = np.ones(slices.shape[:3], np.float32)
    coverage[1, :, 20:40] = 0.0
    settings = DecisionSettings()
    maps = decision_maps(slices, coverage, settings, sigma=0.005)
    source = slices_at_hand(slices, usable_slices(coverage, settings))
    running = fused_running(source, settings, sigma=0.005)
    assert running.order is not None
    np.testing.assert_allclose(running.fused, fuse_slices(slices, maps), atol=1e-5)
    np.testing.assert_array_equal(running.chosen, maps.argmax(axis=0))
    np.testing.assert_allclose(
        running.order.position, np.tensordot(np.arange(5), maps, 1), atol=1e-4
    )
    assert running.squares == pytest.approx(np.square(maps[:, ::4, ::4]).sum(axis=0).mean())
    assert np.mean(running.chosen[:, 45:] == owner[:, 45:]) > 0.93


def test_no_more_than_a_slice_and_the_next_one_are_alive() -> None:
    alive: weakref.WeakSet[SliceAtHand] = weakref.WeakSet()
    most = 0
    slices, _ = multi_focus(textured_picture((30, 120)), 8)

    def passing() -> Iterator[SeenSlice]:
        for one in slices:
            yield tracked(one)

    def tracked(one: FloatArray) -> SliceAtHand:
        nonlocal most
        seen = SliceAtHand(values=one)
        alive.add(seen)
        most = max(most, len(alive))
        return seen

    fused_running(passing, sigma=0.005)
    assert most <= 2


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.0, 2 / 255])
def test_more_slices_do_not_make_the_picture_worse(sigma: float) -> None:
    picture = decode_srgb(textured_picture((96, 128), seed=5))
    depth = np.tile(np.linspace(0, 1, 128, dtype=np.float32), (96, 1))
    scores = []
    for count in (9, 18, 36):
        stack = rendered_stack(picture, depth, count, blur_px=12.0, layers=96)
        noise = np.random.default_rng(0).normal(0, sigma, stack.slices.shape)
        slices = encode(stack.slices) + noise.astype(np.float32)
        running = fused_running(slices_at_hand(slices, None), sigma=sigma)
        scores.append(psnr(encode(stack.truth), running.fused))
    assert min(scores) > (45 if sigma == 0 else 39)
    assert scores[1] > min(scores[0], 60) - 0.5
    assert scores[2] > min(scores[1], 60) - 0.5
