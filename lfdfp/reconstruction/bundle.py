"""Rays and what they are looked at with: what every pass over a capture's rays starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.lenslets.table import LensletTable
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.ray_kernels import Band, LensletPlaces, RayArrays
from lfdfp.reconstruction.ray_light import RayLight

_SPREAD_PX = 2
"""Fine pixels around its place that a ray touches, and one more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RayBundle:
    """Rays and what they are looked at with: light, lenslets, grid, aperture, threads.

    Attributes
    ----------
    light
        What the pixels measured.
    lenslets
        Through which of them the rays came; those that can reach the grid, at least.
    grid
        The fine grid on which pictures and slope maps of these rays lie.
    radius_px
        Pixels farther than this from their lenslet's center are not used, in sensor pixels.
    runner
        The threads that passes over the rays are spread over.
    """

    light: RayLight
    lenslets: LensletTable
    grid: FineGrid
    radius_px: float
    runner: BandRunner

    def rays(self, model_error: float = 0.0) -> RayArrays:
        """What the pixels measured, as kernels take it.

        Parameters
        ----------
        model_error
            Share of the signal that counts as noise, too.
        """
        light = self.light
        terms = light.noise_terms()
        terms[..., 2] += np.float32(model_error) ** 2
        return RayArrays(light.light, light.response, light.colors, terms)

    @cached_property
    def places(self) -> LensletPlaces:
        """Where the lenslets are on sensor and grid, as kernels take it; computed once."""
        table = self.lenslets
        return LensletPlaces(
            centers=table.centers_px,
            origins=self.grid.positions(table.lens_plane).astype(np.float32),
            turn=np.asarray(table.turn, np.float32),
            radius=np.float32(self.radius_px),
        )

    def reach(self, steepest: float) -> float:
        """How far from its lenslet a ray can touch the grid, in fine pixels.

        Parameters
        ----------
        steepest
            Largest absolute slope, in fine pixels per raw pixel.
        """
        return steepest * self.radius_px + _SPREAD_PX

    def band(self, first: int, last: int, steepest: float) -> Band:
        """Fine rows `first` to `last` - 1, and the lenslets whose rays can touch them."""
        rows = self.grid.rows_of(self.lenslets)
        reach = self.reach(steepest)
        low, high = np.searchsorted(rows, (first - reach, last + reach))
        return Band(lenslets=self.lenslets.of_rows(int(low), int(high)), rows=(first, last))
