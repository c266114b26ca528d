"""A small convolutional network that enlarges luma by a whole factor.

It works at the coarse size and adds to the bicubic enlargement what it has learned to be missing
("sub-pixel convolution" [1]_).

References
----------
.. [1] W. Shi et al., "Real-time single image and video super-resolution using an efficient
   sub-pixel convolutional neural network", CVPR 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lfdfp.files import replacing

HALO_PX = 16
"""Coarse pixels around a tile that its result depends on, for up to six residual blocks."""


Batch = tuple[Tensor, Tensor, Tensor]
"""Coarse patches (N, 1, H, W), fine ones (N, 1, kH, kW), and what share each pixel has in them."""

_WARM_UP_STEPS = 10


class ScaleNetwork(nn.Module):
    """Luma (N, 1, H, W) to luma (N, 1, kH, kW); starts as bicubic interpolation."""

    def __init__(self, factor: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.factor = factor
        self.entry = nn.Conv2d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1),
            )
            for _ in range(blocks)
        )
        self.head = nn.Conv2d(channels, factor * factor, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster

    def forward(self, coarse: Tensor) -> Tensor:
        """Luma (N, 1, factor Y, factor X) of luma (N, 1, Y, X), both 0 to 1."""
        features = self.entry(coarse - 0.5)
        for block in self.blocks:
            features = features + block(functional.relu(features))
        missing = functional.pixel_shuffle(self.head(functional.relu(features)), self.factor)
        size = (self.factor * coarse.shape[-2], self.factor * coarse.shape[-1])
        interpolated = functional.interpolate(
            coarse, size=size, mode="bicubic", align_corners=False, antialias=True
        )
        return interpolated + missing


def learn(
    network: ScaleNetwork,
    batches: Iterator[Batch],
    steps: int,
    learning_rate: float,
    on_step: Callable[[int], None],
) -> bool:
    """Fit `network`, in place, to `steps` batches; whether that went well.

    Least absolute error; the learning rate rises over the first steps, then falls to zero along a
    cosine. Adam knows too little of the gradient's size at first: at full rate it throws what the
    network knew about by chance.
    """
    if steps == 0:
        return True
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            min((step + 1) / _WARM_UP_STEPS, 1) * (1 + math.cos(math.pi * step / steps)) / 2
        ),
    )
    for step in range(steps):
        coarse, fine, share = next(batches)
        loss = (share * (network(coarse) - fine).abs()).sum() / share.sum()
        if not torch.isfinite(loss):
            return False
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        on_step(step)
    return True


def save_weights(path: Path, network: ScaleNetwork) -> None:
    """Write the parameters of `network` as float16 arrays (.npz)."""
    arrays = {key: value.numpy().astype(np.float16) for key, value in network.state_dict().items()}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_weights(path: Path, network: ScaleNetwork) -> None:
    """Set the parameters of `network`; its head only where the file is for the same factor."""
    wanted = network.state_dict()
    with np.load(path, allow_pickle=False) as arrays:
        found = {key: torch.from_numpy(arrays[key].astype(np.float32)) for key in wanted}
    network.load_state_dict(
        {key: found[key] if found[key].shape == old.shape else old for key, old in wanted.items()}
    )
