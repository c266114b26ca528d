"""Views and refocused slices from a solved picture and its disparity: denoised, super-resolved."""

from __future__ import annotations

import cv2
import numpy as np

from lfdfp.datatypes import ColorData, FloatArray
from lfdfp.fusion.ray_reconstruction import RaySolution, display_matrix

_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_PLANE_SHIFT_PX = 0.5  # fine pixels between neighboring planes of a view


def render_view(solution: RaySolution, color: ColorData, *, v: float, u: float) -> FloatArray:
    """The picture seen through one point of the aperture.

    Every pixel is followed from near to far to the first surface that it meets; what no surface
    covers, because the center of the aperture does not see it, shows the farthest one.

    Parameters
    ----------
    v, u
        Direction, in raw pixels from the lenslet's center.

    Returns
    -------
    ndarray of shape (4 T, 4 S, 3)
        Linear sRGB, not turned upright.
    """
    matrix = display_matrix(color)
    picture = np.moveaxis(np.tensordot(matrix, solution.picture, 1), 0, -1)
    rendered = _moved(np.ascontiguousarray(picture), solution.slope_map, v, u)
    return np.ascontiguousarray(solution.grid.inner(rendered))


def render_slice(
    solution: RaySolution,
    color: ColorData,
    *,
    slope: float,
    aperture_px: float,
    views: int = 48,
) -> FloatArray:
    """Refocus: the mean of views over a round aperture, shifted so that one plane is sharp.

    Parameters
    ----------
    slope
        Disparity of the plane in view pixels per angular step.
    aperture_px
        Radius of the aperture in raw pixels; may be wider or smaller than the camera's.
    views
        Number of views, on a spiral of equal areas.

    Returns
    -------
    ndarray of shape (4 T, 4 S, 3)
        Linear sRGB, not turned upright.
    """
    matrix = display_matrix(color)
    picture = np.moveaxis(np.tensordot(matrix, solution.picture, 1), 0, -1)
    picture = np.ascontiguousarray(picture)
    fine_slope = slope * solution.grid.slope_scale
    total = np.zeros_like(picture)
    for k in range(views):
        radius, angle = aperture_px * np.sqrt((k + 0.5) / views), k * _GOLDEN_ANGLE
        v, u = radius * np.sin(angle), radius * np.cos(angle)
        view = _moved(picture, solution.slope_map, v, u)
        total += _sampled(view, fine_slope * v, fine_slope * u, cv2.INTER_LINEAR)
    return np.ascontiguousarray(solution.grid.inner(total / np.float32(views)))


def _moved(picture: FloatArray, slope_map: FloatArray, v: float, u: float) -> FloatArray:
    """The picture (Y, X, 3) from direction (v, u): nearest surface first."""
    nearest, farthest = float(slope_map.min()), float(slope_map.max())
    reach = max(abs(v), abs(u), 1e-6)
    count = int(np.ceil((farthest - nearest) * reach / _PLANE_SHIFT_PX)) + 1
    planes = np.linspace(nearest, farthest, count)
    tolerance = (planes[1] - planes[0]) / 2 * 1.01 if count > 1 else np.inf
    moved = _sampled(picture, -farthest * v, -farthest * u, cv2.INTER_LINEAR)
    free = np.ones(slope_map.shape, bool)
    for plane in planes:
        surface = _sampled(slope_map, -plane * v, -plane * u, cv2.INTER_NEAREST)
        met = free & (np.abs(surface - plane) <= tolerance)
        if met.any():
            moved[met] = _sampled(picture, -plane * v, -plane * u, cv2.INTER_LINEAR)[met]
            free &= ~met
    return moved


def _sampled(picture: FloatArray, down: float, right: float, method: int) -> FloatArray:
    """Values at positions moved by (down, right) pixels; the edge repeats."""
    height, width = picture.shape[:2]
    shift = np.array([[1, 0, right], [0, 1, down]], np.float64)
    return np.asarray(
        cv2.warpAffine(
            picture,
            shift,
            (width, height),
            flags=method | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )
