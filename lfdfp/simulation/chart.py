"""A color chart: what colors and grays become, from the deep dark to beyond the sensor's white.

Its upper half are the 24 fields of a common chart, by their published sRGB values; below are grays
that it lacks: as dark as shadows are, and brighter than the white level, where the raw channels
saturate one after the other.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray
from lfdfp.imaging.display import decode_srgb
from lfdfp.simulation.layers import Layer
from lfdfp.simulation.scene import corner_frame, even_disparity

_COLORS = (
    (115, 82, 68),
    (194, 150, 130),
    (98, 122, 157),
    (87, 108, 67),
    (133, 128, 177),
    (103, 189, 170),
    (214, 126, 44),
    (80, 91, 166),
    (193, 90, 99),
    (94, 60, 108),
    (157, 188, 64),
    (224, 163, 46),
    (56, 61, 150),
    (70, 148, 73),
    (175, 54, 60),
    (231, 199, 31),
    (187, 86, 149),
    (8, 133, 161),
)
_GRAYS = (243, 200, 160, 122, 85, 52)
_DARK = (0.02, 0.012, 0.007, 0.004, 0.002, 0.001)
_BRIGHT = (1.0, 1.2, 1.5, 2.0, 2.7, 3.5)
_COLUMNS = 6
_FRAME_LIGHT = 0.01
_BORDER = 0.12
_TEXELS_PER_PITCH = 3.0 / ROW_STEP_PITCHES
_DISPARITIES = (-0.25, 0.25)


def chart_fields() -> FloatArray:
    """Linear sRGB of the fields, shape (6, 6, 3): 18 colors, then grays; dark; bright."""
    codes = np.array([*_COLORS, *([g] * 3 for g in _GRAYS)], np.float32)
    light = [decode_srgb(codes / np.float32(255))]
    light += [np.repeat(np.array(row, np.float32)[:, None], 3, axis=1) for row in (_DARK, _BRIGHT)]
    return np.concatenate(light).reshape(-1, _COLUMNS, 3)


def chart_layers(rng: np.random.Generator, field_pitch: tuple[float, float]) -> tuple[Layer, ...]:
    """The chart, over the whole field, on one plane."""
    size = [int(np.ceil(n * _TEXELS_PER_PITCH)) for n in field_pitch]
    fields = chart_fields()
    row, column = (
        np.arange(n) * count / n for n, count in zip(size, fields.shape[:2], strict=True)
    )
    light = fields[row.astype(int)[:, None], column.astype(int)]
    inside = [np.abs(place % 1 - 0.5) < 0.5 - _BORDER for place in (row, column)]
    light[~(inside[0][:, None] & inside[1])] = _FRAME_LIGHT
    texture = np.concatenate([light, np.ones((*light.shape[:2], 1), np.float32)], axis=2)
    first = [-(n - 1) / 2 / _TEXELS_PER_PITCH for n in size]
    return (
        Layer(
            texture=texture.astype(np.float32),
            texture_frame=(first[0], first[1], _TEXELS_PER_PITCH, _TEXELS_PER_PITCH),
            disparity=even_disparity(float(rng.uniform(*_DISPARITIES))),
            disparity_frame=corner_frame(field_pitch),
        ),
    )
