"""A batch as a command line asks for it: planned, foretold, worked through and told of."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

from lfdfp.cli.batch_display import Display, display_of, duration
from lfdfp.cli.interruption import Interruption
from lfdfp.cli.parsing import parse_jobs, parse_memory
from lfdfp.cli.reporting import QUIET, echo_json, say
from lfdfp.computing.memory import available_memory_mib
from lfdfp.pipeline.batch import Job, Outcome, plan_jobs
from lfdfp.pipeline.batch.cluster import Cluster, workers_of
from lfdfp.pipeline.batch.estimate import (
    Needs,
    RemainingTime,
    estimator,
    experience,
    size_of,
    suitable_processes,
)
from lfdfp.pipeline.batch.library import Library
from lfdfp.pipeline.batch.plan import Stacks, placed_before
from lfdfp.pipeline.batch.pool import Limits, available_processors
from lfdfp.pipeline.batch.state import read_entries
from lfdfp.pipeline.batch.survey import Request, Survey, survey

_LISTED: Final = 20
_OF_FREE_MEMORY: Final = 0.85
"""How much of it `--jobs auto` takes where no limit is given."""
_WATCH_S: Final = 1.0
_LOOKING_SHARE: Final = 0.05
"""Of the time, at most, that goes into looking for new files."""
_SETTLED_S: Final = 5.0
"""A file that has changed later than this may still be being copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchArguments:
    """How a batch is worked through and told of, beside what is wanted of each capture."""

    jobs: str = "auto"
    memory: str | None = None
    limit_cpu: int | None = None
    scheduler: str | None = None
    upload: bool = False
    order: Literal["name", "newest", "oldest", "smallest"] = "name"
    dry_run: bool = False
    watch: bool = False
    stacks: Stacks | None = None
    retry_failed: bool = False
    check: bool = False
    json_output: bool = False
    json_lines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    capture: str
    folder: str
    needs: Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forecast:
    """What a batch would do."""

    captures: int
    unchanged: int
    failed_before: int
    due: tuple[_Due, ...]
    processes: int
    seconds: float
    free_bytes: int

    @property
    def disk_bytes(self) -> float:
        return sum(one.needs.disk_bytes for one in self.due)

    def tell(self) -> None:
        say(
            f"{self.captures} captures: {len(self.due)} to be done, {self.unchanged} unchanged, "
            f"{self.failed_before} failed before"
        )
        for one in self.due[:_LISTED]:
            say(f"  {one.capture} -> {one.folder}")
        if len(self.due) > _LISTED:
            say(f"  and {len(self.due) - _LISTED} more (--json lists all)")
        say(
            f"about {duration(self.seconds)}, {self.processes} at a time; "
            f"{self.disk_bytes / 2**30:.2f} GiB on disk, where {self.free_bytes / 2**30:.1f} GiB "
            "are free"
        )


