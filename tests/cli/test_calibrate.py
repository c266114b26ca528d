"""`lfdfp calibrate` builds what `run` finds; `lfdfp doctor` says what is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app

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
    assert json.loads(result.stdout)["settings"] == 1
    return folder


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
