"""Disparity from raw rays: on the right plane, all rays of a cell agree.

Two sweeps share the search for the best plane. The first needs nothing but the rays: it compares
every ray with the picture that all rays together give on the plane. The second compares them with
a picture that is already sharp. Both look at half apertures too, because next to an occluder one
half of the rays sees the surface and the other does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.disparity import ray_sweep_kernels as kernels
from lfdfp.disparity import semi_global_kernels as paths
from lfdfp.ray_geometry import FineGrid, LensletTable, RayLight
from lfdfp.row_bands import BandRunner

WHOLE = -1
"""In place of a half aperture: all rays."""

_CONSENSUS_WINDOW = 3
_RESIDUAL_WINDOW = 5
_HALF_APERTURE_PENALTY = 0.05
_DOUBT = 0.1
_PICTURE_PASSES = 2
_PICTURE_BLUR_PX = 0.5
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayBundle:
    """Rays as the sweeps use them: light, lenslets, grid, aperture, threads.

    Attributes
    ----------
    rays_per_lenslet
        As many are enough: of larger lenslets, sweeps use only a part of the rays.
    """

    light: RayLight
    lenslets: LensletTable
    grid: FineGrid
    radius_px: float
    runner: BandRunner
    rays_per_lenslet: float = 40.0

    def kept(self) -> BoolArray:
        """Which diagonals of Bayer cells a sweep looks at: large lenslets have rays to spare."""
        every = max(1, round(np.pi * self.radius_px**2 / self.rays_per_lenslet))
        return np.asarray(np.arange(sum(self.light.light.shape) // 2 + 1) % every == 0)

    def origins(self) -> FloatArray:
        """Shape (L, 2): fine coordinates of the lenslets."""
        return self.grid.positions(self.lenslets.lens_plane).astype(np.float32)

    def lenslets_within(
        self, origins: FloatArray, first: int, last: int, steepest: float
    ) -> tuple[int, int]:
        """First and last + 1 of the lenslets whose rays can touch fine rows first..last - 1."""
        starts = self.lenslets.row_starts
        rows = self.grid.rows_of(self.lenslets)
        reach = steepest * self.radius_px + 2
        low, high = np.searchsorted(rows, (first - reach, last + reach))
        return int(starts[low]), int(starts[high])


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


def plane_picture(
    bundle: RayBundle, slope: float, *, radius_px: float, half_aperture: int = WHOLE
) -> FloatArray:
    """The picture (3, Y, X) that the rays agree on if everything lies on the plane `slope`.

    Smoothed residuals are added to it twice, so that its own blur does not count as misfit.

    Parameters
    ----------
    radius_px
        Pixels farther than this from their lenslet's center are left out.
    """
    height, width = bundle.grid.shape
    origins, light, table = bundle.origins(), bundle.light, bundle.lenslets
    turn, kept = np.asarray(table.turn, np.float32), bundle.kept()
    picture = np.zeros((3, height, width), np.float32)
    sums = np.empty((2, 3, height, width), np.float32)
    for _ in range(_PICTURE_PASSES):

        def work(first: int, last: int) -> None:
            sums[:, :, first:last] = 0.0
            kernels.spread_residuals(
                light.light, light.response, light.colors, table.centers_px, origins, turn,
                np.float32(radius_px), half_aperture, kept, np.float32(slope), picture,
                bundle.lenslets_within(origins, first, last, abs(slope)), (first, last), sums,
            )  # fmt: skip

        bundle.runner.map(work, height)
        for c in range(3):
            amount, weight = (cv2.GaussianBlur(s[c], (0, 0), _PICTURE_BLUR_PX) for s in sums)
            picture[c] += amount / (weight + np.float32(_LEAST_WEIGHT))
    return picture


def consensus_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    *,
    outlier_error: float,
    truncation: float,
    half_apertures: bool,
) -> Iterable[FloatArray]:
    """Mean truncated misfit of the rays to what they agree on, plane by plane, shape (Y, X).

    Parameters
    ----------
    half_apertures
        Let the rays of each half aperture agree by themselves, and take the least misfit: next
        to an occluder, the picture of the whole aperture mixes both surfaces.
    """
    sums = _MisfitSums(bundle, outlier_error=outlier_error, truncation=truncation)
    for slope in slopes:
        best = None
        for half in range(4) if half_apertures else (WHOLE,):
            picture = plane_picture(
                bundle, float(slope), radius_px=bundle.radius_px, half_aperture=half
            )
            sums.gather(float(slope), picture, half_aperture=half)
            cost = sums.least(window=_CONSENSUS_WINDOW, half_aperture=half)
            best = cost if best is None else np.minimum(best, cost)
        assert best is not None
        yield best


def residual_costs(
    bundle: RayBundle,
    slopes: DoubleArray,
    blurred: FloatArray,
    *,
    outlier_error: float,
    truncation: float,
) -> Iterable[FloatArray]:
    """Mean truncated misfit of the rays to a sharp picture, plane by plane, shape (Y, X).

    Parameters
    ----------
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint.
    outlier_error
        Share of the signal that counts as noise.
    truncation
        Squared residual, in units of the variance, that a ray's cost approaches.
    """
    sums = _MisfitSums(bundle, outlier_error=outlier_error, truncation=truncation)
    for slope in slopes:
        sums.gather(float(slope), blurred, half_aperture=WHOLE)
        yield sums.least(window=_RESIDUAL_WINDOW, half_aperture=WHOLE)


class _MisfitSums:
    """Truncated misfits of one plane's rays, summed in every cell for each half aperture."""

    def __init__(self, bundle: RayBundle, *, outlier_error: float, truncation: float) -> None:
        self._bundle = bundle
        self._origins = bundle.origins()
        self._kept = bundle.kept()
        self._terms = bundle.light.noise_terms()
        self._turn = np.asarray(bundle.lenslets.turn, np.float32)
        self._outlier_error, self._truncation = np.float32(outlier_error), np.float32(truncation)
        self._misfit = np.empty((4, *bundle.grid.shape), np.float32)
        self._count = np.empty_like(self._misfit)

    def gather(self, slope: float, picture: FloatArray, *, half_aperture: int) -> None:
        """Compare the plane's rays, of one half of the aperture or all, with a picture."""
        bundle, light, kept = self._bundle, self._bundle.light, self._kept

        def work(first: int, last: int) -> None:
            self._misfit[:, first:last] = 0.0
            self._count[:, first:last] = 0.0
            kernels.gather_residuals(
                light.light, light.response, light.colors, self._terms,
                bundle.lenslets.centers_px, self._origins, self._turn,
                np.float32(bundle.radius_px), half_aperture, kept,
                np.float32(slope), picture, self._outlier_error, self._truncation,
                bundle.lenslets_within(self._origins, first, last, abs(slope)), (first, last),
                self._misfit[:, first:last], self._count[:, first:last],
            )  # fmt: skip

        bundle.runner.map(work, bundle.grid.shape[0])

    def least(self, *, window: int, half_aperture: int) -> FloatArray:
        """Mean misfit in a window: of one half, or the least of the whole and all halves."""
        if half_aperture != WHOLE:
            return self._mean(self._misfit[half_aperture], self._count[half_aperture], window)
        both = self._misfit[0] + self._misfit[1], self._count[0] + self._count[1]
        best = self._mean(*both, window)
        for half, number in zip(self._misfit, self._count, strict=True):
            mean = self._mean(half, number, window) + np.float32(_HALF_APERTURE_PENALTY)
            np.minimum(best, mean, out=best)
        return best

    def _mean(self, total: FloatArray, number: FloatArray, window: int) -> FloatArray:
        total, number = (
            cv2.boxFilter(values, -1, (window, window), normalize=False)
            for values in (total, number)
        )
        doubt = np.float32(_DOUBT)
        return np.asarray((total + doubt * self._truncation) / (number + doubt), np.float32)


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
