"""What a picture of uniform light tells of a camera: grid, vignetting, gains, dead pixels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from lfdfp.calibration.grid.fit import fit_lenslet_grid
from lfdfp.calibration.raw_codes import RawCodes, plane_colors, raw_codes
from lfdfp.calibration.response.offset_kernels import grid_arrays
from lfdfp.calibration.response.profile_fit import fitted_profiles
from lfdfp.calibration.response.profiles import rendered_profiles
from lfdfp.calibration.response.white_image_kernels import (
    Deviations,
    Tolerances,
    believed_gains,
    lenslet_products,
    pixel_deviations,
)
from lfdfp.datatypes import (
    BayerPattern,
    BoolArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
)
from lfdfp.errors import CalibrationError
from lfdfp.imaging.sensor_noise import MEDIAN_OF_SQUARE, noise_from_iso
from lfdfp.lenslets.arrays import lenslet_frame

_DARKEST = 0.02
_GROSS_SHARE = 0.4
_GROSS_LEVEL = 0.25
_NEIGHBORHOOD_LENSLETS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletResponse:
    """Response of the lenslets at one zoom and focus, without what single pixels add.

    Attributes
    ----------
    grid
        Where the lenslets' images lie.
    profiles
        Shape (Z, Z, 3, N, N): light by zone, color and offset (see `offset_table`).
    gains
        Shape (3, R, X): light of every lenslet per color, 1 at the best-lit ones; lenslet
        (q, r) is at ``[r - first[0], q + (r >> 1) - first[1]]``. Empty where not known.
    first
        See `gains`.
    zoom_step, focus_step
        Of the main lens; None where the file did not say.
    """

    grid: LensletGrid
    profiles: FloatArray
    gains: FloatArray
    first: tuple[int, int]
    zoom_step: int | None = None
    focus_step: int | None = None

    def render(self, bayer: BayerPattern, grid: LensletGrid | None = None) -> FloatArray:
        """Response (H, W) of every pixel, on this grid or on a slightly different one."""
        seen = self.grid if grid is None else _same_labels(grid, self.grid)
        gains, first = self.gains, self.first
        if gains.size:
            frame = lenslet_frame(seen)
            gains, first = _padded(self.gains, self.first, frame), frame[0]
        return rendered_profiles(self.profiles, plane_colors(bayer), seen, gains, first)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelEvidence:
    """What one white image says of its single pixels.

    Attributes
    ----------
    deviation
        Shape (H, W): light / smooth model - 1.
    precision
        Shape (H, W): inverse variance of the deviation.
    defective
        Shape (H, W): pixels that differ grossly.
    """

    deviation: FloatArray
    precision: FloatArray
    defective: BoolArray

    def gain(self) -> FloatArray:
        """Shape (H, W): response of the pixels beside their neighbors', 0 where defective.

        The noise of a white image (1 to 2 % per pixel) would be added to every capture that is
        divided by it. So a pixel keeps only the share of its deviation that exceeds the noise
        (a Wiener filter).
        """
        gain = np.empty_like(self.deviation)
        found = Deviations(self.deviation, self.precision, self.defective)
        believed_gains(found, self.spread() ** 2, gain)
        return gain

    def spread(self) -> float:
        """How differently pixels respond: what the deviations vary more than their noise."""
        return self._spread_and_noise()[0]

    def gain_error(self) -> float:
        """Standard deviation of the gains' error, typical of well-lit pixels."""
        spread, noise = self._spread_and_noise()
        return float(spread * noise / np.hypot(spread, noise))

    def _spread_and_noise(self) -> tuple[float, float]:
        deviation, precision = (a[::3, ::3] for a in (self.deviation, self.precision))
        lit = precision >= np.percentile(precision, 50)
        square = float(np.median(deviation[lit] ** 2)) / MEDIAN_OF_SQUARE
        noise = float(np.median(1 / precision[lit]))
        return float(np.sqrt(max(square - noise, 1e-8))), float(np.sqrt(noise))


