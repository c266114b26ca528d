"""SKIPnet, the paper's encoder-decoder (section 2.2): the prior of the Deep Fusion Prior.

Two block orders exist. The paper prints: encoder n × n at stride 1, then at stride 2; decoder
n × n twice; encoder features concatenated as they are. The authors' code, from which their figures
came: stride 2 first, decoder n × n then 1 × 1, skips narrowed to four channels by 1 × 1, and
normalization after the concatenation. Both are built from the same parts here. Features are
resized to their skip instead of doubled, so that no picture needs a size divisible by 2^D.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lfdfp.networks.settings import SkipnetSettings


def _convolution(
    n_in: int, n_out: int, kernel_size: int, leak: float, stride: int = 1
) -> nn.Sequential:
    """Reflect-padded convolution, batch normalization, leaky ReLU."""
    layers: list[nn.Module] = []
    if kernel_size > 1:
        layers.append(nn.ReflectionPad2d(kernel_size // 2))
    layers.append(nn.Conv2d(n_in, n_out, kernel_size, stride))
    layers.extend([nn.BatchNorm2d(n_out), nn.LeakyReLU(leak)])
    return nn.Sequential(*layers)


class Skipnet(nn.Module):
    """Encoder-decoder with skips, fitted to one picture; always in training mode.

    Input (1, C_in, H, W) and output (1, C_out, H, W) have the same height and width.
    """

    def __init__(self, n_in: int, n_out: int, settings: SkipnetSettings) -> None:
        super().__init__()
        paper = settings.block_order == "paper"
        channels, n, leak = settings.channels, settings.kernel_size, settings.leak
        self.encoders = nn.ModuleList()
        self.skips = nn.ModuleList()
        self.decoders = nn.ModuleList()
        before = n_in
        for level, width in enumerate(channels):
            strides = (1, 2) if paper else (2, 1)
            self.encoders.append(
                nn.Sequential(
                    _convolution(before, width, n, leak, strides[0]),
                    _convolution(width, width, n, leak, strides[1]),
                )
            )
            skip = before if paper else settings.skip_channels[level]
            narrow = not paper and skip > 0
            self.skips.append(_convolution(before, skip, 1, leak) if narrow else nn.Identity())
            deeper = channels[min(level + 1, len(channels) - 1)]
            self.decoders.append(
                nn.Sequential(
                    nn.BatchNorm2d(skip + deeper),
                    _convolution(skip + deeper, width, n, leak),
                    _convolution(width, width, n if paper else 1, leak),
                )
            )
            before = width
        self.has_skip = [paper or count > 0 for count in settings.skip_channels[: len(channels)]]
        self.head = nn.Conv2d(channels[0], n_out, 1)
        self.sigmoid = settings.output == "sigmoid"
        if settings.output == "zero_residual":
            for parameter in self.head.parameters():
                nn.init.zeros_(parameter)

    def forward(self, code: Tensor) -> Tensor:
        """The picture (1, n_out, Y, X) of an input (1, n_in, Y, X)."""
        features = [code]
        for encoder in self.encoders:
            features.append(encoder(features[-1]))
        deep = features[-1]
        for level in reversed(range(len(self.encoders))):
            size = features[level].shape[-2:]
            deep = functional.interpolate(deep, size=size, mode="bilinear", align_corners=False)
            if self.has_skip[level]:
                deep = torch.cat([self.skips[level](features[level]), deep], dim=1)
            deep = self.decoders[level](deep)
        made: Tensor = self.head(deep)
        return torch.sigmoid(made) if self.sigmoid else made


def fitting_depth(shape: Sequence[int], settings: SkipnetSettings) -> int:
    """How many scales a picture of `shape` (H, W) allows: padding must stay inside the map."""
    side, depth = min(shape), 0
    while depth < len(settings.channels) and side > settings.kernel_size:
        side, depth = (side + 1) // 2, depth + 1
    return depth
