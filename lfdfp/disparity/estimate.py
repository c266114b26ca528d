"""Disparity of every pixel of the center view, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.color import luma
from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.disparity.best_plane import best_plane, noise_variance
from lfdfp.disparity.guided_filter import GuidedFilter
from lfdfp.disparity.plane_sweep import sweep_planes
from lfdfp.disparity.slope_range import scene_range
from lfdfp.errors import SettingsError
from lfdfp.progress import Progress, ignore_progress


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DisparityEstimate:
    """Disparity as seen from the center view.

    Attributes
    ----------
    disparity
        Shape (T, S), pixels per angular step; near is negative on real cameras.
    confidence
        Shape (T, S), in [0, 1].
    slopes
        Shape (N,): the planes that were tried.
    """

    disparity: FloatArray
    confidence: FloatArray
    slopes: DoubleArray
    history: tuple[str, ...] = ()


def estimate_disparity(
    field: LightField,
    slopes: DoubleArray | None = None,
    *,
    threads: int | None = None,
    progress: Progress = ignore_progress,
) -> DisparityEstimate:
    """Disparity from the agreement of the views on each of many planes.

    Parameters
    ----------
    slopes
        Shape (N,), N >= 3, evenly spaced: planes to try, in pixels per angular step; None takes
        the scene's range, as finely as the aperture tells planes apart.
    threads
        Bands of rows computed at the same time; None takes numba's setting.

    Raises
    ------
    SettingsError
        For fewer than three planes, or planes that are not evenly spaced.
    """
    if slopes is None:
        first, last = scene_range(field, threads=threads)
        step = 0.5 / max(field.angular_shape)
        slopes = np.linspace(first, last, max(3, int(np.ceil((last - first) / step)) + 1))
    check_slopes(slopes)
    variance = sweep_planes(field, slopes, threads=threads, progress=progress)
    noise = noise_variance(variance)
    guide = luma(field.view(*field.center))
    smooth = GuidedFilter(guide, radius_px=4, regularization=4 * noise)
    costs = np.log(variance / noise + 0.3)
    for n in range(len(slopes)):
        costs[n] = smooth(costs[n])
    disparity, confidence = best_plane(costs, slopes)
    return DisparityEstimate(disparity=disparity, confidence=confidence, slopes=slopes)


def check_slopes(slopes: DoubleArray) -> None:
    """Raise SettingsError for fewer than three planes, or planes not ascending evenly."""
    steps = np.diff(slopes)
    if slopes.ndim != 1 or len(slopes) < 3 or np.any(steps <= 0) or np.ptp(steps) > 1e-6:
        raise SettingsError(f"slopes must be three or more, ascending evenly, got {slopes}")
