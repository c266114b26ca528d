"""What captures need - time, memory, disk - before they are worked on, and how long the rest takes.

Fitted to what F01 captures, simulated ones of 0.36 to 2.6 million pixels and a real one of 10.8,
really took on one thread (``docs/measurements/library.md``). What the captures of a folder took
corrects it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lfdfp.pipeline.batch.outcome import Event, Outcome, Started
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.state import Entry
from lfdfp.pipeline.batch.survey import Request
from lfdfp.pipeline.forecast import capture_stages
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Data, FusionSettings, Settings

_BYTES_PER_PIXEL: Final = 1.5
"""Of raw codes of 12 bits; the Illum's have 10, so that its captures count for fewer pixels."""

_MARGIN: Final = 1.15
"""Of memory: scenes differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What is needed of something: for a capture of no pixels, and for every million of them."""

    least: float
    per_million: float

    def at(self, millions: float) -> float:
        return self.least + self.per_million * millions


_SECONDS: Final[Mapping[Data, Mapping[int, _Line]]] = {
    "rays": {
        1: _Line(least=3.0, per_million=6.2),
        2: _Line(least=3.0, per_million=6.2),
        3: _Line(least=3.0, per_million=6.3),
        4: _Line(least=3.0, per_million=6.5),
    },
    "stack": {
        1: _Line(least=2.5, per_million=0.8),
        2: _Line(least=15.0, per_million=8.0),  # a network learns from the stack
        3: _Line(least=15.0, per_million=8.5),
        4: _Line(least=15.0, per_million=9.0),
    },
}
"""With the start of a process."""

_PACKAGES_MIB: Final = 110.0
"""By how much the packages' own files in memory differ between installations (80 was seen)."""

_MIB: Final[Mapping[Data, Mapping[int, _Line]]] = {
    "rays": {
        1: _Line(least=290, per_million=95),
        2: _Line(least=290, per_million=95),
        3: _Line(least=290, per_million=100),
        4: _Line(least=290, per_million=110),
    },
    "stack": {
        1: _Line(least=290, per_million=35),
        2: _Line(least=560, per_million=125),
        3: _Line(least=560, per_million=175),
        4: _Line(least=560, per_million=225),
    },
}

_PICTURES_MB: Final = {1: 0.6, 2: 0.85, 3: 1.1, 4: 1.4}
_SOLUTION_MB: Final[Mapping[Data, Mapping[int, float]]] = {
    "rays": {1: 0.6, 2: 1.55, 3: 3.3, 4: 5.3},
    "stack": {1: 1.0, 2: 1.4, 3: 3.0, 4: 5.0},
}
_STACK_MB: Final = 2.0
_FIELD_MB: Final = 6.0
"""Of files, for every million pixels."""

_FIRST_WEIGHT_S: Final = 30.0
"""How many seconds of experience the estimate beforehand counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Of one capture: seconds on one thread, memory at its peak, bytes on disk."""

    seconds: float
    memory_mib: float
    disk_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """By how much captures of a folder needed more than was estimated, as factors."""

    seconds: float = 1.0
    memory: float = 1.0
    disk: float = 1.0


def needs_of(size: int, settings: Settings, options: RunOptions) -> Needs:
    """What a capture of this many bytes needs.

    Parameters
    ----------
    size
        Of the file, in bytes: nearly all of it are raw codes.
    """
    pixels = size / _BYTES_PER_PIXEL / 1e6
    data, scale = settings.fusion.data, settings.fusion.scale
    files = _PICTURES_MB[scale]
    if options.keep != "pictures":
        files += _SOLUTION_MB[data][scale]
    if options.keep == "all":
        files += _STACK_MB
    if options.keep_light_field:
        files += _FIELD_MB
    return Needs(
        seconds=_SECONDS[data][scale].at(pixels),
        memory_mib=_MARGIN * _MIB[data][scale].at(pixels) + _PACKAGES_MIB,
        disk_bytes=1e6 * files * pixels,
    )


def experience(entries: Iterable[Entry], request: Request) -> Experience:
    """What the finished captures of a folder say about the estimates, for the same request."""
    ratios = [
        _ratios(entry, request)
        for entry in entries
        if entry.status == "done" and entry.request == request.key and entry.inputs
    ]
    if not ratios:
        return Experience()
    return Experience(
        seconds=statistics.median(one.seconds for one in ratios),
        memory=max(1.0, *(one.memory for one in ratios)),
        disk=statistics.median(one.disk for one in ratios),
    )


def estimator(request: Request, known: Experience) -> Callable[[Job], Needs]:
    """What each job needs, by the size of its file and what is known of others."""

    def needs(job: Job) -> Needs:
        plain = needs_of(size_of(job), request.settings, request.options)
        return Needs(
            seconds=plain.seconds * known.seconds,
            memory_mib=plain.memory_mib * known.memory,
            disk_bytes=plain.disk_bytes * known.disk,
        )

    return needs


def stages_of_job(job: Job, settings: FusionSettings) -> dict[str, float]:
    """Seconds that every stage of one job is expected to take; nothing where that is not known."""
    if job.material.kind != "capture":
        return {}
    return capture_stages(int(size_of(job) / _BYTES_PER_PIXEL), settings)


def size_of(job: Job) -> int:
    """Bytes of the job's files; 0 where they cannot be looked at."""
    try:
        return sum(path.stat().st_size for path in job.material.files())
    except OSError:
        return 0


def suitable_processes(needs: Sequence[Needs], memory_mib: float, processors: int) -> int:
    """How many captures to work on at a time: as memory allows, at most one a processor."""
    if not needs:
        return 1
    typical = statistics.median(one.memory_mib for one in needs)
    return max(1, min(processors, len(needs), int(memory_mib / typical)))


class RemainingTime:
    """How long the rest of a batch takes: the estimates, corrected by what has been done so far.

    Parameters
    ----------
    jobs
        All that is to be done.
    needs
        What each needs.
    processes
        How many are worked on at a time.
    """

    def __init__(
        self, jobs: Sequence[Job], needs: Callable[[Job], Needs], *, processes: int
    ) -> None:
        self._left = {job.folder: needs(job).seconds for job in jobs}
        self._processes = max(1, min(processes, len(jobs)))
        self._began: dict[object, float] = {}
        self._estimated = self._taken = _FIRST_WEIGHT_S

    def note(self, event: Event, now_s: float) -> None:
        """Take in what has happened at this time, in seconds of any clock."""
        if isinstance(event, Started):
            self._began[event.job.folder] = now_s
        elif isinstance(event, Outcome):
            estimated = self._left.pop(event.job.folder, 0.0)
            began = self._began.pop(event.job.folder, None)
            if event.status == "done" and began is not None:
                self._estimated += estimated
                self._taken += now_s - began

    def seconds(self, now_s: float) -> float:
        """What is left, in seconds; those that run count for what they still need."""
        factor = self._taken / self._estimated
        left = {
            folder: max(0.0, seconds * factor - (now_s - self._began.get(folder, now_s)))
            for folder, seconds in self._left.items()
        }
        return max(sum(left.values()) / self._processes, *left.values(), 0.0) if left else 0.0


def _ratios(entry: Entry, request: Request) -> Experience:
    estimated = needs_of(entry.inputs[0].size, request.settings, request.options)
    written = sum(max(0, one.size) for one in entry.outputs)
    return Experience(
        seconds=entry.seconds / estimated.seconds,
        memory=(entry.peak_memory_mib or 0.0) / estimated.memory_mib,
        disk=written / max(estimated.disk_bytes, 1.0),
    )
