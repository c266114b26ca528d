from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lfdfp.calibration import calibrate
from lfdfp.calibration.compression import lossy_codes
from lfdfp.datatypes import RawCapture
from lfdfp.simulation import camera_model, make_scene, simulate_capture


@pytest.fixture(scope="module")
def capture() -> RawCapture:
    camera = camera_model("f01", size=480)
    scene = make_scene("portrait", camera.field_pitch, seed=1)
    return simulate_capture(scene, camera, seed=1, rays_per_pixel=16).raw_capture()


def _of_8_bits(capture: RawCapture, quality: int | None) -> RawCapture:
    white = capture.white_codes[0]
    codes = np.rint(capture.mosaic * (255 / white)).clip(0, 255).astype(np.uint8)
    if quality is not None:
        file = io.BytesIO()
        Image.fromarray(codes).save(file, "JPEG", quality=quality)
        codes = np.asarray(Image.open(file))
    return replace(capture, mosaic=np.rint(codes * (white / 255)).astype(np.uint16))


def test_raw_codes_of_a_camera_show_no_compression(capture: RawCapture) -> None:
    assert lossy_codes(capture) is None
    assert lossy_codes(_of_8_bits(capture, None)) is None


def test_a_dark_capture_with_few_codes_shows_none(capture: RawCapture) -> None:
    few = np.minimum(capture.mosaic, 300).astype(np.uint16)
    assert lossy_codes(replace(capture, mosaic=few)) is None


@pytest.mark.parametrize("quality", [30, 50, 75, 90])
def test_the_quality_is_found(capture: RawCapture, quality: int) -> None:
    found = lossy_codes(_of_8_bits(capture, quality))
    assert found is not None
    assert found.quality == pytest.approx(quality, abs=1)  # steps are whole numbers


def test_what_is_said_to_be_erased_is_erased(capture: RawCapture) -> None:
    """A checkerboard a little smaller than that vanishes, one a little larger does not."""
    found = lossy_codes(_of_8_bits(capture, 75))
    assert found is not None
    span = capture.white_codes[0] - capture.black_codes[0]
    sign = np.where(np.add.outer(np.arange(64), np.arange(64)) % 2, -1, 1)
    for factor, lost in ((0.9, True), (1.1, False)):
        amplitude = factor * found.erased.green * span / 2
        board = replace(capture, mosaic=(1500 + amplitude * sign).astype(np.uint16))
        left = np.ptp(_of_8_bits(board, 75).mosaic[8:56, 8:56].astype(float))
        assert bool(left == 0) is lost


def test_a_person_is_told(capture: RawCapture) -> None:
    warnings = calibrate(_of_8_bits(capture, 75)).warnings
    assert any("gone through JPEG (quality 75)" in warning for warning in warnings)
