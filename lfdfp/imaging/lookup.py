"""Curves of whole numbers, by table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.blocks import map_blocks
from lfdfp.datatypes import FloatArray


def looked_up(codes: NDArray[Any], curves: FloatArray) -> FloatArray:
    """The value of each code (T, S, C), by the curve (levels, C) of its channel."""
    return map_blocks(lambda part: _values(part, curves), codes)


def _values(codes: NDArray[Any], curves: FloatArray) -> FloatArray:
    if codes.dtype == np.uint8 and len(curves) == 256:
        import cv2

        table = np.ascontiguousarray(curves[None], np.float32)
        return np.asarray(cv2.LUT(np.ascontiguousarray(codes), table)).reshape(codes.shape)
    made = np.empty(codes.shape, np.float32)
    for channel in range(codes.shape[2]):
        made[..., channel] = np.take(curves[:, channel], codes[..., channel])
    return made
