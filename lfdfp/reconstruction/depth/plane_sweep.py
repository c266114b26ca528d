"""Disparity from raw rays: on the right plane, all rays of a cell agree.

Two sweeps share the search for the best plane. The first needs nothing but the rays: it compares
every ray with the picture that all rays together give on the plane. The second compares them with
a picture that is already sharp. Next to an occluder one half of the rays sees the surface and the
other does not: the first sweep looks at half apertures too; the second knows which rays are
blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.imaging.guided_filter import GuidedFilter
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth import sweep_kernels as kernels
from lfdfp.reconstruction.depth.ray_list import RAYS_PER_LENSLET, listed_rays
from lfdfp.reconstruction.depth.semi_global import PlaneCosts

_WHOLE = ((0, 0, 0, 0),)
_HALVES = ((0, 0, 1, 1), (0, 1, 1, 0))
"""Parts of the aperture that the quadrants belong to: upper and lower, left and right halves."""

_ALL_QUADRANTS = (0, 1, 2, 3)
_HALF_QUADRANTS = ((0, 1), (2, 3), (0, 3), (1, 2))

_CONSENSUS_REACH = 1
_RESIDUAL_REACH = 2
_HALF_APERTURE_PENALTY = 0.05
_TAPS = np.array([0.787, 0.1065], np.float32)
"""Of a Gaussian of half a pixel, at distances 0 and 1."""

_RAYS_PER_LENSLET: Final = 36.0
"""As many are enough against a sharp picture: half of an F01's, a third of an Illum's.

With so few the rays alone agree on worse planes next to clipped lights.
"""

_HALO_ROWS = 8
"""Twice spread, smoothed and gathered, then averaged: that far a cell's cost reaches."""

_GUIDE_RADIUS_PX = 2
_GUIDE_REGULARIZATION = 0.02**2
_GUIDE_HALO_ROWS = 2 * _GUIDE_RADIUS_PX


def plane_picture(bundle: RayBundle, slope: float) -> FloatArray:
    """The picture (3, Y, X) that the rays agree on if everything lies on the plane `slope`."""
    sweep = _Sweep(bundle)
    picture = np.empty((*bundle.grid.shape, 3), np.float32)

    def work(first: int, last: int) -> None:
        window = _Window(sweep, first, last, parts=1)
        window.agree(slope, _WHOLE[0])
        picture[first:last] = window.picture[0, window.inner]

    bundle.runner.map(work, bundle.grid.shape[0])
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


def consensus_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    *,
    outlier_error: float,
    truncation: float,
    half_apertures: bool,
    rays_per_lenslet: float = RAYS_PER_LENSLET,
) -> PlaneCosts:
    """Mean truncated misfit of the rays to what they agree on.

    Parameters
    ----------
    slopes
        Shape (N,): of the planes, in fine pixels per raw pixel.
    half_apertures
        Let the rays of each half aperture agree by themselves, and take the least misfit: next
        to an occluder, the picture of the whole aperture mixes both surfaces.
    outlier_error, truncation
        As in `residual_costs`.
    rays_per_lenslet
        As many are enough (`listed_rays`).
    """
    sweep = _Sweep(
        bundle,
        outlier_error=outlier_error,
        truncation=truncation,
        rays_per_lenslet=rays_per_lenslet,
    )
    costs = PlaneCosts.empty(bundle.grid.shape, len(slopes), most=truncation)

    def work(first: int, last: int) -> None:
        window = _Window(sweep, first, last, parts=2 if half_apertures else 1)
        for k, slope in enumerate(slopes):
            cost = window.no_cost()
            for parts in _HALVES if half_apertures else _WHOLE:
                window.agree(float(slope), parts)
                window.compare(float(slope), parts, window.picture)
                if half_apertures:
                    halves = _HALF_QUADRANTS[:2] if parts == _HALVES[0] else _HALF_QUADRANTS[2:]
                    window.cheapen(cost, halves, _CONSENSUS_REACH)
                else:
                    window.cheapen_by_all(cost, _CONSENSUS_REACH)
            costs.set_rows(first, k, cost)

    bundle.runner.map(work, bundle.grid.shape[0])
    return costs


def residual_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    blurred: FloatArray,
    reached: FloatArray,
    guide: FloatArray,
    *,
    outlier_error: float,
    truncation: float,
) -> PlaneCosts:
    """Mean truncated misfit of the rays to a sharp picture, smoothed along a guide's edges.

    Parameters
    ----------
    slopes
        Shape (N,): of the planes, in fine pixels per raw pixel.
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint, in light.
    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see. Rays do not count
        on planes behind it: what they measured is no evidence against a surface hidden from them.
    guide
        Shape (Y, X), display signal (`GuidedFilter`).
    outlier_error
        Share of the signal that counts as noise.
    truncation
        Squared residual, in units of the variance, that a ray's cost approaches.
    """
    sweep = _Sweep(
        bundle,
        outlier_error=outlier_error,
        truncation=truncation,
        reached=reached,
        rays_per_lenslet=_RAYS_PER_LENSLET,
    )
    picture = np.ascontiguousarray(np.moveaxis(blurred, 0, -1))[None]
    del reached, blurred  # before memory is taken for the costs
    height = bundle.grid.shape[0]
    costs = PlaneCosts.empty(bundle.grid.shape, len(slopes), most=truncation)

    def work(first: int, last: int) -> None:
        upper, lower = max(first - _GUIDE_HALO_ROWS, 0), min(last + _GUIDE_HALO_ROWS, height)
        window = _Window(sweep, upper, lower)
        around = picture[:, window.top : window.bottom]
        smooth = GuidedFilter(
            guide[upper:lower], radius_px=_GUIDE_RADIUS_PX, regularization=_GUIDE_REGULARIZATION
        )
        for k, slope in enumerate(slopes):
            cost = window.no_cost()
            window.compare(float(slope), _WHOLE[0], around)
            window.cheapen(cost, (_ALL_QUADRANTS,), _RESIDUAL_REACH)
            costs.set_rows(first, k, smooth(cost)[first - upper : last - upper])

    bundle.runner.map(work, height)
    return costs


