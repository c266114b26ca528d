"""What was saved opens again as what it was; the ending of a name says how it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lfdfp
from lfdfp.storage.images import read_picture
from tests.factories import tiny_capture


@pytest.fixture(scope="module")
def field() -> lfdfp.LightField:
    raw = tiny_capture().raw_capture()
    return lfdfp.decode(raw, lfdfp.calibrate(raw), lfdfp.DecodeSettings(angular_size=5))


def test_a_capture_opens_as_a_capture(tmp_path: Path) -> None:
    from lfdfp.simulation import write_simulated_capture

    path = write_simulated_capture(tmp_path / "a.lfp", tiny_capture(), truth=False).capture
    assert isinstance(lfdfp.open(str(path)), lfdfp.RawCapture)


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "views"])
def test_a_light_field_comes_back(name: str, field: lfdfp.LightField, tmp_path: Path) -> None:
    lfdfp.save(field, tmp_path / name)
    again = lfdfp.open(tmp_path / name)
    assert isinstance(again, lfdfp.LightField)
    np.testing.assert_allclose(again.view(2, 2), field.view(2, 2), atol=2e-3)


def test_stacks_and_pictures_come_back(field: lfdfp.LightField, tmp_path: Path) -> None:
    stack = lfdfp.focal_stack(field, lfdfp.RefocusSettings(planes=3))
    picture = lfdfp.fuse(stack, lfdfp.FusionSettings(scale=1, preset="fast"))
    for noun, name in ((stack, "stack.h5"), (picture, "picture.h5")):
        lfdfp.save(noun, tmp_path / name)
        assert type(lfdfp.open(tmp_path / name)) is type(noun)
    lfdfp.save(picture, tmp_path / "picture.png")
    lfdfp.save(picture.super_resolved[..., 1], tmp_path / "gray.tif")
    shown = read_picture(tmp_path / "picture.png").light
    np.testing.assert_allclose(shown, picture.super_resolved.clip(0, 1), atol=5e-3)
    assert read_picture(tmp_path / "gray.tif").light.shape[2] == 1


def test_endings_that_do_not_fit_are_named(tmp_path: Path) -> None:
    stack = lfdfp.FocalStack(slices=np.zeros((2, 3, 4, 3), np.float32))
    with pytest.raises(lfdfp.LfdfpError, match=r"a\.png: a focal stack is written as \.h5"):
        lfdfp.save(stack, tmp_path / "a.png")
    with pytest.raises(lfdfp.LfdfpError, match=r"a\.png: a picture has the shape"):
        lfdfp.save(np.zeros((2, 3, 4, 3), np.float32), tmp_path / "a.png")
    with pytest.raises(lfdfp.LfdfpError, match="nothing"):
        lfdfp.open(tmp_path / "nothing")
