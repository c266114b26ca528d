"""Rays as the disparity stages use them: where they are, and as a list that sweeps stream through.

A pass over the sensor finds every ray of a lenslet by testing pixels. A sweep passes over the
same rays hundreds of times, so it has them listed once: what a plane needs of them, lenslet by
lenslet and, under each, quadrant by quadrant of the aperture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.lenslets.table import LensletTable
from lfdfp.reconstruction.depth import list_kernels as kernels
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.ray_light import HIDDEN, RayLight


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayBundle:
    """Rays and what they are looked at with: light, lenslets, grid, aperture, threads.

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayList:
    """The usable rays of a bundle, neither missing nor saturated, in the lenslets' order.

    Attributes
    ----------
    starts
        Shape (L, 5), int32: first ray of each quadrant of the aperture (upper left, upper right,
        lower right, lower left: every half is two neighbors), and the end of the last.
    direction
        Shape (n, 2), float32: (v, u) in raw pixels.
    measured
        Shape (n, 2), float32: light, and response.
    cell
        Shape (n,), uint8: place in the Bayer cell, 2 (row & 1) + (column & 1).
    farthest
        Shape (n,), float32: slope of the last plane that the ray can see; what lies behind is
        hidden from it.
    """

    starts: np.ndarray[tuple[int, int], np.dtype[np.int32]]
    direction: FloatArray
    measured: FloatArray
    cell: np.ndarray[tuple[int], np.dtype[np.uint8]]
    farthest: FloatArray


def listed_rays(bundle: RayBundle, reached: FloatArray | None = None) -> RayList:
    """List the rays that the sweeps of a bundle look at: 21 bytes a ray.

    Parameters
    ----------
    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see; None where nothing
        is known to hide any.
    """
    light, table = bundle.light, bundle.lenslets
    if reached is None:
        reached = np.full(light.light.shape, HIDDEN, np.float32)
    shared = (
        light.light, light.response, table.centers_px, np.asarray(table.turn, np.float32),
        np.float32(bundle.radius_px), bundle.kept(),
    )  # fmt: skip
    lattice_rows = len(table.row_starts) - 1

    def lenslets(first: int, last: int) -> tuple[int, int]:
        return int(table.row_starts[first]), int(table.row_starts[last])

    counts = np.zeros((len(table.centers_px), 4), np.int32)
    bundle.runner.map(
        lambda a, b: kernels.count_rays(*shared, lenslets(a, b), counts), lattice_rows
    )
    ends = np.cumsum(counts, dtype=np.int32).reshape(counts.shape)
    starts = np.concatenate([ends[:, :1] - counts[:, :1], ends], axis=1)
    number = int(ends[-1, -1]) if ends.size else 0
    rays = RayList(
        starts=starts,
        direction=np.empty((number, 2), np.float32),
        measured=np.empty((number, 2), np.float32),
        cell=np.empty(number, np.uint8),
        farthest=np.empty(number, np.float32),
    )
    bundle.runner.map(
        lambda a, b: kernels.list_rays(
            *shared,
            lenslets(a, b),
            reached,
            starts,
            rays.direction,
            rays.measured,
            rays.cell,
            rays.farthest,
        ),
        lattice_rows,
    )
    return rays
