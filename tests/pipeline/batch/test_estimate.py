"""Estimates fit what captures really took, and learn from those that are done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lfdfp.pipeline.batch import Job, Outcome, Started, run_batch
from lfdfp.pipeline.batch.estimate import (
    Needs,
    RemainingTime,
    estimator,
    experience,
    needs_of,
    size_of,
    suitable_processes,
)
from lfdfp.pipeline.batch.state import Entry, KnownFile
from lfdfp.pipeline.batch.survey import request_of
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Data, FusionSettings, Settings
from lfdfp.simulation import write_simulated_capture
from tests.factories import tiny_capture

REQUEST = request_of(Settings(), RunOptions(resume=True))


def _settings(data: Data, scale: int) -> Settings:
    return Settings(fusion=FusionSettings(data=data, scale=scale))


def _jobs(count: int) -> list[Job]:
    return [Job(path=Path(f"{n}.lfp"), folder=Path(f"{n}")) for n in range(count)]


def test_more_is_needed_for_more(tmp_path: Path) -> None:
    del tmp_path
    small, large = (needs_of(size, Settings(), RunOptions()) for size in (5_000_000, 50_000_000))
    for name in ("seconds", "memory_mib", "disk_bytes"):
        assert getattr(small, name) < getattr(large, name)
    kept = [
        needs_of(10**7, Settings(), RunOptions(keep=keep)).disk_bytes
        for keep in ("pictures", "solution", "all")
    ]
    assert kept == sorted(kept)
    assert kept[0] < kept[1] < kept[2]


def _entry(*, seconds: float, memory: float, disk: float) -> Entry:
    """A finished capture of 10 MB that needed these multiples of the estimate."""
    estimated = needs_of(10_000_000, REQUEST.settings, REQUEST.options)
    size = round(estimated.disk_bytes * disk)
    return Entry(
        folder="a",
        path="a.lfp",
        status="done",
        request=REQUEST.key,
        seconds=estimated.seconds * seconds,
        peak_memory_mib=estimated.memory_mib * memory,
        inputs=(KnownFile(path="a.lfp", size=10_000_000, mtime_ns=0, sha256=""),),
        outputs=(KnownFile(path="all.png", size=size, mtime_ns=0, sha256=""),),
    )


def test_what_captures_really_took_corrects_the_estimates(tmp_path: Path) -> None:
    entries = [
        _entry(seconds=3, memory=0.5, disk=2),
        _entry(seconds=2, memory=1.5, disk=2),
        _entry(seconds=2, memory=1.2, disk=2),
        replace(_entry(seconds=99, memory=99, disk=99), request="another"),
        replace(_entry(seconds=99, memory=99, disk=99), status="failed"),
    ]
    known = experience(entries, REQUEST)
    assert known.seconds == pytest.approx(2)
    assert known.memory == pytest.approx(1.5)  # the largest: memory must suffice for all
    assert known.disk == pytest.approx(2, rel=1e-3)
    path = tmp_path / "a.lfp"
    path.write_bytes(bytes(1_000_000))
    plain = needs_of(1_000_000, REQUEST.settings, REQUEST.options)
    needed = estimator(REQUEST, known)(Job(path=path, folder=tmp_path))
    assert needed.seconds == pytest.approx(2 * plain.seconds)
    assert needed.memory_mib == pytest.approx(1.5 * plain.memory_mib)


def test_memory_is_never_estimated_below_the_model() -> None:
    assert experience([_entry(seconds=1, memory=0.2, disk=1)], REQUEST).memory == 1
    assert experience([], REQUEST).seconds == 1


@pytest.mark.parametrize(
    ("memory", "processors", "count", "expected"),
    [(1000, 8, 20, 2), (100, 8, 20, 1), (1e6, 8, 20, 8), (1e6, 8, 3, 3)],
)
def test_as_many_at_once_as_memory_and_processors_allow(
    memory: float, processors: int, count: int, expected: int
) -> None:
    needs = [Needs(seconds=1, memory_mib=450, disk_bytes=1)] * count
    assert suitable_processes(needs, memory, processors) == expected


def test_the_remaining_time_follows_what_is_seen() -> None:
    jobs = _jobs(10)
    needs = Needs(seconds=60, memory_mib=1, disk_bytes=1)
    remaining = RemainingTime(jobs, lambda job: needs, processes=2)
    assert remaining.seconds(0) == pytest.approx(10 * 60 / 2)
    now = 0.0
    for one, other in zip(jobs[::2], jobs[1::2], strict=True):  # each takes half of the estimate
        for job in (one, other):
            remaining.note(Started(job=job, attempt=1), now)
        now += 30
        for job in (one, other):
            remaining.note(Outcome(job=job, status="done"), now)
        left = (150 - now) if now < 150 else 0
        assert remaining.seconds(now) == pytest.approx(left, rel=0.3)
    assert remaining.seconds(now) == 0


def test_what_runs_counts_for_what_it_still_needs() -> None:
    jobs = _jobs(1)
    needs = Needs(seconds=100, memory_mib=1, disk_bytes=1)
    remaining = RemainingTime(jobs, lambda job: needs, processes=4)
    remaining.note(Started(job=jobs[0], attempt=1), 0)
    assert remaining.seconds(40) == pytest.approx(60)
    assert remaining.seconds(500) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(("data", "scale"), [("rays", 2), ("stack", 1), ("stack", 2)])
def test_memory_and_disk_are_foretold(data: Data, scale: int, tmp_path: Path) -> None:
    made = tiny_capture(scene="motorcycle", size=600, seed=3)
    path = tmp_path / "a.lfp"
    write_simulated_capture(path, made, white_image=False, truth=False)
    job, settings = Job(path=path, folder=tmp_path / "a"), _settings(data, scale)
    for _ in range(2):  # the first time, kernels may be compiled, which takes memory of its own
        *_, outcome = (
            event
            for event in run_batch([job], settings, RunOptions())
            if isinstance(event, Outcome)
        )
    assert outcome.record is not None
    needs = needs_of(size_of(job), settings, RunOptions())
    assert needs.memory_mib / 2 < outcome.record.peak_memory_mib <= needs.memory_mib
    written = sum(one.size for one in outcome.record.outputs.values())
    assert written == pytest.approx(needs.disk_bytes, rel=0.5)
