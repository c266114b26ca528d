"""`lfdfp evaluate`: the same facts for people and programs; wrong options are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app

pytestmark = pytest.mark.slow

runner = CliRunner()


def _run(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


def test_held_out_rays_of_a_crop_are_reported(small_capture: Path) -> None:
    options = ("--held-out-rays", "--kinds", "pixels", "--crop", "34x36+2+3", "--json")
    result = _run("evaluate", small_capture, *options)
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    (report,) = facts["kinds"]
    assert report["kind"] == "pixels"
    assert report["rays"] > report["detailed_rays"] > 100
    assert report["error"].keys() == report["detailed_error"].keys()
    assert 0 < report["error"]["rays"] < report["error"]["plain center view"]
    assert report["detailed_gain_db"]["plain fused stack"] > 0


def test_crops_are_written_side_by_side(small_capture: Path, tmp_path: Path) -> None:
    options = ("--crops", tmp_path / "out", "--crop", "20x30+5+8")
    result = _run("evaluate", small_capture, *options)
    assert result.exit_code == 0, result.output
    for name in ("crops_x2.png", "crops_x4.png"):
        with Image.open(tmp_path / "out" / name) as image:
            assert image.width == 3 * 384 + 2 * 6
            assert image.height > 256


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--held-out-rays", "--kinds", "pixels,views"), "'views' is not one of pixels"),
        (("--held-out-rays", "--crop", "34x36"), "is not ROWSxCOLUMNS"),
        ((), "--held-out-rays"),
    ],
)
def test_wrong_options_are_named(
    small_capture: Path, options: tuple[str, ...], message: str
) -> None:
    result = _run("evaluate", small_capture, *options)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--suite", "nothing"], "there is no suite 'nothing'"),
        (["--suite", "drawn", "--camera", "nikon"], "'nikon' is not one of f01, illum"),
        (["--suite", "drawn", "--cases", "cat"], "'cat' is not a case of drawn"),
        ([], "a CAPTURE, or --suite NAME"),
    ],
)
def test_suites_that_cannot_be_are_named(options: list[str], said: str) -> None:
    result = _run("evaluate", *options)
    assert result.exit_code
    assert said in " ".join(result.output.replace("│", " ").split())
