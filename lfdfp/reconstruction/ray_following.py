"""The observation of a capture's rays, each at the surface that a disparity lets it see."""

from __future__ import annotations

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.observation import RayObservation, footprint_taps
from lfdfp.reconstruction.parameters import RayParameters


def observed(bundle: RayBundle, slope_map: FloatArray, parameters: RayParameters) -> RayObservation:
    """Follow every ray of the bundle from near to far to the first surface that it meets.

    Parameters
    ----------
    slope_map
        Shape (Y, X): slope of the surface seen at every fine pixel from the aperture's center.
    """
    pixels_per_pitch = bundle.grid.pixels_per_pitch
    step = parameters.visibility_step * pixels_per_pitch
    width = parameters.footprint_pitch * pixels_per_pitch
    slopes = visible_slopes(bundle, slope_map, step=step)
    return RayObservation.of(bundle, slopes, footprint_taps(width**2 / 12))
