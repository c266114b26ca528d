"""Shift-and-sum with linear or cubic B-splines.

Interpolation by cubic B-splines first filters a view, then blends four coefficients with positive
weights. Filter and blend commute with the sum over the views, so the views are blended as they are
and the filter runs once per slice instead of once per view.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.imaging.splines import (
    SPLINE_MARGIN,
    SplitShifts,
    prefilter_columns,
    prefilter_rows,
    split_shifts,
)
from lfdfp.refocusing.shifts import Shifts, full_weight
from lfdfp.refocusing.spline_kernels import SliceSums, StoredViews, accumulate, normalize

if TYPE_CHECKING:
    import torch

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
    threads: int = 1,
    device: torch.device | None = None,
) -> None:
    """Fill slices (N, T, S, C) and coverage (N, T, S) with the weighted mean of shifted views.

    `order` is that of the splines: 1 interpolates linearly, 3 by cubic B-splines. `full` is the
    weight that counts as full coverage; None takes `full_weight` of the field. The sums are made
    by compiled kernels, or by torch on a device.
    """
    margin = SPLINE_MARGIN if order == 3 else 0
    along_t, along_s = (_split(part, order) for part in (shifts.along_t, shifts.along_s))
    if device is None:
        light, rays = _compiled_sums(field, shifts, along_t, along_s, margin, threads)
    else:
        from lfdfp.refocusing.torch_sums import spline_sums

        light, rays = spline_sums(field, shifts, along_t, along_s, margin, device=device)
    best = full_weight(field, shifts) if full is None else full
    inside = slice(margin, margin + slices.shape[1])

    def finish(n: int) -> None:
        normalize(
            light[n][inside],
            rays[n][inside],
            margin,
            (field.scale, field.offset),
            (best, LEAST_COVERAGE * best),
            slices[n],
            coverage[n],
        )

    BandRunner(threads).each(finish, range(shifts.count))


def _compiled_sums(
    field: LightField,
    shifts: Shifts,
    along_t: SplitShifts,
    along_s: SplitShifts,
    margin: int,
    threads: int,
) -> tuple[FloatArray, FloatArray]:
    """Σ w x, shape (N, T', S', C), and Σ w, shape (N, T', S'), as `torch_sums.spline_sums`."""
    _, _, height, width, colors = field.views.shape
    rows, columns = height + 2 * margin, width + 2 * margin
    light = np.zeros((shifts.count, rows, columns * colors), np.float32)
    rays = np.zeros((shifts.count, rows, columns), np.float32)
    views = StoredViews(field.views, field.weights, shifts.gains, shifts.equal_weights)
    sums = SliceSums(light, rays, margin)

    def add(band: tuple[int, int]) -> None:
        accumulate(views, along_t, along_s, band, sums)

    def to_coefficients(n: int) -> None:
        for lines, step in ((light[n], colors), (rays[n], 1)):
            prefilter_rows(lines, 0, rows, step)
            prefilter_columns(lines, 0, lines.shape[1])

    BandRunner(threads).each(add, pairwise(np.linspace(0, rows, threads + 1).astype(int).tolist()))
    if margin:
        BandRunner(threads).each(to_coefficients, range(shifts.count))
    return light.reshape(shifts.count, rows, columns, colors), rays


def _split(shifts: DoubleArray, order: SplineOrder) -> SplitShifts:
    """Shifts, shape (N, V), with the weights of linear interpolation or of cubic B-splines."""
    if order == 3:
        return split_shifts(shifts)
    whole = np.floor(shifts)
    fraction = shifts - whole
    taps = np.zeros((*shifts.shape, 4), np.float32)
    taps[..., 1], taps[..., 2] = 1 - fraction, fraction
    return SplitShifts(whole.astype(np.int64), taps)
