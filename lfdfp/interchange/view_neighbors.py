"""What neighboring views have in common: whether a grid of views is one, how long its rows are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray, LightField

UNLIKE_NEIGHBORS: Final = (
    "neighboring views hardly resemble each other: the grid of views may be another"
)
_THUMBNAIL_PX: Final = 128
_LEAST_ALIKE: Final = 0.6
"""Correlation of neighboring views: from 0.98 on real fields, up to 0.22 on parts of a picture."""

_CLEAR: Final = 1.2
"""By how much neighbors in a column have to be more alike than what lies beside them: 1.57 to 1.75
on real fields of an F01 and an Illum and parts of them, up to 0.96 for other lengths of row, up to
1.25 for multiples of the right one."""


def neighbors_are_alike(field: LightField) -> bool:
    """Whether views beside each other show the same, in the typical place of the grid."""
    rows, columns = field.angular_shape
    small = [[thumbnail(field.views[v, u]) for u in range(columns)] for v in range(rows)]
    pairs = [(small[v][u], small[v][u + 1]) for v in range(rows) for u in range(columns - 1)]
    pairs += [(small[v][u], small[v + 1][u]) for v in range(rows - 1) for u in range(columns)]
    alike = [_correlation(a, b) for a, b in pairs]
    return not alike or float(np.median(alike)) >= _LEAST_ALIKE


def columns_of(views: Iterable[NDArray[Any]]) -> int | None:
    """How many views make a row, of views (T, S, C) one row after the other; None where unclear.

    Neighbors in a column of the grid are one step apart, and lie as many views apart as there are
    in a row; what lies one view further or less is more steps away, and looks more different.
    """
    small = np.stack([thumbnail(view) for view in views])
    count = len(small)
    candidates = [n for n in range(2, count // 2 + 1) if count % n == 0]
    if not candidates:
        return None
    apart = _differences(small, max(candidates) + 1)
    clearness = {n: min(apart[n - 1], apart[n + 1]) / max(apart[n], 1e-12) for n in candidates}
    best = max(candidates, key=lambda n: clearness[n])
    others = [clearness[n] for n in candidates if n != best]
    clear = clearness[best] >= _CLEAR and all(other < 0.9 * clearness[best] for other in others)
    return best if clear else None


def thumbnail(view: NDArray[Any]) -> FloatArray:
    """A view (T, S, C) as small gray values around 0, of the same brightness for all views."""
    import cv2

    light = np.asarray(view[..., : 3 if view.shape[2] >= 3 else 1], np.float32).mean(axis=2)
    scale = min(1.0, _THUMBNAIL_PX / max(light.shape))
    size = tuple(max(1, round(scale * side)) for side in light.shape[::-1])
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    mean = max(float(small.mean()), 1e-12)
    return np.asarray(small / mean - 1, np.float32)


def _correlation(a: FloatArray, b: FloatArray) -> float:
    energy = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / energy if energy > 0 else 1.0


def _differences(small: FloatArray, most: int) -> DoubleArray:
    """Mean difference of views that lie 0, 1, ... `most` apart in the list."""
    apart = np.zeros(most + 1)
    for lag in range(1, most + 1):
        pairs = zip(small[:-lag], small[lag:], strict=True)
        apart[lag] = np.mean([np.abs(a - b).mean() for a, b in pairs])
    return apart
