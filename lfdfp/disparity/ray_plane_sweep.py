"""Disparity from raw rays: on the right plane, all rays of a cell agree.

Two sweeps share the search for the best plane. The first needs nothing but the rays: the spread
of their light within a cell, against the noise. The second compares every ray with a picture
that is already sharp. Both look at half apertures too, because next to an occluder one half of
the rays sees the surface and the other does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.disparity import ray_sweep_kernels as kernels
from lfdfp.disparity.guided_filter import GuidedFilter
from lfdfp.ray_geometry import FineGrid, LensletTable, RayLight
from lfdfp.row_bands import BandRunner

_HALF_APERTURE_PENALTY = 0.05
_LEAST_MISFIT = 0.3
_BANDS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayBundle:
    """Rays as the sweeps use them: light, lenslets, grid, aperture, threads."""

    light: RayLight
    lenslets: LensletTable
    grid: FineGrid
    radius_px: float
    runner: BandRunner

    def origins(self) -> FloatArray:
        """Shape (L, 2): fine coordinates of the lenslets."""
        return self.grid.positions(self.lenslets.lens_plane).astype(np.float32)

    def lenslets_within(
        self, origins: FloatArray, first: int, last: int, steepest: float
    ) -> tuple[int, int]:
        """First and last + 1 of the lenslets whose rays can touch fine rows first..last - 1."""
        starts = self.lenslets.row_starts
        reach = steepest * self.radius_px + 2
        low, high = np.searchsorted(origins[starts[:-1], 0], (first - reach, last + reach))
        return int(starts[low]), int(starts[high])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweptDisparity:
    """Result of a sweep.

    Attributes
    ----------
    slope
        Shape (Y, X), in fine pixels per raw pixel.
    cost
        Shape (Y, X): misfit of the best plane.
    contrast
        Shape (Y, X): how much worse planes two steps away are; 0 where nothing tells them apart.
    """

    slope: FloatArray
    cost: FloatArray
    contrast: FloatArray


def moment_costs(bundle: RayBundle, slopes: DoubleArray) -> Iterable[FloatArray]:
    """Log of the rays' spread within every cell against the noise, plane by plane, shape (Y, X)."""
    height, width = bundle.grid.shape
    origins = bundle.origins()
    light, table = bundle.light, bundle.lenslets
    terms, turn = light.noise_terms(), np.asarray(table.turn, np.float32)
    misfit = np.empty((5, height, width), np.float32)
    freedom = np.empty_like(misfit)
    for slope in slopes:

        def work(first: int, last: int, slope: float = float(slope)) -> None:
            moments = np.zeros((last - first, width, 4, 3, 4), np.float32)
            kernels.gather_moments(
                light.light, light.response, light.colors, terms, table.centers_px, origins, turn,
                np.float32(bundle.radius_px), np.float32(slope),
                bundle.lenslets_within(origins, first, last, abs(slope)), (first, last), moments,
            )  # fmt: skip
            kernels.misfit_of_moments(moments, first, misfit, freedom)

        bundle.runner.map(work, height, bands=_BANDS)
        yield _best_half(misfit, freedom, _HALF_APERTURE_PENALTY)


def _best_half(misfit: FloatArray, freedom: FloatArray, penalty: float) -> FloatArray:
    """Log of the least mean misfit over the full (first) and the half apertures."""
    best: FloatArray | None = None
    for k in range(len(misfit)):
        total = cv2.boxFilter(misfit[k], -1, (3, 3), normalize=False)
        count = cv2.boxFilter(freedom[k], -1, (3, 3), normalize=False)
        mean = (total + 1) / (count + 1)
        if k > 0:
            mean += np.float32(penalty)
        best = mean if best is None else np.minimum(best, mean)
    assert best is not None
    return np.log(best + np.float32(_LEAST_MISFIT))


