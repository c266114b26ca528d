"""Compiled painter: antialiased shapes with patterns, one over the other."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray

SHAPE_DTYPE = np.dtype(
    [
        ("row", np.float32),
        ("column", np.float32),
        ("half_height", np.float32),
        ("half_width", np.float32),
        ("cos", np.float32),
        ("sin", np.float32),
        ("outline", np.int32),
        ("pattern", np.int32),
        ("frequency", np.float32),
        ("seed", np.int32),
        ("color", np.float32, 3),
        ("other_color", np.float32, 3),
    ]
)
"""One shape, in texels: outline 0 ellipse, 1 rectangle, 2 leaf; patterns as in `_pattern`."""


@njit(cache=True, nogil=True, fastmath=True)
def _pattern(kind: int, y: float, x: float, frequency: float, seed: int) -> float:
    """Share of the other color at (y, x): 0 flat, 1 stripes, 2 checkers, 3 star, 4 glyphs, 5 chirp.

    `frequency` is in cycles per texel (star: spokes; glyphs: strokes per texel).
    """
    if kind == 1:
        return 0.5 + 0.5 * math.sin(2 * math.pi * frequency * x)
    if kind == 2:
        wave = math.sin(2 * math.pi * frequency * x) * math.sin(2 * math.pi * frequency * y)
        return 0.5 + 0.5 * wave
    if kind == 3:
        return 0.5 + 0.5 * math.tanh(4.0 * math.sin(frequency * math.atan2(y, x)))
    if kind == 4:
        j, i = math.floor(y * frequency), math.floor(x * frequency)
        if j % 8 >= 6 or i % 5 == 4:
            return 0.0
        code = (j * 73856093) ^ (i * 19349663) ^ (seed * 83492791)
        code = (code ^ (code >> 13)) * 1274126177
        return float((code >> 16) & 1)
    if kind == 5:
        return 0.5 + 0.5 * math.sin(frequency * frequency * x * abs(x))
    return 0.0


@njit(cache=True, nogil=True, fastmath=True)
def paint_shapes(shapes: np.ndarray, rgb: FloatArray, opacity: FloatArray) -> None:
    """Paint `shapes`, first to last, over `rgb` (rows, columns, 3) and `opacity`, in place."""
    rows, columns = opacity.shape
    for n in range(len(shapes)):
        shape = shapes[n]
        cos, sin = shape.cos, shape.sin
        a, b = shape.half_height, shape.half_width
        reach_y = abs(a * cos) + abs(b * sin) + 1
        reach_x = abs(a * sin) + abs(b * cos) + 1
        for j in range(max(0, int(shape.row - reach_y)), min(rows, int(shape.row + reach_y) + 2)):
            for i in range(
                max(0, int(shape.column - reach_x)),
                min(columns, int(shape.column + reach_x) + 2),
            ):
                dy, dx = j - shape.row, i - shape.column
                y, x = cos * dy - sin * dx, sin * dy + cos * dx
                if shape.outline == 1:
                    depth = min(a - abs(y), b - abs(x))
                else:
                    height = a if shape.outline == 0 else a * (1 - 0.6 * x / b)
                    distance = np.sqrt((y / height) ** 2 + (x / b) ** 2)
                    depth = (1 - distance) * min(height, b)
                cover = np.float32(min(max(depth + 0.5, 0.0), 1.0))
                if cover <= 0:
                    continue
                mix = np.float32(_pattern(shape.pattern, y, x, shape.frequency, shape.seed))
                for c in range(3):
                    color = shape.color[c] + mix * (shape.other_color[c] - shape.color[c])
                    rgb[j, i, c] += cover * (color - rgb[j, i, c])
                opacity[j, i] += cover * (1 - opacity[j, i])
