"""Disparity from raw rays: on the right plane, all rays of a cell agree.

Two sweeps share the search for the best plane. The first needs nothing but the rays: it compares
every ray with the picture that all rays together give on the plane. The second compares them with
a picture that is already sharp. Next to an occluder one half of the rays sees the surface and the
other does not: the first sweep looks at half apertures too; the second knows which rays are
blocked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.disparity import consensus_kernels as kernels
from lfdfp.disparity import semi_global_kernels as paths
from lfdfp.disparity.ray_bundle import RayBundle, listed_rays

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

_HALO_ROWS = 8
"""Twice spread, smoothed and gathered, then averaged: that far a cell's cost reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothness:
    """What it costs two neighbors to lie on different planes.

    Attributes
    ----------
    step, jump
        On neighboring planes, and on any others.
    edge
        Change of the guide between neighbors that halves the price of a jump.
    """

    step: float = 0.2
    jump: float = 3.0
    edge: float = 0.01


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
        Shape (Y, X): how much worse the planes are on average.
    """

    slope: FloatArray
    cost: FloatArray
    contrast: FloatArray


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
) -> FloatArray:
    """Mean truncated misfit of the rays to what they agree on, shape (planes, Y, X).

    Parameters
    ----------
    half_apertures
        Let the rays of each half aperture agree by themselves, and take the least misfit: next
        to an occluder, the picture of the whole aperture mixes both surfaces.
    outlier_error, truncation
        As in `residual_costs`.
    """
    sweep = _Sweep(bundle, outlier_error=outlier_error, truncation=truncation)
    costs = np.full((len(slopes), *bundle.grid.shape), np.inf, np.float32)

    def work(first: int, last: int) -> None:
        window = _Window(sweep, first, last, parts=2 if half_apertures else 1)
        for slope, cost in zip(slopes, costs, strict=True):
            for parts in _HALVES if half_apertures else _WHOLE:
                window.agree(float(slope), parts)
                window.compare(float(slope), parts, window.picture)
                if half_apertures:
                    halves = _HALF_QUADRANTS[:2] if parts == _HALVES[0] else _HALF_QUADRANTS[2:]
                    window.cheapen(cost, halves, _CONSENSUS_REACH)
                else:
                    window.cheapen_by_all(cost, _CONSENSUS_REACH)

    bundle.runner.map(work, bundle.grid.shape[0])
    return costs


def residual_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    blurred: FloatArray,
    reached: FloatArray,
    *,
    outlier_error: float,
    truncation: float,
) -> Iterable[FloatArray]:
    """Mean truncated misfit of the rays to a sharp picture, plane by plane, shape (Y, X).

    Parameters
    ----------
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint.
    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see. Rays do not count
        on planes behind it: what they measured is no evidence against a surface hidden from them.
    outlier_error
        Share of the signal that counts as noise.
    truncation
        Squared residual, in units of the variance, that a ray's cost approaches.
    """
    sweep = _Sweep(bundle, outlier_error=outlier_error, truncation=truncation, reached=reached)
    picture = np.ascontiguousarray(np.moveaxis(blurred, 0, -1))[None]
    for slope in slopes:
        cost = np.full(bundle.grid.shape, np.inf, np.float32)

        def work(
            first: int, last: int, slope: float = float(slope), cost: FloatArray = cost
        ) -> None:
            window = _Window(sweep, first, last)
            window.compare(slope, _WHOLE[0], picture[:, window.top : window.bottom])
            window.cheapen(cost, (_ALL_QUADRANTS,), _RESIDUAL_REACH)

        bundle.runner.map(work, bundle.grid.shape[0])
        yield cost


class _Sweep:
    """What all windows and planes of one sweep share."""

    def __init__(
        self,
        bundle: RayBundle,
        *,
        outlier_error: float = 0.0,
        truncation: float = 1.0,
        reached: FloatArray | None = None,
    ) -> None:
        self.bundle = bundle
        self.origins = bundle.origins()
        self.rays = listed_rays(bundle, reached)
        self.colors = bundle.light.colors.ravel()
        self.terms = bundle.light.noise_terms().reshape(4, 3)
        self.terms[:, 2] += np.float32(outlier_error) ** 2
        self.truncation = np.float32(truncation)


class _Window:
    """Rows of the grid that one thread works on, with the rows around them that count too."""

    def __init__(self, sweep: _Sweep, first: int, last: int, *, parts: int = 0) -> None:
        height, width = sweep.bundle.grid.shape
        self._sweep = sweep
        self.top, self.bottom = max(first - _HALO_ROWS, 0), min(last + _HALO_ROWS, height)
        self.inner = slice(first - self.top, last - self.top)
        self._rows = slice(first, last)
        shape = (parts, self.bottom - self.top, width, 3)
        self.picture = np.zeros(shape, np.float32)
        self._amount, self._weight, self._certainty = (
            np.zeros(shape, np.float32) for _ in range(3)
        )
        self._misfit, self._count = np.zeros((2, 4, *shape[1:3]), np.float32)

    def _plane(self, slope: float, parts: Sequence[int], *limits: FloatArray) -> tuple[object, ...]:
        sweep = self._sweep
        rays, bundle = sweep.rays, sweep.bundle
        return (
            rays.starts, rays.direction, rays.measured, rays.cell, *limits, sweep.origins,
            bundle.lenslets_within(sweep.origins, self.top, self.bottom, abs(slope)),
            np.asarray(parts, np.int64), sweep.colors, np.float32(slope), self.top,
        )  # fmt: skip

    def agree(self, slope: float, parts: Sequence[int]) -> None:
        """Let the rays of each part agree on a picture, as if everything lay on one plane.

        Smoothed residuals are added to it, so that its own blur does not count as misfit.
        """
        plane = self._plane(slope, parts)
        self._amount[:], self._weight[:] = 0.0, 0.0
        kernels.spread_light(*plane, self._amount, self._weight)
        kernels.weighted_means(self._amount, self._weight, _TAPS, self.picture, self._certainty)
        self._amount[:] = 0.0
        kernels.spread_residuals(*plane, self.picture, self._amount)
        kernels.add_weighted_means(self._amount, self._certainty, _TAPS, self.picture)

    def compare(self, slope: float, parts: Sequence[int], picture: FloatArray) -> None:
        """Collect the misfits of a plane's rays to the pictures (P, rows, X, 3) of their parts."""
        self._misfit[:], self._count[:] = 0.0, 0.0
        kernels.gather_misfits(
            *self._plane(slope, parts, self._sweep.rays.farthest), picture, self._sweep.terms,
            self._sweep.truncation, self._misfit, self._count,
        )  # fmt: skip

    def cheapen(
        self,
        cost: FloatArray,
        groups: Sequence[Sequence[int]],
        reach: int,
        penalty: float = 0.0,
    ) -> None:
        """Lower the plane's cost (Y, X) to the least mean misfit of groups of quadrants."""
        for group in groups:
            kernels.cheapest_mean(
                self._misfit, self._count, np.asarray(group, np.int64), reach,
                self._sweep.truncation, np.float32(penalty), self.inner.start, cost[self._rows],
            )  # fmt: skip

    def cheapen_by_all(self, cost: FloatArray, reach: int) -> None:
        """Lower the cost to that of the whole aperture, or of a half at a penalty."""
        self.cheapen(cost, (_ALL_QUADRANTS,), reach)
        self.cheapen(cost, _HALF_QUADRANTS, reach, _HALF_APERTURE_PENALTY)