def measure_white_image(white: RawCapture) -> tuple[LensletResponse, PixelEvidence]:
    """Measure the smooth part of the response, and what the single pixels add.

    Raises
    ------
    CalibrationError
        When no lattice is found, or the white image is too dark.
    """
    grid = fit_lenslet_grid(white, is_white=True)
    profiles = fitted_profiles([(white, grid)], is_white=True)
    codes = raw_codes(white)
    smooth = rendered_profiles(profiles, codes.colors, grid)
    first, size = lenslet_frame(grid)
    sums = np.zeros((2, 3, *size))
    lenslet_products(codes, smooth, grid_arrays(grid), first, sums)
    light = sums[0] / np.maximum(sums[1], 1e-9)
    gains, tops = _normalized(light, sums[1])
    lenslets = LensletResponse(
        grid=grid,
        profiles=profiles,
        gains=gains,
        first=first,
        zoom_step=white.lens.zoom_step,
        focus_step=white.lens.focus_step,
    )
    return lenslets, _pixel_evidence(codes, noise_from_iso(white), smooth, lenslets, tops)


def _pixel_evidence(
    codes: RawCodes,
    noise: NoiseModel,
    smooth: FloatArray,
    lenslets: LensletResponse,
    tops: FloatArray,
) -> PixelEvidence:
    """Compare every pixel of a white image with the smooth model of its lenslet."""
    span = float((codes.white - codes.black).mean())
    shape = codes.mosaic.shape
    found = Deviations(
        np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.bool_)
    )
    tolerances = Tolerances(
        noise.read_variance / span**2,
        noise.shot_gain / span,
        _GROSS_SHARE,
        _GROSS_LEVEL * float(tops.max()),
    )
    gains = lenslets.gains * tops[:, None, None]
    grid = grid_arrays(lenslets.grid)
    pixel_deviations(codes, smooth, grid, lenslets.first, gains, tolerances, found)
    return PixelEvidence(
        deviation=found.deviation, precision=found.precision, defective=found.defective
    )


def _normalized(light: DoubleArray, support: DoubleArray) -> tuple[FloatArray, FloatArray]:
    """Gains (3, R, X), 1 where the light is brightest, and that light (3,).

    Brightest is the 99.9th percentile of averages over neighbors: single lenslets and their
    noise must not decide the exposure. Lenslets that show too few pixels get a typical gain.
    """
    import cv2

    gains, tops = np.empty(light.shape, np.float32), np.empty(3, np.float32)
    for color, name in enumerate(("red", "green", "blue")):
        seen = support[color] > 0.25 * np.percentile(support[color], 90)
        around = [
            cv2.GaussianBlur(np.where(seen, part, 0.0), (0, 0), _NEIGHBORHOOD_LENSLETS)
            for part in (light[color], np.ones_like(light[color]))
        ]
        average = around[0] / np.maximum(around[1], 1e-9)
        top = float(np.percentile(average[seen], 99.9)) if seen.any() else 0.0
        if not top > _DARKEST:
            raise CalibrationError(
                f"the white image is too dark: its brightest {name} pixels reach only "
                f"{100 * max(top, 0.0):.1f} % of the white level"
            )
        gains[color] = np.where(seen, light[color], np.median(light[color][seen])) / top
        tops[color] = top
    return gains, tops


def _padded(
    gains: FloatArray, first: tuple[int, int], frame: tuple[tuple[int, int], tuple[int, int]]
) -> FloatArray:
    """Gains on another frame of the same lenslets; the nearest ones where it is larger."""
    (row, column), (rows, columns) = frame
    j = (np.arange(rows) + row - first[0]).clip(0, gains.shape[1] - 1)
    i = (np.arange(columns) + column - first[1]).clip(0, gains.shape[2] - 1)
    return np.ascontiguousarray(gains[:, j[:, None], i[None, :]])


def _same_labels(grid: LensletGrid, reference: LensletGrid) -> LensletGrid:
    """`grid`, counted from the lenslet that is (0, 0) of a reference."""
    row, column = reference.origin_px
    q, r = np.rint(grid.lattice_coordinates(np.array(row), np.array(column)))
    origin = np.array(grid.origin_px) + grid.basis_px @ np.array([q, r])
    return dataclasses.replace(grid, origin_px=(float(origin[0]), float(origin[1])))
