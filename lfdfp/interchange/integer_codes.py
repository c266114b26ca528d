"""Integer codes of pictures to linear light and back.

Pictures are taken to be encoded with the sRGB curve. Codes of up to 10 bits become uint16 codes of
linear light, which is exact: the smallest step of a 10-bit code is 5 steps of linear light.
Finer codes become float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, FloatArray, LightField
from lfdfp.errors import ImageError
from lfdfp.imaging.display import decode_srgb, encode_srgb

MAX_SAMPLES: Final = 1 << 30
"""Most samples that a field may have (an Illum field has 1.8e8)."""

_LINEAR_LEVELS: Final = 65535
_WEIGHT_LEVELS: Final = 255
_FINEST_EXACT_CODE: Final = 1023


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codes:
    """A picture's values as stored.

    Attributes
    ----------
    values
        Shape (T, S, C); C is 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha).
    maximum
        The code of white.
    """

    values: NDArray[Any]
    maximum: int

    @property
    def colors(self) -> int:
        """1 or 3: the channels without alpha."""
        return 1 if self.values.shape[2] <= 2 else 3

    @property
    def has_alpha(self) -> bool:
        return self.values.shape[2] in (2, 4)


def check_size(subject: Path, shape: Sequence[int]) -> None:
    """Refuse a field of more than `MAX_SAMPLES` samples, before memory is taken for it.

    Raises
    ------
    ImageError
        With the size found.
    """
    samples = 1
    for extent in shape:
        samples *= int(extent)
    if not 0 < samples <= MAX_SAMPLES:
        text = " x ".join(str(int(extent)) for extent in shape)
        raise ImageError(f"{subject}: a field of {text} samples; 1 to {MAX_SAMPLES} can be read")


def linear_table(maximum: int) -> tuple[FloatArray | CodeArray, float]:
    """(table, scale): linear light of code k is ``scale * table[k]``; shape (maximum + 1,)."""
    light = decode_srgb(np.arange(maximum + 1, dtype=np.float32) / np.float32(maximum))
    if maximum <= _FINEST_EXACT_CODE:
        return np.rint(light * _LINEAR_LEVELS).astype(np.uint16), 1.0 / _LINEAR_LEVELS
    return light, 1.0


def field_of_codes(views: Iterator[Codes], angular_shape: tuple[int, int]) -> LightField:
    """A field from the codes of its views, given row by row; alpha becomes the weight.

    All views must have the shape and maximum of the first one.
    """
    first = next(views)
    table, scale = linear_table(first.maximum)
    size = (*angular_shape, *first.values.shape[:2])
    light = np.empty((*size, first.colors), table.dtype)
    weights = np.ones(size, np.uint8)
    for index in np.ndindex(angular_shape):
        codes = first if index == (0, 0) else next(views)
        light[index] = table[codes.values[..., : codes.colors]]
        if codes.has_alpha:
            weights[index] = _scaled(codes.values[..., -1], codes.maximum, _WEIGHT_LEVELS)
    weight_scale = 1.0 / _WEIGHT_LEVELS if first.has_alpha else 1.0
    return LightField(views=light, weights=weights, scale=scale, weight_scale=weight_scale)


def encoded_view(field: LightField, v: int, u: int, maximum: int) -> NDArray[Any]:
    """Codes of one view, shape (T, S, C), encoded with the sRGB curve and clipped."""
    encoded = encode_srgb(field.view(v, u))
    return _rounded(encoded, maximum)


def encoded_weight(field: LightField, v: int, u: int, maximum: int) -> NDArray[Any]:
    """Codes of one view's weights, shape (T, S)."""
    weight = np.clip(field.weight(v, u), 0.0, 1.0)
    return _rounded(weight, maximum)


def has_weights(field: LightField) -> bool:
    """Whether any ray has another weight than 1 (to 8 bits)."""
    least = float(field.weights.min()) * field.weight_scale
    return least < 1.0 - 0.5 / _WEIGHT_LEVELS


def rgb_or_gray(subject: Path, field: LightField) -> int:
    """Colors of a field, 1 or 3, or an error: pictures hold nothing else."""
    colors = int(field.views.shape[4])
    if colors not in (1, 3):
        raise ImageError(f"{subject}: {colors} colors; pictures hold 1 (gray) or 3 (RGB)")
    return colors


def _rounded(values: FloatArray, maximum: int) -> NDArray[Any]:
    """Values in [0, 1] as the smallest unsigned integers that hold `maximum`."""
    rounded = np.rint(values * np.float32(maximum))
    return np.asarray(rounded, np.uint8 if maximum <= 255 else np.uint16)


def _scaled(codes: NDArray[Any], maximum: int, levels: int) -> NDArray[np.uint8]:
    return ((codes.astype(np.uint32) * levels + maximum // 2) // maximum).astype(np.uint8)
