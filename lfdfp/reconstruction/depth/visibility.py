"""Which surface every raw ray sees: rays are followed from near to far (near is negative)."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth import surface_kernels as kernels
from lfdfp.reconstruction.ray_marks import HIDDEN


def visible_slopes(bundle: RayBundle, slope_map: FloatArray, *, step: float) -> FloatArray:
    """Slope of the surface that every ray meets first.

    Parameters
    ----------
    slope_map
        Shape (Y, X): slope of the surface seen at every fine pixel from the aperture's center.
    step
        Slopes closer than this belong to one surface.

    Returns
    -------
    ndarray of shape (H, W)
        In fine pixels per raw pixel; `HIDDEN` for rays that meet no known surface.
    """
    import cv2

    reach = int(np.ceil(float(np.abs(slope_map).max()) * bundle.radius_px)) + 1
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    surfaces = kernels.Surfaces(
        slope=slope_map, low=cv2.erode(slope_map, window), high=cv2.dilate(slope_map, window)
    )
    light, places = bundle.light.light, bundle.places
    slopes = np.full(light.shape, HIDDEN, np.float32)

    def work(first: int, last: int) -> None:
        lenslets = bundle.lenslets.of_rows(first, last)
        kernels.cast_rays(light, places, surfaces, np.float32(step), lenslets, slopes)

    bundle.runner.map(work, bundle.lenslets.rows)
    return slopes
