"""The range of disparity that a scene has, from its rays."""

from __future__ import annotations

import dataclasses

import numpy as np

from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.depth.plane_sweep import consensus_costs

_WIDEST_PITCH = 1.0  # per raw pixel; beyond it nothing is sharp in any lenslet camera
_RADIUS_SHARE = 0.6  # of the aperture: fewer rays, and planes twice as far apart suffice
_PLANE_SHIFT_PITCH = 0.25
_RAYS_PER_LENSLET = 12.0
_AGREEMENT = 0.9
_LEAST_SHARE = 0.003
_MARGIN_PX = 8


def slope_range_from_rays(
    bundle: RayBundle, *, outlier_error: float, truncation: float
) -> tuple[float, float]:
    """First and last slope of the scene, in fine pixels per raw pixel, near first.

    A coarse sweep of planes; a cell counts where its best plane is clearly better than the
    others and its neighbors say the same, and a plane counts that holds 0.3 % of such cells. The
    ends are widened by three quarters of a step.

    Parameters
    ----------
    bundle
        Rays on a grid; a half of the finest is fine enough.
    outlier_error, truncation
        As in `residual_costs`.
    """
    import cv2

    inner = dataclasses.replace(bundle, radius_px=_RADIUS_SHARE * bundle.radius_px)
    scale = bundle.grid.pixels_per_pitch
    step = _PLANE_SHIFT_PITCH / inner.radius_px
    count = 2 * int(np.ceil(_WIDEST_PITCH / step)) + 1
    slopes = np.linspace(-_WIDEST_PITCH, _WIDEST_PITCH, count) * scale
    best = np.full(bundle.grid.shape, np.inf, np.float32)
    index = np.zeros(bundle.grid.shape, np.uint8)
    total = np.zeros(bundle.grid.shape, np.float32)
    costs = consensus_costs(
        inner,
        slopes,
        outlier_error=outlier_error,
        truncation=truncation,
        half_apertures=False,
        rays_per_lenslet=_RAYS_PER_LENSLET,
    )
    for k in range(count):
        cost = cv2.blur(costs.plane(k), (5, 5))
        index[cost < best] = k
        np.minimum(best, cost, out=best)
        total += cost
    share = _plane_shares(index, total / count - best, count)
    found = np.flatnonzero(share > _LEAST_SHARE)
    if found.size == 0:
        return float(slopes[0]), float(slopes[-1])
    widen = 0.75 * step * scale
    return float(slopes[found[0]] - widen), float(slopes[found[-1]] + widen)


def _plane_shares(index: np.ndarray, contrast: np.ndarray, count: int) -> np.ndarray:
    """Share of every plane among the cells that are sure of their plane."""
    import cv2

    middle = cv2.medianBlur(index, 5).astype(np.int16)
    near = (np.abs(middle - index) <= 1).astype(np.float32)
    sure = (cv2.blur(near, (5, 5)) > _AGREEMENT) & (contrast > np.percentile(contrast, 40))
    margin = min(_MARGIN_PX, index.shape[0] // 4, index.shape[1] // 4)
    cells = np.zeros(index.shape, bool)
    cells[margin:-margin, margin:-margin] = sure[margin:-margin, margin:-margin]
    return np.bincount(index[cells], minlength=count) / max(int(cells.sum()), 1)
