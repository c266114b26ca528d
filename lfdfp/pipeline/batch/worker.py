"""The process that works on captures, one after the other, and ends when its parent does."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from lfdfp.computing.memory import forget_peak_memory, keep_freed_memory, return_freed_memory
from lfdfp.errors import LfdfpError, NotRawError, about, defect, of_the_system
from lfdfp.pipeline.batch.outcome import Outcome
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.record import RunOptions
from lfdfp.progress import Progress, StageProgress, ignore_progress, silent_stage
from lfdfp.settings import Settings

_PARENT_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG of Linux


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job with everything that its process has to know."""

    job: Job
    settings: Settings
    options: RunOptions


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that give a process this many threads; they count when libraries are loaded.

    BLAS gets one whatever the number: see `lfdfp.computing.blas_threads`.
    """
    return {
        "NUMBA_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "OPENCV_FOR_THREADS_NUM": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }


def serve(connection: Connection, log: Path | None) -> None:
    """Work on every `Task` that comes, until the connection closes.

    Stages are told as their names, results as `Outcome`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    _end_with_parent()
    if log is not None:
        _write_into(log)
    keep_freed_memory()
    while True:
        try:
            task: Task = connection.recv()
        except EOFError:
            return
        forget_peak_memory()
        connection.send(run_task(task, _told(connection)))
        gc.collect()
        return_freed_memory()


def run_task(task: Task, stage_progress: StageProgress = silent_stage) -> Outcome:
    """One job, with whatever goes wrong as its outcome."""
    from lfdfp.pipeline.run_capture import run_material

    job = task.job
    try:
        record = run_material(
            job.material, job.folder, task.settings, task.options, stage_progress=stage_progress
        )
    except NotRawError as error:
        return Outcome(
            job=job, status="skipped" if job.found else "failed", error=about(job.path, error)
        )
    except LfdfpError as error:
        return Outcome(job=job, status="failed", error=about(job.path, error))
    except MemoryError:
        error_line = f"{job.path}: not enough memory for this capture"
        return Outcome(job=job, status="failed", error=error_line)
    except Exception as error:  # noqa: BLE001  # a defect is the outcome of its capture alone
        line = of_the_system(error) if isinstance(error, OSError) else _defect(error)
        return Outcome(
            job=job,
            status="failed",
            error=f"{job.path}: {line}",
            traceback=traceback.format_exc(),
        )
    return Outcome(job=job, status="done", record=record)


def _defect(error: Exception) -> str:
    return defect(error, traceback_at="the log of the batch has the traceback")


def _told(connection: Connection) -> StageProgress:
    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Progress]:
        connection.send(name)
        yield ignore_progress

    return stage


def _end_with_parent() -> None:
    """Die when the parent does, even in the middle of a kernel that holds no lock."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)

    def wait_for_end() -> None:
        parent.join()
        os._exit(1)

    # Where there is no such signal, or the parent died before it was asked for.
    threading.Thread(target=wait_for_end, daemon=True).start()


def _write_into(log: Path) -> None:
    """Send what libraries print to the log, and what the process does when it crashes."""
    stream = log.open("a", encoding="utf-8")
    for descriptor in (1, 2):
        os.dup2(stream.fileno(), descriptor)
    faulthandler.enable(stream)
