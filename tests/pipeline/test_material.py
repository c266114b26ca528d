"""Light fields of other programs, processed files and photographs go through the same run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.errors import LfdfpError
from lfdfp.pipeline.material import Material
from lfdfp.pipeline.record import PhotographOptions, RunOptions
from lfdfp.pipeline.run_capture import run_material
from lfdfp.settings import FusionSettings, RefocusSettings, Settings
from lfdfp.storage.hdf5 import load_focal_stack, load_sharp_picture, save_light_field
from lfdfp.storage.images import Picture, write_picture
from tests.factories import defocused_pair, textured_plane

QUICK = Settings(refocus=RefocusSettings(planes=4), fusion=FusionSettings(scale=2, preset="fast"))
RESUME = RunOptions(resume=True)


def test_a_light_field_is_refocused_and_fused(tmp_path: Path) -> None:
    field, _ = textured_plane(0.5)
    save_light_field(tmp_path / "field.h5", replace(field, warnings=("one eye shut",)), {})
    material = Material(path=tmp_path / "field.h5", kind="light field")
    record = run_material(material, tmp_path / "out", QUICK, RESUME)
    assert record.facts["data_term"] == "stack"
    assert record.warnings[0] == "one eye shut"
    assert load_sharp_picture(tmp_path / "out" / "fusion.h5").scale == 2
    assert len(load_focal_stack(tmp_path / "out" / "focal_stack.h5").slices) == 4
    again = run_material(material, tmp_path / "out", QUICK, RESUME)
    assert all(stage.reused for stage in again.stages)


def _photographs(folder: Path) -> Material:
    pair, _ = defocused_pair()
    folder.mkdir()
    paths = []
    for n, light in enumerate(pair.slices):
        paths.append(folder / f"{n}.png")
        write_picture(paths[-1], Picture(light=light, bits=16), {})
    return Material(path=folder, kind="photographs", photographs=tuple(paths))


def test_photographs_are_fused_at_their_own_size(tmp_path: Path) -> None:
    material = _photographs(tmp_path / "stack")
    pair, sharp = defocused_pair()
    record = run_material(material, tmp_path / "out", QUICK, RunOptions(resume=True, bits=16))
    made = load_sharp_picture(tmp_path / "out" / "fusion.h5").all_in_focus
    worst = min(np.abs(light - sharp).mean() for light in pair.slices)
    assert np.abs(made - sharp).mean() < worst / 2
    with Image.open(tmp_path / "out" / "all_in_focus.png") as image:
        assert image.size == (sharp.shape[1], sharp.shape[0])
    document = json.loads((tmp_path / "out" / "run.json").read_text())
    assert document["facts"]["thumbnail"]["frames"] == 3
    again = run_material(material, tmp_path / "out", QUICK, RunOptions(resume=True, bits=16))
    assert again.key == record.key
    assert all(stage.reused for stage in again.stages)


def test_every_photograph_counts_as_input(tmp_path: Path) -> None:
    material = _photographs(tmp_path / "stack")
    before = run_material(material, tmp_path / "out", QUICK, RESUME)
    last = material.photographs[-1]
    write_picture(last, Picture(light=0.9 * defocused_pair()[0].slices[-1]), {})
    assert run_material(material, tmp_path / "out", QUICK, RESUME).key != before.key


def test_photographs_are_placed_as_is_wanted_and_made_anew_when_that_changes(
    tmp_path: Path,
) -> None:
    material = _photographs(tmp_path / "stack")
    out = tmp_path / "out"
    moved = run_material(material, out, QUICK, RESUME)
    assert "motion" in " ".join(load_focal_stack(out / "focal_stack.h5").history)
    as_they_are = replace(RESUME, photographs=PhotographOptions(align=False))
    unmoved = run_material(material, out, QUICK, as_they_are)
    assert unmoved.key != moved.key
    assert "motion" not in " ".join(load_focal_stack(out / "focal_stack.h5").history)


@pytest.mark.parametrize("kind", ["light field", "photographs"])
def test_what_is_no_such_thing_leaves_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    material = Material(path=path, kind=kind, photographs=(path, path))
    with pytest.raises(LfdfpError, match=r"a\.png"):
        run_material(material, tmp_path / "out", QUICK)
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
