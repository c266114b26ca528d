"""Mosaics of views: one picture in which the views lie beside each other as in their grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.interchange.damage import damage_named
from lfdfp.interchange.integer_codes import Codes, check_size, field_of_codes
from lfdfp.interchange.view_folder import Grid, OrderChoice, in_order
from lfdfp.interchange.view_neighbors import UNLIKE_NEIGHBORS, neighbors_are_alike
from lfdfp.storage.images import picture_size, read_codes

_MOST_VIEWS_A_SIDE: Final = 200


def read_view_mosaic(path: Path, grid: Grid, *, order: OrderChoice = "auto") -> LightField:
    """Read a picture of `grid` views without gaps between them.

    Parameters
    ----------
    order
        Whether the views' rows lie in rows of the picture; as `read_view_folder`.

    Raises
    ------
    ImageError
        If the file is no picture, is too large, or its size does not divide by the grid.
    """
    with damage_named(path):
        size = picture_size(path)
        rows, columns = grid
        possible = all(1 <= n <= _MOST_VIEWS_A_SIDE for n in grid)
        if not possible or size[0] % rows or size[1] % columns:
            raise ImageError(
                f"{path}: {size[1]} x {size[0]} pixels do not divide into {rows} x {columns} views"
            )
        check_size(path, (*size, 3))
        values = read_codes(path)
        maximum = int(np.iinfo(values.dtype).max)
        height, width = size[0] // rows, size[1] // columns
        tiles = (
            values[v * height : (v + 1) * height, u * width : (u + 1) * width]
            for v, u in np.ndindex(grid)
        )
        field = field_of_codes((Codes(values=tile, maximum=maximum) for tile in tiles), grid)
    note = f"mosaic of {rows} x {columns} views read"
    warnings = () if neighbors_are_alike(field) else (UNLIKE_NEIGHBORS,)
    return in_order(replace(field, history=(note,), warnings=warnings), order)
