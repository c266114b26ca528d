"""What the presets stand for; chosen once, for every picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lfdfp.fusion.decision_map import DecisionSettings
from lfdfp.fusion.paper.double_reblur import DoubleReblurSettings
from lfdfp.imaging.resampling import DownsamplingKernel
from lfdfp.settings import Preset

BlockOrder = Literal["paper", "code"]
Output = Literal["sigmoid", "logits", "zero_residual"]
Luma = Literal["true", "code"]
Laplacian = Literal["signed", "absolute"]
Code = Literal["mean", "noise"]
Start = Literal["prior", "large prior", "chance"]


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
class PaperSettings:
    """The paper's recipe; the defaults are its own, but for two corrections in `losses`.

    Attributes
    ----------
    mask_skipnet
        Network of the decision embedding: the published code gives it skips at the two deepest
        scales only.
    code
        What the network is fed: the mean of the enlarged slices, or uniform noise.
    """

    skipnet: SkipnetSettings = field(default_factory=SkipnetSettings)
    mask_skipnet: SkipnetSettings = field(
        default_factory=lambda: SkipnetSettings(skip_channels=(0, 0, 0, 4, 4))
    )
    double_reblur: DoubleReblurSettings = field(default_factory=DoubleReblurSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    iterations: int = 2000
    embedding_iterations: int = 500
    learning_rate: float = 1e-3
    code: Code = "mean"
    kernel: DownsamplingKernel = "lanczos2"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Everything that fusing a stack uses beyond scale, seed and device.

    Attributes
    ----------
    back_projections
        Iterations of the back-projected base.
    internal
        None leaves the base without internal learning.
    network
        None leaves out the residual SKIPnet.
    paper
        The paper's recipe in place of all of the above.
    """

    decision: DecisionSettings = field(default_factory=DecisionSettings)
    back_projections: int = 5
    internal: InternalLearningSettings | None = None
    network: NetworkSettings | None = None
    paper: PaperSettings | None = None


_FROM_CHANCE = InternalLearningSettings(
    start="chance",
    channels=32,
    blocks=2,
    steps=300,
    batch=8,
    shapes=0,
    patch_px=24,
    learning_rate=2e-3,
)
"""What one picture alone can teach in the time of `balanced`: a smaller network, and faster."""

PRESETS: Mapping[Preset, EngineSettings] = {
    "fast": EngineSettings(internal=InternalLearningSettings(steps=0, ensemble=False, patch_px=24)),
    "balanced": EngineSettings(internal=InternalLearningSettings(), network=NetworkSettings()),
    "best": EngineSettings(
        internal=InternalLearningSettings(
            start="large prior", channels=64, blocks=6, batch=9, shapes=3, networks=2
        ),
        network=NetworkSettings(),
    ),
    "untaught": EngineSettings(internal=_FROM_CHANCE, network=NetworkSettings()),
    "paper": EngineSettings(paper=PaperSettings()),
}
