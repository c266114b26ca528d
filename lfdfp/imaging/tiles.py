"""Cut a picture into overlapping tiles and blend what was made of them, without seams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray

Tile = tuple[slice, slice]


def tiles(shape: tuple[int, int], side: int, overlap: int) -> Iterator[Tile]:
    """Windows of at most `side` per side that cover `shape`, neighbors sharing `overlap`."""
    for rows in _spans(shape[0], side, overlap):
        for columns in _spans(shape[1], side, overlap):
            yield rows, columns


def _spans(length: int, side: int, overlap: int) -> list[slice]:
    if length <= side:
        return [slice(0, length)]
    starts = even_starts(length, side, overlap).round().astype(int)
    return [slice(int(start), int(start) + side) for start in starts]


def even_starts(length: int, side: int, overlap: int = 0) -> DoubleArray:
    """Starts (n,), not rounded, of windows of `side` that cover `length`, at least `side`."""
    count = int(np.ceil((length - overlap) / max(side - overlap, 1)))
    return np.linspace(0, length - side, count)


def blending_window(tile: Tile, shape: tuple[int, int], overlap: int) -> FloatArray:
    """Weights of a tile's pixels in a picture of `shape` (Y, X), in its own shape.

    They are 1 inside and at the picture's border, and fall linearly towards neighbors.
    """
    rows, columns = (_ramp(span, length, overlap) for span, length in zip(tile, shape, strict=True))
    return rows[:, None] * columns[None, :]


def _ramp(span: slice, length: int, overlap: int) -> FloatArray:
    n = span.stop - span.start
    weight = np.ones(n, np.float32)
    if overlap > 0:
        rise = (np.arange(n, dtype=np.float32) + 0.5) / overlap
        if span.start > 0:
            weight = np.minimum(weight, rise)
        if span.stop < length:
            weight = np.minimum(weight, rise[::-1])
    return weight
