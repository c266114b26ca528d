"""Where the raw rays run: lenslets, directions and measured light, without per-ray tables.

Every sensor pixel near a lenslet's center is one ray. Its geometry follows from the lenslet: a
table of lenslets (a hundred thousand rows) is kept, a table of rays (tens of millions) is not.
Positions are in pixels of a square *fine grid* that divides every view pixel into k x k.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lfdfp.datatypes import (
    BAYER_COLOR,
    ROW_STEP_PITCHES,
    BoolArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
    Rays,
    ViewSampling,
)

MISSING = np.float32(-1e9)
"""Light of a pixel that carries no usable measurement."""

HIDDEN = np.float32(1e9)
"""Slope of a ray that no visible surface explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineGrid:
    """A square grid k times finer than the views, with a margin for the rays at the border.

    Attributes
    ----------
    sampling
        Of the views that the grid divides.
    k
        Fine pixels per view pixel along each axis.
    margin
        Fine pixels added on every side.
    """

    sampling: ViewSampling
    k: int
    margin: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), margins included."""
        t, s = self.sampling.shape
        return self.k * t + 2 * self.margin, self.k * s + 2 * self.margin

    @property
    def pixels_per_pitch(self) -> float:
        """Fine pixels per lenslet pitch."""
        return self.k / self.sampling.step_pitch

    @property
    def slope_scale(self) -> float:
        """Factor from disparity (view pixels per angular step) to fine pixels per raw pixel."""
        return self.k / self.sampling.angular_step_px

    def positions(self, lens_plane: DoubleArray) -> DoubleArray:
        """Fine coordinates (row, column), last axis, of lens-plane points (y, x) in pitches."""
        origin = np.asarray(self.sampling.origin_pitch)
        coarse = (lens_plane - origin) / self.sampling.step_pitch
        return np.asarray((coarse + 0.5) * self.k - 0.5 + self.margin)

    def tile(self, rows: slice, columns: slice) -> FineGrid:
        """The part of this grid between the rows and columns, which k must divide."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        shift = (np.array([rows.start, columns.start]) - self.margin + 0.5) / self.k - 0.5
        shift += 0.5 - 0.5 / self.k
        origin = np.asarray(self.sampling.origin_pitch) + self.sampling.step_pitch * shift
        sampling = replace(
            self.sampling,
            origin_pitch=(float(origin[0]), float(origin[1])),
            shape=(height // self.k, width // self.k),
        )
        return FineGrid(sampling=sampling, k=self.k, margin=0)

    def rows_of(self, lenslets: LensletTable) -> DoubleArray:
        """Fine row of every lattice row."""
        y = lenslets.row_positions
        return self.positions(np.stack([y, np.zeros_like(y)], axis=-1))[:, 0]

    def inner(self, picture: FloatArray) -> FloatArray:
        """Drop the margin of the two leading axes."""
        m = self.margin
        return picture[m : picture.shape[0] - m, m : picture.shape[1] - m]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletTable:
    """All lenslets whose images lie on the sensor, sorted by lattice row, then along the row.

    Attributes
    ----------
    centers_px
        Shape (L, 2), float32: (row, column) of the image centers on the sensor.
    lens_plane
        Shape (L, 2): (y, x) in the lens plane, in pitches.
    row_starts
        Shape (R + 1,): first lenslet of every lattice row, and L.
    row_positions
        Shape (R,): y of every lattice row in the lens plane, in pitches.
    turn
        (cos, sin) of the lattice's rotation: a pixel offset (down, right) on the sensor has the
        direction ``v = cos down - sin right``, ``u = sin down + cos right``.
    pitch_px
        Distance between neighboring lenslets on the sensor.
    """

    centers_px: FloatArray
    lens_plane: DoubleArray
    row_starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    row_positions: DoubleArray
    turn: tuple[float, float]
    pitch_px: float

    def selected(self, chosen: BoolArray) -> LensletTable:
        """Only the lenslets that a mask of shape (L,) names; every lattice row stays."""
        counts = np.concatenate([[0], np.cumsum(chosen)])
        return replace(
            self,
            centers_px=self.centers_px[chosen],
            lens_plane=self.lens_plane[chosen],
            row_starts=counts[self.row_starts].astype(np.int64),
            row_positions=self.row_positions,
        )


def lenslet_table(grid: LensletGrid) -> LensletTable:
    """List the lenslets whose image centers lie on the sensor, in a fixed order."""
    height, width = grid.sensor_shape
    corners = np.array([[-0.5, -0.5, height - 0.5, height - 0.5], [-0.5, width - 0.5] * 2])
    q_corner, r_corner = grid.lattice_coordinates(corners[0], corners[1])
    r = np.arange(np.floor(r_corner.min()) - 1, np.ceil(r_corner.max()) + 2)
    q = np.arange(np.floor(q_corner.min()) - 1, np.ceil(q_corner.max()) + 2)
    rr, qq = (axis.ravel() for axis in np.meshgrid(r, q, indexing="ij"))
    centers = grid.centers(qq, rr).T
    inside = np.all((centers > -0.5) & (centers < np.array([height, width]) - 0.5), axis=1)
    rr, qq = rr[inside], qq[inside]
    starts = np.flatnonzero(np.diff(rr, prepend=rr[0] - 1))
    return LensletTable(
        centers_px=centers[inside].astype(np.float32),
        lens_plane=np.stack([rr * ROW_STEP_PITCHES, qq + rr / 2], axis=1),
        row_starts=np.append(starts, len(rr)).astype(np.int64),
        row_positions=rr[starts] * ROW_STEP_PITCHES,
        turn=(float(np.cos(grid.rotation_rad)), float(np.sin(grid.rotation_rad))),
        pitch_px=grid.pitch_px,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayLight:
    """What every ray measured, in white-balanced camera colors.

    Attributes
    ----------
    light
        Shape (H, W): ``gain (raw - black) / response``; `MISSING` where a pixel is dead or too
        dim; ``-2 - value`` where it is saturated, so that the light is at least `value`.
    response
        Shape (H, W), of the calibration.
    colors
        Shape (2, 2), int64: color (0 red, 1 green, 2 blue) of the Bayer cell.
    gains
        Shape (2, 2): from codes to white-balanced light, before the response.
    noise
        Of the raw codes.
    """

    light: FloatArray
    response: FloatArray
    colors: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    gains: FloatArray
    noise: NoiseModel

    def noise_terms(self) -> FloatArray:
        """Shape (2, 2, 3): (a, b, r) of the variance ``a / w² + b x / w + r x²`` of light x."""
        gain = self.gains.astype(np.float64)
        terms = np.stack(
            [
                self.noise.read_variance * gain**2,
                self.noise.shot_gain * gain,
                np.full((2, 2), self.noise.relative**2),
            ],
            axis=-1,
        )
        return terms.astype(np.float32)


def measured_light(rays: Rays, *, least_response: float, noise: NoiseModel) -> RayLight:
    """Turn raw codes into light per ray, and mark what carries no measurement.

    Parameters
    ----------
    least_response
        Pixels below this share of full response are missing.
    noise
        Of the raw codes; kept for the variances.
    """
    capture, response = rays.capture, rays.calibration.response
    light = np.full(capture.mosaic.shape, MISSING, np.float32)
    gains = np.zeros((2, 2), np.float32)
    colors = np.zeros((2, 2), np.int64)
    for k, (channel, rows, columns, black, white) in enumerate(capture.bayer_planes()):
        color = BAYER_COLOR[channel]
        gain = capture.color.white_balance[color] / (white - black)
        gains[k // 2, k % 2], colors[k // 2, k % 2] = gain, color
        codes = capture.mosaic[rows, columns]
        share = response[rows, columns]
        usable = share >= least_response
        plane = (codes - np.float32(black)) * np.float32(gain) / np.maximum(share, least_response)
        saturated = codes >= _saturation_code(capture, black, white)
        plane = np.where(saturated, -2.0 - plane, plane)
        light[rows, columns] = np.where(usable, plane, MISSING)
    return RayLight(light=light, response=response, colors=colors, gains=gains, noise=noise)


def _saturation_code(capture: RawCapture, black: float, white: float) -> float:
    """Codes from here on do not tell how bright the light was."""
    return black + 0.985 * (white - black)
