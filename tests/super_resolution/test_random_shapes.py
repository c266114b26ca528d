"""Pictures of random shapes, and the network that learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lfdfp.super_resolution.random_shapes import picture_of_shapes
from lfdfp.super_resolution.scale_network import ScaleNetwork, load_weights, save_weights
from lfdfp.super_resolution.train_prior import PriorTraining, main, taught


def test_pictures_are_in_range_full_of_edges_and_the_same_for_a_seed() -> None:
    first, second = (picture_of_shapes(96, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (96, 96)
    assert 0 <= first.min() < first.max() <= 1
    assert np.abs(np.diff(first, axis=0)).max() > 0.1


def test_every_scale_looks_alike() -> None:
    """Power falls about as 1/f² along a line, as in photographs."""
    rng = np.random.default_rng(0)
    pictures = [picture_of_shapes(128, rng) for _ in range(8)]
    steps = [np.mean([np.var(p[:, n:] - p[:, :-n]) for p in pictures]) for n in (1, 4, 16)]
    assert steps[0] < steps[1] < steps[2] < 4 * steps[1]


@pytest.mark.slow
def test_a_network_learns_from_shapes() -> None:
    quick = PriorTraining(
        channels=8, blocks=1, pictures=3, side_px=96, steps=40, fine_steps=10, learning_rate=4e-3
    )
    _, gain = taught(quick, lambda step: None)
    assert gain > 0


def test_weights_come_back_and_another_factor_keeps_its_head(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ScaleNetwork(2, 8, 1)
    torch.nn.init.normal_(network.head.weight)
    save_weights(tmp_path / "weights.npz", network)
    again, other = ScaleNetwork(2, 8, 1), ScaleNetwork(3, 8, 1)
    for one in (again, other):
        load_weights(tmp_path / "weights.npz", one)
        torch.testing.assert_close(one.entry.weight, network.entry.weight, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(again.head.weight, network.head.weight, rtol=1e-3, atol=1e-4)
    assert not other.head.weight.any()


def test_the_command_says_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = PriorTraining(channels=8, blocks=1, side_px=96, fine_steps=1)
    monkeypatch.setattr("lfdfp.super_resolution.train_prior.SIZES", {"small": quick})
    main(["-o", str(tmp_path / "prior.npz"), "--steps", "2", "--pictures", "1"])
    assert "below bicubic's" in capsys.readouterr().out
    assert (tmp_path / "prior.npz").is_file()
