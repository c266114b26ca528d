"""Refocusing on a grid finer than the views, from the rays where they really run.

On its own plane, a scene is seen by every lenslet from many directions, and each ray shows
another place of it, unless the disparity moves all of them by whole lenslets. The picture x on the
fine grid is the least-squares fit to those rays, color by color ::

    Σ_rays w (y − (S B x)(ray))² + λ Σ q |∇x|²        (Bᵀ Sᵀ W S B + λ ∇ᵀ Q ∇) x = Bᵀ Sᵀ W y

with S bilinear interpolation at the ray's place on the plane, B the blur by the lenslet's and the
pixel's footprint, w the inverse variance of the ray, and λ the smoothness expected of pictures. It
is solved by a few steps of conjugate gradients from the mean of the rays, in three rounds: each
relaxes the smoothness at the edges of the picture that it starts from,
``q = χ² / √(1 + |∇x|² / ε²)`` (total variation by reweighted least squares), and tightens it where
the rays disagree more than noise explains (χ² > 1), because what they see is not on the plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from lfdfp.computing.bands import BandRunner, thread_count
from lfdfp.datatypes import (
    FloatArray,
    LightField,
    Rays,
)
from lfdfp.errors import SettingsError
from lfdfp.imaging.color import display_matrix, oriented
from lfdfp.imaging.gaussian import gaussian
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.lenslets.table import lenslet_table
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.fine_grid import FINEST, FineGrid
from lfdfp.reconstruction.observation import BILINEAR_VARIANCE
from lfdfp.reconstruction.plane_kernels import WeighedRays, apply_sums, sum_rays
from lfdfp.reconstruction.ray_light import RayLight, measured_light, rays_of
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED
from lfdfp.reconstruction.solver.conjugate_gradients import ArraySystem, conjugate_gradients

HEXAGON_VARIANCE = 5.0 / 72.0
"""Variance of a regular hexagonal lenslet along any axis, in pitches squared."""

_LEAST_RESPONSE = 0.25  # dimmer pixels see their neighbor's lenslet too
_RIM = 0.46  # of the pitch: radius within which a pixel belongs to its lenslet
_CONTRAST = 0.5  # expected standard deviation of gradients, per view pixel, of the mean light
_STEPS = 8
_ROUNDS = 3
_EDGE = 0.4  # gradients, per view pixel, of this much of the typical light count as edges
_START_SPREAD = 0.4  # view pixels: half the distance of neighboring lenslets, about


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SuperResolvedSlice:
    """A refocused picture on a finer grid.

    Attributes
    ----------
    picture
        Shape (kT, kS, 3), linear light in the units of the decoded views, upright like them.
    coverage
        Shape (kT, kS), in [0, 1]: weight of the rays that fall on each fine pixel, relative to
        rays spread evenly. Where the disparity makes all rays meet in the lenslets' own places,
        about 0.87/k² on average: the fine grid then shows no more than the views.
    scale
        k.
    """

    picture: FloatArray
    coverage: FloatArray
    scale: int


def refocus_super_resolved(
    field: LightField,
    slope: float,
    *,
    scale: int = 2,
    steps: int = _STEPS,
    threads: int | None = None,
) -> SuperResolvedSlice:
    """Bring the plane of one slope into focus on a grid `scale` times finer than the views.

    Parameters
    ----------
    field
        Decoded from a capture: its rays are used, not its views.
    slope
        Pixels of the views per angular step.
    steps
        Of conjugate gradients; 0 gives the mean of the rays, blurred as they are.
    threads
        Bands of rows computed at the same time; None takes numba's setting.

    Raises
    ------
    ImageError
        For a field without rays.
    SettingsError
        For a scale outside 1 to 4.
    """
    rays, sampling = rays_of(field)
    if not 1 <= scale <= 4:
        raise SettingsError(f"scale must be 1 to 4, got {scale}")
    finer = max(1, FINEST // scale)  # than asked for, then averaged: half a dB better
    grid = FineGrid(sampling=sampling, k=finer * scale, margin=4 * FINEST)
    plane = _PlaneRays(rays, grid, slope, thread_count(threads))
    height, width = (scale * size for size in sampling.shape)
    light = np.empty((height, width, 3), np.float32)
    counts = np.zeros((height, width), np.float32)
    for color in range(3):
        sums, number = plane.sums(color)
        solver = _PlaneSolver(sums, _footprint_variance(grid, slope), grid.k, plane.typical)
        light[..., color] = _blocks(grid.inner(solver.solve(steps)), finer).mean(axis=(1, 3))
        counts += _blocks(grid.inner(number), finer).sum(axis=(1, 3))
    matrix = display_matrix(rays.capture.color)
    return SuperResolvedSlice(
        picture=_turned(light @ matrix.T.astype(np.float32), sampling.orientation),
        coverage=_turned(_coverage(counts), sampling.orientation),
        scale=scale,
    )


def _turned(image: FloatArray, orientation: int) -> FloatArray:
    """Upright like the views; a slope keeps its value, as directions turn with positions."""
    return np.ascontiguousarray(oriented(image, orientation))


def _blocks(picture: FloatArray, size: int) -> FloatArray:
    """Shape (Y, size, X, size)."""
    rows, columns = picture.shape
    return picture.reshape(rows // size, size, columns // size, size)


class _PlaneRays:
    """The rays of a capture where they meet a plane, on a fine grid."""

    def __init__(self, rays: Rays, grid: FineGrid, slope: float, threads: int) -> None:
        noise = rays.calibration.noise or noise_from_iso(rays.capture)
        measured = measured_light(rays, least_response=_LEAST_RESPONSE, noise=noise)
        light = measured.light
        self.typical = max(float(np.median(light[light >= 0])), 1e-3) if (light >= 0).any() else 1.0
        self._weights = _inverse_variances(measured, self.typical)
        table = lenslet_table(rays.calibration.grid)
        self._bundle = RayBundle(
            light=measured,
            lenslets=table,
            grid=grid,
            radius_px=_RIM * table.pitch_px,
            runner=BandRunner(threads),
        )
        self._slope = slope * grid.slope_scale

    def sums(self, color: int) -> tuple[FloatArray, FloatArray]:
        """Normal matrix and right-hand side (Y, X, 7), and weights (Y, X) of the nearest rays."""
        bundle, slope = self._bundle, self._slope
        sums = np.zeros((*bundle.grid.shape, 7), np.float32)
        counts = np.zeros(bundle.grid.shape, np.float32)
        places = bundle.places
        rays = WeighedRays(bundle.light.light, self._weights, bundle.light.colors, color)

        def add(first: int, last: int) -> None:
            band = bundle.band(first, last, abs(slope))
            sum_rays(rays, places, slope, band, sums[first:last], counts[first:last])

        bundle.runner.map(add, bundle.grid.shape[0])
        return sums, counts


def _inverse_variances(measured: RayLight, typical: float) -> FloatArray:
    """Weights (H, W) of the rays, in units of `typical` light; 0 for what is missing or saturated.

    Weights that followed each ray's own light would favor those that noise made dark.
    """
    light, terms = measured.light, measured.noise_terms()
    weights = np.zeros(light.shape, np.float32)
    for i, j in np.ndindex(2, 2):
        read, shot, relative = (float(term) for term in terms[i, j])
        share = np.maximum(measured.response[i::2, j::2], _LEAST_RESPONSE)
        variance = (read / share + shot * typical) / share + relative * typical**2
        weights[i::2, j::2] = typical**2 / variance
    weights[light < LEAST_MEASURED] = 0
    return weights


def _footprint_variance(grid: FineGrid, slope: float) -> float:
    """Variance of what one ray averages over, in fine pixels squared, less S's own blur.

    A ray sees a lenslet's area, and its pixel's width in direction as `slope` pixels on the plane.
    """
    lenslet = HEXAGON_VARIANCE * grid.pixels_per_pitch**2
    pixel = (slope * grid.slope_scale) ** 2 / 12
    return max(lenslet + pixel - BILINEAR_VARIANCE, 0.0)


def _coverage(counts: FloatArray) -> FloatArray:
    """Weights of the rays nearest to each fine pixel, relative to even ones, at most 1."""
    measured = counts[counts > 0]
    even = float(measured.sum()) / counts.size if measured.size else 1.0
    return np.asarray(np.minimum(counts / max(even, 1e-30), 1), np.float32)


class _PlaneSolver:
    """Conjugate gradients for (Bᵀ N B + λ ∇ᵀ∇) x = Bᵀ r.

    Weights count light in units of its typical value, so λ follows from the contrast expected of
    pictures and from nothing else.
    """

    def __init__(
        self, sums: FloatArray, footprint_variance: float, fineness: int, typical: float
    ) -> None:
        self._sums = sums
        self._taps = _repeated_taps(footprint_variance)
        self._spread = _START_SPREAD * fineness
        self._fineness = fineness
        self._typical = typical
        self._smoothness = np.float32((fineness / _CONTRAST) ** 2)

    def solve(self, steps: int) -> FloatArray:
        """Picture (Y, X) after rounds of some steps each, from the mean of the rays."""
        x = self._mean()
        for _ in range(_ROUNDS if steps else 0):
            stiffness = self._stiffness_of(x)
            operator = partial(self._apply, stiffness)
            system = ArraySystem(operator, self._diagonal(stiffness), _dot)
            pull = self._blur(np.ascontiguousarray(self._sums[..., 5]))
            x = conjugate_gradients(system, pull, x, steps)
        return x

    def _diagonal(self, stiffness: tuple[FloatArray, FloatArray]) -> FloatArray:
        """Approximate diagonal of the operator."""
        down, right = stiffness
        diagonal = self._sums[..., 0] + down + right
        diagonal[1:] += down[:-1]
        diagonal[:, 1:] += right[:, :-1]
        return diagonal

    def _stiffness_of(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """λ Q (Y, X) of the differences to the pixel below and to the right; 0 at the border."""
        import cv2

        down, right = np.zeros_like(x), np.zeros_like(x)
        down[:-1], right[:, :-1] = np.diff(x, axis=0), np.diff(x, axis=1)
        steepness = cv2.blur(down * down + right * right, (3, 3))
        soft = np.float32((_EDGE * self._typical / self._fineness) ** 2)
        stiffness = self._smoothness * self._misfit(x) / np.sqrt(1 + steepness / soft)
        down, right = stiffness.copy(), stiffness.copy()
        down[-1], right[:, -1] = 0, 0
        return down, right

    def _misfit(self, x: FloatArray) -> FloatArray:
        """Mean squared residual of the rays around each pixel over their variance, at least 1.

        What is not on the plane is seen in different places by different rays. No sharp picture
        fits them, and the smoothness must hold against their disagreement as against noise.
        """
        seen = self._blur(x)
        product = np.empty_like(x)
        apply_sums(self._sums, seen, product)
        squares = self._sums[..., 6] - 2 * seen * self._sums[..., 5] + seen * product
        spread = 2 * self._spread
        weight = gaussian(self._weights(), spread)
        mean = gaussian(squares, spread) / np.maximum(weight, 1e-6 * weight.max())
        return np.asarray(np.maximum(mean / self._typical**2, 1), np.float32)

    def _weights(self) -> FloatArray:
        """Σ w b (Y, X): the rows of the symmetric matrix, summed by halves."""
        sums = self._sums[..., :5].sum(axis=2) + self._sums[..., 1:5].sum(axis=2)
        return np.asarray(sums, np.float32)

    def _mean(self) -> FloatArray:
        """Weighted mean of the rays around each pixel, as wide as lenslets stand apart."""
        light = gaussian(self._sums[..., 5], self._spread)
        weight = gaussian(self._weights(), self._spread)
        return np.asarray(light / np.maximum(weight, 1e-6 * weight.max()), np.float32)

    def _apply(self, stiffness: tuple[FloatArray, FloatArray], x: FloatArray) -> FloatArray:
        out = np.empty_like(x)
        apply_sums(self._sums, self._blur(x), out)
        result = self._blur(out)
        down, right = stiffness
        step = down[:-1] * np.diff(x, axis=0)
        result[:-1] -= step
        result[1:] += step
        step = right[:, :-1] * np.diff(x, axis=1)
        result[:, :-1] -= step
        result[:, 1:] += step
        return result

    def _blur(self, x: FloatArray) -> FloatArray:
        import cv2

        return np.asarray(
            cv2.sepFilter2D(x, -1, self._taps, self._taps, borderType=cv2.BORDER_CONSTANT),
            np.float32,
        )


def _dot(one: FloatArray, other: FloatArray) -> float:
    return float(np.vdot(one, other))


def _repeated_taps(variance: float) -> FloatArray:
    """Symmetric taps that sum to 1 and have this variance: a short one, convolved with itself."""
    times = max(1, int(np.ceil(variance / 0.4)))
    share = variance / times / 2
    taps = np.ones(1)
    for _ in range(times):
        taps = np.convolve(taps, [share, 1 - 2 * share, share])
    return taps.astype(np.float32)
