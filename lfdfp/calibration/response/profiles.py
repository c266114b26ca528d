"""What every pixel measures of uniform light: profiles of the lenslets, laid over the sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.response.offset_kernels import OffsetTable, blend_profiles, grid_arrays
from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid

LEAST_RESPONSE = 0.02
"""Floor of an estimated response: what is darker carries no picture."""

_NO_GAINS = np.zeros((3, 0, 0), np.float32)
_STEP_PX = 0.5

# Relative light at a distance from the center in pitches, measured on a real F01 capture.
_DEFAULT_RADIUS_PITCH = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_DEFAULT_LIGHT = (1.0, 0.97, 0.90, 0.77, 0.48, 0.20, 0.05)


def default_response(grid: LensletGrid) -> FloatArray:
    """Response (H, W) by a fixed radial profile: 97, 90, 77, 48 and 20 % at 0.1 to 0.5 pitch."""
    profile = default_profile(offset_table(grid), grid.pitch_px).astype(np.float32)
    return rendered_profiles(profile[None, None, None], np.zeros(4, np.int64), grid)


def default_profile(table: OffsetTable, pitch_px: float) -> DoubleArray:
    """Shape (N, N): light of an average lenslet by offset, see `default_response`."""
    axis = np.arange(table.size) * table.step - table.reach
    radius = np.hypot(axis[:, None], axis[None, :]) / pitch_px
    return np.asarray(np.interp(radius, _DEFAULT_RADIUS_PITCH, _DEFAULT_LIGHT), np.float64)


def rendered_profiles(
    profiles: FloatArray,
    tables: NDArray[np.int64],
    grid: LensletGrid,
    gains: FloatArray = _NO_GAINS,
    first: tuple[int, int] = (0, 0),
) -> FloatArray:
    """Response (H, W) of every pixel by its zone, color and offset, and its lenslet's gain.

    Parameters
    ----------
    profiles
        Shape (Z, Z, K, N, N).
    tables
        Shape (4,): the profile k that each Bayer plane uses.
    gains, first
        Shape (3, R, X): of lenslet (q, r) at ``[color, r - first[0], q + (r >> 1) - first[1]]``.
    """
    response = np.empty(grid.sensor_shape, np.float32)
    table = table_of_size(profiles.shape[-1])
    blend_profiles(
        profiles, tables, grid_arrays(grid), table, gains, first, LEAST_RESPONSE, response
    )
    return response


def offset_table(grid: LensletGrid) -> OffsetTable:
    """Offsets that the profiles are tabulated at: every half pixel of a lenslet's cell."""
    reach_steps = int(np.ceil(grid.pitch_px / np.sqrt(3.0) / _STEP_PX + 1))
    return table_of_size(2 * reach_steps + 1)


def table_of_size(size: int) -> OffsetTable:
    """The table with `size` entries per side, in the middle of which the offset is 0."""
    return OffsetTable(size=size, reach=(size - 1) / 2 * _STEP_PX, step=_STEP_PX)
