"""Shift-and-sum by the Fourier shift theorem: exact for band-limited views.

Every view is transformed once; for each slice its spectrum is turned by
``exp(2πi (f_t δ_t + f_s δ_s))``, and the spectra are summed, along u first. Near the border, where
some views have ended, their periodic extension would leak into the picture: that rim is computed
with cubic splines.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import DoubleArray, FloatArray, LightField
from lfdfp.imaging.splines import SPLINE_MARGIN
from lfdfp.refocusing.fourier_kernels import (
    add_turned,
    fill_gap_below,
    load_periodic_rows,
    sum_spectra,
)
from lfdfp.refocusing.shifts import Shifts, full_weight
from lfdfp.refocusing.spline_sum import LEAST_COVERAGE, spline_sum

if TYPE_CHECKING:
    import torch

_LEAST_GAP = 16  # pixels over which the end of a view blends into its repeated beginning


def fourier_sum(
    field: LightField,
    shifts: Shifts,
    slices: FloatArray,
    coverage: FloatArray,
    *,
    threads: int = 1,
    device: torch.device | None = None,
) -> None:
    """Fill slices (N, T, S, C) and coverage (N, T, S) with the weighted mean of shifted views."""
    full = full_weight(field, shifts)
    sums = _sum_of_views(field, shifts, threads, device)
    _, height, width, colors = slices.shape
    for n, planes in enumerate(sums):
        rays = planes[colors, :height, :width]
        measured = rays > LEAST_COVERAGE * full
        inverse = np.where(measured, 1 / np.maximum(rays, LEAST_COVERAGE * full), 0)
        coverage[n] = np.where(measured, np.minimum(rays / full, 1), 0)
        for c in range(colors):
            mean = planes[c, :height, :width] * inverse
            slices[n, ..., c] = field.scale * (mean - field.offset * measured)
    _replace_rim(field, shifts, slices, coverage, full, threads=threads, device=device)


def _sum_of_views(
    field: LightField, shifts: Shifts, threads: int, device: torch.device | None
) -> FloatArray:
    """Σ w x and, last, Σ w over the shifted views, shape (N, C + 1, T', S')."""
    from scipy import fft

    height, width = field.spatial_shape
    blends = _blend(height), _blend(width)
    frequencies = fft.fftfreq(height + blends[0].size), fft.rfftfreq(width + blends[1].size)
    turns = _turns(shifts.along_t, frequencies[0]), _turns(shifts.along_s, frequencies[1])
    if device is None:
        return _compiled_sums(field, shifts, turns, blends, threads)
    from lfdfp.refocusing.torch_sums import fourier_sums

    return fourier_sums(field, shifts, turns, blends, device=device)


def _compiled_sums(
    field: LightField,
    shifts: Shifts,
    turns: tuple[FloatArray, FloatArray],
    blends: tuple[FloatArray, FloatArray],
    threads: int,
) -> FloatArray:
    """As `torch_sums.fourier_sums`, by compiled kernels."""
    from scipy import fft

    n_v, n_u, height, width, colors = field.views.shape
    turns_t, turns_s = turns[0], np.moveaxis(turns[1], -1, 2)
    long_t, long_s, columns = turns_t.shape[2], width + blends[1].size, turns_s.shape[3]
    spectra = np.empty((n_u, colors + 1, height, columns), np.complex64)
    row_sum = np.empty((len(turns_t), colors + 1, long_t, columns), np.complex64)
    total = np.zeros_like(row_sum)
    edges = np.linspace(0, height, threads + 1).astype(int).tolist()

    def transform(view: tuple[int, int, int]) -> None:
        k, v, u = view
        samples, weights = field.views[v, u], field.weights[v, u]
        gain = shifts.gains[v, u]
        light = np.empty((colors + 1, height, long_s), np.float32)
        load_periodic_rows(samples, weights, gain, shifts.equal_weights, blends[1], light)
        spectra[k] = fft.rfft(light)

    def add(v: int, n: int) -> None:
        fill_gap_below(_pairs(row_sum[n]).reshape(colors + 1, long_t, -1), blends[0])
        turned = fft.fft(row_sum[n], axis=1, overwrite_x=True)
        add_turned(_pairs(turned), turns_t[n, v], _pairs(total[n]))

    for v in range(n_v):
        used = np.flatnonzero(shifts.gains[v] > 0).tolist()
        if not used:
            continue
        BandRunner(threads).each(transform, [(k, v, u) for k, u in enumerate(used)])
        some = np.ascontiguousarray(turns_s[:, used])
        combine = partial(sum_spectra, _pairs(spectra[: len(used)]), some, _pairs(row_sum))
        BandRunner(threads).each(combine, pairwise(edges))
        BandRunner(threads).each(partial(add, v), range(len(total)))
    return np.asarray(fft.irfft2(total, s=(long_t, long_s), overwrite_x=True), np.float32)


def _pairs(spectra: NDArray[np.complex64]) -> FloatArray:
    """Complex numbers (...) as pairs of real ones (..., 2), without a copy."""
    return spectra.view(np.float32).reshape(*spectra.shape, 2)


def _blend(size: int) -> FloatArray:
    """Factors that fall smoothly from 1 to 0 over the gap up to a fast length."""
    from scipy import fft

    gap = min(fft.next_fast_len(size + _LEAST_GAP, real=True) - size, size - 2)
    place = (np.arange(gap) + 1) / (gap + 1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * place), np.float32)


def _turns(shifts: DoubleArray, frequencies: NDArray[Any]) -> FloatArray:
    """exp(2πi f δ), shape (N, V, F, 2); its real part at the highest frequency of even lengths."""
    turns = np.exp(2j * np.pi * np.multiply.outer(shifts, frequencies))
    highest = np.abs(frequencies) == 0.5
    turns[..., highest] = turns[..., highest].real
    return np.stack((turns.real, turns.imag), axis=-1).astype(np.float32)


def _replace_rim(
    field: LightField,
    shifts: Shifts,
    slices: FloatArray,
    coverage: FloatArray,
    full: float,
    *,
    threads: int,
    device: torch.device | None,
) -> None:
    """Write the cubic result where a view ends within the reach of the shifts."""
    for axis, along in ((2, shifts.along_t), (3, shifts.along_s)):
        size = field.views.shape[axis]
        rims = np.minimum(1 + np.ceil(np.abs(along).max(axis=1)).astype(int), size)
        needed = min(2 * int(rims.max()) + SPLINE_MARGIN + 3, size)
        for starts in (np.zeros_like(rims), size - rims):
            first = min(int(starts.min()), size - needed)
            strip = _part(field, axis, first, first + needed)
            shape = (len(slices), *strip.views.shape[2:])
            light, share = np.empty(shape, np.float32), np.empty(shape[:3], np.float32)
            spline_sum(
                strip, shifts, light, share, order=3, full=full, threads=threads, device=device
            )
            for n, (start, rim) in enumerate(zip(starts, rims, strict=True)):
                where = (slice(None),) * (axis - 2) + (slice(start, start + rim),)
                source = (slice(None),) * (axis - 2) + (slice(start - first, start - first + rim),)
                slices[n][where] = light[n][source]
                coverage[n][where] = share[n][source]


def _part(field: LightField, axis: int, first: int, last: int) -> LightField:
    """Rows (axis 2) or columns (axis 3) of the field."""
    inside = (slice(None),) * axis + (slice(first, last),)
    return replace(field, views=field.views[inside], weights=field.weights[inside])
