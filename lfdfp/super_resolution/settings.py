"""How far super-resolution goes; torch is not needed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lfdfp.networks.settings import NetworkSettings

Start = Literal["prior", "large prior", "chance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalLearningSettings:
    """A network that learns from the picture's own scales, and for how long.

    Attributes
    ----------
    channels, blocks
        Features per layer; residual blocks of two 3 x 3 convolutions.
    steps, batch, shapes, patch_px
        Batches learned from; patches of the picture in each; patches of random shapes beside
        them, so that the start is not forgotten; the side of a patch in coarse pixels.
    scales
        Sizes of the picture, relative to itself, that serve as examples.
    networks
        How many are learned from different seeds and averaged.
    ensemble
        Average the answers to all eight turned and mirrored questions.
    start
        "prior" and "large prior" begin with what was learned from random shapes, which fixes
        `channels` and `blocks`: 48 and 4, or 64 and 6; "chance" with random weights.
    """

    start: Start = "prior"
    channels: int = 48
    blocks: int = 4
    steps: int = 100
    batch: int = 11
    shapes: int = 3
    patch_px: int = 28
    learning_rate: float = 5e-4
    scales: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6)
    networks: int = 1
    ensemble: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperResolutionSettings:
    """What is done beyond enlarging the fused picture.

    Attributes
    ----------
    back_projections
        Iterations of the back-projected base.
    internal
        None leaves the base without internal learning.
    network
        None leaves out the residual SKIPnet.
    """

    back_projections: int = 5
    internal: InternalLearningSettings | None = None
    network: NetworkSettings | None = None
