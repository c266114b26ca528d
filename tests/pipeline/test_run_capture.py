"""A run from Python: what it writes, what it uses again, and that it equals the stages by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import lfdfp
from lfdfp.datatypes import StackEvidence
from lfdfp.errors import LfdfpError, StorageError
from lfdfp.lfp import write_pair
from lfdfp.pipeline.record import Keep, RunOptions, RunRecord
from lfdfp.pipeline.run_capture import run_capture
from lfdfp.settings import DisplaySettings, FusionSettings, RefocusSettings, Settings
from lfdfp.simulation import write_simulated_capture
from lfdfp.storage.hdf5 import load_focal_stack, load_sharp_picture
from lfdfp.storage.images import read_picture
from tests.digests import digests
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


def test_display_settings_change_the_pictures_and_nothing_else(
    path: Path, first: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    folder, record = first
    shutil.copytree(folder, tmp_path / "again")
    display = DisplaySettings(exposure_ev=1.0, white_balance="1,1,1", tone="linear")
    options = replace(KEEP, resume=True)
    again = run_capture(path, tmp_path / "again", replace(SETTINGS, display=display), options)
    assert not again.files  # the solution is used again
    assert again.outputs["fusion.h5"] == record.outputs["fusion.h5"]
    assert again.outputs["all_in_focus.png"] != record.outputs["all_in_focus.png"]
    shown = read_picture(tmp_path / "again" / "all_in_focus.png").light
    light = load_sharp_picture(folder / "fusion.h5").all_in_focus
    unsaturated = (light > 0.1).all(axis=-1) & (light < 0.4).all(axis=-1)
    green = (shown[unsaturated] / light[unsaturated])[:, 1]
    assert np.median(green) > 1.8
    facts = again.facts["rendition"]
    assert facts == {
        "exposure_gain": 2.0,
        "white_balance": [1.0, 1.0, 1.0],
        "tone": "linear",
        "erased_color": None,
    }


def test_exr_holds_light_without_a_tone(path: Path, tmp_path: Path) -> None:
    openexr = pytest.importorskip("OpenEXR")
    options = RunOptions(picture_format="exr", keep="solution")
    run_capture(path, tmp_path / "out", SETTINGS, options)
    light = load_sharp_picture(tmp_path / "out" / "fusion.h5").all_in_focus
    with openexr.File(str(tmp_path / "out" / "all_in_focus.exr")) as file:
        shown = file.channels()["RGB"].pixels
    np.testing.assert_allclose(shown, light, rtol=2e-3, atol=1e-4)


def test_a_second_run_reads_everything_back(path: Path, first: tuple[Path, RunRecord]) -> None:
    folder, before = first
    again = run_capture(path, folder, SETTINGS, KEEP)
    assert _names(again) == ["read", *(f"{stage.name} again" for stage in before.stages[1:])]
    assert not again.files
    assert again.facts == before.facts
    assert again.warnings == before.warnings


@pytest.fixture
def copied(first: tuple[Path, RunRecord], tmp_path: Path) -> Path:
    return Path(shutil.copytree(first[0], tmp_path / "copied"))


@pytest.mark.parametrize("name", ["fusion.h5", "focal_stack.h5", "all_in_focus.png"])
def test_a_file_whose_bytes_have_changed_is_made_anew(
    name: str, path: Path, first: tuple[Path, RunRecord], copied: Path
) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    again = run_capture(path, copied, SETTINGS, KEEP)
    assert digests(copied) == digests(first[0])
    assert (name in {Path(one).name for one in again.files}) == name.endswith(".h5")


def test_a_file_without_one_of_its_arrays_is_made_anew(
    path: Path, first: tuple[Path, RunRecord], copied: Path
) -> None:
    (copied / "run.json").unlink()  # as after a run that was killed before its end
    with h5py.File(copied / "fusion.h5", "a") as file:
        del file["super_resolved"]
    again = run_capture(path, copied, SETTINGS, KEEP)
    assert [Path(one).name for one in again.files] == ["fusion.h5"]
    assert digests(copied) == digests(first[0])


@pytest.mark.parametrize(("keep", "kept"), [("pictures", set()), ("solution", {"fusion.h5"})])
def test_what_is_kept_can_be_chosen(
    keep: Keep, kept: set[str], path: Path, first: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    options = RunOptions(keep=keep, resume=True)
    record = run_capture(path, tmp_path / "out", SETTINGS, options)
    assert {one.name for one in (tmp_path / "out").glob("*.h5")} == kept
    everything = digests(first[0])
    assert all(everything[name] == content for name, content in digests(tmp_path / "out").items())
    again = run_capture(path, tmp_path / "out", SETTINGS, options)
    assert all(stage.reused for stage in again.stages[1:])
    assert again.outputs == record.outputs


@pytest.mark.slow
def test_a_text_beside_a_raw_image_counts(tmp_path: Path) -> None:
    raw = write_pair(tmp_path / "MOD_0001.RAW", tiny_capture().raw_capture(), layout="f01")
    raw = raw.with_suffix(".RAW")
    options = RunOptions(keep="pictures", resume=True)
    before = run_capture(raw, tmp_path / "out", SETTINGS, options)
    text = raw.with_suffix(".TXT")
    text.write_text(text.read_text() + "\n")
    again = run_capture(raw, tmp_path / "out", SETTINGS, options)
    assert again.key != before.key
    assert not any(stage.reused for stage in again.stages)


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
