"""Several views in one picture: stereo pairs, anaglyphs, quilts for light-field displays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray

Stereo = Literal["sbs", "cross", "anaglyph"]

_LEFT: Final = np.array(
    [[0.456, 0.500, 0.176], [-0.040, -0.038, -0.016], [-0.015, -0.021, -0.005]], np.float32
)
_RIGHT: Final = np.array(
    [[-0.043, -0.088, -0.002], [0.378, 0.734, -0.018], [-0.072, -0.113, 1.226]], np.float32
)
"""Least squares in CIE XYZ for red-cyan glasses [1]_.

.. [1] E. Dubois, "A projection method to generate anaglyph stereo images", ICASSP 2001.
"""


def stereo_picture(left: FloatArray, right: FloatArray, how: Stereo) -> FloatArray:
    """Two views (Y, X, 3), linear light, in one picture.

    ``sbs`` puts them side by side for parallel eyes or a headset, ``cross`` the other way round
    for crossed eyes, ``anaglyph`` over one another for red-cyan glasses.

    Returns
    -------
    ndarray
        Shape (Y, 2X, 3), or (Y, X, 3) for an anaglyph; linear light.
    """
    if how == "anaglyph":
        mixed = left @ _LEFT.T + right @ _RIGHT.T
        return np.asarray(np.clip(mixed, 0, None), np.float32)
    pair = (left, right) if how == "sbs" else (right, left)
    return np.concatenate(pair, axis=1)


def quilt(views: Sequence[FloatArray], columns: int) -> FloatArray:
    """Views (Y, X, 3), from the left to the right, as tiles from the lower left to the upper right.

    That is the order in which Looking Glass displays read a quilt. Its number of views is a
    multiple of `columns`.
    """
    if len(views) % columns:
        raise ValueError(f"{len(views)} views do not fill rows of {columns}")
    rows = [np.concatenate(views[n : n + columns], axis=1) for n in range(0, len(views), columns)]
    return np.concatenate(rows[::-1], axis=0)


def quilt_name(path: Path, columns: int, rows: int, aspect: float) -> str:
    """A file's name as displays read it: ``NAME_qs8x6a1.33.png`` for ``NAME.png``."""
    return f"{path.stem}_qs{columns}x{rows}a{aspect:.2f}{path.suffix}"
