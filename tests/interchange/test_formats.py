"""Every format keeps axes, signs and light of an asymmetric scene of known disparity."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError, LfdfpError, StorageError
from lfdfp.interchange.formats import (
    Format,
    format_of_target,
    read_light_field,
    recognized_format,
    write_light_field,
)
from tests.interchange.asymmetric_scene import (
    assert_axes_and_signs,
    assert_same_light,
    assert_same_weights,
    asymmetric_field,
)

NAMES: dict[Format, str] = {
    "eslf": "field.png",
    "lf-toolbox": "IMG__Decoded.mat",
    "hci": "hci",
    "jpeg-pleno": "pleno",
    "views": "views",
    "hdf5": "field.h5",
}
STEEPEST_SRGB = 2.4 / 1.055
"""Most that linear light changes with the encoded value (at white)."""

TOLERANCES: dict[Format, float] = {
    "eslf": 0.51 * STEEPEST_SRGB / 65535,
    "lf-toolbox": 0.51 / 65535,
    "hci": 0.51 * STEEPEST_SRGB / 255,
    "jpeg-pleno": 0.51 * STEEPEST_SRGB / 1023,
    "views": 0.51 * STEEPEST_SRGB / 65535,
    "hdf5": 0.0,
}
KEEP_WEIGHTS: tuple[Format, ...] = ("eslf", "lf-toolbox", "views", "hdf5")


def test_every_format_is_tried() -> None:
    assert set(NAMES) == set(get_args(Format))


@pytest.mark.parametrize("name", NAMES)
def test_axes_signs_and_light_come_back(tmp_path: Path, name: Format) -> None:
    path, field = tmp_path / NAMES[name], asymmetric_field()
    write_light_field(path, field, name)
    assert recognized_format(path) == name
    read = read_light_field(path)
    assert_axes_and_signs(read)
    assert_same_light(read, field, TOLERANCES[name])
    assert_same_weights(read, field)
    assert read.warnings == ()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", KEEP_WEIGHTS)
def test_weights_come_back(tmp_path: Path, name: Format) -> None:
    path, field = tmp_path / NAMES[name], asymmetric_field(weighted=True)
    write_light_field(path, field, name)
    read = read_light_field(path)
    assert_same_weights(read, field)
    assert_same_light(read, field, TOLERANCES[name])


@pytest.mark.parametrize("name", NAMES)
def test_codes_with_scale_and_offset_are_written_as_light(tmp_path: Path, name: Format) -> None:
    light = asymmetric_field()
    codes = np.rint(light.views * 40000 + 1000).astype(np.uint16)
    field = LightField(views=codes, weights=light.weights, scale=1 / 40000, offset=1000.0)
    write_light_field(tmp_path / NAMES[name], field, name)
    assert_same_light(read_light_field(tmp_path / NAMES[name]), light, TOLERANCES[name] + 2e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("hdf5",)])
def test_gray_fields_are_written(tmp_path: Path, name: Format) -> None:
    colors = asymmetric_field()
    field = LightField(views=colors.views[..., :1], weights=colors.weights)
    write_light_field(tmp_path / NAMES[name], field, name)
    read = read_light_field(tmp_path / NAMES[name])
    for channel in range(read.views.shape[4]):
        found = read.views[..., channel] * read.scale
        np.testing.assert_allclose(found, field.views[..., 0], atol=TOLERANCES[name])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("hdf5",)])
def test_light_beyond_the_range_is_clipped(tmp_path: Path, name: Format) -> None:
    field = asymmetric_field()
    bright = LightField(views=3 * field.views - 0.3, weights=field.weights)
    write_light_field(tmp_path / NAMES[name], bright, name)
    clipped = LightField(views=np.clip(bright.views, 0, 1), weights=field.weights)
    read = read_light_field(tmp_path / NAMES[name])
    assert_same_light(read, clipped, TOLERANCES[name])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hdf5"])
def test_four_colors_fit_no_foreign_format(tmp_path: Path, name: Format) -> None:
    views = np.zeros((1, 1, 4, 4, 4), np.float32)
    field = LightField(views=views, weights=np.ones((1, 1, 4, 4), np.float32))
    with pytest.raises(ImageError, match="4 colors"):
        write_light_field(tmp_path / NAMES[name], field, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["hci", "jpeg-pleno", "views"])
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, name: Format) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        write_light_field(tmp_path, asymmetric_field(), name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_the_target_names_the_format() -> None:
    expected: dict[str, Format] = {
        "a.h5": "hdf5", "a.mat": "lf-toolbox", "a.png": "eslf", "a": "views"
    }  # fmt: skip
    assert {name: format_of_target(Path(name)) for name in expected} == expected
    with pytest.raises(StorageError, match=r"'\.xyz' names no format"):
        format_of_target(Path("a.xyz"))


def test_what_is_no_light_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file or folder"):
        read_light_field(tmp_path / "absent.h5")
    (tmp_path / "capture.lfp").write_bytes(b"\x89LFP\r\n\x1a\n")
    with pytest.raises(ImageError, match="raw capture has to be decoded first"):
        read_light_field(tmp_path / "capture.lfp")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no pictures found"):
        read_light_field(tmp_path / "empty")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path: Path, name: Format) -> None:
    path, rng = tmp_path / NAMES[name], np.random.default_rng(0)
    write_light_field(path, asymmetric_field(), name)
    target = path if path.is_file() else min(path.iterdir())
    whole = target.read_bytes()
    refused: list[str] = []
    for _ in range(25):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 3000), 3):
            damaged[place] = rng.integers(0, 256)
        target.write_bytes(damaged if rng.random() < 0.7 else whole[: rng.integers(len(whole))])
        try:
            read_light_field(path)
        except LfdfpError as error:
            refused.append(str(error))
    assert len(refused) > 5
    assert not any("\n" in message for message in refused)
