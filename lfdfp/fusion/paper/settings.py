"""What can be changed of the published recipe; torch is not needed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lfdfp.fusion.paper.double_reblur import DoubleReblurSettings
from lfdfp.imaging.resampling import DownsamplingKernel
from lfdfp.networks.settings import LossSettings, SkipnetSettings

Code = Literal["mean", "noise"]


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
