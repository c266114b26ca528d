"""Decoding against the truth of simulated captures."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray
from lfdfp.decoding import decode
from lfdfp.decoding.demosaic import demosaic_lens_images
from lfdfp.decoding.sensor import sensor_light
from lfdfp.decoding.views import lenslets_around, rendering_matrix, view_offsets_px
from lfdfp.evaluation.plain_decode import PlainDecode
from lfdfp.imaging.color import display_matrix
from lfdfp.simulation import SimulatedCapture, camera_model, make_scene, simulate_capture

INNER = [(v, u) for v in (-3, 0, 3) for u in (-3, 0, 3)]


def psnr(a: FloatArray, b: FloatArray) -> float:
    shown = [np.clip(x, 0, 1) ** (1 / 2.2) for x in (a, b)]
    return float(-10 * np.log10(np.mean((shown[0] - shown[1]) ** 2)))


@pytest.fixture(scope="module", params=["f01", "illum"])
def simulated(request: pytest.FixtureRequest) -> SimulatedCapture:
    camera: Literal["f01", "illum"] = request.param
    model = camera_model(camera, size=(240, 260))
    scene = make_scene("layers", model.field_pitch, seed=3)
    return simulate_capture(scene, model, seed=3, rays_per_pixel=16)


def test_lenslet_samples_beat_the_plain_decode_by_far(
    simulated: SimulatedCapture,
) -> None:
    capture, calibration = simulated.raw_capture(), simulated.true_calibration()
    lenslets = lenslets_around(calibration.grid, simulated.sampling)
    sensor = sensor_light(capture, calibration)
    images = demosaic_lens_images(
        sensor,
        calibration.response,
        lenslets,
        capture.color.white_balance,
        progress=lambda done, total: None,
    )
    q, r = lenslets.coordinates()
    inner = images.valid & cv2.erode(images.valid.astype(np.uint8), np.ones((3, 3))).astype(bool)
    plain = PlainDecode(capture, calibration)
    to_srgb = display_matrix(capture.color)
    offsets = view_offsets_px(calibration.grid, simulated.sampling, 7)
    gains = np.ones((7, 7, 3), np.float32)
    matrix = rendering_matrix(images.model, offsets, gains, to_srgb).reshape(-1, 7, 7, 3)
    better = {}
    for v, u in INNER:
        truth = simulated.light_at(r * ROW_STEP_PITCHES, q + r / 2, v, u, rays=64)[inner]
        ours = (images.coefficients @ matrix[:, v + 3, u + 3])[inner]
        theirs = plain.at_lenslets(q, r, v, u)[inner]
        better[v, u] = psnr(ours, truth) - psnr(theirs, truth)
    assert better[0, 0] > 2.8
    assert np.mean(list(better.values())) > 2.5


def test_views_on_the_square_grid_beat_the_plain_decode(simulated: SimulatedCapture) -> None:
    capture, calibration = simulated.raw_capture(), simulated.true_calibration()
    field = decode(capture, calibration)
    assert field.sampling == simulated.sampling
    plain = PlainDecode(capture, calibration)
    truth = simulated.view(0, 0, rays=64)[2:-2, 2:-2]
    ours = field.view(*field.center)[2:-2, 2:-2]
    theirs = plain.view(simulated.sampling, 0, 0)[2:-2, 2:-2]
    assert psnr(ours, truth) > psnr(theirs, truth) + 2.0


def test_sharpness_does_not_alternate_from_row_to_row() -> None:
    model = camera_model("f01", size=(300, 340))
    scene = make_scene("plane", model.field_pitch, seed=5, disparities=(0.0,))
    simulated = simulate_capture(scene, model, seed=5, rays_per_pixel=16)
    field = decode(simulated.raw_capture(), simulated.true_calibration())
    picture = field.view(*field.center)[2:-2, 2:-2].sum(axis=-1)
    truth = simulated.view(0, 0, rays=64)[2:-2, 2:-2].sum(axis=-1)
    ratio = [np.abs(np.diff(p, axis=1)).mean(axis=1) for p in (picture, truth)]
    sharpness = ratio[0] / ratio[1]
    even, odd = sharpness[::2].mean(), sharpness[1::2].mean()
    assert abs(even / odd - 1) < 0.04
