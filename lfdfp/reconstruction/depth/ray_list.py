"""The rays of a bundle as a list that plane sweeps stream through.

A pass over the sensor finds every ray of a lenslet by testing pixels. A sweep passes over the
same rays hundreds of times, so it has them listed once: what a plane needs of them, lenslet by
lenslet and, under each, quadrant by quadrant of the aperture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth import list_kernels as kernels
from lfdfp.reconstruction.ray_marks import HIDDEN

RAYS_PER_LENSLET = 40.0
"""As many rays of a lenslet are enough for a sweep."""


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

    starts: NDArray[np.int32]
    direction: FloatArray
    measured: FloatArray
    cell: NDArray[np.uint8]
    farthest: FloatArray

    def arrays(self) -> kernels.ListArrays:
        """The list as kernels take it."""
        return kernels.ListArrays(
            self.starts, self.direction, self.measured, self.cell, self.farthest
        )


def listed_rays(
    bundle: RayBundle,
    reached: FloatArray | None = None,
    *,
    rays_per_lenslet: float = RAYS_PER_LENSLET,
) -> RayList:
    """List the rays that the sweeps of a bundle look at: 21 bytes a ray.

    Parameters
    ----------
    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see, in fine pixels per
        raw pixel; None where nothing is known to hide any.
    rays_per_lenslet
        As many are enough: of larger lenslets, only a part of the rays is listed.
    """
    rays, places, table = bundle.rays(), bundle.places, bundle.lenslets
    kept = _kept_diagonals(bundle, rays_per_lenslet)
    counts = np.zeros((len(table.centers_px), 4), np.int32)
    bundle.runner.map(
        lambda a, b: kernels.count_rays(rays, places, kept, table.of_rows(a, b), counts), table.rows
    )
    listed = _empty_list(counts)
    arrays = listed.arrays()
    if reached is None:
        reached = np.full(bundle.light.light.shape, HIDDEN, np.float32)
    bundle.runner.map(
        lambda a, b: kernels.list_rays(rays, places, kept, table.of_rows(a, b), reached, arrays),
        table.rows,
    )
    return listed


def _kept_diagonals(bundle: RayBundle, rays_per_lenslet: float) -> BoolArray:
    """Which diagonals of Bayer cells are listed: large lenslets have rays to spare."""
    every = max(1, round(np.pi * bundle.radius_px**2 / rays_per_lenslet))
    return np.asarray(np.arange(sum(bundle.light.light.shape) // 2 + 1) % every == 0)


def _empty_list(counts: NDArray[np.int32]) -> RayList:
    """A list with room for so many rays (L, 4) per lenslet and quadrant."""
    ends = np.cumsum(counts, dtype=np.int32).reshape(counts.shape)
    number = int(ends[-1, -1]) if ends.size else 0
    return RayList(
        starts=np.concatenate([ends[:, :1] - counts[:, :1], ends], axis=1),
        direction=np.empty((number, 2), np.float32),
        measured=np.empty((number, 2), np.float32),
        cell=np.empty(number, np.uint8),
        farthest=np.empty(number, np.float32),
    )