class _Sweep:
    """What all windows and planes of one sweep share."""

    def __init__(
        self,
        bundle: RayBundle,
        *,
        outlier_error: float = 0.0,
        truncation: float = 1.0,
        reached: FloatArray | None = None,
        rays_per_lenslet: float = RAYS_PER_LENSLET,
    ) -> None:
        self.bundle = bundle
        self.origins = bundle.places.origins
        self.listed = listed_rays(bundle, reached, rays_per_lenslet=rays_per_lenslet).arrays()
        self.colors = bundle.light.colors.ravel()
        self.terms = bundle.rays(outlier_error).terms.reshape(4, 3)
        self.truncation = np.float32(truncation)


class _Window:
    """Rows of the grid that one thread works on, with the rows around them that count too."""

    def __init__(self, sweep: _Sweep, first: int, last: int, *, parts: int = 0) -> None:
        height, width = sweep.bundle.grid.shape
        self._sweep = sweep
        self.top, self.bottom = max(first - _HALO_ROWS, 0), min(last + _HALO_ROWS, height)
        self.inner = slice(first - self.top, last - self.top)
        shape = (parts, self.bottom - self.top, width, 3)
        self.picture = np.zeros(shape, np.float32)
        self._amount, self._weight, self._certainty = (
            np.zeros(shape, np.float32) for _ in range(3)
        )
        misfit, count = np.zeros((2, 4, *shape[1:3]), np.float32)
        self._misfits = kernels.Misfits(sweep.terms, sweep.truncation, misfit, count)

    def _plane(self, slope: float, parts: Sequence[int]) -> kernels.Plane:
        sweep = self._sweep
        return kernels.Plane(
            origins=sweep.origins,
            lenslets=sweep.bundle.band(self.top, self.bottom, abs(slope)).lenslets,
            parts=np.asarray(parts, np.int64),
            colors=sweep.colors,
            slope=np.float32(slope),
            top=self.top,
        )

    def agree(self, slope: float, parts: Sequence[int]) -> None:
        """Let the rays of each part agree on a picture, as if everything lay on one plane.

        Smoothed residuals are added to it, so that its own blur does not count as misfit.
        """
        plane = self._plane(slope, parts)
        self._amount[:], self._weight[:] = 0.0, 0.0
        kernels.spread_light(self._sweep.listed, plane, self._amount, self._weight)
        kernels.weighted_means(self._amount, self._weight, _TAPS, self.picture, self._certainty)
        self._amount[:] = 0.0
        kernels.spread_residuals(self._sweep.listed, plane, self.picture, self._amount)
        kernels.add_weighted_means(self._amount, self._certainty, _TAPS, self.picture)

    def compare(self, slope: float, parts: Sequence[int], picture: FloatArray) -> None:
        """Collect the misfits of a plane's rays to the pictures (P, rows, X, 3) of their parts."""
        self._misfits.sums[:], self._misfits.counts[:] = 0.0, 0.0
        kernels.gather_misfits(
            self._sweep.listed, self._plane(slope, parts), picture, self._misfits
        )

    def no_cost(self) -> FloatArray:
        """Cost (rows, X) of a plane that nothing was compared on yet."""
        rows = self.inner.stop - self.inner.start
        return np.full((rows, self._misfits.sums.shape[2]), np.inf, np.float32)

    def cheapen(
        self,
        cost: FloatArray,
        groups: Sequence[Sequence[int]],
        reach: int,
        penalty: float = 0.0,
    ) -> None:
        """Lower the plane's cost (rows, X) to the least mean misfit of groups of quadrants."""
        for group in groups:
            kernels.cheapest_mean(
                self._misfits,
                np.asarray(group, np.int64),
                reach,
                np.float32(penalty),
                self.inner.start,
                cost,
            )

    def cheapen_by_all(self, cost: FloatArray, reach: int) -> None:
        """Lower the cost to that of the whole aperture, or of a half at a penalty."""
        self.cheapen(cost, (_ALL_QUADRANTS,), reach)
        self.cheapen(cost, _HALF_QUADRANTS, reach, _HALF_APERTURE_PENALTY)


def median_filtered(slope: FloatArray) -> FloatArray:
    """Median of a `slope` map (Y, X) over 5 x 5 cells: takes out single wrong ones, keeps edges."""
    import cv2

    return np.asarray(cv2.medianBlur(slope, 5), np.float32)
