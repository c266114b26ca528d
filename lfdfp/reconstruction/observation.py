"""What the raw rays of a light field see of a sharp picture: forward, adjoint, normal equations.

A ray of disparity δ through the lens-plane point p with direction w measures the picture x behind
the lenslet's footprint B at ``p - δ w``: ``A = S B``, with S bilinear sampling of one color. The
normal operator ``Bᵀ (Sᵀ W S) B`` needs no ray once the 9-point stencil ``Sᵀ W S`` is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.table import LensletTable
from lfdfp.reconstruction import observation_kernels as kernels
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.footprint_kernels import blur_band, stencil_band
from lfdfp.reconstruction.ray_light import RayLight

_BILINEAR_VARIANCE = 1 / 6
"""Mean variance, in pixels squared, that bilinear sampling between pixels adds to a footprint."""


def footprint_taps(variance_px: float) -> FloatArray:
    """Weights at distances 0, 1 and 2 of a box with this variance, in pixels squared, per axis.

    The box is as wide as it must be for `variance_px` less what bilinear sampling adds by
    itself; at most 5 pixels, at least 1.
    """
    width = np.sqrt(12 * max(variance_px - _BILINEAR_VARIANCE, 0.0))
    width = float(np.clip(width, 1.0, 5.0))
    overlap = np.clip((width + 1) / 2 - np.arange(3), 0.0, 1.0)
    return np.asarray(overlap / (overlap[0] + 2 * overlap[1:].sum()), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayWeighting:
    """How the weight of a ray follows from its predicted signal and its residual.

    Attributes
    ----------
    model_error
        Share of the signal that counts as noise in the weight.
    outlier_error
        The same in the test for outliers.
    robustness
        Squared residual, in units of the variance, from which on a ray loses influence.
    """

    model_error: float = 0.005
    outlier_error: float = 0.01
    robustness: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalEquations:
    """``Sᵀ W S`` as a stencil, and ``Sᵀ W y``.

    Attributes
    ----------
    stencil
        Shape (3, 5, Y, X): couplings with itself, right, down, down-right, down-left.
    moment
        Shape (3, Y, X).
    """

    stencil: FloatArray
    moment: FloatArray


class RayObservation:
    """The linear map from a picture on a fine grid to all rays of a capture.

    Parameters
    ----------
    light, lenslets, grid
        What was measured, by which lenslets, and the grid of the picture.
    slopes
        Shape (H, W), float32: disparity of every ray in fine pixels per raw pixel, or `HIDDEN`.
    taps
        Of the footprint (`footprint_taps`).
    radius_px
        Pixels farther than this from their lenslet's center are not used.
    steepest
        Largest absolute slope, where it is known already.
    """

    def __init__(
        self,
        light: RayLight,
        lenslets: LensletTable,
        grid: FineGrid,
        *,
        slopes: FloatArray,
        taps: FloatArray,
        radius_px: float,
        runner: BandRunner,
        steepest: float | None = None,
    ) -> None:
        self.light = light
        self.lenslets = lenslets
        self.grid = grid
        self.slopes = slopes
        self.taps = taps
        self.radius_px = np.float32(radius_px)
        self.runner = runner
        self._steepest = float(kernels.steepest_slope(slopes)) if steepest is None else steepest
        self.terms = light.noise_terms()
        self.origins = grid.positions(lenslets.lens_plane).astype(np.float32)
        self._turn = np.asarray(lenslets.turn, np.float32)

    def with_light(self, light: RayLight) -> RayObservation:
        """The same rays with other measurements or another noise."""
        return self._altered(light=light)

    def with_taps(self, taps: FloatArray) -> RayObservation:
        """The same rays behind another footprint."""
        return self._altered(taps=taps)

    def within(self, radius_px: float) -> RayObservation:
        """Only the rays that are no farther than this from their lenslets' centers."""
        return self._altered(radius_px=radius_px)

    def on_grid(self, grid: FineGrid) -> RayObservation:
        """The same rays on another grid of the same fineness: a tile."""
        reach = self._steepest * float(self.radius_px) + 2
        column = grid.positions(self.lenslets.lens_plane)[:, 1]
        near = (column > -reach) & (column < grid.shape[1] + reach)
        return self._altered(grid=grid, lenslets=self.lenslets.selected(near))

    def _altered(
        self,
        *,
        light: RayLight | None = None,
        grid: FineGrid | None = None,
        lenslets: LensletTable | None = None,
        taps: FloatArray | None = None,
        radius_px: float | None = None,
    ) -> RayObservation:
        return RayObservation(
            light or self.light,
            lenslets or self.lenslets,
            grid or self.grid,
            slopes=self.slopes,
            taps=self.taps if taps is None else taps,
            radius_px=float(self.radius_px if radius_px is None else radius_px),
            runner=self.runner,
            steepest=self._steepest,
        )

    def _geometry(self) -> tuple[object, ...]:
        table = self.lenslets
        return table.centers_px, self.origins, self._turn, self.slopes, self.radius_px

    def _lenslets_within(self, first: int, last: int) -> tuple[int, int]:
        starts = self.lenslets.row_starts
        rows = self.grid.rows_of(self.lenslets)
        reach = self._steepest * float(self.radius_px) + 2
        low, high = np.searchsorted(rows, (first - reach, last + reach))
        return int(starts[low]), int(starts[high])

    def blur(self, picture: FloatArray) -> FloatArray:
        """The picture (3, Y, X) behind the footprint; symmetric, so its own adjoint."""
        blurred = np.empty_like(picture)
        self.runner.map(lambda a, b: blur_band(picture, self.taps, a, b, blurred), picture.shape[1])
        return blurred

    def forward(self, picture: FloatArray) -> FloatArray:
        """What every ray should measure, shape (H, W); 0 for missing and hidden ones."""
        blurred = self.blur(picture)
        prediction = np.zeros_like(self.light.light)

        def work(first: int, last: int) -> None:
            kernels.predict(
                self.light.light, self.light.colors, *self._geometry(), blurred,
                self._lenslet_rows(first, last), prediction,
            )  # fmt: skip

        self.runner.map(work, len(self.lenslets.row_starts) - 1)
        return prediction

    def _lenslet_rows(self, first: int, last: int) -> tuple[int, int]:
        starts = self.lenslets.row_starts
        return int(starts[first]), int(starts[last])

    def adjoint(self, values: FloatArray) -> FloatArray:
        """Spread values (H, W) of the rays back to the picture, shape (3, Y, X)."""
        image = np.zeros((3, *self.grid.shape), np.float32)

        def work(first: int, last: int) -> None:
            kernels.spread(
                self.light.light, self.light.colors, *self._geometry(), values,
                self._lenslets_within(first, last), (first, last), image,
            )  # fmt: skip

        self.runner.map(work, self.grid.shape[0])
        return self.blur(image)

    def normal_equations(
        self, picture: FloatArray, weighting: RayWeighting, doubt: FloatArray | None = None
    ) -> NormalEquations:
        """Accumulate ``Sᵀ W S`` and ``Sᵀ W y`` with weights from `picture`, in one pass.

        Parameters
        ----------
        picture
            Shape (3, Y, X).
        doubt
            Shape (Y, X): factor on the variance of the rays that see a pixel, or None.
        """
        blurred = self.blur(picture)
        height, width = self.grid.shape
        doubt_map = np.ones((height, width), np.float32) if doubt is None else doubt
        stencil = np.empty((3, 5, height, width), np.float32)
        moment = np.empty((3, height, width), np.float32)

        def work(first: int, last: int) -> None:
            sums = np.zeros((last - first, width, 3, 6), np.float32)
            kernels.accumulate(
                self.light.light, self.light.response, self.light.colors, self.terms,
                *self._geometry(), blurred, doubt_map,
                np.float32(weighting.model_error), np.float32(weighting.outlier_error),
                np.float32(weighting.robustness),
                self._lenslets_within(first, last), (first, last), sums,
            )  # fmt: skip
            kernels.unpack_sums(sums, first, stencil, moment)

        self.runner.map(work, height)
        return NormalEquations(stencil=stencil, moment=moment)

    def normal(self, equations: NormalEquations, picture: FloatArray) -> FloatArray:
        """``Bᵀ (Sᵀ W S) B`` applied to a picture (3, Y, X)."""
        blurred = self.blur(picture)
        coupled = np.empty_like(picture)
        self.runner.map(
            lambda a, b: stencil_band(equations.stencil, blurred, a, b, coupled), picture.shape[1]
        )
        return self.blur(coupled)
