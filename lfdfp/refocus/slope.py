"""The slope of a plane in the units of others.

`slope` is this project's: pixels of shift per angular step, as in ``docs/conventions.md``. Every
function takes and gives numbers or arrays.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from lfdfp.datatypes import DoubleArray, LightField
from lfdfp.errors import MetadataError, SettingsError

Number = TypeVar("Number", float, DoubleArray)


def alpha_from_slope(slope: Number) -> Number:
    """Ng's α, image distance over that of the array: ``α = 1 / (1 − slope)``.

    Raises
    ------
    SettingsError
        For slopes of 1 and more, which no positive α has.
    """
    if np.any(np.asarray(slope) >= 1):
        raise SettingsError(f"no α belongs to a slope of 1 or more, got {slope}")
    return 1 / (1 - slope)


def slope_from_alpha(alpha: Number) -> Number:
    """``slope = 1 − 1/α`` (Ng; OpenRefocus).

    Raises
    ------
    SettingsError
        For α that is not positive.
    """
    if np.any(np.asarray(alpha) <= 0):
        raise SettingsError(f"α must be positive, got {alpha}")
    return 1 - 1 / alpha


def slope_from_pitches(field: LightField, disparity_pitch: Number) -> Number:
    """Slope of a disparity in lenslet pitches per raw pixel.

    Raises
    ------
    MetadataError
        For a field that was not decoded from rays.
    """
    return disparity_pitch * _pixels_per_pitch(field)


def pitches_from_slope(field: LightField, slope: Number) -> Number:
    """Disparity in lenslet pitches per raw pixel; the opposite of `slope_from_pitches`."""
    return slope / _pixels_per_pitch(field)


def slope_from_hci(disparity: Number) -> Number:
    """From the disparity of the HCI 4-D light field benchmark (near positive): −disparity."""
    return -disparity


def hci_from_slope(slope: Number) -> Number:
    """Disparity as the HCI 4-D light field benchmark gives it (near positive)."""
    return -slope


def slope_from_lf_toolbox(slope: Number, views: int) -> Number:
    """From a slope of the LF Toolbox, whose views span −½ to ½: ``m N / (N − 1)``."""
    return slope * (views / (views - 1))


def lf_toolbox_from_slope(slope: Number, views: int) -> Number:
    """Slope as the LF Toolbox's filters take it."""
    return slope * ((views - 1) / views)


def slope_from_plenpy(slope: Number, views: int) -> Number:
    """From a plenpy slope: as the LF Toolbox's, of the opposite sign."""
    return -slope_from_lf_toolbox(slope, views)


def plenpy_from_slope(slope: Number, views: int) -> Number:
    """Slope as plenpy takes it."""
    return -lf_toolbox_from_slope(slope, views)


def slope_from_plenopticam(a: Number) -> Number:
    """From PlenoptiCam's refocusing parameter: −a."""
    return -a


def plenopticam_from_slope(slope: Number) -> Number:
    """PlenoptiCam's refocusing parameter, which it rounds to a whole number."""
    return -slope


def _pixels_per_pitch(field: LightField) -> float:
    if field.sampling is None:
        raise MetadataError(
            "the field does not say how its pixels lie among lenslets; it was not decoded from rays"
        )
    return field.sampling.pixels_per_pitch
