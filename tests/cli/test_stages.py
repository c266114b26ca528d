"""Each stage as a command of its own, on the files of the stage before."""

from __future__ import annotations

import json
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


def _photograph(path: Path, seed: int, size: tuple[int, int] = (48, 40), mode: str = "RGB") -> Path:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), np.uint8)
    Image.fromarray(values.squeeze()).convert(mode).save(path)
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


def test_photographs_are_fused(tmp_path: Path) -> None:
    a = _photograph(tmp_path / "a.png", 1)
    b = _photograph(tmp_path / "b.png", 2)
    result = _run("fuse", a, b, "-o", tmp_path / "c.tif", "--preset", "fast", "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["rows"], facts["columns"]) == (40, 48)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_alpha_pass_through(tmp_path: Path, mode: str) -> None:
    a = _photograph(tmp_path / "a.png", 1, mode=mode)
    b = _photograph(tmp_path / "b.png", 2, mode=mode)
    target = tmp_path / "c.png"
    result = _run("fuse", a, b, "-o", target, "--preset", "fast", "--scale", 2)
    assert result.exit_code == 0, result.output
    with Image.open(target) as image:
        assert (image.mode, image.size) == (mode, (96, 80))


def test_photographs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    a = _photograph(tmp_path / "a.png", 1)
    other = _photograph(tmp_path / "other.png", 2, size=(40, 40))
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    cases = {
        (a,): "one picture alone cannot be fused",
        (a, other): "other.png: 40 x 40 pixels, but a.png has 48 x 40",
        (a, text): "text.jpg: is not a picture",
        (a, tmp_path / "none.png"): "none.png: no such file",
    }
    for inputs, message in cases.items():
        result = _run("fuse", *inputs, "-o", tmp_path / "out.png")
        assert result.exit_code == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_a_folder_of_photographs_is_fused(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        _photograph(tmp_path / f"{seed}.png", seed)
    target = tmp_path / "out" / "sharp.jpg"
    result = _run("fuse", tmp_path, "-o", target, "--preset", "fast")
    assert result.exit_code == 0, result.output
    assert target.is_file()


def test_another_kind_of_file_is_refused_by_name(decoded: Path) -> None:
    result = _run("fuse", decoded, "-o", decoded.with_name("no.png"))
    assert result.exit_code == 1
    assert "is a light_field, where a focal_stack is needed" in result.stderr


def test_info_says_what_a_capture_is(small_capture: Path) -> None:
    assert "raw capture" in _run("info", small_capture).stdout
    facts = json.loads(_run("info", small_capture, "--json").stdout)
    assert facts["camera"]["model"] == "F01"


def test_split_writes_every_section(small_capture: Path, tmp_path: Path) -> None:
    result = _run("split", small_capture, "-o", tmp_path / "sections", "--json")
    paths = [Path(path) for path in json.loads(result.stdout)]
    assert paths
    assert all(path.parent == tmp_path / "sections" and path.is_file() for path in paths)


def test_simulate_writes_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a.lfp", "b.lfp"):
        result = _run("simulate", "--size", "200x200", "--seed", 5, "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.lfp").read_bytes() == (tmp_path / "b.lfp").read_bytes()


@pytest.mark.parametrize(
    "command", ["run", "info", "split", "decode", "refocus", "disparity", "fuse", "simulate"]
)
def test_help_holds_an_example(command: str) -> None:
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert f"lfdfp {command} " in result.stdout