def best_planes(
    costs: Iterable[FloatArray], slopes: DoubleArray, guide: FloatArray, smoothness: Smoothness
) -> SweptDisparity:
    """Semi-global minimum over the planes [1]_, with a parabola through it.

    Parameters
    ----------
    costs
        Plane by plane, shape (Y, X).
    slopes
        Ascending and evenly spaced, at least three.
    guide
        Shape (Y, X), display signal: surfaces may end where it changes.

    References
    ----------
    .. [1] H. Hirschmüller, "Stereo Processing by Semiglobal Matching and Mutual Information",
       IEEE TPAMI 30(2), 2008.
    """
    volume = np.empty((*guide.shape, len(slopes)), np.float32)
    for k, cost in enumerate(costs):
        volume[..., k] = cost
    return _minimum(semi_global_costs(volume, guide, smoothness), volume, slopes)


def semi_global_costs(volume: FloatArray, guide: FloatArray, smoothness: Smoothness) -> FloatArray:
    """Costs (Y, X, N) summed along the best paths from eight directions."""
    penalty = np.zeros((2, *guide.shape), np.float32)
    penalty[0, :-1] = np.abs(np.diff(guide, axis=0))
    penalty[1, :, :-1] = np.abs(np.diff(guide, axis=1))
    penalty = smoothness.jump / (1 + penalty / np.float32(smoothness.edge))
    penalty = np.maximum(penalty, smoothness.step).astype(np.float32)
    total = np.zeros_like(volume)
    small = np.float32(smoothness.step)
    paths.rightward_and_leftward(volume, penalty, small, 0, len(volume), total)
    for sideways in (0, 1, -1):
        for backwards in (False, True):
            paths.downward(volume, penalty, small, sideways, backwards, total)
    return total


def _minimum(total: FloatArray, volume: FloatArray, slopes: DoubleArray) -> SweptDisparity:
    """Parabola through the smooth costs of the best planes and their neighbors."""
    index = total.argmin(axis=-1)
    middle = np.clip(index, 1, len(slopes) - 2)[..., None]
    left, center, right = (
        np.take_along_axis(total, middle + k, axis=-1)[..., 0] for k in (-1, 0, 1)
    )
    bend = left - 2 * center + right
    shift = 0.5 * (left - right) / np.maximum(bend, np.float32(1e-9))
    shift = np.where(bend > 0, np.clip(shift, -0.5, 0.5), 0.0)
    shift[(index == 0) | (index == len(slopes) - 1)] = 0.0
    slope = slopes[index] + (slopes[1] - slopes[0]) * shift
    cost = np.take_along_axis(volume, index[..., None], axis=-1)[..., 0]
    return SweptDisparity(
        slope=slope.astype(np.float32), cost=cost, contrast=volume.mean(axis=-1) - cost
    )


def median_filtered(slope: FloatArray) -> FloatArray:
    """Median over 5 x 5 cells: takes out single wrong cells, keeps edges."""
    return np.asarray(cv2.medianBlur(slope, 5), np.float32)
