"""The chain from a capture to its sharp picture, one function a stage.

Whoever needs a part of the chain (a run, a command, an evaluation, a benchmark) takes it from here.
"""

from __future__ import annotations

from dataclasses import replace

from lfdfp.datatypes import FocalStack, LightField, SharpPicture
from lfdfp.progress import Progress, ignore_progress
from lfdfp.settings import FusionSettings

_NO_RAYS = "made from the focal stack: the light field holds no rays to reconstruct it from"


def sharp_picture(
    field: LightField | None,
    stack: FocalStack,
    settings: FusionSettings,
    *,
    progress: Progress = ignore_progress,
) -> SharpPicture:
    """Reconstruct the field's rays where the settings ask for them, else fuse the stack.

    Parameters
    ----------
    field
        None, or one without rays: then the stack is fused, and the picture's warnings say so if
        the settings ask for rays.
    stack
        Of the field; its slopes are the scene's range, in which rays look for their surfaces.

    Raises
    ------
    LfdfpError
        As `lfdfp.reconstruct` and `lfdfp.fuse`.
    """
    if settings.data == "rays" and field is not None and field.rays is not None:
        from lfdfp.reconstruction.reconstruct import reconstruct

        slopes = stack.slopes
        scene = None if slopes is None else (float(slopes[0]), float(slopes[-1]))
        return reconstruct(field, settings, disparity_range=scene, progress=progress)
    from lfdfp.fusion import fuse

    fused = fuse(stack, settings, progress=progress)
    if settings.data == "stack":
        return fused
    made = fused.provenance
    return replace(fused, provenance=replace(made, warnings=(*made.warnings, _NO_RAYS)))
