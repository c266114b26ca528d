"""What every pixel measures of uniform light: from a white image, the capture, or by default."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lfdfp.calibration.offset_kernels import (
    OffsetTable,
    blend_profiles,
    grid_arrays,
    ratio_histograms,
)
from lfdfp.datatypes import (
    BAYER_COLOR,
    BayerPattern,
    DoubleArray,
    FloatArray,
    LensletGrid,
    RawCapture,
)

LEAST_RESPONSE = 0.02
"""Floor of an estimated response: what is darker carries no picture."""

_NO_GAINS = np.zeros((3, 0, 0), np.float32)
_ZONES = 5
_LEAST_LENSLETS_PER_ZONE = 150
_STEP_PX = 0.5
_RATIO_BINS = 128
_ENOUGH_PIXELS = 12e6
_TOP_RATIO = 4.0
_SATURATION_SHARE = 0.98
_DARK_SHARE = 0.01

# Relative light at a distance from the center in pitches, measured on a real F01 capture.
_DEFAULT_RADIUS_PITCH = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_DEFAULT_LIGHT = (1.0, 0.97, 0.90, 0.77, 0.48, 0.20, 0.05)


def response_from_capture(capture: RawCapture, grid: LensletGrid) -> FloatArray:
    """Response (H, W) of the pixels under their lenslets, from any capture.

    The median of light / local mean over many lenslets, by offset from the lenslet's center,
    in zones of the sensor that blend smoothly; 1 at the lenslets' centers. How light falls off
    over the whole field cannot be told from the scene and stays unknown.
    """
    table = offset_table(grid)
    profiles = zone_profiles(ratio_counts(capture, grid, table), table)
    return rendered_profiles(profiles, plane_tables(capture.bayer), grid)


def default_response(grid: LensletGrid) -> FloatArray:
    """Response (H, W) by a fixed radial profile: 97, 90, 77, 48 and 20 % at 0.1 to 0.5 pitch."""
    table = offset_table(grid)
    axis = np.arange(table.size) * table.step - table.reach
    radius = np.hypot(axis[:, None], axis[None, :]) / grid.pitch_px
    profile = np.interp(radius, _DEFAULT_RADIUS_PITCH, _DEFAULT_LIGHT).astype(np.float32)
    return rendered_profiles(profile[None, None, None], np.zeros(4, np.int64), grid)


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


def plane_tables(bayer: BayerPattern) -> NDArray[np.int64]:
    """Color (0, 1, 2) of each of the four Bayer planes: which profile it uses."""
    return np.array([BAYER_COLOR[channel] for channel in bayer], np.int64)


def ratio_counts(capture: RawCapture, grid: LensletGrid, table: OffsetTable) -> NDArray[np.int32]:
    """Histograms (Z, Z, 3, N, N, B) of light / local mean by zone, color and offset."""
    lenslets = capture.mosaic.size / (grid.pitch_px**2 * np.sqrt(3) / 2)
    zones = int(np.clip(np.sqrt(lenslets / _LEAST_LENSLETS_PER_ZONE), 1, _ZONES))
    counts = np.zeros((zones, zones, 3, table.size, table.size, _RATIO_BINS), np.int32)
    means, limits = [], []
    for _, rows, columns, black, white in capture.bayer_planes():
        light = capture.mosaic[rows, columns].astype(np.float32) - np.float32(black)
        sigma = 0.25 * grid.pitch_px
        means.append(cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))
        limits.append(
            (black, _DARK_SHARE * (white - black), black + _SATURATION_SHARE * (white - black))
        )
    ratio_histograms(
        capture.mosaic,
        tuple(means),
        np.array(limits),
        plane_tables(capture.bayer),
        grid_arrays(grid),
        table,
        _TOP_RATIO,
        max(1, round(capture.mosaic.size / _ENOUGH_PIXELS)),
        counts,
    )
    return counts


def zone_profiles(counts: NDArray[np.int32], table: OffsetTable) -> FloatArray:
    """Median ratio per zone, color and offset; 1 at the center; gaps filled from the whole."""
    overall = _center_is_one(_medians(counts.sum(axis=(0, 1), keepdims=True)), table)
    zoned = _center_is_one(_medians(counts), table)
    filled = np.where(np.isnan(zoned), _nearest_filled(overall), zoned)
    return np.ascontiguousarray(filled, np.float32)


def _nearest_filled(profiles: DoubleArray) -> DoubleArray:
    """Offsets that no pixel fell on take the value of the nearest one that has one.

    Only the rim of the lenslet's cell is concerned: zeros there would darken its neighbors.
    """
    filled = np.ones_like(profiles)
    for index in np.ndindex(*profiles.shape[:3]):
        missing = np.isnan(profiles[index])
        if missing.all():
            continue
        nearest = ndimage.distance_transform_edt(
            missing, return_distances=False, return_indices=True
        )
        filled[index] = profiles[index][tuple(nearest)]
    return filled


def _medians(counts: NDArray[np.int32]) -> DoubleArray:
    """Median of the binned ratios, NaN where fewer than eight were counted."""
    cumulative = np.cumsum(counts, axis=-1)
    total = cumulative[..., -1]
    half = 0.5 * total
    index = np.argmax(cumulative >= half[..., None], axis=-1)
    inside = np.take_along_axis(counts, index[..., None], axis=-1)[..., 0]
    before = np.take_along_axis(cumulative, index[..., None], axis=-1)[..., 0] - inside
    median = (index + (half - before) / np.maximum(inside, 1)) * _TOP_RATIO / counts.shape[-1]
    return np.where(total < 8, np.nan, median)


def _center_is_one(profiles: DoubleArray, table: OffsetTable) -> DoubleArray:
    axis = np.arange(table.size) * table.step - table.reach
    near = np.hypot(axis[:, None], axis[None, :]) <= 1.0
    usable = near & ~np.isnan(profiles)
    light = np.where(usable, profiles, 0.0).sum(axis=(-2, -1), keepdims=True)
    count = usable.sum(axis=(-2, -1), keepdims=True)
    return np.where(light > 0, profiles * count / np.maximum(light, 1e-12), np.nan)
