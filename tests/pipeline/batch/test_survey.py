"""Finished captures are left alone when, and only when, nothing has changed."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.state import Entry
from lfdfp.pipeline.batch.survey import Request, Survey, folder_key, known_file, request_of, survey
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import FusionSettings, Settings

RESUME = RunOptions(resume=True)


@pytest.fixture
def request_(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Request:
    monkeypatch.setenv("LFDFP_CALIBRATION", str(tmp_path / "calibration"))
    return request_of(Settings(), RESUME)


def _finished(root: Path, name: str, request: Request) -> tuple[Job, Entry]:
    """A capture with its outputs on disk, and what is remembered of it."""
    job = Job(path=root / f"{name}.lfp", folder=root / "out" / name)
    job.folder.mkdir(parents=True)
    job.path.write_text(f"capture {name}")
    (job.folder / "all_in_focus.png").write_text(f"picture {name}")
    entry = Entry(
        folder=name,
        path=str(job.path),
        status="done",
        request=request.key,
        calibration=request.calibration,
        inputs=(known_file(job.path, str(job.path)),),
        outputs=(known_file(job.folder / "all_in_focus.png", "all_in_focus.png"),),
    )
    return job, entry


def _survey(root: Path, job: Job, entry: Entry, request: Request, **how: bool) -> Survey:
    return survey([job], {entry.folder: entry}, request, root / "out", **how)


def test_what_is_finished_is_left_alone(tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    found = _survey(tmp_path, job, entry, request_)
    assert not found.due
    assert [(one.status, one.remembered) for one in found.remembered] == [("done", True)]


def test_everything_is_due_where_nothing_is_to_be_used_again(
    tmp_path: Path, request_: Request
) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    anew = replace(request_, options=RunOptions(resume=False))
    assert _survey(tmp_path, job, entry, anew).due == (job,)


@pytest.mark.parametrize("change", ["input", "output", "lost", "half", "settings", "calibration"])
def test_what_has_changed_is_due(change: str, tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    picture = job.folder / "all_in_focus.png"
    if change == "input":
        job.path.write_text("capture b")
        os.utime(job.path, ns=(0, 0))
    elif change == "output":
        picture.write_text("picture b")
        os.utime(picture, ns=(0, 0))
    elif change == "lost":
        picture.unlink()
    elif change == "half":
        picture.write_text("pict")
    elif change == "settings":
        request_ = request_of(Settings(fusion=FusionSettings(scale=4)), RESUME)
    else:
        (tmp_path / "calibration").mkdir()
        (tmp_path / "calibration" / "A1.h5").write_text("new")
        request_ = request_of(Settings(), RESUME)
    assert _survey(tmp_path, job, entry, request_).due == (job,)


def test_a_text_beside_a_raw_image_is_an_input(tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    raw = job.path.rename(tmp_path / "a.RAW")
    (tmp_path / "a.TXT").write_text("{}")
    job = replace(job, path=raw)
    files = (raw, tmp_path / "a.TXT")
    entry = replace(entry, inputs=tuple(known_file(path, str(path)) for path in files))
    assert not _survey(tmp_path, job, entry, request_).due
    (tmp_path / "a.TXT").write_text("[]")
    os.utime(tmp_path / "a.TXT", ns=(0, 0))
    assert _survey(tmp_path, job, entry, request_).due == (job,)


def test_new_times_of_old_contents_cost_a_hash_once(tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    os.utime(job.path, ns=(7, 7))
    found = _survey(tmp_path, job, entry, request_)
    assert not found.due
    (fresh,) = found.refreshed
    assert fresh.inputs[0].mtime_ns == 7
    assert not _survey(tmp_path, job, fresh, request_).refreshed


def test_checking_finds_what_has_changed_in_secret(tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    picture = job.folder / "all_in_focus.png"
    about = picture.stat()
    picture.write_text("picture b")
    os.utime(picture, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert not _survey(tmp_path, job, entry, request_).due
    assert _survey(tmp_path, job, entry, request_, check=True).due == (job,)


def test_failures_are_remembered_until_they_are_to_be_tried_again(
    tmp_path: Path, request_: Request
) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    entry = replace(entry, status="failed", reason="a.lfp: no capture", outputs=())
    (outcome,) = _survey(tmp_path, job, entry, request_).remembered
    assert outcome.status == "failed"
    assert outcome.error.startswith("a.lfp: no capture")
    assert "--retry-failed" in outcome.error
    assert _survey(tmp_path, job, entry, request_, retry_failed=True).due == (job,)
    job.path.write_text("another capture")
    assert _survey(tmp_path, job, entry, request_).due == (job,)


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_what_was_broken_off_is_due(status: str, tmp_path: Path, request_: Request) -> None:
    job, entry = _finished(tmp_path, "a", request_)
    assert _survey(tmp_path, job, replace(entry, status=status), request_).due == (job,)


def test_two_hundred_finished_captures_take_less_than_a_second(
    tmp_path: Path, request_: Request
) -> None:
    pairs = [_finished(tmp_path, f"shot{n}", request_) for n in range(200)]
    entries = {entry.folder: entry for _, entry in pairs}
    began = time.process_time()
    found = survey([job for job, _ in pairs], entries, request_, tmp_path / "out", check=True)
    assert time.process_time() - began < 1
    assert not found.due


def test_a_folder_is_called_by_its_way_from_the_results(tmp_path: Path) -> None:
    assert folder_key(tmp_path / "a" / "b", tmp_path) == "a/b"
    assert folder_key(tmp_path, tmp_path / "other") == tmp_path.as_posix()
