"""Whole commands as functions take names as people write them, and say no in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lfdfp
from lfdfp.errors import LfdfpError
from lfdfp.simulation import write_simulated_capture
from tests.factories import tiny_capture, true_field


def test_a_run_goes_beside_its_capture(tmp_path: Path) -> None:
    made = tiny_capture(size=200)
    path = write_simulated_capture(tmp_path / "a.lfp", made, white_image=False, truth=False).capture
    record = lfdfp.run(str(path), scale=1)
    assert record.folder == str(tmp_path / "a")
    assert record.facts["scale"] == 1
    assert (tmp_path / "a" / "inspect.html").is_file()
    again = lfdfp.run(path, tmp_path / "a", scale=1, resume=True)
    assert all(stage.reused or stage.name == "read" for stage in again.stages)


def test_a_light_field_changes_its_format(tmp_path: Path) -> None:
    lfdfp.save(true_field(tiny_capture(), radius=1), tmp_path / "a.h5")
    lfdfp.convert(tmp_path / "a.h5", str(tmp_path / "views"))
    before, after = lfdfp.open(tmp_path / "a.h5"), lfdfp.open(tmp_path / "views")
    assert isinstance(before, lfdfp.LightField)
    assert isinstance(after, lfdfp.LightField)
    np.testing.assert_allclose(after[0, 2], before[0, 2], atol=5e-3)
    with pytest.raises(LfdfpError, match="one of the inputs"):
        lfdfp.convert(tmp_path / "a.h5", tmp_path / "a.h5")


def test_what_is_no_light_field_is_not_converted(tmp_path: Path) -> None:
    stack = lfdfp.FocalStack(slices=np.zeros((1, 4, 4, 3), np.float32))
    lfdfp.save(stack, tmp_path / "stack.h5")
    with pytest.raises(LfdfpError, match="holds a FocalStack"):
        lfdfp.convert(tmp_path / "stack.h5", tmp_path / "views")


def test_flat_keywords_stand_for_settings() -> None:
    field = true_field(tiny_capture(), radius=1)
    stack = lfdfp.focal_stack(field, planes=3)
    assert len(stack.slices) == 3
    assert lfdfp.fuse(stack, scale=1).scale == 1
