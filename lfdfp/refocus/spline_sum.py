"""Shift-and-sum with linear or cubic B-splines.

Interpolation by cubic B-splines first filters a view, then blends four coefficients with positive
weights. Filter and blend commute with the sum over the views, so the views are blended as they are
and the filter runs once per slice instead of once per view.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.disparity import spline as splines
from lfdfp.disparity.spline import SPLINE_MARGIN, prefilter_columns, prefilter_rows
from lfdfp.disparity.threads import in_threads
from lfdfp.refocus.accumulation import accumulate, normalize
from lfdfp.refocus.shifts import Shifts

LEAST_COVERAGE = 0.01
"""Pixels that less of the aperture than this reached count as not measured."""

SplineOrder = Literal[1, 3]


def spline_sum(
    field: LightField,
    shifts: Shifts,
    slices: FloatArray,
    coverage: FloatArray,
    *,
    order: SplineOrder,
    full: float | None = None,
    equal_weights: bool = False,
    threads: int = 1,
) -> None:
    """Fill slices (N, T, S, C) and coverage (N, T, S) with the weighted mean of shifted views.

    `order` is that of the splines: 1 interpolates linearly, 3 by cubic B-splines. `full` is the
    weight that counts as full coverage; None takes `full_weight` of the field.
    """
    margin = SPLINE_MARGIN if order == 3 else 0
    planes, height, width, colors = slices.shape
    light = np.zeros((planes, height + 2 * margin, (width + 2 * margin) * colors), np.float32)
    rays = np.zeros((planes, height + 2 * margin, width + 2 * margin), np.float32)
    whole_v, taps_v = split_shifts(shifts.along_t, order)
    whole_u, taps_u = split_shifts(shifts.along_s, order)
    if full is None:
        full = full_weight(field, shifts.gains, equal_weights=equal_weights)

    def add(band: tuple[int, int]) -> None:
        accumulate(
            field.views,
            field.weights,
            shifts.gains,
            equal_weights,
            (whole_v, whole_u),
            (taps_v, taps_u),
            margin,
            band,
            light,
            rays,
        )

    def finish(n: int) -> None:
        if order == 3:
            _samples_to_coefficients(light[n], colors)
            _samples_to_coefficients(rays[n], 1)
        normalize(
            light[n].reshape(height + 2 * margin, -1, colors)[margin : margin + height],
            rays[n][margin : margin + height],
            margin,
            (field.scale, field.offset),
            (full, LEAST_COVERAGE * full),
            slices[n],
            coverage[n],
        )

    edges = np.linspace(0, height + 2 * margin, threads + 1).astype(int)
    in_threads(add, pairwise(edges.tolist()), threads)
    in_threads(finish, range(planes), threads)


def split_shifts(shifts: DoubleArray, order: SplineOrder) -> tuple[NDArray[np.int64], FloatArray]:
    """Whole pixels (N, V) and the factors (N, V, 4) of samples whole − 1 … whole + 2."""
    if order == 3:
        return splines.split_shifts(shifts)
    whole = np.floor(shifts)
    fraction = shifts - whole
    taps = np.zeros((*shifts.shape, 4), np.float32)
    taps[..., 1], taps[..., 2] = 1 - fraction, fraction
    return whole.astype(np.int64), taps


def full_weight(field: LightField, gains: DoubleArray, *, equal_weights: bool) -> float:
    """What the weights of one pixel sum to where every open view is at its best."""
    best = field.weights.max(axis=(2, 3)).astype(np.float64)
    return float(np.sum(gains * (best > 0 if equal_weights else best)))


def _samples_to_coefficients(lines: FloatArray, step: int) -> None:
    prefilter_rows(lines, 0, lines.shape[0], step)
    prefilter_columns(lines, 0, lines.shape[1])
