"""Plane sweep over the views, with halves of the aperture for pixels that are partly occluded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray, LightField
from lfdfp.disparity.sweep_kernels import ApertureParts, SweptViews, sweep_band
from lfdfp.imaging.color import LUMINANCE_WEIGHTS
from lfdfp.imaging.splines import split_shifts
from lfdfp.progress import Progress, ignore_progress

_ROWS_PER_BAND = 64
_LEAST_SHARE = 0.25
"""Share of a part's weight that must have arrived for its variance to count."""


def sweep_planes(
    field: LightField,
    slopes: DoubleArray,
    *,
    opened: BoolArray | None = None,
    threads: int | None = None,
    progress: Progress = ignore_progress,
) -> FloatArray:
    """How much the views differ on each plane.

    Parameters
    ----------
    slopes
        Shape (N,), pixels per angular step.
    opened
        Shape (V, U): views that take part; None takes all.

    Returns
    -------
    ndarray of shape (N, T, S)
        Variance of luminance (linear light squared) among the rays that meet in a pixel, over
        the whole aperture or over that half of it that agrees best. 1e30 where too few arrive.
    """
    chosen = _quadrants(np.ones(field.angular_shape, bool) if opened is None else opened)
    (v, u), (n_v, n_u) = field.center, field.angular_shape
    along_t = split_shifts(np.multiply.outer(slopes, np.arange(n_v) - v))
    along_s = split_shifts(np.multiply.outer(slopes, np.arange(n_u) - u))
    parts = _parts(field, chosen)
    views = SweptViews(field.views, field.weights, chosen, luminance_weights(field))
    height = field.spatial_shape[0]
    variance = np.empty((len(slopes), *field.spatial_shape), np.float32)
    edges = list(pairwise([*range(0, height, _ROWS_PER_BAND), height]))

    def sweep(band: tuple[int, int]) -> None:
        sweep_band(views, along_t, along_s, parts, band, variance)

    BandRunner(threads).each(sweep, edges, progress)
    return variance


def luminance_weights(field: LightField) -> FloatArray:
    """Factors (C,) that turn stored samples into luminance, up to the offset."""
    colors = field.views.shape[4]
    weights = LUMINANCE_WEIGHTS if colors == 3 else np.full(colors, 1 / colors, np.float32)
    return np.asarray(weights * field.scale, np.float32)


def _quadrants(opened: BoolArray) -> NDArray[np.int64]:
    """v, u, quadrant of the open views; views on the axes go to the quadrants in turn."""
    v_center, u_center = opened.shape[0] // 2, opened.shape[1] // 2
    chosen = []
    for v, u in np.argwhere(opened):
        y, x = v - v_center, u - u_center
        if y == x == 0:
            quadrant = -1
        elif y <= 0 and x < 0:
            quadrant = 0
        elif y < 0:
            quadrant = 1
        elif x <= 0:
            quadrant = 2
        else:
            quadrant = 3
        chosen.append((v, u, quadrant))
    return np.array(chosen, np.int64)


def _parts(field: LightField, chosen: NDArray[np.int64]) -> ApertureParts:
    """Least weight of the whole aperture and its halves, and the penalty on halves."""
    best = field.weights.max(axis=(2, 3)).astype(np.float64)
    share = np.zeros(4)
    for v, u, quadrant in chosen:
        share[slice(None) if quadrant < 0 else quadrant] += best[v, u]
    halves = share[:2].sum(), share[2:].sum(), share[::2].sum(), share[1::2].sum()
    penalty = 1.0 + 2.0 / np.sqrt(max(len(chosen) / 2, 1.0))
    least = np.array(_LEAST_SHARE * np.array([share.sum(), *halves]), np.float32)
    return ApertureParts(least=least, penalty=float(penalty))
