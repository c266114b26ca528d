"""The slope of a plane in lenslet pitches per raw pixel, which does not depend on the views.

`lfdfp.interchange.slopes` converts to and from other programs' numbers. Every function takes and
gives numbers or arrays.
"""

from __future__ import annotations

from typing import TypeVar

from lfdfp.datatypes import DoubleArray, LightField
from lfdfp.errors import MetadataError

Number = TypeVar("Number", float, DoubleArray)


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


def _pixels_per_pitch(field: LightField) -> float:
    if field.sampling is None:
        raise MetadataError(
            "the field does not say how its pixels lie among lenslets; it was not decoded from rays"
        )
    return field.sampling.pixels_per_pitch
