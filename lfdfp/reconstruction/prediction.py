"""What the rays of a capture should measure, if a picture and a solution's disparity are right."""

from __future__ import annotations

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray, Rays
from lfdfp.imaging.color import display_matrix
from lfdfp.imaging.resampling import bicubic
from lfdfp.lenslets.table import lenslet_table
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.observation import RayObservation, footprint_taps
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_light import measured_light
from lfdfp.reconstruction.solution import RaySolution

_WHOLLY = 0.999


class RayPredictor:
    """Follows every ray to the surface that a solution's disparity lets it see.

    Parameters
    ----------
    rays
        All of them: those that the solution was made from, and others.
    solution
        Of the same capture, perhaps made from a part of the rays.
    border_view_px
        Rays that see the picture's border, in pixels of a view, are left out.
    parameters
        Those of the solution.
    """

    def __init__(
        self,
        rays: Rays,
        solution: RaySolution,
        *,
        border_view_px: int = 0,
        parameters: RayParameters | None = None,
    ) -> None:
        chosen = RayParameters() if parameters is None else parameters
        self.grid = solution.grid
        light = measured_light(rays, least_response=chosen.least_response, noise=solution.noise)
        bundle = RayBundle(
            light=light,
            lenslets=lenslet_table(rays.calibration.grid),
            grid=self.grid,
            radius_px=chosen.radius_pitch * rays.calibration.grid.pitch_px,
            runner=BandRunner(),
        )
        self._sharp = RayObservation.following(
            bundle,
            solution.slope_map,
            step_pitch=chosen.visibility_step,
            footprint_pitch=chosen.footprint_pitch,
        )
        self._as_seen = self._sharp.with_taps(footprint_taps(0.0))
        to_display = display_matrix(rays.capture.color).astype(np.float32)
        self._to_camera = np.linalg.inv(to_display).astype(np.float32)
        inside = np.zeros((3, *self.grid.shape), np.float32)
        border = self.grid.margin + border_view_px * self.grid.k
        inside[:, border:-border, border:-border] = 1.0
        self._inside = self._as_seen.forward(inside) > _WHOLLY

    @property
    def measured(self) -> FloatArray:
        """Shape (H, W): white-balanced light; below -1 where missing or saturated."""
        return self._sharp.light.light

    def of_solution(self, picture: FloatArray) -> FloatArray:
        """Shape (H, W): rays of a picture (3, Y, X) that the lenslets' footprint still blurs."""
        return self._sharp.forward(picture) * self._inside

    def of_view(self, view: FloatArray) -> FloatArray:
        """Shape (H, W): rays of a picture (T, S, 3) on the views' grid, linear sRGB, not turned.

        It is enlarged bicubically and read without a footprint: a view's samples have it already.
        """
        return self._as_seen.forward(self._on_grid(view @ self._to_camera.T)) * self._inside

    def of_map(self, values: FloatArray) -> FloatArray:
        """Shape (H, W): `values` (T, S) at the places that the rays see; 0 where they see none."""
        alike = np.repeat(values[..., None], 3, axis=2)
        return self._as_seen.forward(self._on_grid(alike)) * self._inside

    def _on_grid(self, view: FloatArray) -> FloatArray:
        """(T, S, 3) enlarged to (3, Y, X), its edges repeated over the margin."""
        k, margin = self.grid.k, self.grid.margin
        fine = bicubic(view, k)
        padded = np.pad(fine, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        return np.ascontiguousarray(np.moveaxis(padded, -1, 0), np.float32)


def band_limited(picture: FloatArray, factor: int) -> FloatArray:
    """A picture (C, Y, X) without what a grid `factor` times coarser cannot hold.

    The high frequencies of its cosine transform are left out, the rest stays as it is.
    """
    from scipy.fft import dctn, idctn

    waves = dctn(picture, axes=(1, 2), norm="ortho")
    waves[:, -(-waves.shape[1] // factor) :] = 0
    waves[:, :, -(-waves.shape[2] // factor) :] = 0
    return np.asarray(idctn(waves, axes=(1, 2), norm="ortho"), np.float32)
