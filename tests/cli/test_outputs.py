"""No command replaces what it reads, and names are judged before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lfdfp.cli.main import app

_PICTURES = ("near.png", "far.png")


def _pictures(folder: Path) -> list[Path]:
    random = np.random.default_rng(0)
    for name in _PICTURES:
        codes = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(codes).save(folder / name)
    return [folder / name for name in _PICTURES]


def _refused(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def _replaced(name: str) -> str:
    return f"{name}: is one of the inputs and would be replaced; name another output"


def test_fuse_keeps_its_photographs(tmp_path: Path) -> None:
    near, far = _pictures(tmp_path)
    before = [near.read_bytes(), far.read_bytes()]
    (tmp_path / "link.png").symlink_to(near)
    assert _replaced("near.png") in _refused("fuse", near, far, "-o", near)
    assert _replaced("link.png") in _refused("fuse", near, far, "-o", tmp_path / "link.png")
    assert _replaced("far.png") in _refused("fuse", tmp_path, "-o", far)
    target = tmp_path / "sharp.png"
    assert _replaced("far.png") in _refused("fuse", near, far, "-o", target, "--decision-map", far)
    assert "two outputs have this name" in _refused(
        "fuse", near, far, "-o", target, "--decision-map", target
    )
    assert "written as .png or .jpg" in _refused(
        "fuse", near, far, "-o", target, "--decision-map", tmp_path / "map.tif"
    )
    assert [near.read_bytes(), far.read_bytes()] == before
    assert not target.exists()


@pytest.mark.parametrize("command", ["decode", "refocus"])
def test_decode_and_refocus_keep_the_capture_and_write_hdf5(
    tmp_path: Path, small_capture: Path, command: str
) -> None:
    capture = tmp_path / "a.lfp"
    capture.write_bytes(small_capture.read_bytes())
    assert _replaced("a.lfp") in _refused(command, capture, "-o", capture)
    said = _refused(command, capture, "-o", tmp_path / "out.png")
    assert "out.png: this is written as .h5 or .hdf5, not '.png'" in said
    assert capture.read_bytes() == small_capture.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["a.lfp"]


def test_convert_and_refocus_keep_their_field(tmp_path: Path) -> None:
    field, views = tmp_path / "a.h5", tmp_path / "views"
    field.write_bytes(b"\x89HDF\r\n\x1a\n")
    views.mkdir()
    (view,) = (views / "view_00_00.png",)
    Image.new("RGB", (8, 8)).save(view)
    assert _replaced("a.h5") in _refused("convert", field, field)
    assert _replaced("a.h5") in _refused("refocus", field, "-o", field)
    assert _replaced("view_00_00.png") in _refused("convert", views, view)
    assert "is one of the inputs" in _refused("convert", views, views)
    assert "is one of the inputs" in _refused(
        "refocus", views, "--previews", views, "-o", tmp_path / "stack.h5"
    )


def test_disparity_keeps_a_picture_under_a_name_of_its_own(tmp_path: Path) -> None:
    mosaic = tmp_path / "map.png"
    Image.new("RGB", (28, 28)).save(mosaic)
    assert _replaced("map.png") in _refused("disparity", mosaic, "-o", tmp_path / "map.pfm")
    assert "written as .pfm" in _refused("disparity", mosaic, "-o", tmp_path / "map.tif")


def test_simulate_keeps_the_pictures_it_is_given(tmp_path: Path) -> None:
    near, far = _pictures(tmp_path)
    picture = near.rename(tmp_path / "a.lfp")
    said = _refused("simulate", "--pictures", picture, far, "-o", tmp_path / "a.lfp")
    assert _replaced("a.lfp") in said
    assert "this is written as .lfp or .lfr" in _refused("simulate", "-o", tmp_path / "x.png")


def test_folders_of_other_commands_are_judged_first(tmp_path: Path, small_capture: Path) -> None:
    capture = tmp_path / "a.lfp"
    capture.write_bytes(small_capture.read_bytes())
    for arguments in (
        ("run", capture, "-o", capture),
        ("calibrate", capture, "-o", capture),
        ("evaluate", capture, "--crops", capture),
    ):
        assert "is one of the inputs; name another folder" in _refused(*arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["a.lfp"]
