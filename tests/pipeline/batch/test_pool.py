"""Captures in processes of their own: one that dies, one that is stopped, one that is bad."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lfdfp.pipeline.batch import Event, Job, Outcome, Progressed, Started, run_batch
from lfdfp.pipeline.batch.pool import Limits
from lfdfp.pipeline.batch.worker import Task, run_task, thread_environment
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import FusionSettings, RefocusSettings, Settings
from lfdfp.simulation import write_simulated_capture
from tests.factories import tiny_capture

pytestmark = pytest.mark.slow

QUICK = Settings(
    refocus=RefocusSettings(planes=4), fusion=FusionSettings(scale=1, preset="fast", data="stack")
)
HARD = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("capture") / "tiny.lfp"
    made = tiny_capture(size=200)
    return write_simulated_capture(target, made, white_image=False, truth=False).capture


def _jobs(capture: Path, out: Path, names: str) -> list[Job]:
    return [Job(path=capture, folder=out / name) for name in names]


def _outcomes(events: Sequence[Event] | Iterator[Event]) -> dict[str, Outcome]:
    return {event.job.folder.name: event for event in events if isinstance(event, Outcome)}


def _kill_children() -> None:
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)


@HARD
def test_a_killed_process_takes_nothing_with_it(capture: Path, tmp_path: Path) -> None:
    events = []
    for event in run_batch(_jobs(capture, tmp_path, "ab"), QUICK, RunOptions()):
        events.append(event)
        first = event.job.folder.name == "a" and not any(isinstance(e, Outcome) for e in events)
        if first and isinstance(event, Progressed) and event.stage == "decode":
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / ".lfdfp-half-written.png").write_text("half")
            _kill_children()
    ended = _outcomes(events)
    assert {name: (one.status, one.attempts) for name, one in ended.items()} == {
        "a": ("done", 2),
        "b": ("done", 1),
    }
    assert list(ended) == ["b", "a"]  # the second attempt comes after all others
    for name in "ab":
        assert (tmp_path / name / "run.json").is_file()
        assert not list((tmp_path / name).glob(".*"))


@HARD
def test_what_kills_its_process_twice_is_recorded(capture: Path, tmp_path: Path) -> None:
    attempts = []
    ended = {}
    for event in run_batch(_jobs(capture, tmp_path, "a"), QUICK, RunOptions()):
        if isinstance(event, Started):
            attempts.append(event.attempt)
            _kill_children()
        ended |= _outcomes([event])
    assert attempts == [1, 2]
    assert ended["a"].status == "failed"
    assert "tiny.lfp: the process that worked on it was ended twice (signal 9)" in ended["a"].error
    assert not list(tmp_path.iterdir())


def test_stopping_ends_what_runs_at_once_and_begins_nothing(capture: Path, tmp_path: Path) -> None:
    stopped_at: list[float] = []
    events = []
    jobs = _jobs(capture, tmp_path, "abc")
    for event in run_batch(jobs, QUICK, RunOptions(), stop=lambda: bool(stopped_at)):
        events.append(event)
        if isinstance(event, Progressed) and event.stage == "calibrate":
            stopped_at.append(time.monotonic())
    assert time.monotonic() - stopped_at[0] < 3
    assert {name: one.status for name, one in _outcomes(events).items()} == {"a": "interrupted"}
    assert not multiprocessing.active_children()
    assert not list(tmp_path.iterdir())


@HARD
def test_a_process_that_the_same_signal_ended_was_interrupted(
    capture: Path, tmp_path: Path
) -> None:
    stopped: list[bool] = []
    events = []
    for event in run_batch(
        _jobs(capture, tmp_path, "ab"), QUICK, RunOptions(), stop=lambda: len(stopped) > 1
    ):
        events.append(event)
        if isinstance(event, Progressed) and not stopped:
            _kill_children()
            stopped.append(True)
        elif isinstance(event, Started) and stopped:
            stopped.append(True)  # `a` waits for its second attempt
    assert {name: one.status for name, one in _outcomes(events).items()} == {
        "a": "interrupted",
        "b": "interrupted",
    }


def test_leaving_the_iteration_ends_the_processes(capture: Path, tmp_path: Path) -> None:
    for _ in run_batch(_jobs(capture, tmp_path, "ab"), QUICK, RunOptions(), Limits(processes=2)):
        break
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("processes", [1, 2])
def test_bad_files_are_reported_and_leave_nothing(tmp_path: Path, processes: int) -> None:
    (tmp_path / "empty.lfp").write_bytes(b"")
    (tmp_path / "text.lfp").write_text("hello")
    jobs = [Job(path=path, folder=tmp_path / path.stem) for path in sorted(tmp_path.iterdir())]
    ended = _outcomes(run_batch(jobs, QUICK, RunOptions(), Limits(processes=processes)))
    assert {name: one.status for name, one in ended.items()} == {
        "empty": "failed",
        "text": "failed",
    }
    assert all(one.error and "\n" not in one.error and not one.traceback for one in ended.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.lfp", "text.lfp"]


class _Broken(type(Path())):  # type: ignore[misc]  # a path that nobody expects
    def __truediv__(self, other: object) -> Path:
        raise IndexError("nobody expected this")


def test_an_exception_that_nobody_expected_is_the_outcome_of_its_capture(
    capture: Path, tmp_path: Path
) -> None:
    (job,) = _jobs(capture, tmp_path, "a")
    options = RunOptions(calibration=_Broken(tmp_path))
    outcome = run_task(Task(job=job, settings=QUICK, options=options))
    assert outcome.status == "failed"
    assert "tiny.lfp: unexpected IndexError: nobody expected this" in outcome.error
    assert "\n" not in outcome.error
    assert "Traceback" in outcome.traceback


def test_what_cannot_be_written_is_the_outcome_of_its_capture(
    capture: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    job = Job(path=capture, folder=tmp_path / "file" / "out")
    outcome = run_task(Task(job=job, settings=QUICK, options=RunOptions()))
    assert outcome.status == "failed"
    assert not outcome.traceback


def test_a_process_gets_its_share_of_threads_and_blas_one() -> None:
    environment = thread_environment(3)
    assert environment["NUMBA_NUM_THREADS"] == environment["OMP_NUM_THREADS"] == "3"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


_PARENT = """
import multiprocessing, sys
from pathlib import Path
from lfdfp.pipeline.batch import Job, Progressed, run_batch
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings

if __name__ == "__main__":
    job = Job(path=Path(sys.argv[1]), folder=Path(sys.argv[2]))
    for event in run_batch([job], Settings(), RunOptions()):
        if isinstance(event, Progressed) and event.stage == "calibrate":
            print(multiprocessing.active_children()[0].pid, flush=True)
"""


@HARD
def test_processes_end_when_their_parent_is_killed(capture: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen(
        [sys.executable, script, capture, tmp_path / "out"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + 3
    while _is_running(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.is_file() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")
