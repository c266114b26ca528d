"""How networks are shaped, what they are fitted by, and for how long; torch is not needed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BlockOrder = Literal["paper", "code"]
Output = Literal["sigmoid", "logits", "zero_residual"]
Luma = Literal["true", "code"]
Laplacian = Literal["signed", "absolute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipnetSettings:
    """Shape of the network.

    Attributes
    ----------
    channels
        Features at each of the D scales; its length is the depth D.
    kernel_size
        n_d, odd.
    skip_channels
        Features that each skip is narrowed to (0: no skip) in the code's order; the paper's order
        takes the encoder's features whole.
    output
        "sigmoid" as in the paper; "logits" leaves it out; "zero_residual" starts at exactly zero,
        without sigmoid.
    """

    channels: tuple[int, ...] = (8, 16, 32, 64, 128)
    kernel_size: int = 5
    block_order: BlockOrder = "code"
    skip_channels: tuple[int, ...] = (4, 4, 4, 4, 4)
    leak: float = 0.2
    output: Output = "sigmoid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSettings:
    """Weights α, β, γ and two deliberate corrections of the authors' code.

    Attributes
    ----------
    luma
        "true" is Rec. 601; "code" reads the transposed matrix.
    laplacian
        "signed" compares the Laplacian of largest magnitude with its sign (Eq. 21); "absolute"
        takes magnitudes on both sides and pads with zeros, as the code does.
    """

    content: float = 1.0
    joint_gradient: float = 0.5
    gradient_limit: float = 0.1
    luma: Luma = "true"
    laplacian: Laplacian = "signed"


SMALL_RESIDUAL = SkipnetSettings(
    channels=(8, 16), kernel_size=3, skip_channels=(4, 4), output="zero_residual"
)
CONTENT_ONLY = LossSettings(joint_gradient=0.0, gradient_limit=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """A residual SKIPnet and how it is fitted.

    Attributes
    ----------
    iterations
        At most; held-out pixels usually stop it earlier.
    held_out
        Share of the observed pixels that the fit never sees and that stop it.
    patience
        Checks without improvement before stopping.
    least_gain
        Relative fall of the held-out error below which the base is returned as it is.
    tile_px, overlap_px
        Fine pixels per side of what is fitted at once, and by how much tiles overlap.
    """

    skipnet: SkipnetSettings = field(default_factory=lambda: SMALL_RESIDUAL)
    losses: LossSettings = field(default_factory=lambda: CONTENT_ONLY)
    iterations: int = 40
    learning_rate: float = 3e-3
    held_out: float = 0.05
    check_every: int = 10
    patience: int = 1
    least_gain: float = 0.05
    tile_px: int = 256
    overlap_px: int = 32
