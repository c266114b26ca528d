"""`lfdfp calibrate` builds what `run` finds; `lfdfp doctor` says what is missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.lfp import container_of, read_capture, write_container
from lfdfp.storage.camera_calibrations import load_camera_calibration

runner = CliRunner()


def _run(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def database(small_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    whites = tmp_path_factory.mktemp("whites")
    for suffix in (".RAW", ".TXT"):
        shutil.copy(
            small_capture.with_name(f"small_MOD_0000{suffix}"), whites / f"MOD_0000{suffix}"
        )
    folder = tmp_path_factory.mktemp("database")
    result = _run("calibrate", whites, "-o", folder, "--json")
    assert result.exit_code == 0, result.output
    (facts,) = json.loads(result.stdout)
    assert facts["settings"] == 1
    return folder


def test_a_folder_of_two_cameras_gives_two_files(small_capture: Path, tmp_path: Path) -> None:
    whites = tmp_path / "whites"
    raw = small_capture.with_name("small_MOD_0000.RAW").read_bytes()
    text = small_capture.with_name("small_MOD_0000.TXT").read_text()
    for serial in ("A1", "B2", ""):
        place = whites / f"of {serial}"
        place.mkdir(parents=True)
        (place / "T1CALIB__MOD_0003.RAW").write_bytes(raw)
        (place / "T1CALIB__MOD_0003.TXT").write_text(text.replace("A000000001", serial))
    result = _run("calibrate", whites, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert "camera without serial number: " in result.stderr
    assert result.stderr.count("\n") == 1
    made = json.loads(result.stdout)
    assert [facts["serial"] for facts in made] == ["A1", "B2"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A1.h5", "B2.h5"]
    assert [load_camera_calibration(Path(f["calibration"])).serial for f in made] == ["A1", "B2"]


def test_captures_of_two_cameras_are_not_mixed(small_capture: Path, tmp_path: Path) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    capture = read_capture(small_capture)
    for name, serial in (("a", "A1"), ("b", "B2"), ("c", "A1")):
        one = replace(capture, white_image=None, camera=replace(capture.camera, serial=serial))
        write_container(shots / f"{name}.lfp", container_of(one, layout="f01"))
    result = _run("calibrate", shots, "--from-captures", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    made = {facts["serial"]: facts["origin"] for facts in json.loads(result.stdout)}
    assert made == {"A1": "2 ordinary capture(s)", "B2": "1 ordinary capture(s)"}


def test_run_takes_the_calibration_that_fits(
    database: Path, small_capture: Path, tmp_path: Path
) -> None:
    options = ("--calibration", database, "--scale", 1, "--planes", 3, "--data", "stack", "--json")
    result = _run("run", small_capture, "-o", tmp_path / "out", "--preset", "fast", *options)
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.stdout)
    (file,) = database.glob("*.h5")
    assert file.name in record["facts"]["calibration"]["source"]


def test_a_white_image_can_be_given(small_capture: Path, tmp_path: Path) -> None:
    white = small_capture.with_name("small_MOD_0000.RAW")
    target = tmp_path / "field.h5"
    result = _run("decode", small_capture, "--white-image", white, "-o", target, "--json")
    assert result.exit_code == 0, result.output
    assert "white image" in json.loads(result.stdout)["calibration"]


def test_doctor_says_what_would_make_it_better(small_capture: Path, database: Path) -> None:
    without = _run("doctor", small_capture)
    assert without.exit_code == 0, without.output
    assert "better:" in without.stdout
    found = _run("doctor", small_capture, "--calibration", database, "--json")
    verdicts = {f["subject"]: f["verdict"] for f in json.loads(found.stdout)}
    assert verdicts["white image"] == "good"


def test_a_folder_without_white_images_is_refused(tmp_path: Path) -> None:
    result = _run("calibrate", tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no white image" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
