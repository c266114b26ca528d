"""The border to the formats of others: what is not a light field, or not a sound one, is a line."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError, LfdfpError
from lfdfp.interchange.formats import read_light_field, write_light_field
from lfdfp.storage.hdf5 import save_light_field
from tests.interchange.asymmetric_scene import asymmetric_field

FORMATS = ("eslf", "lf-toolbox", "hci", "jpeg-pleno", "views", "hdf5")


def _field() -> LightField:
    rng = np.random.default_rng(0)
    views = rng.random((3, 3, 12, 14, 3), np.float32)
    return LightField(views=views, weights=np.ones(views.shape[:4], np.float32))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_field_that_is_not_finite_is_not_written(
    tmp_path: Path, format: str, value: float
) -> None:
    field = _field()
    field.views[1, 2, 3, 4, 0] = value
    with pytest.raises(
        ImageError, match=r"light of view \(1, 2\) has 1 values that are not finite"
    ):
        write_light_field(tmp_path / "out.png", field, format)
    weighted = replace(_field(), weights=np.full((3, 3, 12, 14), value, np.float32))
    with pytest.raises(ImageError, match=r"weights of view \(0, 0\) has 168 values"):
        write_light_field(tmp_path / "out.png", weighted, format)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["scale", "offset", "weight_scale"])
def test_a_scale_that_is_not_finite_is_not_written(tmp_path: Path, name: str) -> None:
    field = replace(asymmetric_field(), **{name: float("nan")})
    with pytest.raises(ImageError, match="must be finite"):
        write_light_field(tmp_path / "out.h5", field, "hdf5")


def test_a_stored_field_that_is_not_finite_is_not_read(tmp_path: Path) -> None:
    field = _field()
    field.views[0, 1, 2, 2, 1] = np.nan
    save_light_field(tmp_path / "a.h5", field, {})
    with pytest.raises(LfdfpError, match=r"a\.h5: views holds values that are not finite"):
        read_light_field(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["missing.h5", "n" * 300, "a\0.png"])
def test_impossible_paths_are_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(LfdfpError, match=r"no such file or folder|cannot be looked at"):
        read_light_field(tmp_path / name)


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "a.png", "a"])
def test_pipes_are_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(LfdfpError, match="no regular file"):
        read_light_field(tmp_path / name)


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "a.png", "a.tif"])
@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(40), b"\x89PNG\r\n\x1a\n", b"II*\0"]
)
def test_damage_is_a_line_that_names_the_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LfdfpError, match=rf"{name}: ") as caught:
        read_light_field(tmp_path / name)
    assert "\n" not in str(caught.value)
