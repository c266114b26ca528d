"""Camera colors to linear sRGB, and its luminance."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import (
    ColorData,
    DoubleArray,
    FloatArray,
)

LUMINANCE_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear red, green, blue in luminance (ITU-R BT.709, the primaries of sRGB)."""

_FIRST_CAMERA_BIAS_EV = -0.5


def exposure_gain(color: ColorData) -> float:
    """Factor that undoes the exposure bias of the camera.

    ``2^-bias`` makes up for the extra exposure that the camera gave because of the lenslets'
    modulation. First-generation cameras count their bias (about -1.1) from one stop lower, the
    Illum (about ±0.3) from zero; a bias below -0.5 is taken for the former [1]_.

    References
    ----------
    .. [1] P. Matysiak et al., "A Pipeline for Lenslet Light Field Quality Enhancement",
       ICIP 2018, and the exposure rule of its toolbox.
    """
    bias = color.exposure_bias_ev
    return float(2.0 ** -(bias + 1.0 if bias < _FIRST_CAMERA_BIAS_EV else bias))


def display_matrix(color: ColorData) -> DoubleArray:
    """Shape (3, 3): linear sRGB = matrix @ white-balanced camera RGB, exposure included."""
    return exposure_gain(color) * np.asarray(color.camera_to_srgb, np.float64)


def camera_to_srgb_matrix(color: ColorData) -> DoubleArray:
    """Shape (3, 3): linear sRGB = matrix @ camera RGB, white balance and exposure included."""
    return display_matrix(color) * np.asarray(color.white_balance, np.float64)[None, :]


def camera_to_linear_srgb(camera_rgb: FloatArray, color: ColorData) -> FloatArray:
    """Linear sRGB of camera RGB, shape (..., 3), black at 0 and sensor white at 1; not clipped."""
    return (camera_rgb @ camera_to_srgb_matrix(color).T.astype(np.float32)).astype(np.float32)


def luminance(linear_rgb: FloatArray) -> FloatArray:
    """Luminance, shape (...), of linear RGB (..., 3) or gray (..., 1)."""
    if linear_rgb.shape[-1] == 1:
        return linear_rgb[..., 0]
    return np.asarray(linear_rgb[..., :3] @ LUMINANCE_WEIGHTS, np.float32)


def oriented(image: FloatArray, orientation: int) -> FloatArray:
    """`image`, shape (T, S, ...), turned upright as its EXIF orientation (1 to 8) asks."""
    turned = image.swapaxes(0, 1) if orientation >= 5 else image
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    if flip_rows:
        turned = turned[::-1]
    if flip_columns:
        turned = turned[:, ::-1]
    return turned
