"""SKIPnet in both block orders; losses against plain NumPy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lfdfp.networks.settings import BlockOrder, SkipnetSettings
from lfdfp.networks.skipnet import Skipnet, fitting_depth


@pytest.mark.parametrize("order", ["paper", "code"])
@pytest.mark.parametrize("shape", [(96, 128), (97, 131)])
def test_output_has_the_size_of_the_input(order: BlockOrder, shape: tuple[int, int]) -> None:
    settings = SkipnetSettings(
        channels=(4, 4, 8), skip_channels=(4, 4, 4), kernel_size=3, block_order=order
    )
    made = Skipnet(3, 2, settings)(torch.rand(1, 3, *shape))
    assert made.shape == (1, 2, *shape)
    assert made.min() > 0
    assert made.max() < 1


def test_the_published_network_has_about_its_published_size() -> None:
    network = Skipnet(3, 3, SkipnetSettings())
    count = sum(p.numel() for p in network.parameters())
    assert 1.3e6 < count < 1.8e6


def test_a_residual_network_starts_at_zero() -> None:
    settings = SkipnetSettings(channels=(4, 4), skip_channels=(4, 4), output="zero_residual")
    assert torch.all(Skipnet(3, 3, settings)(torch.rand(1, 3, 40, 40)) == 0)


def test_depth_follows_the_size() -> None:
    settings = SkipnetSettings()
    assert fitting_depth((4, 400), settings) == 0
    assert fitting_depth((400, 400), settings) == 5
    shallow = fitting_depth((30, 30), settings)
    assert 0 < shallow < 5
    smaller = replace(settings, channels=settings.channels[:shallow])
    assert Skipnet(1, 1, smaller)(torch.rand(1, 1, 30, 30)).shape == (1, 1, 30, 30)
