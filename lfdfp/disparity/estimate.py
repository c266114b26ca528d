"""Disparity of every pixel of the center view, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray, LightField
from lfdfp.disparity.least_cost import disparity_of_least_cost, noise_variance
from lfdfp.disparity.plane_sweep import sweep_planes
from lfdfp.disparity.slope_range import slope_range_from_views
from lfdfp.errors import SettingsError
from lfdfp.imaging.color import luminance
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.progress import Progress, ignore_progress

_WINDOWS = ((1, 1 / 2.6), (2, 1 / 2.6), (4, 0.5 / 2.6), (8, 0.1 / 2.6))
"""(radius in pixels, share): fine windows keep edges, wide ones decide where there is little."""

_FLOOR = 0.1  # of the variance, in units of the noise's, below which agreement says no more
_CEILING = 1000.0  # above which disagreement says no more, or nothing was measured
_LEAST_VIEW = 0.35
_MOST_PLANES = 128


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
    import cv2

    if slopes is None:
        slopes = fine_slopes(field, *slope_range_from_views(field, threads=threads))
    check_slopes(slopes)
    variance = sweep_planes(
        field, slopes, opened=well_measured(field), threads=threads, progress=progress
    )
    noise = noise_variance(variance)
    guide = luminance(field.view(*field.center))
    filters = [
        (np.float32(share), GuidedFilter(guide, radius_px=radius, regularization=4 * noise))
        for radius, share in _WINDOWS
    ]
    costs = np.log(np.minimum(variance / noise, _CEILING) + _FLOOR)
    for n, cost in enumerate(costs):
        costs[n] = sum(share * smooth(cost) for share, smooth in filters)
    disparity, confidence = disparity_of_least_cost(costs, slopes)
    line = f"disparity on {len(slopes)} planes, slopes {slopes[0]:.3f} to {slopes[-1]:.3f}"
    return DisparityEstimate(
        disparity=cv2.medianBlur(disparity, 3),
        confidence=confidence,
        slopes=slopes,
        history=(*field.history, line),
    )


def fine_slopes(field: LightField, first: float, last: float) -> DoubleArray:
    """Planes (N,) from first to last, between which the outermost views move by 0.2 pixels."""
    step = 0.4 / max(*field.angular_shape, 2)
    count = int(np.clip(np.ceil((last - first) / step) + 1, 3, _MOST_PLANES))
    return np.linspace(first, last, count)


def well_measured(field: LightField) -> BoolArray:
    """Shape (V, U): views that are not from the dim rim of the lens images, which leaks light."""
    mean = field.weights.mean(axis=(2, 3), dtype=np.float64)
    return np.asarray(mean >= _LEAST_VIEW * mean.max(), np.bool_)


def check_slopes(slopes: DoubleArray) -> None:
    """Raise SettingsError for slopes (K,) of fewer than three planes, or not ascending evenly."""
    steps = np.diff(slopes)
    if slopes.ndim != 1 or len(slopes) < 3 or np.any(steps <= 0) or np.ptp(steps) > 1e-6:
        raise SettingsError(f"slopes must be three or more, ascending evenly, got {slopes}")
