"""Processes that work on captures, watched by one that does nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from lfdfp.files import remove_leftovers
from lfdfp.pipeline.batch.outcome import Event, Outcome, Progressed, Started
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.worker import Task, serve, thread_environment
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings

_ATTEMPTS: Final = 2
_CAPTURES_PER_PROCESS: Final = 100
"""Then a new one takes over, so that what libraries leak stays small."""
_POLL_S: Final = 0.2
"""How often `stop` is asked while nothing happens."""


def never() -> bool:
    """Go on to the end."""
    return False


def admit_all(running: Sequence[Job], job: Job) -> bool:
    """Begin `job` whatever else is `running`."""
    del running, job
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of the machine a batch may use.

    Attributes
    ----------
    processes
        How many captures are worked on at once; each gets its share of the processors.
    processors
        How many are used in all; None for those that this process may use.
    admits
        Whether a job may begin beside those that are running; one alone always may.
    """

    processes: int = 1
    processors: int | None = None
    admits: Callable[[Sequence[Job], Job], bool] = admit_all


_LIMITS: Final = Limits()


def run_batch(
    jobs: Sequence[Job],
    settings: Settings,
    options: RunOptions,
    limits: Limits = _LIMITS,
    *,
    stop: Callable[[], bool] = never,
    log: Path | None = None,
) -> Iterator[Event]:
    """Work through `jobs` in processes of their own, telling what happens as it happens.

    Every job that was begun ends in one `Outcome`. A process that dies takes only its capture
    with it, which is tried once more after all others, alone and with one thread: that needs the
    least memory. Leaving the iteration ends the processes.

    Parameters
    ----------
    stop
        Asked several times a second. When it says True, no job begins any more, and running ones
        are ended and their half-written files removed.
    log
        File that what the processes print is appended to.
    """
    count = max(1, min(limits.processes, len(jobs)))
    processors = limits.processors or available_processors()
    pool = _Pool(settings, options, log, threads=max(1, processors // count))
    waiting = deque(_Attempt(job=job, number=1) for job in jobs)
    again: deque[_Attempt] = deque()
    try:
        while waiting or again or pool.busy:
            if stop():
                yield from pool.interrupted()
                # The signal that stopped this process may have ended the others just before.
                yield from (_interrupted(attempt) for attempt in again)
                return
            for attempt in _next(waiting, again, pool, count, limits.admits):
                pool.begin(attempt)
                yield Started(job=attempt.job, attempt=attempt.number)
            for happened in pool.wait(_POLL_S):
                if isinstance(happened, _Attempt):
                    again.append(happened)
                else:
                    yield happened
    finally:
        pool.end()


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    job: Job
    number: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection
    threads: int
    attempt: _Attempt | None = None
    started_s: float = 0.0
    begun: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started_s


def _interrupted(attempt: _Attempt, seconds: float = 0.0) -> Outcome:
    path = attempt.job.path
    return Outcome(
        job=attempt.job, status="interrupted", error=f"{path}: interrupted", seconds=seconds
    )


def _next(
    waiting: deque[_Attempt],
    again: deque[_Attempt],
    pool: _Pool,
    processes: int,
    admits: Callable[[Sequence[Job], Job], bool],
) -> Iterator[_Attempt]:
    """Attempts that can begin now."""
    while waiting and len(pool.busy) < processes:
        running = [worker.attempt.job for worker in pool.busy if worker.attempt is not None]
        if running and not admits(running, waiting[0].job):
            return
        yield waiting.popleft()
    if again and not waiting and not pool.busy:
        yield again.popleft()


class _Pool:
    """The processes and what each is doing."""

    def __init__(
        self, settings: Settings, options: RunOptions, log: Path | None, *, threads: int
    ) -> None:
        self._settings, self._options, self._log = settings, options, log
        self._threads = threads
        self._workers: list[_Worker] = []

    @property
    def busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.attempt is not None]

    def begin(self, attempt: _Attempt) -> None:
        """Give an attempt to an idle process, or to a new one."""
        task = Task(job=attempt.job, settings=self._settings, options=self._options)
        worker = self._idle(self._threads if attempt.number == 1 else 1)
        with contextlib.suppress(OSError):  # it has just died, which `wait` will notice
            worker.connection.send(task)
        worker.attempt = attempt
        worker.started_s = time.monotonic()
        worker.begun += 1

    def wait(self, seconds: float) -> Iterator[Event | _Attempt]:
        """What has happened within some time: events, and attempts to be made once more."""
        by_connection = {worker.connection: worker for worker in self._workers}
        for ready in wait(list(by_connection), seconds):
            worker = by_connection[ready]  # type: ignore[index]  # only connections were given
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._died(worker)
                continue
            attempt = worker.attempt
            if attempt is None:
                continue
            if isinstance(message, str):
                yield Progressed(job=attempt.job, stage=message)
            else:
                worker.attempt = None
                yield replace(message, seconds=worker.seconds, attempts=attempt.number)

    def interrupted(self) -> Iterator[Outcome]:
        """End everything, at once."""
        stopped = self.busy
        self.end()
        for worker in stopped:
            if worker.attempt is not None:
                yield _interrupted(worker.attempt, worker.seconds)

    def end(self) -> None:
        """End all processes; those at work leave no half-written files."""
        for worker in self._workers:
            worker.connection.close()
            if worker.attempt is not None:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(1)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            if worker.attempt is not None:
                remove_leftovers(worker.attempt.job.folder)
        self._workers.clear()

    def _idle(self, threads: int) -> _Worker:
        for worker in [worker for worker in self._workers if worker.attempt is None]:
            fresh = worker.begun < _CAPTURES_PER_PROCESS and worker.threads == threads
            if fresh and worker.process.is_alive():
                return worker
            worker.connection.close()
            self._workers.remove(worker)
        worker = _started(threads, self._log)
        self._workers.append(worker)
        return worker

    def _died(self, worker: _Worker) -> Iterator[Outcome | _Attempt]:
        worker.connection.close()
        worker.process.join()
        self._workers.remove(worker)
        attempt = worker.attempt
        if attempt is None:
            return
        remove_leftovers(attempt.job.folder)
        if attempt.number < _ATTEMPTS:
            yield _Attempt(job=attempt.job, number=attempt.number + 1)
            return
        yield Outcome(
            job=attempt.job,
            status="failed",
            error=f"{attempt.job.path}: {_cause_of_death(worker.process.exitcode)}",
            seconds=worker.seconds,
            attempts=attempt.number,
        )


def _cause_of_death(code: int | None) -> str:
    """What to say of a process that ended with this code in the middle of its work."""
    killed = code is not None and code == -getattr(signal, "SIGKILL", 9)
    why = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
    cause = "perhaps for lack of memory; try fewer --jobs" if killed else "see the log"
    return f"the process that worked on it was ended twice ({why}), {cause}"


def _started(threads: int, log: Path | None) -> _Worker:
    """A new process with this many threads, which keyboard interrupts do not reach."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, log), daemon=True)
    with _environment(thread_environment(threads)), _without_interrupts():
        process.start()
    theirs.close()  # so that its end is noticed
    return _Worker(process=process, connection=ours, threads=threads)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Variables that a process started meanwhile inherits."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold keyboard interrupts back; a process started meanwhile never gets any."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
