"""The pictures that a capture gives by different ways, to be looked at beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lfdfp.datatypes import Calibration, FloatArray, RawCapture
from lfdfp.pipeline import stages
from lfdfp.progress import StageProgress, silent_stage, stages_of
from lfdfp.settings import FusionSettings

COMPARED_SCALES: Final = (2, 4)


def compared_pictures(
    capture: RawCapture, calibration: Calibration, *, stage_progress: StageProgress = silent_stage
) -> Iterator[tuple[int, FloatArray, dict[str, FloatArray]]]:
    """Center view + bicubic, the fused stack and the picture from the rays, at ×2 and ×4.

    Yields
    ------
    scale, center view (T, S, 3), pictures (kT, kS, 3) by name
        In linear light.

    Raises
    ------
    LfdfpError
        As the stages.
    """
    from lfdfp.imaging.resampling import bicubic
    from lfdfp.rendering.render import reduced

    field = stages.light_field(capture, calibration, stage=stage_progress)
    stack = stages.focal_stack(field, stage=stage_progress)
    finest = FusionSettings(scale=max(COMPARED_SCALES), data="rays")
    rays = stages.sharp_picture(field, stack, finest, stage=stage_progress)
    center = field.view(*field.center)
    for scale in COMPARED_SCALES:
        settings = replace(finest, scale=scale, data="stack")
        stage = stages_of(f"x{scale}", stage_progress)
        fused = stages.sharp_picture(field, stack, settings, stage=stage)
        yield (
            scale,
            center,
            {
                "center view + bicubic": bicubic(center, scale),
                f"focal stack, fused x{scale}": fused.super_resolved,
                f"rays x{scale}": reduced(rays, finest.scale // scale).super_resolved,
            },
        )
