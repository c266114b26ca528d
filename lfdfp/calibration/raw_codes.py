"""Raw codes as the compiled passes of the calibration take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import BAYER_COLOR, BayerPattern, CodeArray, DoubleArray, RawCapture


class RawCodes(NamedTuple):
    """A mosaic, and what its codes mean.

    The Bayer plane of a pixel is ``2 (row & 1) + (column & 1)``.

    Attributes
    ----------
    mosaic
        Shape (H, W), uint16.
    colors
        Shape (4,): color (0 red, 1 green, 2 blue) of each Bayer plane.
    black, white
        Shape (4,), in codes, per Bayer plane.
    least_light
        Shape (4,), in codes above black: a lenslet whose mean light is less is too dark.
    saturated
        Shape (4,): code from which a pixel says nothing.
    """

    mosaic: CodeArray
    colors: NDArray[np.int64]
    black: DoubleArray
    white: DoubleArray
    least_light: DoubleArray
    saturated: DoubleArray


def raw_codes(
    capture: RawCapture, *, dark_share: float = 0.0, saturation_share: float = 1.0
) -> RawCodes:
    """The codes of a capture, with the shares of the range from black to white that are usable."""
    levels = np.array([(black, white) for *_, black, white in capture.bayer_planes()], np.float64)
    black, white = np.ascontiguousarray(levels.T)
    return RawCodes(
        mosaic=capture.mosaic,
        colors=plane_colors(capture.bayer),
        black=black,
        white=white,
        least_light=dark_share * (white - black),
        saturated=black + saturation_share * (white - black),
    )


def plane_colors(bayer: BayerPattern) -> NDArray[np.int64]:
    """Shape (4,): color (0 red, 1 green, 2 blue) of each of the four Bayer planes."""
    return np.array([BAYER_COLOR[channel] for channel in bayer], np.int64)
