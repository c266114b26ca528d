"""Motions of the camera as they move the picture: from a shift to a change of perspective.

A motion is a 3 x 3 matrix that maps positions (column, row, 1) of one picture to another's. Small
motions are linear in eight parameters, in pixels at the picture's edge: two of a shift, two of a
similarity (magnification, rotation), two of an affine map (stretch, shear), two of perspective.
The first 0, 2, 4, 6 or 8 of them make the models, each a special case of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray

MotionModel = Literal["none", "shift", "similarity", "affine", "perspective"]

PARAMETERS: Final[Mapping[MotionModel, int]] = {
    "none": 0,
    "shift": 2,
    "similarity": 4,
    "affine": 6,
    "perspective": 8,
}

_COVERED_MARGIN_PX = 0.5


def motion_basis(points: DoubleArray, shape: Sequence[int]) -> DoubleArray:
    """How `points` (n, 2) of a picture (T, S) move with each parameter, shape (n, 2, 8)."""
    half, (x, y) = _frame(shape)
    u, v = (points[:, 0] - x) / half, (points[:, 1] - y) / half
    zero, one = np.zeros_like(u), np.ones_like(u)
    columns = [one, zero, u, -v, u, v, u * u, u * v]
    rows = [zero, one, v, u, -v, u, u * v, v * v]
    return np.stack([np.stack(columns, axis=1), np.stack(rows, axis=1)], axis=1)


def motion_matrix(parameters: DoubleArray, shape: Sequence[int]) -> DoubleArray:
    """Matrix (3, 3) of up to eight parameters, to first order that of `motion_basis`."""
    half, (x, y) = _frame(shape)
    a, b, c, d, e, f, g, h = np.pad(parameters, (0, 8 - len(parameters))) / half
    inner = np.array([[1 + c + e, f - d, a], [d + f, 1 + c - e, b], [-g, -h, 1.0]])
    frame = np.array([[half, 0, x], [0, half, y], [0, 0, 1.0]])
    return normalized(frame @ inner @ np.linalg.inv(frame))


def _frame(shape: Sequence[int]) -> tuple[float, tuple[float, float]]:
    """Half of the longer side, and the center (column, row)."""
    return max(shape) / 2, ((shape[1] - 1) / 2, (shape[0] - 1) / 2)


def normalized(matrix: DoubleArray) -> DoubleArray:
    """The same motion with 1 in the last corner."""
    return np.asarray(matrix / matrix[2, 2])


def moved_points(matrix: DoubleArray, points: DoubleArray) -> DoubleArray:
    """Where `points` (n, 2) go, shape (n, 2)."""
    made = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(made[:, :2] / made[:, 2:])


def within_model(matrix: DoubleArray, model: MotionModel, shape: Sequence[int]) -> DoubleArray:
    """The motion of a model that moves the corners of a picture (T, S) most nearly alike."""
    count = PARAMETERS[model]
    if count == PARAMETERS["perspective"]:
        return normalized(matrix)
    _, center = _frame(shape)
    start, target = corners(shape) - center, moved_points(matrix, corners(shape)) - center
    offset = target.mean(axis=0)
    product = (target - offset).T @ start / np.square(start).sum()
    linear = np.eye(2)
    if count == PARAMETERS["similarity"]:
        size, turn = product[0, 0] + product[1, 1], product[1, 0] - product[0, 1]
        linear = np.array([[size, -turn], [turn, size]])
    elif count == PARAMETERS["affine"]:
        linear = (target - offset).T @ start @ np.linalg.inv(start.T @ start)
    elif count == PARAMETERS["none"]:
        offset = np.zeros(2)
    made = np.eye(3)
    made[:2, :2], made[:2, 2] = linear, offset + center - linear @ center
    return made


def corners(shape: Sequence[int]) -> DoubleArray:
    """Positions (column, row) of the corners of a picture (T, S), shape (4, 2)."""
    t, s = shape[0] - 1, shape[1] - 1
    return np.array([[0, 0], [s, 0], [0, t], [s, t]], np.float64)


def corner_motion(matrix: DoubleArray, shape: Sequence[int]) -> float:
    """Largest distance in pixels that a motion moves a corner of a picture (T, S)."""
    start = corners(shape)
    return float(np.hypot(*(moved_points(matrix, start) - start).T).max())


def on_level(matrix: DoubleArray, full: Sequence[int], level: Sequence[int]) -> DoubleArray:
    """A motion of a picture (T, S) as that of the same picture with other pixels."""
    up = level_to_full(full, level)
    return normalized(np.linalg.inv(up) @ matrix @ up)


def level_to_full(full: Sequence[int], level: Sequence[int]) -> DoubleArray:
    """Matrix (3, 3) from the pixels of a shrunk picture to those of the full one."""
    rows, columns = full[0] / level[0], full[1] / level[1]
    return np.array([[columns, 0, (columns - 1) / 2], [0, rows, (rows - 1) / 2], [0, 0, 1.0]])


def warped(
    picture: FloatArray,
    matrix: DoubleArray,
    *,
    smooth: bool = True,
    shape: tuple[int, int] | None = None,
) -> FloatArray:
    """`picture` (T, S, C) or (T, S) on the grid that `matrix` maps from; borders are repeated.

    Lanczos interpolation over eight pixels, cubic over four without `smooth`. The grid has the
    picture's size if no other is given.
    """
    import cv2

    rows, columns = picture.shape[:2] if shape is None else shape
    flags = (cv2.INTER_LANCZOS4 if smooth else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    made = cv2.warpPerspective(
        picture, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(made, np.float32).reshape(rows, columns, *picture.shape[2:])


def covered(shape: Sequence[int], matrix: DoubleArray, rows: slice | None = None) -> BoolArray:
    """Where a picture (T, S) that was moved by `warped` shows something, shape (T, S).

    Of some rows alone, where they are given.
    """
    first, last = (0, shape[0]) if rows is None else (rows.start, rows.stop)
    t, s = np.ogrid[first:last, : shape[1]]
    x, y, w = (m[0] * s + m[1] * t + m[2] for m in matrix)
    inside = (x >= -_COVERED_MARGIN_PX * w) & (x <= (shape[1] - 1 + _COVERED_MARGIN_PX) * w)
    inside &= (y >= -_COVERED_MARGIN_PX * w) & (y <= (shape[0] - 1 + _COVERED_MARGIN_PX) * w)
    return np.asarray(inside & (w > 0))
