"""`lfdfp convert` between formats, and `lfdfp refocus` on what it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.imaging.display import encode_srgb
from lfdfp.interchange.formats import read_light_field, write_light_field
from lfdfp.storage.hdf5 import load_focal_stack, load_light_field, provenance_of
from tests.factories import textured_plane
from tests.interchange.asymmetric_scene import (
    assert_axes_and_signs,
    assert_same_light,
    asymmetric_field,
)


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_chain_of_conversions_keeps_axes_signs_and_light(tmp_path: Path) -> None:
    field = asymmetric_field()
    write_light_field(tmp_path / "a.h5", field, "hdf5")
    steps = [("a_eslf.png",), ("b.mat",), ("c",), ("d", "--format", "jpeg-pleno"), ("e.h5",)]
    source = tmp_path / "a.h5"
    for name, *options in steps:
        result = _run("convert", source, tmp_path / name, *options)
        assert result.exit_code == 0, result.output
        assert "3 x 5 views of 37 x 24 pixels" in result.output
        source = tmp_path / name
    last = load_light_field(tmp_path / "e.h5")
    assert_axes_and_signs(last)
    assert_same_light(last, field, 0.002)
    assert provenance_of(tmp_path / "e.h5") == {"converted_from": "d"}


def test_facts_as_json(tmp_path: Path) -> None:
    write_light_field(tmp_path / "a.h5", asymmetric_field(), "hdf5")
    target = tmp_path / "hci"
    result = _run("convert", tmp_path / "a.h5", target, "--format", "hci", "--bits", "16", "--json")
    facts = json.loads(result.output)
    assert (facts["output"], facts["format"]) == (str(target), "hci")
    assert facts["shape_vutsc"] == [3, 5, 24, 37, 3]
    assert_same_light(read_light_field(target), asymmetric_field(), 3e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent", "out.h5"), "absent: no such file or folder"),
        (("a.h5", "out.xyz"), "'.xyz' names no format"),
        (("a.h5", "a.h5"), "is one of the inputs and would be replaced"),
        (("text.mat", "out.h5"), "text.mat: cannot be read"),
    ],
)
def test_bad_input_gives_one_line(tmp_path: Path, arguments: tuple[str, str], message: str) -> None:
    write_light_field(tmp_path / "a.h5", asymmetric_field(), "hdf5")
    before = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "text.mat").write_text("no MAT-file")
    result = _run("convert", *(tmp_path / name for name in arguments))
    assert result.exit_code == 1
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert (tmp_path / "a.h5").read_bytes() == before


def test_refocus_reads_any_format(tmp_path: Path) -> None:
    field, _ = textured_plane(0.5)
    write_light_field(tmp_path / "views", field, "views")
    target = tmp_path / "stack.h5"
    result = _run("refocus", tmp_path / "views", "-o", target, "--slopes", "0:1:3")
    assert result.exit_code == 0, result.output
    assert load_focal_stack(target).slices.shape == (3, 40, 48, 3)


def test_a_mosaic_is_read_by_its_grid(tmp_path: Path) -> None:
    codes = (255 * encode_srgb(textured_plane(-0.4, angular=(4, 4))[0].views)).round().astype("u1")
    picture = codes.transpose(0, 2, 1, 3, 4).reshape(4 * 40, 4 * 48, 3)
    Image.fromarray(picture).save(tmp_path / "mosaic.png")
    result = _run("convert", tmp_path / "mosaic.png", tmp_path / "a.h5", "--grid", "4x4", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["shape_vutsc"] == [4, 4, 40, 48, 3]
    assert load_light_field(tmp_path / "a.h5").history[0] == "mosaic of 4 x 4 views read"
    guessed = _run("convert", tmp_path / "mosaic.png", tmp_path / "b.h5")
    assert guessed.exit_code == 1
    assert "--grid for a mosaic" in guessed.stderr


@pytest.mark.parametrize("grid", ["4", "0x4", "4x", "4x4x4", "axb", "4x1000"])
def test_a_grid_is_two_numbers(tmp_path: Path, grid: str) -> None:
    result = _run("convert", tmp_path / "a.png", tmp_path / "b.h5", "--grid", grid)
    assert result.exit_code == 2
