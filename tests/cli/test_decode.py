"""``lfdfp decode``, and the next commands on the files of the stage before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lfdfp.cli.main import app
from lfdfp.lfp import write_container
from lfdfp.storage.hdf5 import load_focal_stack, load_light_field
from tests.lfp.processed_files import older_file

runner = CliRunner()


def _run(*arguments: object) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def decoded(small_capture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("decoded") / "field.h5"
    result = _run("decode", small_capture, "-o", path)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def refocused(decoded: Path) -> Path:
    path = decoded.with_name("stack.h5")
    result = _run("refocus", decoded, "--slopes", "-0.5:0.5:5", "-o", path)
    assert result.exit_code == 0, result.output
    return path


def test_decode_writes_an_odd_grid_of_views(decoded: Path) -> None:
    field = load_light_field(decoded)
    assert field.angular_shape == (9, 9)
    assert field.sampling is not None


def test_refocus_takes_the_slopes_it_is_given(refocused: Path) -> None:
    stack = load_focal_stack(refocused)
    assert stack.slopes is not None
    np.testing.assert_allclose(stack.slopes, np.linspace(-0.5, 0.5, 5))


def test_a_stack_is_fused_to_a_picture(refocused: Path, tmp_path: Path) -> None:
    picture, maps = tmp_path / "sharp.png", tmp_path / "maps.png"
    arguments = ("--scale", 2, "--preset", "fast", "--decision-map", maps)
    result = _run("fuse", refocused, "-o", picture, *arguments)
    assert result.exit_code == 0, result.output
    shape = load_focal_stack(refocused).slices.shape
    with Image.open(picture) as image:
        assert image.size == (2 * shape[2], 2 * shape[1])
    assert maps.is_file()


def test_a_processed_file_is_fused(tmp_path: Path) -> None:
    write_container(tmp_path / "IMG_0007-stk.lfp", older_file())
    target = tmp_path / "sharp.png"
    result = _run("fuse", tmp_path / "IMG_0007-stk.lfp", "-o", target, "--preset", "fast")
    assert result.exit_code == 0, result.output
    assert "from 4 pictures" in result.stdout
    assert "not of a raw capture" in result.stderr
    with Image.open(target) as picture:
        assert picture.size == (36, 24)


def test_a_raw_capture_is_not_fused(small_capture: Path, tmp_path: Path) -> None:
    result = _run("fuse", small_capture, "-o", tmp_path / "sharp.png")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "use `lfdfp run`" in result.stderr
    assert not list(tmp_path.iterdir())


def test_another_kind_of_file_is_refused_by_name(decoded: Path) -> None:
    result = _run("fuse", decoded, "-o", decoded.with_name("no.png"))
    assert result.exit_code == 1
    assert "is a light_field, where a focal_stack is needed" in result.stderr
