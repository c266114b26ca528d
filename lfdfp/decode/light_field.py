"""Raw capture and calibration to light field."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lfdfp.color import exposure_gain
from lfdfp.datatypes import (
    Calibration,
    LightField,
    RawCapture,
    Rays,
    default_view_sampling,
)
from lfdfp.decode.demosaic_kernels import demosaic_weighted
from lfdfp.decode.sensor import sensor_light
from lfdfp.decode.view_kernels import resample_rows, sample_sensor
from lfdfp.decode.views import angular_size, lenslet_table, view_offsets_px
from lfdfp.settings import DecodeSettings

_HEADROOM = 4.0
_FOOTROOM = 0.0625
_LARGEST_CODE = 65535


def _ignore_progress(done: int, total: int) -> None:
    """Report nothing."""


def decode(
    capture: RawCapture,
    calibration: Calibration,
    settings: DecodeSettings = DecodeSettings(),  # noqa: B008  frozen
    *,
    progress: Callable[[int, int], None] = _ignore_progress,
) -> LightField:
    """Turn raw codes into sub-aperture views."""
    rays = Rays(capture=capture, calibration=calibration)
    sensor = sensor_light(capture, calibration)
    rgb = np.empty((*sensor.light.shape, 3), np.float32)
    demosaic_weighted(sensor.light, sensor.trust, sensor.bayer_colors, rgb)
    sampling = default_view_sampling(calibration.grid)
    size = settings.angular_size or angular_size(calibration.grid, sampling)
    table = lenslet_table(calibration.grid, sampling)
    offsets = view_offsets_px(calibration.grid, sampling, size)
    matrix = np.asarray(capture.color.camera_to_srgb, np.float32) * np.float32(
        exposure_gain(capture.color)
    )
    views = np.empty((size, size, *sampling.shape, 3), np.uint16)
    weights = np.empty((size, size, *sampling.shape), np.uint8)
    samples = np.empty((*table.centers_px.shape[1:], 4), np.float32)
    trust = np.empty(samples.shape[:2], np.float32)
    square = np.empty((*sampling.shape, 4), np.float32)
    scale = (_HEADROOM + _FOOTROOM) / _LARGEST_CODE
    offset = _FOOTROOM / scale
    for k, (v, u) in enumerate(np.ndindex(size, size)):
        sample_sensor(rgb, sensor.trust, table.centers_px, *offsets[v, u], samples[..., :3], trust)
        samples[..., 3] = trust
        resample_rows(samples, table.first_x, sampling.origin_pitch[1], sampling.step_pitch, square)
        light = square[..., :3] @ matrix.T
        views[v, u] = np.clip(np.rint(light / scale + offset), 0, _LARGEST_CODE)
        weights[v, u] = np.clip(np.rint(square[..., 3] * 255), 0, 255)
        progress(k + 1, size * size)
    return LightField(
        views=views,
        weights=weights,
        scale=scale,
        offset=offset,
        weight_scale=1 / 255,
        sampling=sampling,
        rays=rays,
        history=(*capture.history, "decode"),
    )
