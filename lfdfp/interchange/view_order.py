"""Which way a grid of views runs, found from the parallax between neighboring views.

Seen from the center view, content moves along s from column to column of views, and along t from
row to row, by the same disparity. A grid that was taken the wrong way round moves the other way,
which the views' own gradients show: where I is the center view, the difference of its neighbors is
``-2 d dI/ds`` along u and ``-2 d dI/dt`` along v, to first order in the disparity d.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.imaging.color import luminance

GridOrder = Literal["row_col", "col_row"]

_BLOCK_PX: Final = 8
_SMOOTHING_PX: Final = 1.5
_CLEAR_RATIO: Final = 1.3
"""Explained parallax of the better order over the other's, from which on it is believed."""

_LEAST_EXPLAINED: Final = 0.02
"""Least share of the views' differences that parallax must explain to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallax:
    """How the views move.

    Attributes
    ----------
    order
        What the first index of the grid counts: rows of views, or columns; None where the views
        do not tell.
    opposite_signs
        True when content moves along the two axes with opposite disparities: one of the axes of
        the grid runs backwards.
    """

    order: GridOrder | None
    opposite_signs: bool


def observed_parallax(field: LightField) -> Parallax:
    """Which way the views of a field that was taken as ``[first, second]`` really run."""
    if min(field.angular_shape) < 3:
        return Parallax(order=None, opposite_signs=False)
    a, b = field.center
    gradients = [np.gradient(_smooth(field, a, b), axis=axis) for axis in (0, 1)]
    steps = [
        _smooth(field, a + 1, b) - _smooth(field, a - 1, b),
        _smooth(field, a, b + 1) - _smooth(field, a, b - 1),
    ]
    straight = _Fit.of(steps[0], gradients[0]), _Fit.of(steps[1], gradients[1])
    swapped = _Fit.of(steps[0], gradients[1]), _Fit.of(steps[1], gradients[0])
    scores = [sum(fit.explained for fit in pair) for pair in (straight, swapped)]
    total = sum(float(np.square(step).sum()) for step in steps)
    order: GridOrder | None = None
    if max(scores) > max(_CLEAR_RATIO * min(scores), _LEAST_EXPLAINED * total):
        order = "row_col" if scores[0] > scores[1] else "col_row"
    return Parallax(
        order=order, opposite_signs=_opposite(swapped if order == "col_row" else straight)
    )


def swapped_axes(field: LightField) -> LightField:
    """The same views with the two axes of the grid exchanged."""
    exchanged: dict[str, Any] = {
        "views": np.ascontiguousarray(field.views.swapaxes(0, 1)),
        "weights": np.ascontiguousarray(field.weights.swapaxes(0, 1)),
    }
    return replace(field, **exchanged)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Least squares ``step = -2 d gradient`` in every block: d, and what it explains."""

    disparity: FloatArray
    energy: FloatArray
    explained: float

    @classmethod
    def of(cls, step: FloatArray, gradient: FloatArray) -> _Fit:
        cross, square = _block_sums(step * gradient), _block_sums(gradient * gradient)
        safe = np.maximum(square, np.float32(1e-12))
        return cls(
            disparity=-cross / (2 * safe), energy=square, explained=float((cross**2 / safe).sum())
        )


def _opposite(fits: tuple[_Fit, _Fit]) -> bool:
    """Whether the disparities along the two axes disagree in sign, where there are any."""
    weight = np.minimum(fits[0].energy, fits[1].energy)
    products = weight * fits[0].disparity * fits[1].disparity
    return bool(products.sum() < -0.5 * np.abs(products).sum())


def _smooth(field: LightField, a: int, b: int) -> FloatArray:
    """Luminance of one view, blurred and of mean 1, so that dimmer outer views compare."""
    import cv2

    light = luminance(field.view(a, b))
    light = light / np.maximum(light.mean(), np.float32(1e-6))
    blurred = cv2.GaussianBlur(light, (0, 0), _SMOOTHING_PX)
    return np.asarray(blurred, np.float32)


def _block_sums(values: FloatArray) -> FloatArray:
    rows, columns = (extent // _BLOCK_PX for extent in values.shape)
    if min(rows, columns) == 0:
        return np.asarray(values.sum(keepdims=True), np.float32)
    whole = values[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    blocks = whole.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX)
    return np.asarray(blocks.sum(axis=(1, 3)), np.float32)
