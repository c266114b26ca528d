"""Enlarged crops of several pictures beside each other, and which crops show most of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.color import luminance
from lfdfp.imaging.display import encode_srgb
from lfdfp.report.maps import ByteImage, screen_image

Crop = tuple[int, int, int, int]
"""Rows, columns, top and left, in pixels of a view."""

_GAP = 6
_LABEL_ROWS = 26
_TILE = 48


def representative_crops(view: FloatArray, side: int = _TILE) -> list[Crop]:
    """Five squares of a view (T, S, 3): two of much detail, average, plain and bright, dark."""
    import cv2

    shown = encode_srgb(luminance(view)[..., None])[..., 0]
    strength = cv2.blur(np.abs(cv2.Laplacian(shown, cv2.CV_32F)), (3, 3))
    side = min(side, *shown.shape)
    corners = [
        (top, left)
        for top in range(0, shown.shape[0] - side + 1, side)
        for left in range(0, shown.shape[1] - side + 1, side)
    ]
    tiles = [np.s_[top : top + side, left : left + side] for top, left in corners]
    detail = np.array([strength[tile].mean() for tile in tiles])
    light = np.array([shown[tile].mean() for tile in tiles])
    order = np.argsort(detail, kind="stable")
    bright = np.where(light >= np.median(light), detail, np.inf)
    picked = (order[-1], order[-(len(order) // 8 + 1)], order[len(order) // 2])
    chosen = dict.fromkeys(int(n) for n in (*picked, bright.argmin(), light.argmin()))
    return [(side, side, *corners[n]) for n in chosen]


def sheet(
    named: Mapping[str, FloatArray], crops: Sequence[Crop], *, scale: int, columns: int
) -> ByteImage:
    """One row per crop, one column per picture (kT, kS, 3), each `columns` screen pixels wide."""
    import cv2

    rows = []
    for height, width, top, left in crops:
        area = np.s_[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
        size = (columns, max(1, round(columns * height / width)))
        tiles = [
            cv2.resize(screen_image(light[area]), size, interpolation=cv2.INTER_NEAREST)
            for light in named.values()
        ]
        place = label(f"{height}x{width}+{top}+{left}", len(tiles) * (columns + _GAP) - _GAP)
        rows += [place, spaced(tiles, axis=1)]
    names = spaced([label(name, columns) for name in named], axis=1)
    return spaced([names, *rows], axis=0)


def spaced(tiles: Sequence[ByteImage], *, axis: int) -> ByteImage:
    """Tiles in a row (axis 1) or column, white between them."""
    shape = list(tiles[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for tile in tiles for part in (tile, gap)][:-1]
    return np.concatenate(parts, axis=axis)


def label(text: str, columns: int) -> ByteImage:
    """A line of text on white."""
    import cv2

    image = np.full((_LABEL_ROWS, columns, 3), 255, np.uint8)
    cv2.putText(image, text, (2, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return image
