"""Pixels that say nothing: hot ones and dead ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lfdfp.calibration.defect_kernels import suspects
from lfdfp.datatypes import BoolArray, FloatArray, NoiseModel, RawCapture
from lfdfp.errors import CalibrationError

_DARK_SIGMAS = 12.0
_SIGMAS = 8.0
_FACTOR = 1.6
_LEAST_RESPONSE = 0.25
_LONELY_PITCHES = 1.2


def hot_pixels_from_dark_frames(frames: Sequence[RawCapture]) -> BoolArray:
    """Mask (H, W) of pixels that are bright in every one of some captures without light.

    Bright is 12 standard deviations, by the median absolute deviation, above the frame's median.

    Raises
    ------
    CalibrationError
        Without frames, or where they have different sizes.
    """
    shapes = {frame.mosaic.shape for frame in frames}
    if len(shapes) != 1:
        raise CalibrationError(f"dark frames must be of one size, got {sorted(shapes)}")
    hot = np.ones(frames[0].mosaic.shape, np.bool_)
    for frame in frames:
        codes = frame.mosaic.astype(np.float32)
        median = float(np.median(codes))
        sigma = max(1.4826 * float(np.median(np.abs(codes - median))), 1.0)
        hot &= codes > median + _DARK_SIGMAS * sigma
    return hot


def defects_in_capture(
    capture: RawCapture, response: FloatArray, noise: NoiseModel, pitch_px: float
) -> BoolArray:
    """Mask (H, W) of hot and dead pixels, by their same-color neighbors under the lenslets.

    After the response is divided out, light varies slowly over the aperture. A pixel that is
    far above the brightest (or below the darkest) of its eight neighbors of the same Bayer
    channel is suspect. A small bright thing out of focus does the same, but in several
    neighboring lenslets: only suspects without another one nearby count.
    """
    import cv2

    found = np.zeros(capture.mosaic.shape, np.uint8)
    suspects(
        capture.mosaic,
        response,
        np.array([black for *_, black, _ in capture.bayer_planes()]),
        (noise.read_variance, noise.shot_gain, noise.relative),
        (_FACTOR, _SIGMAS, _LEAST_RESPONSE),
        found,
    )
    reach = 2 * int(_LONELY_PITCHES * pitch_px) + 1
    crowd = cv2.boxFilter(found, -1, (reach, reach), normalize=False, borderType=0)
    return np.asarray((found > 0) & (crowd < 2), np.bool_)
