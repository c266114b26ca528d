from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.calibration import grid_from_metadata
from lfdfp.errors import SettingsError
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.simulation import REALISTIC, Imperfections, camera_model
from lfdfp.simulation.bundle import lenslet_bundles
from tests.factories import tiny_capture


@pytest.mark.parametrize(("name", "pitch"), [("f01", 9.93), ("illum", 14.29)])
def test_cameras_have_the_real_ones_geometry(name, pitch) -> None:
    camera = camera_model(name)
    assert camera.grid.pitch_px == pytest.approx(pitch, abs=0.01)
    assert camera.shape == {"f01": (3280, 3280), "illum": (5368, 7728)}[name]
    views = default_view_sampling(camera.grid).shape
    assert np.all(np.abs(np.subtract(views, {"f01": (379, 379), "illum": (433, 625)}[name])) <= 4)


@pytest.mark.parametrize("name", ["f01", "illum"])
def test_metadata_are_near_the_truth_but_not_on_it(name) -> None:
    capture = tiny_capture(name)
    stated, true = grid_from_metadata(capture.raw_capture()), capture.camera.grid
    assert stated.pitch_px / true.pitch_px - 1 == pytest.approx(2e-4, rel=0.01)
    assert stated.rotation_rad - true.rotation_rad == pytest.approx(2e-4, rel=0.01)
    offset = np.subtract(stated.origin_px, true.origin_px)
    np.testing.assert_allclose(offset, capture.camera.offset_error_px, atol=1e-9)
    exact = replace(capture.camera, pitch_error=0, rotation_error_rad=0, offset_error_px=(0, 0))
    same = grid_from_metadata(replace(capture, camera=exact).raw_capture())
    np.testing.assert_allclose(same.basis_px, true.basis_px, rtol=1e-12)


def test_a_crop_shows_the_middle_of_the_full_sensor() -> None:
    flaws = Imperfections(distortion_px=0.5)
    full, crop = (camera_model("f01", size=n, imperfections=flaws).grid for n in (3280, 656))
    q, r = np.array([0.0, 20.0, -7.0]), np.array([3.0, -25.0, 30.0])
    shift = (3280 - 656) / 2
    np.testing.assert_allclose(full.centers(q, r) - shift, crop.centers(q, r), atol=1e-9)
    corner = full.centers(np.array([164.0 + 95]), np.array([-190.0]))
    plain = replace(full, distortion_px=np.zeros((2, 10))).centers(
        np.array([164.0 + 95]), np.array([-190.0])
    )
    assert 0.5 < np.hypot(*(corner - plain))[0] < 2


def test_noise_grows_with_iso() -> None:
    quiet, loud = camera_model("illum", iso=80).noise, camera_model("illum", iso=3200).noise
    assert loud.shot_gain == pytest.approx(40 * quiet.shot_gain)
    assert quiet.read_variance < loud.read_variance < 1600 * quiet.read_variance


@pytest.mark.parametrize("footprint", ["box", "hexagon"])
def test_bundles_fill_the_lenslet_and_the_pixel(footprint) -> None:
    bundle = lenslet_bundles(Imperfections(footprint=footprint), 256)
    spread = {"box": np.sqrt(3) / 2 / 12, "hexagon": 5 / 72}[footprint]
    np.testing.assert_allclose(bundle.mean(axis=(0, 2)), 0, atol=2e-3)
    variances = bundle.var(axis=(0, 2))
    np.testing.assert_allclose(variances, [spread, spread, 1 / 12, 1 / 12], rtol=0.02)
    blurred = lenslet_bundles(Imperfections(diffraction_px=0.4), 256)
    np.testing.assert_allclose(blurred.var(axis=(0, 2))[2:], 1 / 12 + 0.16, rtol=0.02)


def test_wrong_cameras_are_refused_with_a_reason() -> None:
    with pytest.raises(SettingsError, match="unknown camera 'b02'; known are f01, illum"):
        camera_model("b02")
    for size in (40, 258, 4000):
        with pytest.raises(SettingsError, match=f"size .*{size}.* does not fit camera 'f01'"):
            camera_model("f01", size=size)


def test_realistic_differs_from_plain_in_every_respect() -> None:
    plain = Imperfections()
    same = [
        name for name in Imperfections.__slots__ if getattr(plain, name) == getattr(REALISTIC, name)
    ]
    assert same == ["footprint_scale", "noise_factor"]
