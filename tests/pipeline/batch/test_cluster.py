"""A scheduler and workers in processes of their own; one that dies, one that is started anew."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lfdfp.pipeline.batch import Event, Job, Outcome, Started, plan_jobs, run_batch
from lfdfp.pipeline.batch.cluster import Cluster, ClusterError, run_on_cluster, workers_of
from lfdfp.pipeline.batch.pool import never
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import FusionSettings, RefocusSettings, Settings
from lfdfp.simulation import write_simulated_capture
from tests.digests import digests
from tests.factories import tiny_capture

pytest.importorskip("distributed", reason="Dask is an extra")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind"),
]

QUICK = Settings(
    refocus=RefocusSettings(planes=4), fusion=FusionSettings(scale=1, preset="fast", data="stack")
)
ROOT = Path(__file__).parents[3]


class _Machines:
    """A scheduler on a port of its own and its workers."""

    def __init__(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.new_scheduler()
        self.workers: list[subprocess.Popen[bytes]] = []

    def new_scheduler(self) -> subprocess.Popen[bytes]:
        return _dask("scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def add_worker(self) -> subprocess.Popen[bytes]:
        worker = _dask("worker", self.address, "--nthreads", "1", "--no-nanny")
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def machines() -> Iterator[_Machines]:
    with contextlib.closing(contextlib.ExitStack()) as stack:
        made = _Machines()
        stack.callback(made.end)
        yield made


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster") / "shots"
    folder.mkdir()
    for seed, name in enumerate("abcd"):
        made = tiny_capture(size=120, seed=seed)
        write_simulated_capture(folder / f"{name}.lfp", made, white_image=False, truth=False)
    (folder / "bad.lfp").write_bytes(b"no capture")
    return folder


@pytest.fixture(scope="module")
def expected(shots: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("here")
    list(run_batch(plan_jobs([shots], out), QUICK, RunOptions()))
    return digests(out)


def _statuses(events: list[Event]) -> dict[str, str]:
    return {e.job.folder.name: e.status for e in events if isinstance(e, Outcome)}


ENDS = {"a": "done", "b": "done", "c": "done", "d": "done", "bad": "failed"}


@pytest.mark.parametrize("upload", [False, True])
def test_results_are_the_same_bytes_as_here_although_a_worker_is_killed(
    upload: bool, machines: _Machines, shots: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    first = machines.add_worker()
    cluster = Cluster(scheduler=machines.address, upload=upload)
    events = []
    jobs = plan_jobs([shots], tmp_path)
    for event in run_on_cluster(jobs, QUICK, RunOptions(), cluster, stop=never):
        events.append(event)
        if isinstance(event, Started) and len(events) == 1:
            machines.add_worker()
        if isinstance(event, Outcome) and event.status == "done" and first.poll() is None:
            first.send_signal(signal.SIGKILL)
            first.wait()
    assert _statuses(events) == ENDS
    assert digests(tmp_path) == expected
    document = json.loads((tmp_path / "a" / "run.json").read_text())
    assert document["capture"] == str(shots / "a.lfp")
    assert document["folder"] == str(tmp_path / "a")
    assert Path(document["pictures"][0]).is_file()
    outcome = next(e for e in events if isinstance(e, Outcome) and e.status == "failed")
    assert outcome.error.startswith(f"{shots / 'bad.lfp'}: ")


def test_a_scheduler_may_be_started_anew(
    machines: _Machines, shots: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    machines.add_worker()
    events = []
    jobs = plan_jobs([shots], tmp_path)
    cluster = Cluster(scheduler=machines.address, upload=True)
    restarted = False
    for event in run_on_cluster(jobs, QUICK, RunOptions(), cluster, stop=never):
        events.append(event)
        if isinstance(event, Outcome) and event.status == "done" and not restarted:
            restarted = True
            machines.end()
            machines.scheduler = machines.new_scheduler()
            machines.add_worker()
    assert restarted
    assert _statuses(events) == ENDS
    assert len([e for e in events if isinstance(e, Outcome)]) == len(ENDS)
    assert digests(tmp_path) == expected


def test_stopping_takes_everything_back_within_three_seconds(
    machines: _Machines, shots: Path, tmp_path: Path
) -> None:
    machines.add_worker()
    stopped_at: list[float] = []
    events = []
    jobs = plan_jobs([shots], tmp_path)
    cluster = Cluster(scheduler=machines.address)
    for event in run_on_cluster(jobs, QUICK, RunOptions(), cluster, stop=lambda: bool(stopped_at)):
        events.append(event)
        if isinstance(event, Started) and not stopped_at:
            stopped_at.append(time.monotonic())
    assert time.monotonic() - stopped_at[0] < 3
    assert set(_statuses(events).values()) == {"interrupted"}


def test_a_scheduler_that_is_not_there_is_named() -> None:
    cluster = Cluster(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:9: no scheduler answers"):
        workers_of(cluster)


def test_a_scheduler_that_stays_away_ends_the_batch(shots: Path, tmp_path: Path) -> None:
    job = Job(path=shots / "a.lfp", folder=tmp_path / "a")
    cluster = replace(Cluster(scheduler="tcp://127.0.0.1:9"), patience_s=0.1)
    with pytest.raises(ClusterError, match="does not answer any more"):
        list(run_on_cluster([job], QUICK, RunOptions(), cluster, stop=never))
