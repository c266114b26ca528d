"""All slices of a focal stack on one sheet."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FocalStack
from lfdfp.report.maps import ByteImage, screen_image

_LABEL_ROWS = 22
_GAP = 4
_BACKGROUND = 24


def slice_label(stack: FocalStack, n: int) -> str:
    """Name of a slice: its number, and its slope where it has one."""
    if stack.slopes is None:
        return f"{n + 1}"
    return f"{n + 1}: {stack.slopes[n]:+.3f} px/step"


def contact_sheet(stack: FocalStack, *, tile_columns: int = 320) -> ByteImage:
    """Every slice, reduced to `tile_columns`, labeled, in rows of about a square sheet."""
    tiles = [_tile(stack, n, tile_columns) for n in range(len(stack.slices))]
    per_row = int(np.ceil(np.sqrt(len(tiles))))
    rows, columns = tiles[0].shape[:2]
    n_rows = -(-len(tiles) // per_row)
    sheet = np.full(
        (n_rows * (rows + _GAP) + _GAP, per_row * (columns + _GAP) + _GAP, 3), _BACKGROUND, np.uint8
    )
    for k, tile in enumerate(tiles):
        top = _GAP + (k // per_row) * (rows + _GAP)
        left = _GAP + (k % per_row) * (columns + _GAP)
        sheet[top : top + rows, left : left + columns] = tile
    return sheet


def _tile(stack: FocalStack, n: int, columns: int) -> ByteImage:
    import cv2

    picture = screen_image(stack.slices[n])
    if picture.shape[1] > columns:
        rows = max(1, round(picture.shape[0] * columns / picture.shape[1]))
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    label = np.full((_LABEL_ROWS, picture.shape[1], 3), _BACKGROUND, np.uint8)
    text = slice_label(stack, n)
    cv2.putText(
        label, text, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA
    )
    return np.concatenate([picture, label])
