"""Which captures a batch takes, and where their outputs go."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import FocalStack, LightField
from lfdfp.errors import StorageError
from lfdfp.pipeline.batch.plan import Job, Stacks, placed_before, plan_jobs, results_root
from lfdfp.pipeline.batch.state import Entry
from lfdfp.storage.hdf5 import save_focal_stack, save_light_field


def _touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return paths


def test_a_single_capture_goes_beside_itself_or_into_the_named_folder(tmp_path: Path) -> None:
    (capture,) = _touch(tmp_path, "shot.lfp")
    assert plan_jobs([capture], None)[0].folder == tmp_path / "shot"
    assert plan_jobs([capture], tmp_path / "out")[0].folder == tmp_path / "out"


def test_several_captures_get_a_folder_each(tmp_path: Path) -> None:
    captures = _touch(tmp_path, "a.lfp", "b.lfr")
    folders = [job.folder for job in plan_jobs(captures, tmp_path / "out")]
    assert folders == [tmp_path / "out" / "a", tmp_path / "out" / "b"]


def test_captures_of_one_name_never_share_a_folder(tmp_path: Path) -> None:
    captures = _touch(tmp_path, "x/shot.lfp", "y/shot.lfp", "z/shot.lfr")
    folders = [job.folder for job in plan_jobs(captures, tmp_path / "out")]
    assert len(set(folders)) == 3


def test_a_folder_is_searched_for_captures_only(tmp_path: Path) -> None:
    _touch(tmp_path, "b.LFR", "a.lfp", "deep/c.lfp", "notes.txt", "a/fusion.h5")
    jobs = plan_jobs([tmp_path], None)
    assert [job.path.name for job in jobs] == ["a.lfp", "b.LFR", "c.lfp"]
    assert all(job.found for job in jobs)


def test_a_capture_named_twice_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (capture,) = _touch(tmp_path, "shot.lfp")
    monkeypatch.chdir(tmp_path)
    assert len(plan_jobs([capture, Path("shot.lfp"), tmp_path], None)) == 1


def test_captures_of_a_desktop_library_go_by_their_folders(tmp_path: Path) -> None:
    _touch(tmp_path, "lib/IMG_0001/raw.lfp", "lib/IMG_0002/raw.lfp", "lib/IMG_0003/stack.lfp")
    folders = [job.folder for job in plan_jobs([tmp_path / "lib"], tmp_path / "out")]
    assert [folder.name for folder in folders] == ["IMG_0001", "IMG_0002", "IMG_0003"]
    beside = [job.folder for job in plan_jobs([tmp_path / "lib"], None)]
    assert beside[0] == tmp_path / "lib/IMG_0001/IMG_0001"
    one = plan_jobs([tmp_path / "lib/IMG_0002/raw.lfp"], None)
    assert one[0].folder == tmp_path / "lib/IMG_0002/IMG_0002"


def test_library_folders_of_one_name_get_numbers(tmp_path: Path) -> None:
    _touch(tmp_path, "a/IMG_0001/raw.lfp", "b/IMG_0001/raw.lfp", "c/IMG_0001/raw.lfr")
    folders = [job.folder.name for job in plan_jobs([tmp_path], tmp_path / "out")]
    assert len(set(folders)) == 3
    assert all(name.startswith("IMG_0001") for name in folders)


def test_lfx_is_found_and_what_macos_writes_is_not(tmp_path: Path) -> None:
    _touch(tmp_path, "a.lfx", "._a.lfx", "._b.lfp", "B.LFX")
    assert [job.path.name for job in plan_jobs([tmp_path], None)] == ["B.LFX", "a.lfx"]


def test_a_processed_file_runs_only_where_its_capture_is_gone(tmp_path: Path) -> None:
    _touch(
        tmp_path, "a.lfp", "a-stk.lfp", "a-dm.lfp", "b-stk.lfp", "c-STK.LFP", "C.lfp", "-stk.lfp"
    )
    found = [job.path.name for job in plan_jobs([tmp_path], None)]
    assert found == ["-stk.lfp", "C.lfp", "a.lfp", "b-stk.lfp", "c-STK.LFP"]
    named = plan_jobs([tmp_path / "a.lfp", tmp_path / "a-stk.lfp"], None)
    assert [job.path.name for job in named] == ["a.lfp", "a-stk.lfp"]


@pytest.mark.parametrize("name", ["n" * 300, "a\0b"])
def test_an_impossible_path_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot be looked at"):
        plan_jobs([tmp_path / name], None)


def test_a_capture_keeps_its_folder_when_others_come(tmp_path: Path) -> None:
    first, out = tmp_path / "x" / "shot.lfp", tmp_path / "out"
    _touch(tmp_path, "x/shot.lfp")
    (job,) = plan_jobs([tmp_path], out)
    _touch(tmp_path, "a/shot.lfp")
    placed = placed_before([Entry(folder="shot", path=str(first), status="done")], out)
    folders = {one.path: one.folder for one in plan_jobs([tmp_path], out, placed)}
    assert folders[first] == job.folder == out / "shot"
    assert len(set(folders.values())) == 2


def test_results_lie_in_the_named_folder_or_with_the_captures(tmp_path: Path) -> None:
    one, other = _touch(tmp_path, "x/a.lfp", "x/y/b.lfp")
    assert results_root([one], tmp_path / "out") == tmp_path / "out"
    assert results_root([tmp_path / "x"], None) == tmp_path / "x"
    assert results_root([one, other], None) == tmp_path / "x"
    assert results_root([one, tmp_path], None) == tmp_path


def _kinds(jobs: list[Job]) -> list[tuple[str, str]]:
    return [(job.path.name, job.kind) for job in jobs]


def test_light_fields_are_found_by_the_names_that_programs_give(tmp_path: Path) -> None:
    _touch(tmp_path, "a_eslf.png", "b__Decoded.mat", "c.png", "d.mat", "scene/parameters.cfg")
    _touch(tmp_path, "scene/input_Cam000.png")
    light = np.zeros((1, 1, 2, 2, 3), np.float32)
    field = LightField(views=light, weights=light[..., 0])
    save_light_field(tmp_path / "field.h5", field, {})
    save_focal_stack(tmp_path / "stack.h5", FocalStack(slices=light[0]), {})
    assert _kinds(plan_jobs([tmp_path], tmp_path / "out")) == [
        ("a_eslf.png", "light field"),
        ("b__Decoded.mat", "light field"),
        ("field.h5", "light field"),
        ("scene", "light field"),
    ]


@pytest.mark.parametrize("name", ["view_{:02}_{:02}.png", "{:03}_{:03}.ppm"])
@pytest.mark.parametrize("stacks", [None, "by-folder", "by-time"])
def test_folders_of_views_are_light_fields_and_no_stacks(
    name: str, stacks: Stacks | None, tmp_path: Path
) -> None:
    views = [f"scene/{name.format(row, column)}" for row in range(3) for column in range(3)]
    _touch(tmp_path, *views)
    (job,) = plan_jobs([tmp_path], tmp_path / "out", stacks=stacks)
    assert (job.path, job.kind) == (tmp_path / "scene", "light field")


def test_photographs_whose_numbers_run_are_no_views(tmp_path: Path) -> None:
    _touch(tmp_path, *(f"beetle/IMG_20260501_{120000 + 3 * k}.jpg" for k in range(9)))
    (job,) = plan_jobs([tmp_path], tmp_path / "out", stacks="by-folder")
    assert job.kind == "photographs"


def test_what_is_named_may_be_any_light_field(tmp_path: Path) -> None:
    paths = _touch(tmp_path, "a.mat", "b.h5", "c.lfp", "d.raw", "e")
    assert [job.kind for job in plan_jobs(paths, None)] == [
        "light field",
        "light field",
        "capture",
        "capture",
        "capture",
    ]


def test_results_are_searched_for_nothing_but_captures(tmp_path: Path) -> None:
    _touch(tmp_path, "shot.lfp", "shot/run.json", "shot/a_eslf.png", "shot/1.png", "shot/2.png")
    assert _kinds(plan_jobs([tmp_path], None, stacks="by-folder")) == [("shot.lfp", "capture")]


def test_the_pictures_of_a_folder_are_a_stack(tmp_path: Path) -> None:
    _touch(tmp_path, "x/1.jpg", "x/2.JPG", "x/notes.txt", "x/._1.jpg", "y/alone.jpg")
    assert not plan_jobs([tmp_path], None)
    (job,) = plan_jobs([tmp_path], tmp_path / "out", stacks="by-folder")
    assert (job.path, job.kind) == (tmp_path / "x", "photographs")
    assert [path.name for path in job.photographs] == ["1.jpg", "2.JPG"]
    assert job.folder == tmp_path / "out" / "x"
    beside = plan_jobs([tmp_path], None, stacks="by-folder")[0]
    assert beside.folder == tmp_path / "x_lfdfp"


def test_pictures_taken_in_a_row_are_a_stack(tmp_path: Path) -> None:
    times = {"a.jpg": 100, "b.jpg": 101, "d.jpg": 250, "c.jpg": 251.5, "e.jpg": 400}
    for path, moment in zip(_touch(tmp_path, *times), times.values(), strict=True):
        os.utime(path, (moment, moment))
    jobs = plan_jobs([tmp_path], tmp_path / "out", stacks="by-time")
    assert [[path.name for path in job.photographs] for job in jobs] == [
        ["a.jpg", "b.jpg"],
        ["d.jpg", "c.jpg"],
    ]
    assert [job.folder.name for job in jobs] == ["a", "d"]