class Batch:
    """What one command line asks for."""

    def __init__(
        self,
        inputs: Sequence[Path],
        output: Path | None,
        root: Path,
        request: Request,
        arguments: BatchArguments,
    ) -> None:
        self._inputs, self._output, self._root = inputs, output, root
        self._request, self._arguments = request, arguments
        self._memory_mib = parse_memory(arguments.memory)
        self._processors = min(available_processors(), arguments.limit_cpu or 10**6)

    def planned(self) -> list[Job]:
        """All captures, in the order that is wanted."""
        placed = placed_before(read_entries(self._root).values(), self._root)
        jobs = plan_jobs(self._inputs, self._output, placed, stacks=self._arguments.stacks)
        return _ordered(jobs, self._arguments.order)

    def foretell(self, planned: Sequence[Job]) -> None:
        """Say what would be done."""
        entries = read_entries(self._root)
        found = survey(
            planned,
            entries,
            self._request,
            self._root,
            retry_failed=self._arguments.retry_failed,
            check=self._arguments.check,
        )
        needs = estimator(self._request, experience(entries.values(), self._request))
        limits = self._limits(found.due, needs)
        processes = _at_a_time(limits)
        remaining = RemainingTime(found.due, needs, processes=processes)
        forecast = _Forecast(
            captures=len(planned),
            unchanged=sum(one.status == "done" for one in found.remembered),
            failed_before=sum(one.status == "failed" for one in found.remembered),
            due=tuple(
                _Due(capture=str(job.path), folder=str(job.folder), needs=needs(job))
                for job in found.due
            ),
            processes=processes,
            seconds=remaining.seconds(0.0),
            free_bytes=_free_disk(self._root),
        )
        if self._arguments.json_output or self._arguments.json_lines:
            echo_json(asdict(forecast) | {"disk_bytes": forecast.disk_bytes})
        else:
            forecast.tell()

    def outcomes(
        self, library: Library, planned: Sequence[Job], stop: Interruption
    ) -> list[Outcome]:
        """Work through everything, and go on waiting for more where that is wanted."""
        outcomes = self._worked_through(library, planned, stop)
        looking_s = 0.0
        while self._arguments.watch and not stop():
            _wait(max(_WATCH_S, looking_s / _LOOKING_SHARE), stop)
            began = time.monotonic()
            known = {outcome.job.path for outcome in outcomes}
            fresh = [job for job in self.planned() if job.path not in known and _is_settled(job)]
            looking_s = time.monotonic() - began
            if fresh:
                outcomes += self._worked_through(library, fresh, stop)
        return outcomes

    def _worked_through(
        self, library: Library, planned: Sequence[Job], stop: Interruption
    ) -> list[Outcome]:
        found = library.survey(
            planned,
            self._request,
            retry_failed=self._arguments.retry_failed,
            check=self._arguments.check,
        )
        needs = estimator(self._request, experience(library.entries(), self._request))
        refused = [self._refusal(job, needs(job)) for job in found.due]
        due = [job for job, no in zip(found.due, refused, strict=True) if no is None]
        limits = self._limits(due, needs)
        processes = _at_a_time(limits)
        remaining = RemainingTime(due, needs, processes=processes)
        if not self._arguments.json_output and not self._arguments.json_lines and not QUIET.get():
            self._tell_plan(planned, found, processes, remaining)
        with display_of(
            len(planned), json_lines=self._arguments.json_lines, quiet=self._arguments.json_output
        ) as display:
            outcomes = _known_beforehand(library, found, refused, self._request, display)
            for event in library.work_through(due, self._request, limits, stop=stop):
                remaining.note(event, time.monotonic())
                if isinstance(event, Outcome):
                    outcomes.append(self._to_keep(event))
                display.tell(event, remaining.seconds(time.monotonic()))
        return outcomes

    def _to_keep(self, outcome: Outcome) -> Outcome:
        """What is said of it at the end: a hundred thousand whole records take gigabytes."""
        return outcome if self._arguments.json_output else replace(outcome, record=None)

    def _tell_plan(
        self, planned: Sequence[Job], found: Survey, processes: int, remaining: RemainingTime
    ) -> None:
        finished = sum(outcome.status == "done" for outcome in found.remembered)
        told = [f"{len(planned)} capture{'s' * (len(planned) != 1)}"]
        if finished:
            told.append(f"{finished} of them finished and unchanged")
        if found.due:
            told.append(f"{processes} at a time, about {duration(remaining.seconds(0.0))}")
        say(", ".join(told), err=True)

    def _limits(self, due: Sequence[Job], needs: Callable[[Job], Needs]) -> Limits | Cluster:
        if self._arguments.scheduler is not None:
            return Cluster(scheduler=self._arguments.scheduler, upload=self._arguments.upload)
        wanted = parse_jobs(self._arguments.jobs)
        free = _OF_FREE_MEMORY * available_memory_mib()
        memory = self._memory_mib or (free if wanted is None and not math.isnan(free) else math.inf)
        if wanted is None:
            wanted = suitable_processes([needs(job) for job in due], memory, self._processors)

        def admits(running: Sequence[Job], job: Job) -> bool:
            return sum(needs(one).memory_mib for one in (*running, job)) <= memory

        return Limits(processes=wanted, processors=self._processors, admits=admits)

    def _refusal(self, job: Job, needs: Needs) -> Outcome | None:
        """The outcome of what would need more memory than was allowed; None where it fits."""
        if self._memory_mib is None or needs.memory_mib <= self._memory_mib:
            return None
        return Outcome(
            job=job,
            status="failed",
            error=f"{job.path}: needs about {needs.memory_mib / 1024:.1f} GiB of memory, more than "
            f"--memory {self._arguments.memory} allows",
        )


def _at_a_time(limits: Limits | Cluster) -> int:
    """How many captures are worked on at once; asks the scheduler, which has to be there."""
    return max(1, workers_of(limits)) if isinstance(limits, Cluster) else limits.processes


def _known_beforehand(
    library: Library,
    found: Survey,
    refused: Sequence[Outcome | None],
    request: Request,
    display: Display,
) -> list[Outcome]:
    """Outcomes that need no work, told; those that are new are remembered."""
    fresh = [outcome for outcome in refused if outcome is not None]
    for outcome in fresh:
        library.remember(outcome, request)
    outcomes = [*found.remembered, *fresh]
    for outcome in outcomes:
        display.tell(outcome, None)
    return outcomes


def _ordered(jobs: Sequence[Job], order: str) -> list[Job]:
    if order == "name":
        return list(jobs)
    if order == "smallest":
        return sorted(jobs, key=size_of)
    return sorted(jobs, key=_time_of, reverse=order == "newest")


def _wait(seconds: float, stop: Interruption) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        time.sleep(min(0.2, seconds))


def _is_settled(job: Job) -> bool:
    """Whether none of its files is still being copied."""
    try:
        newest = max(path.stat().st_mtime for path in job.material.files())
    except (OSError, ValueError):
        return False
    return newest < time.time() - _SETTLED_S


def _time_of(job: Job) -> float:
    try:
        return job.path.stat().st_mtime
    except OSError:
        return 0.0


def _free_disk(folder: Path) -> int:
    existing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(existing).free
