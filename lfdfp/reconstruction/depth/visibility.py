"""Which surface every raw ray sees: rays are followed from near to far (near is negative)."""

from __future__ import annotations

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.depth import surface_kernels as kernels
from lfdfp.reconstruction.depth.bundle import RayBundle
from lfdfp.reconstruction.ray_light import HIDDEN


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
    reach = int(np.ceil(float(np.abs(slope_map).max()) * bundle.radius_px)) + 1
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    low, high = cv2.erode(slope_map, window), cv2.dilate(slope_map, window)
    origins, table = bundle.origins(), bundle.lenslets
    slopes = np.full(bundle.light.light.shape, HIDDEN, np.float32)

    def work(first: int, last: int) -> None:
        kernels.cast_rays(
            bundle.light.light, table.centers_px, origins, np.asarray(table.turn, np.float32),
            np.float32(bundle.radius_px), slope_map, low, high, np.float32(step),
            (int(table.row_starts[first]), int(table.row_starts[last])), slopes,
        )  # fmt: skip

    bundle.runner.map(work, len(table.row_starts) - 1)
    return slopes
