"""No command replaces what it reads, and names are judged before the work."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lfdfp.cli.main import app
from lfdfp.errors import LfdfpError

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
    assert "written as .png" in _refused(
        "fuse", near, far, "-o", target, "--decision-map", tmp_path / "map.jpg"
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


_READ_BY = (
    "run FILE -o OUT",
    "batch FILE -o OUT",
    "index FILE",
    "info FILE",
    "doctor FILE",
    "calibrate FILE -o OUT",
    "split FILE -o OUT",
    "decode FILE -o OUT.h5",
    "convert FILE OUT.h5",
    "refocus FILE -o OUT.h5",
    "refocus --from-solution FILE -o OUT.h5",
    "disparity FILE -o OUT.pfm",
    "fuse FILE -o OUT.png",
    "fuse FILE FILE -o OUT.png",
    "inspect FILE",
    "evaluate FILE --held-out-rays",
    "export FILE --depth -o OUT.png",
    "run CAPTURE --settings FILE -o OUT",
    "run CAPTURE --white-image FILE -o OUT",
)
"""Every way in which a command is given a file."""


@contextmanager
def _without_permission(path: Path) -> Iterator[None]:
    """Take all permissions from a path, and from root the right to pass over them."""
    mode = path.stat().st_mode
    path.chmod(0)
    library = ctypes.CDLL(None)
    head, before = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    library.capget(head, before)
    less = (ctypes.c_uint32 * 6)(*before)
    less[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of this thread
    library.capset(head, less)
    try:
        yield
    finally:
        library.capset(head, before)
        path.chmod(mode)


def _arguments(words: str, file: Path, tmp_path: Path, capture: Path) -> list[str]:
    places = {"FILE": str(file), "CAPTURE": str(capture)}
    names = [places.get(word, word) for word in words.split()]
    return [name.replace("OUT", str(tmp_path / "out")) for name in names]


@pytest.mark.parametrize("words", _READ_BY)
@pytest.mark.parametrize("kind", ["long", "pipe", "closed", "closed folder", "inside"])
def test_what_cannot_be_read_is_one_line_in_every_command(
    tmp_path: Path, small_capture: Path, words: str, kind: str
) -> None:
    file, shut = tmp_path / "file.lfp", tmp_path / "shut"
    if kind == "long":
        file = tmp_path / ("n" * 300)
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("the system has no pipes in folders")
        os.mkfifo(file)
    else:
        file.write_bytes(b"\x89LFP\r\n\x1a\n")
        shut.mkdir()
    chosen = {"closed": file, "closed folder": shut, "inside": shut / "file.lfp"}.get(kind, file)
    arguments = _arguments(words, chosen, tmp_path, small_capture)
    with ExitStack() as closed:
        if kind.startswith("closed") or kind == "inside":
            if sys.platform != "linux":
                pytest.skip("the right of root to read everything is dropped as Linux does it")
            closed.enter_context(_without_permission(file if kind == "closed" else shut))
        result = CliRunner().invoke(app, arguments)
    said = result.stderr.splitlines() or [result.stdout]
    known = LfdfpError, OSError, SystemExit
    assert result.exception is None or isinstance(result.exception, known), result.exception
    assert result.exit_code == 1, result.output
    assert len([line for line in said if not line.startswith("begun: ")]) <= 2, said
    assert not (tmp_path / "out").is_file()


@pytest.mark.parametrize("words", _READ_BY)
def test_an_output_that_cannot_be_is_found_before_the_work(
    tmp_path: Path, small_capture: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "OUT" not in words or words.startswith(("fuse FILE -o", "run CAPTURE")):
        pytest.skip("writes nothing, or takes something else")
    monkeypatch.setattr(
        "lfdfp.pipeline.stages.decoded_capture", lambda *_, **__: pytest.fail("decoded first")
    )
    capture = tmp_path / "a.lfp"
    capture.write_bytes(small_capture.read_bytes())
    (tmp_path / "taken").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for place in ("taken/out", "link/out"):
        said = _arguments(words, capture, tmp_path, capture)
        said = [word.replace(str(tmp_path / "out"), str(tmp_path / place)) for word in said]
        result = CliRunner().invoke(app, said)
        assert result.exit_code == 1, result.output
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert place.split("/")[0] in result.stderr
    assert (tmp_path / "taken").read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.lfp", "link", "taken"]
