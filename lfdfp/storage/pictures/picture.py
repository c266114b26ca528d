"""A picture as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.lookup import looked_up
from lfdfp.storage.pictures.color_profiles import ColorProfile
from lfdfp.storage.pictures.exif import Exif
from lfdfp.storage.pictures.stored import Bits, Resolution


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture file's content.

    Attributes
    ----------
    light
        Shape (T, S, C) with C = 1 (gray) or 3 (RGB), linear light, upright, in [0, 1]; above 1
        where a file in floating point has it.
    alpha
        Shape (T, S), in [0, 1], or None; the light is not multiplied by it.
    bits
        Depth of the file: 8, or 16 for all that is deeper.
    profile
        The color profile whose primaries the light has; None for sRGB.
    exif, xmp, resolution
        What the file said of itself, carried from input to output.
    notes
        What the user should know of how the file was read.
    """

    light: FloatArray
    alpha: FloatArray | None = None
    bits: Bits = 8
    profile: ColorProfile | None = None
    exif: Exif | None = None
    xmp: bytes | None = None
    resolution: Resolution | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedPicture:
    """A picture whose values are as its file holds them: a fraction of what its light takes.

    Attributes
    ----------
    codes
        Shape (T, S, C), upright: whole numbers, or linear light where there are no curves.
    curves
        Shape (levels, C): the linear light that each whole number stands for, by channel.
    told
        All else; its light is not that of the picture.
    """

    codes: NDArray[Any]
    curves: FloatArray | None
    told: Picture

    def light(self) -> FloatArray:
        """Linear light, shape (T, S, C)."""
        if self.curves is None:
            return np.ascontiguousarray(self.codes, np.float32)
        return looked_up(self.codes, self.curves)

    def picture(self) -> Picture:
        """The picture with its light."""
        return replace(self.told, light=self.light())