def residual_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    blurred: FloatArray,
    *,
    low: FloatArray,
    high: FloatArray,
    outlier_error: float,
    truncation: float,
) -> Iterable[FloatArray]:
    """Mean truncated misfit of the rays to a sharp picture, plane by plane, shape (Y, X).

    Parameters
    ----------
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint.
    low, high
        Shape (Y, X): candidate slopes; outside of them the cost is `truncation`.
    """
    height, width = bundle.grid.shape
    origins = bundle.origins()
    light, table = bundle.light, bundle.lenslets
    terms, turn = light.noise_terms(), np.asarray(table.turn, np.float32)
    misfit = np.empty((4, height, width), np.float32)
    count = np.empty_like(misfit)
    for slope in slopes:

        def work(first: int, last: int, slope: float = float(slope)) -> None:
            misfit[:, first:last] = 0.0
            count[:, first:last] = 0.0
            kernels.gather_residuals(
                light.light, light.response, light.colors, terms, table.centers_px, origins, turn,
                np.float32(bundle.radius_px), np.float32(slope), blurred,
                np.float32(outlier_error), np.float32(truncation), low, high,
                bundle.lenslets_within(origins, first, last, abs(slope)), (first, last),
                misfit[:, first:last], count[:, first:last],
            )  # fmt: skip

        bundle.runner.map(work, height, bands=_BANDS)
        yield _least_half(misfit, count, truncation)


def _least_half(misfit: FloatArray, count: FloatArray, truncation: float) -> FloatArray:
    """Mean misfit in 5 x 5 cells, least over the half apertures; `truncation` where unmeasured."""
    best: FloatArray | None = None
    for k in range(len(misfit)):
        total = cv2.boxFilter(misfit[k], -1, (5, 5), normalize=False)
        number = cv2.boxFilter(count[k], -1, (5, 5), normalize=False)
        mean = (total + np.float32(truncation)) / (number + 1)
        best = mean if best is None else np.minimum(best, mean)
    assert best is not None
    return best


def best_planes(
    costs: Iterable[FloatArray], slopes: DoubleArray, smooth: GuidedFilter
) -> SweptDisparity:
    """Smooth every plane's cost by the guide and find the minimum, with a parabola through it.

    Parameters
    ----------
    slopes
        Ascending and evenly spaced.
    """
    before: FloatArray | None = None
    search: _Search | None = None
    for k, raw in enumerate(costs):
        cost = smooth(raw)
        search = _Search(cost) if search is None else search
        search.visit(k, cost, before)
        before = cost
    assert search is not None
    return search.result(slopes)


class _Search:
    """Running minimum over planes, with the costs of the neighbors of the best."""

    def __init__(self, first: FloatArray) -> None:
        self.best = np.full_like(first, np.inf)
        self.index = np.zeros(first.shape, np.int32)
        self.left = np.full_like(first, np.inf)
        self.right = np.full_like(first, np.inf)
        self.total = np.zeros_like(first)
        self.planes = 0

    def visit(self, k: int, cost: FloatArray, before: FloatArray | None) -> None:
        self.right = np.where(self.index == k - 1, cost, self.right)
        better = cost < self.best
        self.best = np.where(better, cost, self.best)
        self.index = np.where(better, k, self.index)
        self.left = np.where(better, np.inf if before is None else before, self.left)
        self.right = np.where(better, np.inf, self.right)
        self.total += cost
        self.planes += 1

    def result(self, slopes: DoubleArray) -> SweptDisparity:
        inner = np.isfinite(self.left) & np.isfinite(self.right)
        left, right = np.where(inner, self.left, 0.0), np.where(inner, self.right, 0.0)
        bend = np.where(inner, left - 2 * self.best + right, 1.0)
        shift = np.where(inner & (bend > 1e-9), 0.5 * (left - right) / np.maximum(bend, 1e-9), 0.0)
        step = slopes[1] - slopes[0] if len(slopes) > 1 else 0.0
        slope = slopes[self.index] + step * np.clip(shift, -0.5, 0.5)
        contrast = self.total / max(self.planes, 1) - self.best
        return SweptDisparity(
            slope=slope.astype(np.float32), cost=self.best, contrast=contrast.astype(np.float32)
        )


def median_filtered(slope: FloatArray) -> FloatArray:
    """Median over 5 x 5 cells: takes out single wrong cells, keeps edges."""
    return np.asarray(cv2.medianBlur(slope, 5), np.float32)
