"""Turning a light field upright: directions and positions together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import LightField


def oriented_field(field: LightField, orientation: int) -> LightField:
    """`field` turned by its EXIF orientation (1 to 8).

    Directions turn with positions, so that an object of disparity d keeps its d.
    """
    if orientation == 1:
        return field
    sampling = field.sampling and replace(field.sampling, orientation=orientation)
    return replace(
        field,
        views=_turned(field.views, orientation),
        weights=_turned(field.weights, orientation),
        sampling=sampling,
        history=(*field.history, f"turned upright from EXIF orientation {orientation}"),
    )


def _turned(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`array`, shape (V, U, T, S, ...), turned; a fresh array."""
    if orientation >= 5:
        array = array.swapaxes(0, 1).swapaxes(2, 3)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(array[rows, columns, rows, columns])
