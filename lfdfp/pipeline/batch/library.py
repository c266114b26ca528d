"""A folder of results: worked through, remembered, and shown on one page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lfdfp.errors import StorageError
from lfdfp.files import remove_leftovers
from lfdfp.pipeline.batch.cluster import Cluster, run_on_cluster
from lfdfp.pipeline.batch.index import write_index
from lfdfp.pipeline.batch.outcome import Event, Outcome, Started
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.pool import Limits, never, run_batch
from lfdfp.pipeline.batch.state import (
    LOG,
    Entry,
    EntryStatus,
    KnownFile,
    State,
    locked,
    opened_state,
)
from lfdfp.pipeline.batch.survey import Request, Survey, folder_key, known_file, survey
from lfdfp.pipeline.record import RunRecord
from lfdfp.pipeline.reuse import RECORD

_INDEX_EVERY_S: Final = 30.0
_INDEX_SHARE: Final = 0.02
"""Of the time, at most, that goes into the index while captures are worked on."""
_QUICK_INDEX: Final = 300
"""Captures whose index is made in no time, even while the user waits for the end."""
_LIMITS: Final = Limits()
_LONG_FACTS: Final = frozenset({"history", "slopes_px_per_step"})


class Library:
    """One folder of results that this process alone works on; made by `opened_library`."""

    def __init__(self, root: Path, state: State) -> None:
        self.root, self._state = root, state

    def survey(
        self, jobs: Sequence[Job], request: Request, *, retry_failed: bool, check: bool
    ) -> Survey:
        """What there is to do; what a killed batch has left half-written is removed."""
        entries = self._state.entries()
        for entry in entries.values():
            if entry.status == "running":
                remove_leftovers(self.root / entry.folder)
        remove_leftovers(self.root)
        found = survey(jobs, entries, request, self.root, retry_failed=retry_failed, check=check)
        for entry in found.refreshed:
            self._state.write(entry)
        return found

    def work_through(
        self,
        jobs: Sequence[Job],
        request: Request,
        limits: Limits | Cluster = _LIMITS,
        *,
        stop: Callable[[], bool] = never,
    ) -> Iterator[Event]:
        """As `run_batch` or `run_on_cluster`, and every outcome is remembered before it is told.

        The index is made anew now and then, and at the end; not of many captures when it is to
        stop, which has to be soon.
        """
        log = self.root / LOG
        due_s = time.monotonic() + _INDEX_EVERY_S
        try:
            for event in _events(jobs, request, limits, stop, log):
                if isinstance(event, Started):
                    remove_leftovers(event.job.folder)
                    self._state.begin(_begun(event, self.root))
                if isinstance(event, Outcome):
                    self.remember(event, request)
                    _log(log, event)
                yield event
                began = time.monotonic()
                if began > due_s:
                    self.write_index()
                    took = time.monotonic() - began
                    due_s = time.monotonic() + max(_INDEX_EVERY_S, took / _INDEX_SHARE)
        finally:
            if not stop() or len(self.entries()) <= _QUICK_INDEX:
                self.write_index()

    def write_index(self) -> None:
        """Make the pages of the whole folder anew."""
        write_index(self.root, self.entries())

    def entries(self) -> list[Entry]:
        """All that is remembered."""
        return list(self._state.entries().values())

    def remember(self, outcome: Outcome, request: Request) -> None:
        """Put an outcome into the state file."""
        entry = _entry(outcome, request, self.root)
        stages = () if outcome.record is None else outcome.record.stages
        self._state.write(entry, stages)


@contextlib.contextmanager
def opened_library(root: Path) -> Iterator[Library]:
    """The folder of results `root`, made where there is none, for this process alone.

    Raises
    ------
    StorageError
        If another process is at work there, or it cannot be written to.
    """
    with contextlib.ExitStack() as opened:
        try:
            opened.enter_context(locked(root))
            state = opened.enter_context(opened_state(root))
        except OSError as error:
            reason = error.strerror or error
            raise StorageError(f"{root}: cannot be written: {reason}") from error
        yield Library(root, state)


def _events(
    jobs: Sequence[Job],
    request: Request,
    limits: Limits | Cluster,
    stop: Callable[[], bool],
    log: Path,
) -> Iterator[Event]:
    settings, options = request.settings, request.options
    if isinstance(limits, Cluster):
        return run_on_cluster(jobs, settings, options, limits, stop=stop, log=log)
    return run_batch(jobs, settings, options, limits, stop=stop, log=log)


def _begun(event: Started, root: Path) -> Entry:
    return Entry(
        folder=folder_key(event.job.folder, root),
        path=str(event.job.path.absolute()),
        status="running",
        attempts=event.attempt,
        began=time.time(),
    )


def _entry(outcome: Outcome, request: Request, root: Path) -> Entry:
    job, record = outcome.job, outcome.record
    status: EntryStatus = outcome.status
    entry = Entry(
        folder=folder_key(job.folder, root),
        path=str(job.path.absolute()),
        status=status,
        reason=outcome.error,
        request=request.key,
        calibration=request.calibration,
        attempts=outcome.attempts,
        began=time.time() - outcome.seconds,
        seconds=outcome.seconds,
        inputs=_inputs(job, record),
    )
    if record is None:
        return entry
    return replace(
        entry,
        key=record.key,
        peak_memory_mib=record.peak_memory_mib,
        outputs=_outputs(job, record),
        facts=_short(record.facts),
        warnings=record.warnings,
    )


def _inputs(job: Job, record: RunRecord | None) -> tuple[KnownFile, ...]:
    """The files that the capture was read from; () where they cannot be read."""
    files = job.material.files()
    known = record.input_sha256 if record is not None and len(files) == 1 else None
    try:
        return tuple(known_file(path, str(path.absolute()), known) for path in files)
    except OSError:
        return ()


def _outputs(job: Job, record: RunRecord) -> tuple[KnownFile, ...]:
    hashes: dict[str, str | None] = {name: one.sha256 for name, one in record.outputs.items()}
    known = []
    for name, sha256 in (hashes | {RECORD: None}).items():
        try:
            known.append(known_file(job.folder / name, name, sha256))
        except OSError:  # removed meanwhile: what does not lie there as remembered is made anew
            known.append(KnownFile(path=name, size=-1, mtime_ns=0, sha256=""))
    return tuple(known)


def _short(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _LONG_FACTS}


def _log(log: Path, outcome: Outcome) -> None:
    """Keep the traceback of what nobody expected."""
    if outcome.traceback:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{now} {outcome.error}\n{outcome.traceback}\n")
