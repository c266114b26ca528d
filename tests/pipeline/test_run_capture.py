"""A run from Python: what it writes, what it uses again, and that it equals the stages by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lfdfp
from lfdfp.datatypes import StackEvidence
from lfdfp.errors import LfdfpError, StorageError
from lfdfp.pipeline.record import RunOptions, RunRecord
from lfdfp.pipeline.run_capture import run_capture
from lfdfp.settings import FusionSettings, RefocusSettings, Settings
from lfdfp.simulation import write_simulated_capture
from lfdfp.storage.hdf5 import load_focal_stack, load_sharp_picture
from tests.factories import tiny_capture

SETTINGS = Settings(
    refocus=RefocusSettings(planes=4),
    fusion=FusionSettings(scale=1, preset="fast", data="stack"),
)
KEEP = RunOptions(keep_light_field=True, resume=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("capture") / "tiny.lfp"
    return write_simulated_capture(target, tiny_capture(), truth=False).capture


@pytest.fixture(scope="module")
def first(path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    folder = tmp_path_factory.mktemp("run") / "out"
    return folder, run_capture(path, folder, SETTINGS, KEEP)


def _names(record: RunRecord) -> list[str]:
    return [f"{stage.name}{' again' * stage.reused}" for stage in record.stages]


def test_a_run_equals_its_stages_by_hand(path: Path, first: tuple[Path, RunRecord]) -> None:
    folder, _ = first
    capture = lfdfp.read_capture(path)
    field = lfdfp.decode(capture, lfdfp.calibrate(capture))
    stack = lfdfp.focal_stack(field, SETTINGS.refocus)
    fused = lfdfp.fuse(stack, SETTINGS.fusion)
    kept = load_sharp_picture(folder / "fusion.h5")
    np.testing.assert_array_equal(load_focal_stack(folder / "focal_stack.h5").slices, stack.slices)
    np.testing.assert_array_equal(kept.all_in_focus, fused.all_in_focus)
    assert isinstance(kept.evidence, StackEvidence)


def test_the_record_names_what_was_written(first: tuple[Path, RunRecord]) -> None:
    folder, record = first
    written = {Path(name).name for name in (*record.pictures, *record.files)}
    assert written | {"run.json"} == {one.name for one in folder.iterdir()}
    assert [Path(name).name for name in record.files] == [
        "light_field.h5",
        "focal_stack.h5",
        "fusion.h5",
    ]
    assert _names(record) == ["read", "calibrate", "decode", "save", "refocus", "fuse", "export"]
    document = json.loads((folder / "run.json").read_text())
    assert document["input_sha256"] == record.input_sha256
    assert document["facts"]["camera"]["model"] == "F01"


def test_a_second_run_reads_everything_back(path: Path, first: tuple[Path, RunRecord]) -> None:
    folder, before = first
    again = run_capture(path, folder, SETTINGS, KEEP)
    assert _names(again) == ["read", "refocus again", "fuse again", "export"]
    assert not again.files
    assert again.facts == before.facts
    assert again.warnings == before.warnings


def test_a_stack_that_is_gone_is_made_again_and_the_picture_kept(
    path: Path, first: tuple[Path, RunRecord]
) -> None:
    folder, _ = first
    (folder / "focal_stack.h5").unlink()
    again = run_capture(path, folder, SETTINGS, replace(KEEP, keep_light_field=False))
    assert _names(again) == [
        "read",
        "calibrate",
        "decode",
        "refocus",
        "save",
        "fuse again",
        "export",
    ]
    assert [Path(name).name for name in again.files] == ["focal_stack.h5"]


def test_a_run_that_fails_leaves_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file"):
        run_capture(path, tmp_path / "file" / "out", SETTINGS)
    with pytest.raises(LfdfpError, match=r"nothing\.lfp"):
        run_capture(tmp_path / "nothing.lfp", tmp_path / "out", SETTINGS)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
