"""What ordinary captures tell of the response of the lenslets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lfdfp.calibration.raw_codes import plane_colors
from lfdfp.calibration.response.fall_off import (
    FieldShading,
    combined_shading,
    shading_from_parallax,
)
from lfdfp.calibration.response.from_white_image import LensletResponse
from lfdfp.calibration.response.profile_fit import ZONES, Source, fitted_profiles
from lfdfp.calibration.response.profiles import rendered_profiles, table_of_size
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray, LensletGrid, RawCapture
from lfdfp.lenslets.arrays import LensletArray


def lenslets_from_capture(
    capture: RawCapture, grid: LensletGrid
) -> tuple[LensletResponse, FieldShading]:
    """Response of the lenslets from one capture, and how well the fall-off is known.

    Raises
    ------
    CalibrationError
        When hardly any lenslet is well lit.
    """
    profiles = fitted_profiles([(capture, grid)], is_white=False)
    shading = _shading(capture, grid, profiles)
    return _shaded(capture, grid, profiles, shading), shading


def lenslets_from_captures(sources: Sequence[Source]) -> tuple[LensletResponse, ...]:
    """Response of the lenslets from several captures of one camera, one entry for each.

    Raises
    ------
    CalibrationError
        When hardly any lenslet is well lit.
    """
    profiles = fitted_profiles(sources, is_white=False)
    shading = combined_shading([_shading(capture, grid, profiles) for capture, grid in sources])
    return tuple(_shaded(capture, grid, profiles, shading) for capture, grid in sources)


def _shading(capture: RawCapture, grid: LensletGrid, profiles: FloatArray) -> FieldShading:
    smooth = rendered_profiles(profiles, plane_colors(capture.bayer), grid)
    return shading_from_parallax(capture, grid, smooth)


def _shaded(
    capture: RawCapture, grid: LensletGrid, profiles: FloatArray, shading: FieldShading
) -> LensletResponse:
    """Profiles with their tilt, and gains that follow the fall-off; 1 where it is brightest."""
    lenslets = LensletArray.over(grid)
    light = shading.log_light(lenslets.field_positions())
    light -= light[_on_sensor(lenslets)].max()
    gains = np.repeat(np.exp(light)[None], 3, axis=0).astype(np.float32)
    return LensletResponse(
        grid=grid,
        profiles=_tilted(profiles, grid, shading),
        gains=np.ascontiguousarray(gains),
        first=lenslets.first,
        zoom_step=capture.lens.zoom_step,
        focus_step=capture.lens.focus_step,
    )


def _on_sensor(lenslets: LensletArray) -> BoolArray:
    limits = np.array(lenslets.grid.sensor_shape) - 1
    return np.asarray(((lenslets.centers_px >= 0) & (lenslets.centers_px <= limits)).all(axis=-1))


def _tilted(profiles: FloatArray, grid: LensletGrid, shading: FieldShading) -> FloatArray:
    """Profiles (Z, Z, 3, N, N) times the exponential of their tilt."""
    table = table_of_size(profiles.shape[-1])
    axis = np.arange(table.size) * table.step - table.reach
    down, right = np.meshgrid(axis, axis, indexing="ij")
    cos, sin = grid.turn
    direction = np.stack([cos * down - sin * right, sin * down + cos * right], axis=-1)
    tilt = shading.tilt_per_px(_zone_positions(grid.sensor_shape))
    change = np.einsum("zyk,ijk->zyij", tilt, direction)
    return np.asarray(profiles * np.exp(change)[:, :, None], np.float32)


def _zone_positions(sensor_shape: tuple[int, int]) -> DoubleArray:
    """Shape (Z, Z, 2): the zones' middles, in half diagonals from the sensor's middle."""
    side = (2 * np.arange(ZONES) + 1) / ZONES - 1
    y, x = np.meshgrid(side, side, indexing="ij")
    return np.asarray(np.stack([y, x], axis=-1) * np.array(sensor_shape) / np.hypot(*sensor_shape))
