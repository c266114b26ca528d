"""What the presets stand for; chosen once, for every picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lfdfp.fusion.decision_map import DecisionSettings
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.networks.settings import NetworkSettings
from lfdfp.settings import Preset
from lfdfp.super_resolution.settings import InternalLearningSettings, SuperResolutionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Everything that fusing a stack uses beyond scale, seed and device.

    Attributes
    ----------
    decision
        How decision maps are made.
    super_resolution
        How the fused picture is enlarged.
    paper
        The paper's recipe in place of both.
    """

    decision: DecisionSettings = field(default_factory=DecisionSettings)
    super_resolution: SuperResolutionSettings = field(default_factory=SuperResolutionSettings)
    paper: PaperSettings | None = None


_FROM_SCRATCH = InternalLearningSettings(
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
    "fast": EngineSettings(
        super_resolution=SuperResolutionSettings(
            internal=InternalLearningSettings(steps=0, ensemble=False, patch_px=24)
        )
    ),
    "balanced": EngineSettings(
        super_resolution=SuperResolutionSettings(
            internal=InternalLearningSettings(), network=NetworkSettings()
        )
    ),
    "best": EngineSettings(
        super_resolution=SuperResolutionSettings(
            internal=InternalLearningSettings(
                start="large prior", channels=64, blocks=6, batch=9, shapes=3, networks=2
            ),
            network=NetworkSettings(),
        )
    ),
    "scratch": EngineSettings(
        super_resolution=SuperResolutionSettings(internal=_FROM_SCRATCH, network=NetworkSettings())
    ),
    "paper": EngineSettings(paper=PaperSettings()),
}
