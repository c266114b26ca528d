"""Laws of decoding, on captures small enough to be made by hand."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import (
    Calibration,
    ColorData,
    LensletGrid,
    MicrolensArray,
    RawCapture,
)
from lfdfp.decode import decode

PITCH_PX = 9.93


def small_grid(shape: tuple[int, int] = (160, 180), rotation_rad: float = -0.005) -> LensletGrid:
    sine, cosine = np.sin(rotation_rad), np.cos(rotation_rad)
    half, rise = 0.5, np.sqrt(3) / 2
    return LensletGrid(
        origin_px=(shape[0] / 2 + 0.3, shape[1] / 2 - 0.4),
        right_px=(PITCH_PX * sine, PITCH_PX * cosine),
        down_px=(
            PITCH_PX * (half * sine + rise * cosine),
            PITCH_PX * (half * cosine - rise * sine),
        ),
        sensor_shape=shape,
    )


def gray_capture(level: float = 0.4) -> tuple[RawCapture, Calibration]:
    grid = small_grid()
    row, column = np.mgrid[0 : grid.sensor_shape[0], 0 : grid.sensor_shape[1]].astype(float)
    q, r = grid.lattice_coordinates(row, column)
    center = grid.centers(np.rint(q), np.rint(r))
    distance = np.hypot(row - center[0], column - center[1])
    response = np.clip(1.05 - (distance / 6.5) ** 2, 0.1, 1).astype(np.float32)
    color = ColorData(white_balance=(1.5, 1.0, 2.0))
    light = np.empty_like(response)
    for rows, columns, gain in ((0, 0, 2.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.5)):
        light[rows::2, columns::2] = level * response[rows::2, columns::2] / gain
    capture = RawCapture(
        mosaic=np.rint(168 + (4095 - 168) * light).astype(np.uint16),
        bayer=("b", "gb", "gr", "r"),
        black_codes=(168,) * 4,
        white_codes=(4095,) * 4,
        pixel_pitch_m=1.4e-6,
        microlens_array=MicrolensArray(pitch_m=PITCH_PX * 1.4e-6),
        color=color,
    )
    return capture, Calibration(grid=grid, response=response)


def test_a_uniform_gray_scene_decodes_to_that_gray_everywhere() -> None:
    field = decode(*gray_capture(0.4))
    v, u = field.center
    assert field.angular_shape == (9, 9)
    np.testing.assert_allclose(field.view(v, u)[2:-2, 2:-2], 0.4, atol=2e-3)
    np.testing.assert_allclose(field.view(v - 2, u + 2)[2:-2, 2:-2], 0.4, atol=4e-3)
