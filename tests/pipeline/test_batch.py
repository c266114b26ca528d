"""Which captures a batch takes, where their outputs go, and what a bad one does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lfdfp.errors import StorageError
from lfdfp.pipeline.batch import Job, plan_jobs, run_batch
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings


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


def test_a_defect_on_one_capture_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, *_: object, **__: object) -> None:
        raise IndexError(path.name) if path.name == "a.lfp" else OSError(28, "No space left", "x")

    monkeypatch.setattr("lfdfp.pipeline.batch.run_capture", broken)
    jobs = plan_jobs(_touch(tmp_path, "a.lfp", "b.lfp"), None)
    outcomes = list(run_batch(jobs, Settings(), RunOptions()))
    assert "unexpected IndexError: a.lfp" in outcomes[0].error
    assert outcomes[1].error.endswith("b.lfp: x: No space left")
    with pytest.raises(IndexError, match=r"a\.lfp"):
        list(run_batch(jobs[:1], Settings(), RunOptions()))


class _Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (1,)


def test_a_process_that_dies_is_reported_for_its_jobs(tmp_path: Path) -> None:
    jobs = [Job(path=tmp_path / name, folder=tmp_path / "out" / name) for name in "ab"]
    options = RunOptions(white_image=_Deadly())
    outcomes = list(run_batch(jobs, Settings(), options, processes=2))
    assert {outcome.job.path.name for outcome in outcomes} == {"a", "b"}
    assert all("try fewer --jobs" in outcome.error for outcome in outcomes)


@pytest.mark.parametrize("processes", [1, 2])
def test_bad_files_are_reported_and_leave_nothing(tmp_path: Path, processes: int) -> None:
    empty, text = _touch(tmp_path, "empty.lfp", "text.lfp")
    text.write_text("hello")
    jobs = [Job(path=path, folder=tmp_path / path.stem) for path in (empty, text)]
    outcomes = list(run_batch(jobs, Settings(), RunOptions(), processes=processes))
    assert {outcome.job.path for outcome in outcomes} == {empty, text}
    assert all(outcome.error and "\n" not in outcome.error for outcome in outcomes)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.lfp", "text.lfp"]
