"""The range of slopes that a scene has."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.disparity.least_cost import disparity_of_least_cost, noise_variance
from lfdfp.disparity.plane_sweep import sweep_planes

_WIDEST = 3.0  # pixels per angular step; lenslet cameras stay below 2 in sharp parts
_STEP = 0.15
_INNER_VIEWS = (
    3  # steps from the center: wide enough to tell planes apart, narrow enough to be quick
)
_TAIL = 0.005  # share of the confident pixels that is left out at each end
_SURE = 0.5


def slope_range_from_views(field: LightField, *, threads: int | None = None) -> tuple[float, float]:
    """First and last slope, in pixels per angular step, between which the scene lies.

    A coarse plane sweep over the inner views gives a histogram of disparity, each pixel counted
    by its confidence; its ends, less half a per cent on either side, widened by half a coarse
    step, are the range.

    Returns
    -------
    tuple of float
        (first, last), first < last; (-0.5, 0.5) for a field without any texture.
    """
    import cv2

    v, u = (np.abs(np.arange(n) - n // 2) <= _INNER_VIEWS for n in field.angular_shape)
    slopes = np.arange(-_WIDEST, _WIDEST + _STEP / 2, _STEP)
    variance = sweep_planes(field, slopes, opened=np.logical_and.outer(v, u), threads=threads)
    costs = np.log(np.minimum(variance / noise_variance(variance), 1000.0) + 0.3)
    for n in range(len(slopes)):
        costs[n] = cv2.blur(costs[n], (7, 7))
    disparity, confidence = disparity_of_least_cost(costs, slopes)
    sure = confidence > _SURE
    if not sure.any():
        return -0.5, 0.5
    order = np.argsort(disparity[sure])
    share = np.cumsum(confidence[sure][order])
    first, last = np.searchsorted(share / share[-1], [_TAIL, 1 - _TAIL])
    ends = disparity[sure][order][[first, min(last, len(order) - 1)]]
    return float(ends[0] - _STEP / 2), float(ends[1] + _STEP / 2)
