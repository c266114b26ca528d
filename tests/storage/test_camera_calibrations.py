from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lfdfp.calibration import (
    assess,
    calibrate,
    calibrate_from_captures,
    calibrate_from_white_images,
)
from lfdfp.datatypes import Camera, Lens, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError, StorageError
from lfdfp.storage.camera_calibrations import (
    file_name,
    find_calibration,
    load_camera_calibration,
    save_camera_calibration,
    search_folders,
)
from tests.factories.lattices import (
    capture_of,
    center_error_px,
    lenslet_profile,
    random_grid,
    scene_light,
)

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"
SHAPE = (300, 340)


@pytest.fixture(scope="module")
def grid() -> LensletGrid:
    return random_grid(np.random.default_rng(3), SHAPE)


def at(capture: RawCapture, zoom: int, focus: int = 0, serial: str = "A1") -> RawCapture:
    return dataclasses.replace(
        capture,
        lens=Lens(zoom_step=zoom, focus_step=focus),
        camera=Camera(make="Lytro, Inc.", model="F01", serial=serial),
    )


def white_of(grid: LensletGrid, zoom: int, seed: int = 0, gains: np.ndarray | None = None):
    rng = np.random.default_rng(seed)
    light = 0.7 * lenslet_profile(grid) * (1 if gains is None else gains)
    return at(capture_of(light, rng, pitch_px=grid.pitch_px), zoom)


@pytest.fixture(scope="module")
def scene(grid: LensletGrid) -> RawCapture:
    rng = np.random.default_rng(4)
    light = lenslet_profile(grid) * scene_light(rng, grid)
    return at(capture_of(light, rng, pitch_px=grid.pitch_px), 500)


@pytest.fixture(scope="module")
def whites(grid: LensletGrid) -> list[tuple[str, RawCapture]]:
    return [(f"MOD_{k:04d}", white_of(grid, zoom, k)) for k, zoom in enumerate((100, 480, 900))]


def test_a_calibration_is_found_again_by_serial_then_nearest_zoom(
    whites, scene: RawCapture, tmp_path: Path
) -> None:
    save_camera_calibration(tmp_path, calibrate_from_white_images(whites))
    match = find_calibration(scene, [tmp_path / "missing", tmp_path])
    assert match is not None
    assert match.entry.zoom_step == 480
    assert match.zoom_off == 20
    assert "zoom 20 steps off" in match.describe()
    assert find_calibration(at(scene, 500, serial="B2"), [tmp_path]) is None


def test_saving_and_loading_changes_nothing_that_counts(whites, tmp_path: Path) -> None:
    camera = calibrate_from_white_images(whites)
    loaded = load_camera_calibration(save_camera_calibration(tmp_path, camera))
    step = max(camera.pixel_gain_error, 1e-3)
    np.testing.assert_allclose(loaded.pixel_gain, camera.pixel_gain, atol=0.51 * step)
    for before, after in zip(camera.lenslets, loaded.lenslets, strict=True):
        np.testing.assert_allclose(
            after.render(camera.bayer), before.render(camera.bayer), rtol=2e-3, atol=2e-4
        )
        assert after.grid.origin_px == before.grid.origin_px


def test_another_zoom_keeps_the_vignetting_and_refits_the_grid(
    whites, grid: LensletGrid, scene: RawCapture, tmp_path: Path
) -> None:
    save_camera_calibration(tmp_path, calibrate_from_white_images(whites))
    calibration = calibrate(scene, known=find_calibration(scene, [tmp_path]))
    assert "grid from the capture itself, vignetting from A1.h5" in calibration.source
    assert "20 steps off" in calibration.warnings[0]
    assert np.sqrt((center_error_px(calibration.grid, grid) ** 2).sum(axis=0).mean()) < 0.1


def test_the_same_zoom_takes_the_stored_grid(whites, scene: RawCapture, tmp_path: Path) -> None:
    save_camera_calibration(tmp_path, calibrate_from_white_images(whites))
    capture = at(scene, 480)
    match = find_calibration(capture, [tmp_path])
    assert match is not None
    calibration = calibrate(capture, known=match)
    assert calibration.grid.origin_px == match.entry.grid.origin_px
    assert calibration.warnings == ()


def test_pixel_gains_are_averaged_over_white_images(grid: LensletGrid) -> None:
    rng = np.random.default_rng(8)
    gains = (1 + 0.02 * rng.standard_normal(SHAPE)).astype(np.float32)
    many = [(str(k), white_of(grid, k, k, gains)) for k in range(6)]
    lit = lenslet_profile(grid) > 0.5
    one_error, many_error = (
        np.std((calibrate_from_white_images(some).pixel_gain - gains)[lit])
        for some in (many[:1], many)
    )
    assert one_error < 0.015
    assert many_error < 0.8 * one_error


def test_dark_frames_show_hot_pixels_and_dim_images_are_left_out(grid: LensletGrid) -> None:
    rng = np.random.default_rng(9)
    dark = np.zeros(SHAPE)
    dark[10, 20] = 0.5
    images = [
        ("MOD_0000", at(capture_of(dark, rng, pitch_px=10.0), 100)),
        ("MOD_0001", at(capture_of(dark, rng, pitch_px=10.0), 100)),
        ("MOD_0002", white_of(grid, 100)),
        ("MOD_0003", at(capture_of(0.04 * lenslet_profile(grid), rng, pitch_px=10.0), 200)),
    ]
    camera = calibrate_from_white_images(images)
    assert camera.pixel_gain[10, 20] == 0
    assert "2 dark frame(s)" in camera.origin
    assert len(camera.lenslets) == 1
    assert "MOD_0003: too dim" in camera.notes[0]


