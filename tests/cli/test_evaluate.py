"""`lfdfp evaluate`: the same facts for people and programs; wrong options are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app

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
