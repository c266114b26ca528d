"""What every pixel measures of uniform light: from a white image, the capture, or by default."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lfdfp.calibration.noise import noise_from_capture, noise_from_iso
from lfdfp.calibration.offset_kernels import (
    OffsetTable,
    blend_profiles,
    grid_arrays,
    lenslet_products,
    ratio_histograms,
    scale_by_lenslet,
)
from lfdfp.datatypes import (
    BAYER_COLOR,
    BoolArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
    NoiseModel,
    RawCapture,
)
from lfdfp.errors import CalibrationError

LEAST_RESPONSE = 0.02
"""Floor of an estimated response: what is darker carries no picture."""

_ZONES = 5
_LEAST_LENSLETS_PER_ZONE = 150
_STEP_PX = 0.5
_RATIO_BINS = 128
_TOP_RATIO = 4.0
_SATURATION_SHARE = 0.98
_DARK_SHARE = 0.01
_DARKEST_WHITE_IMAGE = 0.02
_GROSS_SHARE = 0.4
_GROSS_LEVEL = 0.25

# Relative light at a distance from the center in pitches, measured on a real F01 capture.
_DEFAULT_RADIUS_PITCH = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_DEFAULT_LIGHT = (1.0, 0.97, 0.90, 0.77, 0.48, 0.20, 0.05)


def response_from_white_image(white: RawCapture, grid: LensletGrid) -> FloatArray:
    """Response (H, W) of every pixel from a picture of uniform light.

    A single white image is noisy (1 to 2 % per pixel), and dividing by it would add its noise to
    every capture. So it is compared with a smooth model (profiles by offset and zone, times each
    lenslet's gain), and pixels keep only that share of their difference which exceeds the noise
    (a Wiener filter). Each color is divided by its own 99.9th percentile, so that dividing a
    capture by the response neither adds a color cast nor carries the lamp's. Pixels that differ
    grossly from the model are dead or hot: their response is 0.

    Raises
    ------
    CalibrationError
        When the white image is too dark.
    """
    light = _linear_light(white)
    table = _offset_table(grid)
    profiles = _zone_profiles(_counts(white, grid, table), table)
    smooth = np.empty(white.mosaic.shape, np.float32)
    blend_profiles(profiles, _plane_tables(white), grid_arrays(grid), table, smooth)
    np.maximum(smooth, LEAST_RESPONSE, out=smooth)
    for color in range(3):
        _scale_to_lenslets(light, smooth, grid, _pixels_of(white, color))
    response = _wiener(light, smooth, white, grid)
    for color in range(3):
        _normalize(response, smooth, white, color)
    return response


def _linear_light(white: RawCapture) -> FloatArray:
    """Shape (H, W): share of the white level."""
    light = np.empty(white.mosaic.shape, np.float32)
    for _, rows, columns, black, full in white.bayer_planes():
        light[rows, columns] = white.mosaic[rows, columns]
        light[rows, columns] -= np.float32(black)
        light[rows, columns] *= np.float32(1 / (full - black))
    return light


def _pixels_of(capture: RawCapture, color: int) -> BoolArray:
    """Shape (2, 2): the places of a color in the Bayer cell."""
    return np.array([BAYER_COLOR[channel] == color for channel in capture.bayer]).reshape(2, 2)


def _scale_to_lenslets(
    light: FloatArray, smooth: FloatArray, grid: LensletGrid, cell: BoolArray
) -> None:
    """Multiply the pixels of one color of `smooth` by the light under their lenslet."""
    height, width = light.shape
    chosen = np.tile(cell, (-(-height // 2), -(-width // 2)))[:height, :width]
    corners = np.array([[0, 0, height, height], [0, width, 0, width]], np.float64)
    q, r = grid.lattice_coordinates(corners[0], corners[1])
    first = int(np.floor(r.min())) - 2, int(np.floor((q + r / 2).min())) - 3
    size = (
        int(np.ceil(r.max())) + 3 - first[0],
        int(np.ceil((q + r / 2).max())) + 4 - first[1],
    )
    sums = np.zeros((2, *size))
    masked = np.where(chosen, smooth, np.float32(0.0))
    lenslet_products(light, masked, grid_arrays(grid), first, sums)
    gains = sums[0] / np.maximum(sums[1], 1e-9)
    scale_by_lenslet(masked, grid_arrays(grid), first, gains)
    smooth[chosen] = masked[chosen]


def _wiener(
    light: FloatArray, smooth: FloatArray, white: RawCapture, grid: LensletGrid
) -> FloatArray:
    """Smooth model plus the trustworthy part of the white image's difference from it."""
    noise = _noise_of_white_image(white, grid, smooth)
    planes = white.bayer_planes()
    span = np.float32(sum(full - black for *_, black, full in planes) / len(planes))
    level = np.maximum(smooth, 0.0) * span
    real = np.square(np.float32(noise.relative) * level)
    share = real / (real + np.float32(noise.shot_gain) * level + np.float32(noise.read_variance))
    response = smooth + share * (light - smooth)
    tolerance = np.maximum(_GROSS_SHARE * smooth, _GROSS_SHARE * _GROSS_LEVEL * smooth.max())
    response[np.abs(light - smooth) > tolerance] = 0.0
    return np.asarray(np.maximum(response, 0.0), np.float32)


def _noise_of_white_image(white: RawCapture, grid: LensletGrid, smooth: FloatArray) -> NoiseModel:
    try:
        return noise_from_capture(white, grid, smooth)
    except CalibrationError:
        return noise_from_iso(white)


def _normalize(response: FloatArray, smooth: FloatArray, white: RawCapture, color: int) -> None:
    """Divide one color by its 99.9th percentile, in place."""
    planes = [p for p in white.bayer_planes() if BAYER_COLOR[p[0]] == color]
    top = float(
        np.percentile([smooth[rows, columns][::2, ::2] for _, rows, columns, *_ in planes], 99.9)
    )
    if not top > _DARKEST_WHITE_IMAGE:
        raise CalibrationError(
            f"the white image is too dark: its brightest {('red', 'green', 'blue')[color]} pixels "
            f"reach only {100 * top:.1f} % of the white level"
        )
    for _, rows, columns, _, _ in planes:
        response[rows, columns] /= np.float32(top)


def response_from_capture(capture: RawCapture, grid: LensletGrid) -> FloatArray:
    """Response (H, W) of the pixels under their lenslets, from any capture.

    The median of light / local mean over many lenslets, by offset from the lenslet's center,
    in zones of the sensor that blend smoothly; 1 at the lenslets' centers. How light falls off
    over the whole field cannot be told from the scene and stays unknown.
    """
    table = _offset_table(grid)
    profiles = _zone_profiles(_counts(capture, grid, table), table)
    response = np.empty(capture.mosaic.shape, np.float32)
    blend_profiles(profiles, _plane_tables(capture), grid_arrays(grid), table, response)
    return np.clip(response, LEAST_RESPONSE, None, out=response)


def default_response(grid: LensletGrid) -> FloatArray:
    """Response (H, W) by a fixed radial profile: 97, 90, 77, 48 and 20 % at 0.1 to 0.5 pitch."""
    table = _offset_table(grid)
    axis = np.arange(table.size) * table.step - table.reach
    radius = np.hypot(axis[:, None], axis[None, :]) / grid.pitch_px
    profile = np.interp(radius, _DEFAULT_RADIUS_PITCH, _DEFAULT_LIGHT).astype(np.float32)
    response = np.empty(grid.sensor_shape, np.float32)
    blend_profiles(
        profile[None, None, None], np.zeros(4, np.int64), grid_arrays(grid), table, response
    )
    return response


def _offset_table(grid: LensletGrid) -> OffsetTable:
    reach = np.ceil(grid.pitch_px / np.sqrt(3.0) / _STEP_PX + 1) * _STEP_PX
    return OffsetTable(size=int(2 * reach / _STEP_PX) + 1, reach=float(reach), step=_STEP_PX)


def _plane_tables(capture: RawCapture) -> NDArray[np.int64]:
    return np.array([BAYER_COLOR[channel] for channel in capture.bayer], np.int64)


def _counts(capture: RawCapture, grid: LensletGrid, table: OffsetTable) -> NDArray[np.int32]:
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
        _plane_tables(capture),
        grid_arrays(grid),
        table,
        _TOP_RATIO,
        counts,
    )
    return counts


def _zone_profiles(counts: NDArray[np.int32], table: OffsetTable) -> FloatArray:
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
