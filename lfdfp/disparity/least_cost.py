"""From costs on planes to disparity between them."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray

_SURE_DEPTH = 1.0


def noise_variance(variance: FloatArray) -> float:
    """Variance of the noise: what is left, in the median pixel, on the plane that fits best.

    Parameters
    ----------
    variance
        Shape (N, T, S): of the views on each plane.
    """
    least = variance[:, ::2, ::2].min(axis=0)
    return max(float(np.median(least)), 1e-8)


def disparity_of_least_cost(
    costs: FloatArray, slopes: DoubleArray
) -> tuple[FloatArray, FloatArray]:
    """Disparity of every pixel at the least cost, between planes by a parabola, and confidence.

    Parameters
    ----------
    costs
        Shape (N, T, S): of every pixel on each plane.
    slopes
        Shape (N,): of the planes, evenly spaced, in pixels per angular step.

    Returns
    -------
    disparity, confidence
        Shape (T, S): in the unit of the slopes, and in [0, 1], how far the least cost lies below
        the usual one.
    """
    best = np.clip(costs.argmin(axis=0), 1, len(slopes) - 2)[None]
    below, least, above = (np.take_along_axis(costs, best + step, axis=0)[0] for step in (-1, 0, 1))
    bend = below - 2 * least + above
    offset = np.where(bend > 1e-6, 0.5 * (below - above) / np.maximum(bend, 1e-6), 0.0)
    step = slopes[1] - slopes[0]
    disparity = slopes[best[0]] + step * np.clip(offset, -1.0, 1.0)
    depth = np.median(costs, axis=0) - least
    confidence = 1.0 - np.exp(-np.maximum(depth, 0.0) / _SURE_DEPTH)
    return disparity.astype(np.float32), confidence.astype(np.float32)