def test_two_cameras_are_not_mixed(grid: LensletGrid) -> None:
    other = at(white_of(grid, 1), 1, serial="B2")
    with pytest.raises(CalibrationError, match="one camera at a time"):
        calibrate_from_white_images([("a", white_of(grid, 1)), ("b", other)])


def test_several_captures_stand_in_for_a_white_image(grid: LensletGrid, tmp_path: Path) -> None:
    captures = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        light = lenslet_profile(grid) * scene_light(rng, grid)
        captures.append(at(capture_of(light, rng, pitch_px=grid.pitch_px), 500))
    camera = calibrate_from_captures(captures)
    path = save_camera_calibration(tmp_path, camera)
    assert "3 ordinary capture(s)" in load_camera_calibration(path).origin
    # All were taken at one zoom and focus: the surest of their lattices counts for all.
    errors = [entry.grid.standard_error_px for entry in camera.lenslets]
    assert len(set(errors)) == 3
    turned = dataclasses.replace(camera, lenslets=camera.lenslets[::-1])
    for capture in captures:
        for one in (camera, turned):
            assert one.nearest(capture).grid.standard_error_px == min(errors)
    profile = lenslet_profile(grid)
    ratio = camera.lenslets[0].render(camera.bayer)[profile > 0.4] / profile[profile > 0.4]
    assert np.percentile(np.abs(ratio / np.median(ratio) - 1), 90) < 0.04


def test_a_serial_number_never_becomes_a_path() -> None:
    assert file_name("../../etc/passwd") == "______etc_passwd.h5"


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all"])
def test_a_damaged_calibration_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "A1.h5").write_bytes(content)
    with pytest.raises(StorageError, match=r"A1\.h5"):
        load_camera_calibration(tmp_path / "A1.h5")


@pytest.mark.parametrize(
    ("shape", "said"),
    [((9999,) * 5, "MiB of 0 bytes"), ((3, 3, 3, 3), "profiles has the impossible shape")],
)
def test_an_impossible_size_is_refused_before_memory_is_taken(
    whites, tmp_path: Path, shape: tuple[int, ...], said: str
) -> None:
    path = save_camera_calibration(tmp_path, calibrate_from_white_images(whites[:1]))
    with h5py.File(path, "a") as file:
        del file["lenslets/000/profiles"]
        file.create_dataset("lenslets/000/profiles", shape, np.float32, chunks=(1,) * len(shape))
    with pytest.raises(StorageError, match=said):
        load_camera_calibration(path)


def test_the_explicit_folder_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LFDFP_CALIBRATION", "/named")
    folders = search_folders(Path("/explicit"))
    assert folders[:3] == [Path("/explicit"), Path("/named"), Path("calibration")]


def test_the_assessment_says_how_to_get_white_images(scene: RawCapture) -> None:
    findings = {finding.subject: finding for finding in assess(scene)}
    assert "data.C.0" in findings["white image"].advice
    assert findings["lenslet grid"].verdict == "good"
    assert findings["exposure"].verdict in ("good", "fair")


def test_a_file_of_version_1_still_loads() -> None:
    camera = load_camera_calibration(GOLDEN / "camera_calibration_1.h5")
    assert (camera.serial, camera.model, camera.origin) == ("A303134643", "F01", "1 white image(s)")
    assert camera.notes == ("a note",)
    gain = 1 + np.rint(np.random.default_rng(0).normal(0, 10, (20, 24))) * 1e-3
    gain[3, 5] = 0
    np.testing.assert_allclose(camera.pixel_gain, gain, atol=1e-6)
    (entry,) = camera.lenslets
    assert (entry.zoom_step, entry.focus_step, entry.first) == (480, 700, (-2, -3))
    assert entry.grid.distortion_px[0, 6] == 0.25
    np.testing.assert_allclose(entry.profiles.ravel(), np.linspace(0, 1, 300), atol=1e-6)
    np.testing.assert_allclose(entry.gains.ravel(), np.linspace(0.5, 1, 72), atol=1e-6)


def test_pixel_gains_are_stored_in_steps_of_their_own_error(whites, tmp_path: Path) -> None:
    gain = np.random.default_rng(6).normal(1, 0.02, SHAPE).astype(np.float32)
    camera = calibrate_from_white_images(whites[:1])
    camera = dataclasses.replace(camera, pixel_gain=gain, pixel_gain_error=0.008)
    loaded = load_camera_calibration(save_camera_calibration(tmp_path, camera))
    error = loaded.pixel_gain - camera.pixel_gain
    assert 0.001 < np.abs(error).max() <= 0.0041
    assert loaded.pixel_gain_error == 0.008


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("lenslets/000/profiles", lambda v: v + 1j, "profiles holds complex"),
        ("lenslets/000/gains", lambda v: v * np.nan, "gains holds values that are not finite"),
        ("lenslets/000/distortion_px", lambda v: v + np.inf, "distortion_px holds values"),
        ("pixel_gain", lambda v: v + 1j, "gains of pixels are whole numbers, found complex"),
        ("pixel_gain", lambda v: v + 0.5, "gains of pixels are whole numbers, found float"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    tmp_path: Path, name: str, change: Any, message: str
) -> None:
    golden = Path(__file__).parents[1] / "golden" / "camera_calibration_1.h5"
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(golden.read_bytes())
    with h5py.File(damaged, "r+") as file:
        values, attributes = file[name][...], dict(file[name].attrs)
        del file[name]
        file[name] = change(values)
        file[name].attrs.update(attributes)
    with pytest.raises(StorageError, match=message):
        load_camera_calibration(damaged)
