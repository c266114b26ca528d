"""A folder of results: worked through, killed, gone on with, shown on a page."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lfdfp.errors import StorageError
from lfdfp.pipeline.batch import Job, Outcome, Progressed, Started, plan_jobs
from lfdfp.pipeline.batch.index import check_index, found_entries, write_index
from lfdfp.pipeline.batch.library import opened_library
from lfdfp.pipeline.batch.pool import never
from lfdfp.pipeline.batch.state import read_entries
from lfdfp.pipeline.batch.survey import Request, request_of
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import FusionSettings, RefocusSettings, Settings
from lfdfp.simulation import write_simulated_capture
from tests.digests import digests
from tests.factories import tiny_capture

pytestmark = pytest.mark.slow

QUICK = Settings(
    refocus=RefocusSettings(planes=4), fusion=FusionSettings(scale=1, preset="fast", data="stack")
)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two captures of different scenes, and a file that is none."""
    folder = tmp_path_factory.mktemp("library") / "shots"
    folder.mkdir()
    for seed, name in enumerate(("a", "b")):
        made = tiny_capture(size=200, seed=seed)
        write_simulated_capture(folder / f"{name}.lfp", made, white_image=False, truth=False)
    (folder / "bad.lfp").write_bytes(b"hello")
    return folder


def _request() -> Request:
    return request_of(QUICK, RunOptions(resume=True))


def _work(root: Path, jobs: Sequence[Job], stop: Callable[[], bool] = never) -> list[Outcome]:
    with opened_library(root) as library:
        found = library.survey(jobs, _request(), retry_failed=False, check=False)
        events = library.work_through(found.due, _request(), stop=stop)
        return [*found.remembered, *(event for event in events if isinstance(event, Outcome))]


@pytest.fixture(scope="module")
def finished(shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    outcomes = _work(root, plan_jobs([shots], root))
    assert sorted(one.status for one in outcomes) == ["done", "done", "failed"]
    return root


def _results(root: Path) -> dict[str, str]:
    """What the captures have become, without the index, which tells of times."""
    return {name: digest for name, digest in digests(root).items() if "/" in name}


def test_a_second_batch_does_nothing_and_says_the_same(finished: Path, shots: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*.*") if path.is_file()}
    outcomes = _work(finished, plan_jobs([shots], finished))
    assert all(one.remembered for one in outcomes)
    assert sorted(one.status for one in outcomes) == ["done", "done", "failed"]
    changed = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed <= {"index.html", "index.csv", "index.json", "lfdfp-batch.sqlite"}


def test_the_index_tells_of_every_capture(finished: Path) -> None:
    rows = {row["name"]: row for row in json.loads((finished / "index.json").read_text())}
    assert set(rows) == {"a", "b", "bad"}
    assert rows["bad"]["status"] == "failed"
    assert rows["bad"]["capture"].endswith("bad.lfp")
    assert rows["bad"]["reason"]
    assert "bad.lfp" not in rows["bad"]["reason"]  # said once
    for name in "ab":
        assert rows[name]["camera"].startswith("F01")
        assert (finished / name / rows[name]["page"]).is_file()
        assert (finished / name / rows[name]["thumbnail"]).is_file()
        assert rows[name]["frames"] == 5
    with (finished / "index.csv").open(newline="") as stream:
        assert {row["name"]: row["status"] for row in csv.DictReader(stream)} == {
            "a": "done",
            "b": "done",
            "bad": "failed",
        }


def test_the_index_is_made_anew_without_the_state_file(finished: Path, tmp_path: Path) -> None:
    with_state = {entry.folder for entry in found_entries(finished)}
    assert with_state == {"a", "b", "bad"}
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes((finished / name / "run.json").read_bytes())
    entries = found_entries(tmp_path)
    assert {entry.folder: entry.status for entry in entries} == {"a": "done", "b": "done"}
    write_index(tmp_path, entries)
    assert len(json.loads((tmp_path / "index.json").read_text())) == 2


def test_a_page_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>My pictures</h1>")
    with pytest.raises(StorageError, match="was not made by lfdfp"):
        check_index(tmp_path)


def _work_until_killed(root: Path, shots: Path, stage: str) -> None:
    """Work through the library, and be killed in this stage of the second capture."""
    with opened_library(root) as library:
        jobs = plan_jobs([shots], root)
        found = library.survey(jobs, _request(), retry_failed=False, check=False)
        for event in library.work_through(found.due, _request()):
            second = event.job.folder.name == "b" and isinstance(event, Progressed)
            if second and isinstance(event, Progressed) and event.stage == stage:
                (event.job.folder).mkdir(exist_ok=True)
                (event.job.folder / ".lfdfp-half.png").write_text("half")
                os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_batch_goes_on_and_ends_as_if_undisturbed(
    finished: Path, shots: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_work_until_killed, args=(tmp_path, shots, "fuse"))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert read_entries(tmp_path)["b"].status == "running"
    outcomes = {one.job.folder.name: one for one in _work(tmp_path, plan_jobs([shots], tmp_path))}
    assert outcomes["a"].remembered
    assert not outcomes["b"].remembered
    assert _results(tmp_path) == _results(finished)
    assert not [path for path in tmp_path.rglob(".lfdfp-*")]


def test_what_is_interrupted_is_remembered_as_that(shots: Path, tmp_path: Path) -> None:
    begun: list[str] = []
    jobs = plan_jobs([shots], tmp_path)
    with opened_library(tmp_path) as library:
        for event in library.work_through(jobs, _request(), stop=lambda: bool(begun)):
            if isinstance(event, Started):
                begun.append(event.job.folder.name)
    assert read_entries(tmp_path)["a"].status == "interrupted"
    assert (tmp_path / "index.html").is_file()


def test_who_stops_does_not_wait_for_the_index_of_many_captures(
    shots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfdfp.pipeline.batch.library._QUICK_INDEX", 0)
    begun: list[str] = []
    with opened_library(tmp_path) as library:
        jobs = plan_jobs([shots], tmp_path)
        for event in library.work_through(jobs, _request(), stop=lambda: bool(begun)):
            begun.append(event.job.folder.name)
        assert not (tmp_path / "index.html").exists()
        list(library.work_through((), _request()))
        assert (tmp_path / "index.html").exists()


def test_two_batches_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        opened_library(tmp_path),
        pytest.raises(StorageError, match="another lfdfp"),
        opened_library(tmp_path),
    ):
        pass
