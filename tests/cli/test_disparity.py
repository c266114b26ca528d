"""``lfdfp disparity`` writes maps with their meaning."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.interchange.netpbm import read_pfm
from lfdfp.storage.hdf5 import save_light_field
from tests.factories import textured_plane


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def field_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("field") / "field.h5"
    save_light_field(path, textured_plane(0.3, angular=(7, 7))[0], {})
    return path


def test_disparity_is_written_with_its_meaning(field_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "map.pfm"
    result = _run("disparity", field_file, "-o", target, "--json")
    assert result.exit_code == 0, result.output
    disparity = read_pfm(target)
    assert np.median(disparity) == pytest.approx(0.3, abs=0.02)
    facts = json.loads((tmp_path / "map.json").read_text())
    assert facts["png"]["unit"] == "pixels per angular step"
    codes = cv2.imread(str(tmp_path / "map.png"), cv2.IMREAD_UNCHANGED)
    assert codes.dtype == np.uint16
    decoded = facts["png"]["scale"] * codes + facts["png"]["offset"]
    np.testing.assert_allclose(decoded, disparity, atol=0.51 * facts["png"]["scale"])
    with Image.open(tmp_path / "map.png") as image:
        assert json.loads(image.text["Comment"])["scale"] == facts["png"]["scale"]
    names = {Path(name).name for name in json.loads(result.stdout)["files"]}
    assert names == {path.name for path in tmp_path.iterdir()}
    assert {"map_preview.png", "map_confidence.png"} <= names


def test_disparity_of_a_capture(small_capture: Path, tmp_path: Path) -> None:
    result = _run("disparity", small_capture, "-o", tmp_path / "map.pfm")
    assert result.exit_code == 0, result.output
    assert "px per step" in result.stdout


def test_disparity_is_a_pfm(field_file: Path, tmp_path: Path) -> None:
    result = _run("disparity", field_file, "-o", tmp_path / "map.png")
    assert result.exit_code == 1
    assert "disparity is written as .pfm, not '.png'" in result.stderr
