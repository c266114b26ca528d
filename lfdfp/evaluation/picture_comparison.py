"""The pictures that a capture gives by different ways, to be looked at beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lfdfp.datatypes import Calibration, FloatArray, RawCapture
from lfdfp.pipeline.run_capture import StageProgress, silent_stage
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
    from lfdfp.decoding import decode
    from lfdfp.fusion import fuse
    from lfdfp.imaging.resampling import bicubic
    from lfdfp.pipeline.stages import sharp_picture
    from lfdfp.refocusing import focal_stack
    from lfdfp.rendering.render import reduced

    with stage_progress("decode") as progress:
        field = decode(capture, calibration, progress=progress)
    with stage_progress("refocus") as progress:
        stack = focal_stack(field, progress=progress)
    finest = FusionSettings(scale=max(COMPARED_SCALES))
    with stage_progress("fuse rays") as progress:
        rays = sharp_picture(field, stack, finest, progress=progress)
    center = field.view(*field.center)
    for scale in COMPARED_SCALES:
        with stage_progress(f"fuse stack x{scale}") as progress:
            settings = replace(finest, scale=scale, data="stack")
            fused = fuse(stack, settings, progress=progress)
        yield (
            scale,
            center,
            {
                "center view + bicubic": bicubic(center, scale),
                f"focal stack, fused x{scale}": fused.super_resolved,
                f"rays x{scale}": reduced(rays, finest.scale // scale).super_resolved,
            },
        )
