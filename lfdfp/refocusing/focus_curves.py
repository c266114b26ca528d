"""How sharp the slices of a stack are, place by place."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray, FocalStack
from lfdfp.errors import ImageError
from lfdfp.imaging.color import luminance
from lfdfp.imaging.modified_laplacian import modified_laplacian

_CELL_PX = 16  # of the views: side of a cell of the coarse curves, about


def focus_measure(stack: FocalStack, *, radius_px: int = 3) -> FloatArray:
    """Sum-modified Laplacian of the luminance of every slice, averaged over a window.

    Parameters
    ----------
    radius_px
        Windows have 2 radius + 1 pixels a side.

    Returns
    -------
    ndarray of shape (N, T, S)
        Linear light per pixel squared; larger is sharper.
    """
    import cv2

    size = (2 * radius_px + 1,) * 2
    return np.stack([np.asarray(cv2.blur(_bend(x), size), np.float32) for x in stack.slices])


def coarse_focus_curves(slices: FloatArray, *, scale: int = 1) -> FloatArray:
    """Focus measure of slices (N, T, S, C), averaged over the cells of a coarse grid.

    Returns
    -------
    ndarray of shape (N, Y, X)
        Linear light per pixel squared; the cells, about 16 pixels of the views a side, divide
        the picture evenly. The mean over them is the curve of the whole picture.
    """
    import cv2

    rows, columns = (max(1, round(n / (_CELL_PX * scale))) for n in slices.shape[1:3])
    cells = [
        cv2.resize(_bend(picture), (columns, rows), interpolation=cv2.INTER_AREA)
        for picture in slices
    ]
    return np.stack([np.asarray(cell, np.float32) for cell in cells])


def _bend(picture: FloatArray) -> FloatArray:
    """Modified Laplacian (T, S) of the luminance of a picture (T, S, C)."""
    return modified_laplacian(np.ascontiguousarray(luminance(picture)))


def focus_curve(
    measure: FloatArray, position: tuple[int, int], *, radius_px: int = 8
) -> DoubleArray:
    """Mean focus measure (N,) around a pixel (t, s), for a plot or for click-to-focus.

    Raises
    ------
    ImageError
        For a position outside the picture.
    """
    t, s = position
    if not (0 <= t < measure.shape[1] and 0 <= s < measure.shape[2]):
        raise ImageError(f"pixel {position} is outside a picture of {measure.shape[1:]}")
    rows = slice(max(0, t - radius_px), t + radius_px + 1)
    columns = slice(max(0, s - radius_px), s + radius_px + 1)
    return np.asarray(measure[:, rows, columns].mean(axis=(1, 2)), np.float64)


def slope_in_focus(
    stack: FocalStack, measure: FloatArray, position: tuple[int, int], *, radius_px: int = 8
) -> float:
    """Slope that is sharpest around a pixel (t, s), between planes by a parabola.

    `measure` (K, Y, X) is a focus measure of every slice: larger is sharper.

    `measure` (K, Y, X) is a focus measure of every slice: larger is sharper.

    Raises
    ------
    ImageError
        For photographs, which have no slopes, or a position outside the picture.
    """
    if stack.slopes is None:
        raise ImageError("the slices are photographs: they have no slopes")
    curve = focus_curve(measure, position, radius_px=radius_px)
    best = int(curve.argmax())
    if best in (0, len(curve) - 1):
        return float(stack.slopes[best])
    below, top, above = curve[best - 1 : best + 2]
    bend = below - 2 * top + above
    offset = 0.5 * (below - above) / bend if bend < 0 else 0.0
    return float(stack.slopes[best] + offset * (stack.slopes[1] - stack.slopes[0]))
