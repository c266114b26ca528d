"""Synthetic captures of a hexagonal lenslet lattice with known geometry."""

from __future__ import annotations

import numpy as np

from lfdfp.calibration.response.offset_kernels import grid_arrays, row_offsets
from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid, MicrolensArray, RawCapture

BAYER = ("b", "gb", "gr", "r")
BLACK, WHITE = 168.0, 4095.0
PIXEL_PITCH_M = 1.4e-6


def random_grid(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    pitch: float = 10.0,
    rotation: float | None = None,
    distortion_px: float = 0.0,
) -> LensletGrid:
    """Pitch within 2 %, rotation within 0.01 rad, any offset, scales within 0.1 %."""
    angle = rng.uniform(-0.01, 0.01) if rotation is None else rotation
    stretch = pitch * rng.uniform(0.98, 1.02) * (1 + rng.uniform(-1e-3, 1e-3, 2))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    right = turn @ (stretch * (0.0, 1.0))
    down = turn @ (stretch * (np.sqrt(3) / 2, 0.5))
    middle = (np.array(shape) - 1) / 2
    origin = middle + rng.uniform(-0.3, 0.3, 2) * pitch
    distortion = np.zeros((2, 10))
    distortion[:, 3:] = rng.uniform(-1, 1, (2, 7)) * distortion_px / 2.5
    return LensletGrid(
        origin_px=(float(origin[0]), float(origin[1])),
        right_px=(float(right[0]), float(right[1])),
        down_px=(float(down[0]), float(down[1])),
        sensor_shape=shape,
        distortion_px=distortion,
    )


def offsets_from_centers(grid: LensletGrid) -> FloatArray:
    """Shape (H, 2, W): (down, right) of every pixel from its nearest lenslet's center."""
    height, width = grid.sensor_shape
    offsets = np.empty((height, 2, width), np.float32)
    lattice = np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, grid.sensor_shape, grid_arrays(grid), offsets[row], lattice)
    return offsets


def lenslet_profile(grid: LensletGrid, *, edge: float = 0.45) -> FloatArray:
    """Response (H, W): a soft disc under every lenslet, integrated over 2 x 2 parts of a pixel."""
    offsets = offsets_from_centers(grid)
    total = np.zeros(grid.sensor_shape)
    for down in (-0.25, 0.25):
        for right in (-0.25, 0.25):
            radius = np.hypot(offsets[:, 0] + down, offsets[:, 1] + right) / grid.pitch_px
            total += (1 - 0.6 * radius**2) / (1 + np.exp((radius - edge) / 0.05)) / 4
    return total.astype(np.float32)


def capture_of(
    light: FloatArray | DoubleArray,
    rng: np.random.Generator,
    *,
    pitch_px: float,
    noise: float = 0.01,
) -> RawCapture:
    """Codes of a sensor that sees `light` (1 is white), with shot noise of `noise` at white."""
    noisy = light + noise * np.sqrt(np.maximum(light, 0) + 1e-3) * rng.standard_normal(light.shape)
    codes = np.clip(np.rint(BLACK + (WHITE - BLACK) * noisy), 0, WHITE).astype(np.uint16)
    return RawCapture(
        mosaic=codes,
        bayer=BAYER,
        black_codes=(BLACK,) * 4,
        white_codes=(WHITE,) * 4,
        pixel_pitch_m=PIXEL_PITCH_M,
        microlens_array=MicrolensArray(pitch_m=pitch_px * PIXEL_PITCH_M),
    )


def scene_light(rng: np.random.Generator, grid: LensletGrid) -> FloatArray:
    """Light of a colored, textured scene, the same for all directions, before the lenslets."""
    height, width = grid.sensor_shape
    rows, columns = np.indices(grid.sensor_shape)
    light = np.full((height, width), 0.35)
    for _ in range(12):
        frequency = rng.normal(0, 0.006, 2)
        wave = np.cos(2 * np.pi * (frequency[0] * rows + frequency[1] * columns + rng.uniform()))
        light *= 1 + 0.5 * np.sign(wave) * rng.uniform(0, 0.6)
    color = rng.uniform(0.4, 1.0, 3)
    for k, c in enumerate((2, 1, 1, 0)):
        light[k // 2 :: 2, k % 2 :: 2] *= color[c]
    return np.clip(light, 0.0, 1.2).astype(np.float32)


def center_error_px(found: LensletGrid, true: LensletGrid) -> DoubleArray:
    """Shape (2, N): found minus true center of every lenslet on the sensor, relabeled."""
    height, width = true.sensor_shape
    reach = int(max(height, width) / true.pitch_px) + 2
    q, r = (axis.ravel() for axis in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    centers = true.centers(q, r)
    on = (centers[0] > 0) & (centers[0] < height - 1) & (centers[1] > 0) & (centers[1] < width - 1)
    nearest = np.rint(found.lattice_coordinates(centers[0, on], centers[1, on]))
    return np.asarray(found.centers(nearest[0], nearest[1]) - centers[:, on])


def untouched_rings(grid: LensletGrid, radius_pitches: float) -> np.ndarray:
    """Mask (H, W) of the pixels within a radius of their lenslet's center."""
    offsets = offsets_from_centers(grid)
    return np.hypot(offsets[:, 0], offsets[:, 1]) < radius_pitches * grid.pitch_px
