"""What the raw rays of a light field see of a sharp picture: forward, adjoint, normal equations.

A ray of disparity δ through the lens-plane point p with direction w measures the picture x behind
the lenslet's footprint B at ``p - δ w``: ``A = S B``, with S bilinear sampling of one color. The
normal operator ``Bᵀ (Sᵀ W S) B`` needs no ray once the 9-point stencil ``Sᵀ W S`` is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction import observation_kernels as kernels
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.footprint_kernels import blur_band, stencil_band
from lfdfp.reconstruction.ray_light import RayLight

BILINEAR_VARIANCE = 1 / 6
"""Mean variance, in pixels squared, that bilinear sampling between pixels adds to a footprint."""


def footprint_taps(variance_px: float) -> FloatArray:
    """Weights, shape (3,), at distances 0, 1 and 2 of a box with this variance, px², per axis.

    The box is as wide as it must be for `variance_px` less what bilinear sampling adds by
    itself; at most 5 pixels, at least 1.
    """
    width = np.sqrt(12 * max(variance_px - BILINEAR_VARIANCE, 0.0))
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayObservation:
    """The linear map from a picture on a fine grid to all rays of a capture.

    Attributes
    ----------
    bundle
        What was measured, by which lenslets, the grid of the picture, and which pixels are used.
    slopes
        Shape (H, W), float32: disparity of every ray in fine pixels per raw pixel, or `HIDDEN`.
    taps
        Shape (3,): of the footprint (`footprint_taps`).
    steepest
        Largest absolute slope that is not hidden, in fine pixels per raw pixel.
    """

    bundle: RayBundle
    slopes: FloatArray
    taps: FloatArray
    steepest: float

    @classmethod
    def of(cls, bundle: RayBundle, slopes: FloatArray, taps: FloatArray) -> RayObservation:
        """The observation of a bundle's rays at `slopes` (H, W), behind a footprint `taps` (3,)."""
        steepest = float(kernels.steepest_slope(slopes))
        return cls(bundle=bundle, slopes=slopes, taps=taps, steepest=steepest)

    @classmethod
    def following(
        cls,
        bundle: RayBundle,
        slope_map: FloatArray,
        *,
        step_pitch: float,
        footprint_pitch: float,
    ) -> RayObservation:
        """Every ray of a bundle at the first surface that it meets from near to far.

        Parameters
        ----------
        slope_map
            Shape (Y, X): slope of the surface seen at every fine pixel from the aperture's center,
            in fine pixels per raw pixel.
        step_pitch
            Slopes closer than this, in pitches per raw pixel, belong to one surface.
        footprint_pitch
            Side of the square that stands for a lenslet's area.
        """
        scale = bundle.grid.pixels_per_pitch
        slopes = visible_slopes(bundle, slope_map, step=step_pitch * scale)
        return cls.of(bundle, slopes, footprint_taps((footprint_pitch * scale) ** 2 / 12))

    @property
    def light(self) -> RayLight:
        """What was measured."""
        return self.bundle.light

    @property
    def grid(self) -> FineGrid:
        """The grid of the picture."""
        return self.bundle.grid

    @property
    def runner(self) -> BandRunner:
        """The threads that passes are spread over."""
        return self.bundle.runner

    def with_light(self, light: RayLight) -> RayObservation:
        """The same rays with other measurements or another noise."""
        return replace(self, bundle=replace(self.bundle, light=light))

    def with_taps(self, taps: FloatArray) -> RayObservation:
        """The same rays behind another footprint: `taps` (3,), from `footprint_taps`."""
        return replace(self, taps=taps)

    def within(self, radius_px: float) -> RayObservation:
        """Only the rays no farther than this from their lenslets' centers, in sensor pixels."""
        return replace(self, bundle=replace(self.bundle, radius_px=radius_px))

    def on_grid(self, grid: FineGrid) -> RayObservation:
        """The same rays on another grid of the same fineness: a tile."""
        reach = self.bundle.reach(self.steepest)
        lenslets = self.bundle.lenslets
        column = grid.positions(lenslets.lens_plane)[:, 1]
        near = (column > -reach) & (column < grid.shape[1] + reach)
        tile = replace(self.bundle, grid=grid, lenslets=lenslets.selected(near))
        return replace(self, bundle=tile)

    def blur(self, picture: FloatArray) -> FloatArray:
        """The picture (3, Y, X) behind the footprint; symmetric, so its own adjoint."""
        blurred = np.empty_like(picture)
        self.runner.map(lambda a, b: blur_band(picture, self.taps, a, b, blurred), picture.shape[1])
        return blurred

    def forward(self, picture: FloatArray) -> FloatArray:
        """What the rays of a `picture` (3, Y, X) measure, (H, W); 0 for missing and hidden ones."""
        blurred = self.blur(picture)
        prediction = np.zeros_like(self.light.light)
        rays, places = self.bundle.rays(), self.bundle.places

        def work(first: int, last: int) -> None:
            lenslets = self.bundle.lenslets.of_rows(first, last)
            kernels.predict(rays, places, self.slopes, blurred, lenslets, prediction)

        self.runner.map(work, self.bundle.lenslets.rows)
        return prediction

    def adjoint(self, values: FloatArray) -> FloatArray:
        """Spread values (H, W) of the rays back to the picture, shape (3, Y, X)."""
        image = np.zeros((3, *self.grid.shape), np.float32)
        rays, places = self.bundle.rays(), self.bundle.places

        def work(first: int, last: int) -> None:
            kernels.spread(
                rays,
                places,
                self.slopes,
                values,
                self.bundle.band(first, last, self.steepest),
                image,
            )

        self.runner.map(work, self.grid.shape[0])
        return self.blur(image)

    def normal_equations(
        self, picture: FloatArray, weighting: RayWeighting, disagreement: FloatArray | None = None
    ) -> NormalEquations:
        """Accumulate ``Sᵀ W S`` and ``Sᵀ W y`` with weights from `picture`, in one pass.

        Parameters
        ----------
        picture
            Shape (3, Y, X).
        disagreement
            Shape (Y, X): factor on the variance of the rays that see a pixel; None for 1.
        """
        blurred = self.blur(picture)
        height, width = self.grid.shape
        if disagreement is None:
            disagreement = np.ones((height, width), np.float32)
        stencil = np.empty((3, 5, height, width), np.float32)
        moment = np.empty((3, height, width), np.float32)
        rays, places = self.bundle.rays(), self.bundle.places
        terms = kernels.WeightTerms(
            np.float32(weighting.model_error),
            np.float32(weighting.outlier_error),
            np.float32(weighting.robustness),
        )

        def work(first: int, last: int) -> None:
            sums = np.zeros((last - first, width, 3, 6), np.float32)
            kernels.accumulate(
                rays,
                places,
                self.slopes,
                blurred,
                disagreement,
                terms,
                self.bundle.band(first, last, self.steepest),
                sums,
            )
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
