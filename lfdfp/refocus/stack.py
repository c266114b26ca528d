"""The focal stack: which planes, and all of them at once."""

from __future__ import annotations

from math import ceil

import numpy as np

from lfdfp.datatypes import DoubleArray, FocalStack, LightField
from lfdfp.disparity import scene_range
from lfdfp.errors import SettingsError
from lfdfp.progress import Progress, ignore_progress
from lfdfp.refocus.shift_and_sum import refocus_planes
from lfdfp.settings import RefocusSettings

_MOST_PLANES = 64
_DEFAULTS = RefocusSettings()


def focal_stack(
    field: LightField,
    settings: RefocusSettings = _DEFAULTS,
    *,
    threads: int | None = None,
    progress: Progress = ignore_progress,
) -> FocalStack:
    """Refocus a light field on planes that are even in disparity over the scene's range.

    Parameters
    ----------
    settings
        Range, number of planes and kernel; what is None is chosen from the scene.
    threads
        Bands of rows computed at the same time; None takes numba's setting.
    progress
        Told the planes done and their number.

    Raises
    ------
    SettingsError
        For slopes that do not ascend, or no planes at all.
    """
    slopes = choose_slopes(field, settings, threads=threads)
    planes = refocus_planes(
        field, slopes, kernel=settings.kernel, threads=threads, progress=progress
    )
    line = f"refocused on {len(slopes)} planes, slopes {slopes[0]:.3f} to {slopes[-1]:.3f}"
    return FocalStack(
        slices=planes.slices,
        slopes=slopes,
        coverage=planes.coverage,
        reference_view=field.view(*field.center),
        warnings=field.warnings,
        history=(*field.history, f"{line}, {settings.kernel} kernel"),
    )


def choose_slopes(
    field: LightField, settings: RefocusSettings, *, threads: int | None = None
) -> DoubleArray:
    """Slopes (N,) of the planes, even in disparity.

    Raises
    ------
    SettingsError
        For slopes that do not ascend, or no planes at all.
    """
    if settings.planes is not None and settings.planes < 1:
        raise SettingsError(f"planes must be at least 1, got {settings.planes}")
    if settings.slopes is None:
        first, last = scene_range(field, threads=threads)
        count = settings.planes or planes_for(field, first, last)
    else:
        first, last, given = settings.slopes
        count = settings.planes or given
    if count < 1 or (count > 1 and last <= first):
        raise SettingsError(f"slopes must ascend over one plane or more, got {settings.slopes}")
    return np.linspace(first, last, count) if count > 1 else np.array([(first + last) / 2])


def planes_for(field: LightField, first: float, last: float) -> int:
    """Planes that resolve everything between two slopes.

    Away from its plane by a slope of δ, a point spreads over δ·(views − 1) pixels. Sampled at
    twice the rate at which that reaches one pixel, no detail falls between two planes.
    """
    step = 1.0 / (max(field.angular_shape) - 1) if max(field.angular_shape) > 1 else 1.0
    return int(np.clip(ceil((last - first) / step) + 1, 3, _MOST_PLANES))
