"""Laws of decoding, on captures small enough to be made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.datatypes import (
    Calibration,
    ColorData,
    LensletGrid,
    LightField,
    MicrolensArray,
    RawCapture,
)
from lfdfp.decoding import decode
from lfdfp.decoding.orientation import oriented_field
from lfdfp.decoding.sensor import sensor_light
from lfdfp.errors import CalibrationError
from lfdfp.imaging.color import oriented
from lfdfp.settings import DecodeSettings

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


def with_codes(capture: RawCapture, mosaic: np.ndarray) -> RawCapture:
    return replace(capture, mosaic=mosaic.astype(np.uint16))


def test_saturated_pixels_stay_neutral_and_bright() -> None:
    capture, calibration = gray_capture(0.4)
    bright = capture.mosaic.copy()
    bright[60:110, 60:110] = 4095
    light = sensor_light(with_codes(capture, bright), calibration).light
    cell = light[80:90, 80:90].reshape(5, 2, 5, 2).mean(axis=(0, 2))
    assert cell.min() > 1.9
    assert cell.max() / cell.min() < 1.1


def test_a_hot_pixel_is_replaced_and_nothing_else_changes() -> None:
    capture, calibration = gray_capture(0.2)
    hot = capture.mosaic.copy()
    hot[83, 92] = 3000
    clean = sensor_light(capture, calibration)
    repaired = sensor_light(with_codes(capture, hot), calibration)
    assert (clean.hot, repaired.hot) == (0, 1)
    np.testing.assert_allclose(repaired.light, clean.light, atol=0.01)


def test_a_pixel_without_response_is_filled_from_its_neighbors() -> None:
    capture, calibration = gray_capture(0.2)
    response = calibration.response.copy()
    response[70, 71] = 0
    sensor = sensor_light(capture, replace(calibration, response=response))
    assert sensor.unmeasured == 1
    assert abs(sensor.light[70, 71] - 0.2) < 0.01


@pytest.mark.slow
def test_dead_lenslets_are_made_up_from_their_neighbors() -> None:
    capture, calibration = gray_capture(0.2)
    response, mosaic = calibration.response.copy(), capture.mosaic.copy()
    centers = calibration.grid.centers(np.array([-3.0, 0.0, 4.0]), np.array([2.0, 0.0, -3.0]))
    for row, column in np.rint(centers).astype(int).T:
        dead = np.s_[row - 5 : row + 6, column - 5 : column + 6]
        response[dead], mosaic[dead] = 0, 4095
    field = decode(replace(capture, mosaic=mosaic), replace(calibration, response=response))
    np.testing.assert_allclose(field.view(*field.center), 0.2, atol=0.01)


def test_inputs_are_left_unchanged_and_the_result_is_the_same_each_time() -> None:
    capture, calibration = gray_capture()
    before = capture.mosaic.copy(), calibration.response.copy()
    first, second = decode(capture, calibration), decode(capture, calibration)
    np.testing.assert_array_equal(capture.mosaic, before[0])
    np.testing.assert_array_equal(calibration.response, before[1])
    np.testing.assert_array_equal(first.views, second.views)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_directions_with_positions(orientation: int) -> None:
    disparity = 2
    rng = np.random.default_rng(0)
    scene = rng.random((30, 34, 3), np.float32)
    views = np.empty((3, 3, 20, 24, 3), np.float32)
    for v, u in np.ndindex(3, 3):
        t, s = 5 - disparity * (v - 1), 5 - disparity * (u - 1)
        views[v, u] = scene[t : t + 20, s : s + 24]
    field = LightField(views=views, weights=np.ones((3, 3, 20, 24), np.float32))
    turned = oriented_field(field, orientation)
    np.testing.assert_array_equal(turned.view(1, 1), oriented(field.view(1, 1), orientation))
    center = turned.view(1, 1)[4:-4, 4:-4]
    t_size, s_size = turned.spatial_shape
    for v, u in np.ndindex(3, 3):
        t, s = 4 + disparity * (v - 1), 4 + disparity * (u - 1)
        moved = turned.view(v, u)[t : t + t_size - 8, s : s + s_size - 8]
        np.testing.assert_array_equal(moved, center)


def test_weights_vanish_where_two_lenslets_mix() -> None:
    capture, calibration = gray_capture()
    field = decode(capture, calibration, DecodeSettings(angular_size=11))
    inner = np.s_[2:-2, 2:-2]
    assert field.weight(0, 0)[inner].max() == 0
    assert field.weight(5, 5)[inner].min() > 0.9


def test_a_calibration_of_another_sensor_is_refused() -> None:
    capture, calibration = gray_capture()
    smaller = replace(capture, mosaic=capture.mosaic[:-4].copy())
    with pytest.raises(CalibrationError, match=r"\(160, 180\), the capture has \(156, 180\)"):
        decode(smaller, calibration)


def test_outer_views_get_the_exposure_and_color_of_the_center_view() -> None:
    capture, calibration = gray_capture(0.3)
    grid = calibration.grid
    row, column = np.mgrid[0 : grid.sensor_shape[0], 0 : grid.sensor_shape[1]].astype(float)
    q, r = np.rint(grid.lattice_coordinates(row, column))
    right = column - grid.centers(q, r)[1]
    wrong = calibration.response * (1 + 0.05 * right / PITCH_PX)
    wrong[::2, ::2] *= (1 + 0.1 * right / PITCH_PX)[::2, ::2]
    field = decode(capture, replace(calibration, response=wrong.astype(np.float32)))
    v, u = field.center
    for step in (-3, 3):
        outer, center = (field.view(v, k)[3:-3, 3:-3].mean(axis=(0, 1)) for k in (u + step, u))
        np.testing.assert_allclose(outer, center, rtol=0.01)
