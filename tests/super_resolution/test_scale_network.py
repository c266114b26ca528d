"""The network starts as interpolation, depends on little around it, and survives storage."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from lfdfp.super_resolution.scale_network import (
    HALO_PX,
    ScaleNetwork,
    learn,
    load_weights,
    save_weights,
)


def _network(factor: int = 2, *, blocks: int = 2, trained: bool = False) -> ScaleNetwork:
    torch.manual_seed(0)
    network = ScaleNetwork(factor, 8, blocks)
    if trained:
        torch.nn.init.normal_(network.head.weight, std=0.1)
    return network


@pytest.mark.parametrize("factor", [2, 3])
def test_it_starts_as_bicubic_interpolation(factor: int) -> None:
    coarse = torch.rand(1, 1, 9, 11)
    expected = functional.interpolate(
        coarse, scale_factor=factor, mode="bicubic", align_corners=False, antialias=True
    )
    torch.testing.assert_close(_network(factor)(coarse), expected)


def test_a_pixel_reaches_no_farther_than_the_halo() -> None:
    network = _network(blocks=6, trained=True)
    coarse = torch.rand(1, 1, 50, 50)
    changed = coarse.clone()
    changed[0, 0, 25, 25] += 1
    with torch.no_grad():
        touched = (network(changed) - network(coarse))[0, 0].abs() > 1e-7
    rows, columns = torch.nonzero(touched, as_tuple=True)
    reach = max(int((rows // 2 - 25).abs().max()), int((columns // 2 - 25).abs().max()))
    assert 2 < reach <= HALO_PX


def test_learning_lowers_the_error_and_no_steps_change_nothing() -> None:
    coarse, fine = torch.rand(4, 1, 8, 8), torch.rand(4, 1, 16, 16)
    batch = (coarse, fine, torch.ones_like(fine))
    network = _network()
    start = (network(coarse) - fine).abs().mean().item()
    assert learn(network, repeat(batch), 0, 1e-2, lambda step: None)
    assert (network(coarse) - fine).abs().mean().item() == start
    assert learn(network, repeat(batch), 60, 1e-2, lambda step: None)
    assert (network(coarse) - fine).abs().mean().item() < 0.97 * start


def test_pixels_without_a_share_have_no_say() -> None:
    coarse, share = torch.rand(2, 1, 8, 8), torch.ones(2, 1, 16, 16)
    share[..., 8:] = 0
    fine = torch.rand(2, 1, 16, 16)
    other = fine.clone()
    other[..., 8:] += 5
    made = []
    for target in (fine, other):
        network = _network()
        learn(network, repeat((coarse, target, share)), 3, 1e-2, lambda step: None)
        made.append(network(coarse).detach())
    torch.testing.assert_close(made[0], made[1])


def test_a_loss_without_bounds_is_told() -> None:
    coarse, fine = torch.rand(1, 1, 8, 8), torch.full((1, 1, 16, 16), torch.nan)
    batch = (coarse, fine, torch.ones_like(fine))
    assert not learn(_network(), repeat(batch), 3, 1e-2, lambda step: None)


def test_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    network, path = _network(trained=True), tmp_path / "weights.npz"
    save_weights(path, network)
    loaded = _network()
    load_weights(path, loaded)
    for key, value in network.state_dict().items():
        np.testing.assert_allclose(loaded.state_dict()[key], value, atol=2e-3)


def test_a_head_for_another_factor_is_left_as_it_was(tmp_path: Path) -> None:
    save_weights(tmp_path / "two.npz", _network(2, trained=True))
    three = _network(3)
    load_weights(tmp_path / "two.npz", three)
    assert not three.head.weight.any()
    np.testing.assert_allclose(
        three.entry.weight.detach(), _network(2, trained=True).entry.weight.detach(), atol=2e-3
    )
