"""The lenslet grid that the metadata promise."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError

_FARTHEST_PUPIL_M = 1e3
"""Lytro writes 1e4 m for an exit pupil at infinity."""

_FEWEST_LENSLETS = 8


def grid_from_metadata(capture: RawCapture) -> LensletGrid:
    """Lenslet grid from the camera's own description of its microlens array.

    The lenslets' images are projected from the exit pupil onto the sensor, so their spacing is
    that of the lenslets times ``1 + array-to-sensor distance / exit-pupil distance``. The pitch
    is good to a few 1e-4. Signs and origin of rotation and offset differ between firmware
    versions: take the result as a seed for `fit_lenslet_grid`, or as a last resort.

    Raises
    ------
    CalibrationError
        When lenslet pitch and pixel pitch give less than 3 or more than 100 pixels per lenslet,
        or the sensor shows fewer than 8 lenslets along an axis.
    """
    array = capture.microlens_array
    height, width = capture.mosaic.shape
    pitch = array.pitch_m / capture.pixel_pitch_m * _pupil_factor(capture)
    if not 3.0 <= pitch <= 100.0:
        raise CalibrationError(
            f"the metadata give a lenslet pitch of {array.pitch_m} m on pixels of "
            f"{capture.pixel_pitch_m} m, which is {pitch:.3g} pixels: no lenslet grid can be made"
        )
    if min(height, width) < _FEWEST_LENSLETS * pitch:
        raise CalibrationError(
            f"a sensor of {width} x {height} pixels shows fewer than {_FEWEST_LENSLETS} x "
            f"{_FEWEST_LENSLETS} lenslets of {pitch:.2f} pixels: this is no whole capture"
        )
    cos, sin = np.cos(array.rotation_rad), np.sin(array.rotation_rad)
    rotation = np.array([[cos, sin], [-sin, cos]])
    scale = np.array(array.scale)
    right = pitch * rotation @ (scale * (0.0, 1.0))
    down = pitch * rotation @ (scale * (ROW_STEP_PITCHES, 0.5))
    offset = np.array(array.sensor_offset_m[:2]) / capture.pixel_pitch_m
    origin = np.array([(height - 1) / 2, (width - 1) / 2]) + offset
    return LensletGrid(
        origin_px=(float(origin[0]), float(origin[1])),
        right_px=(float(right[0]), float(right[1])),
        down_px=(float(down[0]), float(down[1])),
        sensor_shape=(height, width),
        source="metadata",
    )


def _pupil_factor(capture: RawCapture) -> float:
    pupil = capture.lens.exit_pupil_offset_m
    if pupil is None or not 0.0 < pupil < _FARTHEST_PUPIL_M:
        return 1.0
    return 1.0 + capture.microlens_array.sensor_offset_m[2] / pupil
