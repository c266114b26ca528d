"""The display's encoding of light, in which fusion compares pictures.

Errors in linear light weigh a deep shadow a hundredth of a highlight; people see them alike. So
focus measures and losses work on values that the sRGB curve has encoded. The curve is continued
smoothly above 1 and as an odd function below 0, so that nothing is clipped on the way.
"""

from __future__ import annotations

import numpy as np

from lfdfp.computing.blocks import map_blocks
from lfdfp.datatypes import FloatArray

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""Rec. 601 weights of encoded red, green, blue; for linear light see `LUMINANCE_WEIGHTS`."""

_LINEAR_END = 0.0031308
_ENCODED_END = 0.04045


def encode(light: FloatArray) -> FloatArray:
    """Linear light to sRGB-encoded values (IEC 61966-2-1), any shape, nothing clipped."""
    return map_blocks(_encoded, light)


def encode_srgb(light: FloatArray) -> FloatArray:
    """As `encode`, clipped to [0, 1]: what a file or a screen can hold."""
    return map_blocks(lambda part: _encoded(np.clip(part, 0.0, 1.0)), light)


def _encoded(light: FloatArray) -> FloatArray:
    magnitude = np.abs(light)
    curve = 1.055 * np.power(np.maximum(magnitude, _LINEAR_END), 1 / 2.4) - 0.055
    encoded = np.where(magnitude <= _LINEAR_END, 12.92 * magnitude, curve)
    return np.copysign(encoded, light).astype(np.float32)


def decode_srgb(encoded: FloatArray) -> FloatArray:
    """Linear light of sRGB-encoded values, any shape: undoes `encode`."""
    return map_blocks(_decoded, encoded)


def _decoded(encoded: FloatArray) -> FloatArray:
    magnitude = np.abs(encoded)
    curve = np.power((np.maximum(magnitude, _ENCODED_END) + 0.055) / 1.055, 2.4)
    light = np.where(magnitude <= _ENCODED_END, magnitude / 12.92, curve)
    return np.copysign(light, encoded).astype(np.float32)


def luma(picture: FloatArray) -> FloatArray:
    """Rec. 601 luma, shape (...), of encoded (..., C): three channels weighted, others averaged."""
    if picture.shape[-1] == 3:
        return np.asarray(picture @ np.array(LUMA_WEIGHTS, np.float32), np.float32)
    return np.asarray(picture.mean(axis=-1), np.float32)
