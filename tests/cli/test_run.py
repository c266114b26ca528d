"""`lfdfp run` from a raw file to pictures, and what it does with bad files."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.lfp import write_container
from tests.lfp.processed_files import older_file

pytestmark = pytest.mark.slow

runner = CliRunner()
QUICK = ("--preset", "fast", "--planes", "4")
PICTURES = {
    "all_in_focus_x2.png",
    "all_in_focus.png",
    "center_view.png",
    "contact_sheet.png",
    "decision_map.png",
    "disparity.png",
    "inspect.html",
}


def _run(*arguments: object) -> Result:
    return runner.invoke(app, ["run", *map(str, arguments)])


@pytest.fixture(scope="module")
def finished(small_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "out"
    result = _run(small_capture, "-o", folder, *QUICK)
    assert result.exit_code == 0, result.output
    return folder


def _digests(folder: Path, names: set[str]) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_a_run_makes_what_it_promises(finished: Path) -> None:
    made = {path.name for path in finished.iterdir()}
    assert made >= PICTURES | {"focal_stack.h5", "fusion.h5", "run.json"}
    assert not [name for name in made if name.startswith(".")]
    with Image.open(finished / "all_in_focus.png") as one:
        size = one.size
    with Image.open(finished / "all_in_focus_x2.png") as two:
        assert two.size == (2 * size[0], 2 * size[1])


def test_run_json_tells_how_it_was_made(finished: Path, small_capture: Path) -> None:
    record = json.loads((finished / "run.json").read_text())
    assert record["input_sha256"] == hashlib.sha256(small_capture.read_bytes()).hexdigest()
    assert record["facts"]["calibration"]["pitch_px"] == pytest.approx(9.93, abs=0.05)
    assert record["settings"]["fusion"]["scale"] == 2
    assert [stage["name"] for stage in record["stages"]] == [
        "read",
        "calibrate",
        "decode",
        "refocus",
        "save",
        "reconstruct",
        "export",
    ]
    assert record["peak_memory_mib"] > 0


def test_resume_reuses_what_has_not_changed(finished: Path, small_capture: Path) -> None:
    before = _digests(finished, PICTURES)
    result = _run(small_capture, "-o", finished, *QUICK, "--resume", "--json")
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.stdout)
    reused = {stage["name"]: stage["reused"] for stage in record["stages"]}
    # The capture is read again: its serial number tells whether the calibration has changed.
    assert not reused.pop("read")
    assert all(reused.values())
    assert record["files"] == []
    assert record["facts"]["calibration"]["pitch_px"] > 0
    assert _digests(finished, PICTURES) == before


def test_resume_makes_again_what_has_changed(
    finished: Path, small_capture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(finished, folder)
    result = _run(small_capture, "-o", folder, *QUICK, "--resume", "--scale", 1, "--json")
    (record,) = json.loads(result.stdout)
    reused = {stage["name"]: stage["reused"] for stage in record["stages"]}
    assert reused["refocus"]
    assert not reused["reconstruct"]
    assert (folder / "all_in_focus_x1.png").is_file()


def test_the_same_seed_gives_the_same_bytes(
    finished: Path, small_capture: Path, tmp_path: Path
) -> None:
    assert _run(small_capture, "-o", tmp_path / "again", *QUICK).exit_code == 0
    names = PICTURES - {"inspect.html"}
    assert _digests(tmp_path / "again", names) == _digests(finished, names)


def _bad_file(folder: Path, kind: str, good: Path) -> Path:
    path = folder / f"{kind}.lfp"
    if kind == "truncated":
        path.write_bytes(good.read_bytes()[:100_000])
    elif kind == "jpeg":
        Image.new("RGB", (64, 64)).save(path, format="JPEG")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "flipped_bit":
        content = bytearray(good.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["truncated", "jpeg", "empty", "missing", "flipped_bit"])
def test_a_bad_file_gives_one_line_and_leaves_nothing(
    kind: str, small_capture: Path, tmp_path: Path
) -> None:
    path = _bad_file(tmp_path, kind, small_capture)
    before = {p.name for p in tmp_path.iterdir()}
    result = _run(path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert path.name in result.stderr
    assert "Traceback" not in result.output
    assert {p.name for p in tmp_path.iterdir()} == before


def test_a_flipped_bit_can_be_accepted(small_capture: Path, tmp_path: Path) -> None:
    path = _bad_file(tmp_path, "flipped_bit", small_capture)
    assert _run(path, *QUICK, "--no-verify", "--scale", 1).exit_code == 0


def test_a_black_capture_is_refused_in_one_line(tmp_path: Path) -> None:
    from lfdfp.simulation import camera_model, make_scene, simulate_capture, write_simulated_capture

    camera = camera_model("f01", size=200)
    scene = make_scene("flat", camera.field_pitch, seed=1)
    capture = simulate_capture(scene, camera, seed=1)
    capture.mosaic[...] = 168
    path = write_simulated_capture(
        tmp_path / "black.lfp", capture, white_image=False, truth=False
    ).capture
    result = _run(path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "black.lfp" in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["black.lfp"]


@pytest.mark.data
def test_a_depth_map_alone_is_refused_in_one_line(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "IMG_0002-dm.lfp"
    shutil.copy(data_dir / "lytro" / "containers" / "f01_IMG_0002-dm.lfp", path)
    result = _run(path)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "it holds 1 depth table (330 x 330), 1 confidence table" in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name]


def test_only_the_processed_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0007-stk.lfp"
    write_container(path, older_file())
    result = _run(path, "--preset", "fast", "--json")
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.stdout)
    made = {entry.name for entry in (tmp_path / "IMG_0007-stk").iterdir()}
    assert made >= {"all_in_focus_x2.png", "decision_map.png", "inspect.html", "run.json"}
    assert record["facts"]["data_term"] == "stack"
    assert any("not of a raw capture" in warning for warning in record["warnings"])
    with Image.open(tmp_path / "IMG_0007-stk" / "all_in_focus_x2.png") as picture:
        assert picture.size == (72, 48)
    again = _run(path, "--preset", "fast", "--resume", "--json")
    (record,) = json.loads(again.stdout)
    assert {stage["name"]: stage["reused"] for stage in record["stages"]}["fuse"]


def test_one_bad_file_does_not_stop_the_rest(small_capture: Path, tmp_path: Path) -> None:
    bad = _bad_file(tmp_path, "empty", small_capture)
    folder = tmp_path / "out"
    result = _run(bad, small_capture, "-o", folder, *QUICK, "--scale", 1)
    assert result.exit_code == 1
    assert "1 of 2 captures done, 1 failed" in result.stdout
    assert "empty.lfp" in result.stdout
    assert (folder / "small" / "all_in_focus.png").is_file()


def test_a_picture_is_neither_black_nor_clipped(finished: Path) -> None:
    with Image.open(finished / "all_in_focus_x2.png") as image:
        values = np.asarray(image)
    assert 30 < values.mean() < 225
    assert (values == 255).mean() < 0.05


def _camera(path: Path) -> tuple[object, ...]:
    """Make, model, exposure time and sensitivity that a picture tells of."""
    with Image.open(path) as image:
        exif = image.getexif()
        inner = exif.get_ifd(0x8769)
    return exif.get(0x010F), exif.get(0x0110), float(inner[0x829A]), inner[0x8827]


def test_every_picture_says_what_camera_took_it(finished: Path, tmp_path: Path) -> None:
    told = _camera(finished / "all_in_focus_x2.png")
    assert told[:2] == ("Lytro, Inc.", "F01")
    assert {_camera(finished / name) for name in PICTURES if name.endswith(".png")} == {told}
    fuse = ("fuse", finished / "focal_stack.h5", "-o", tmp_path / "fused.jpg")
    refocus = ("refocus", "--from-solution", finished / "fusion.h5", "--slopes", "-0.2:0.2:2")
    outputs = ("--previews", tmp_path / "slices", "-o", tmp_path / "stack.h5")
    for command in (fuse, (*refocus, *outputs)):
        result = runner.invoke(app, [str(argument) for argument in command])
        assert result.exit_code == 0, result.output
    slices = list((tmp_path / "slices").iterdir())
    assert len(slices) == 2
    assert {_camera(path) for path in (tmp_path / "fused.jpg", *slices)} == {told}


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_pictures_in_another_format(
    finished: Path, small_capture: Path, tmp_path: Path, suffix: str
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished, folder)
    result = _run(small_capture, "-o", folder, *QUICK, "--resume", "--format", suffix)
    assert result.exit_code == 0, result.output
    picture = folder / f"all_in_focus_x2.{suffix}"
    assert _camera(picture) == _camera(finished / "all_in_focus_x2.png")
    with Image.open(picture) as image, Image.open(finished / "all_in_focus_x2.png") as png:
        difference = np.asarray(image, np.float32) - np.asarray(png, np.float32)
    assert np.sqrt(np.mean(difference**2)) < 4


def test_the_page_is_opened_where_asked(
    small_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    options = ["--scale", "1", "--data", "stack", "--preset", "fast", "--planes", "3"]
    result = runner.invoke(app, ["run", str(small_capture), "-o", str(tmp_path / "o"), *options])
    assert result.exit_code == 0
    assert not opened
    again = ["run", str(small_capture), "-o", str(tmp_path / "o"), *options, "--resume", "--open"]
    assert runner.invoke(app, again).exit_code == 0
    assert opened == [(tmp_path / "o" / "inspect.html").resolve().as_uri()]
