"""Many captures, one after the other or several at a time; a bad one does not stop the rest."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lfdfp.computing.memory import keep_freed_memory
from lfdfp.errors import LfdfpError, NotRawError
from lfdfp.pipeline.record import RunOptions, RunRecord
from lfdfp.pipeline.run_capture import run_capture
from lfdfp.progress import StageProgress, silent_stage
from lfdfp.settings import Settings

CAPTURE_SUFFIXES: Final = frozenset({".lfp", ".lfr"})

_ENDED: Final = "a working process was ended, perhaps for lack of memory; try fewer --jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One capture and where its outputs go.

    Attributes
    ----------
    found
        True when the file was found in a folder rather than named by the user: a file without
        a raw capture in it is then passed over, not failed.
    """

    path: Path
    folder: Path
    found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one job ended: a record, or why there is none."""

    job: Job
    record: RunRecord | None = None
    error: str = ""
    skipped: bool = False


def plan_jobs(inputs: Sequence[Path], output: Path | None) -> list[Job]:
    """Captures named or found in folders, each with a folder of its own.

    Without `output`, a capture's folder lies beside it under its name without the suffix. With
    `output` and a single capture, that is the folder; with more, it holds one for each. Captures
    that would share a folder get their suffix, then a number, added.
    """
    captures: dict[Path, bool] = {}
    known: set[Path] = set()
    for path in inputs:
        for capture in _captures_in(path) if path.is_dir() else [path]:
            if capture.resolve() not in known:
                known.add(capture.resolve())
                captures[capture] = path.is_dir()
    wanted = {path: _default_folder(path, output, single=len(captures) == 1) for path in captures}
    counts = Counter(wanted.values())
    taken: set[Path] = set()
    jobs = []
    for path, found in captures.items():
        folder = wanted[path]
        if counts[folder] > 1:
            folder = folder.with_name(f"{path.stem}_{path.suffix.removeprefix('.')}")
        number = 2
        while folder in taken:
            folder = folder.with_name(f"{path.stem}_{number}")
            number += 1
        taken.add(folder)
        jobs.append(Job(path=path, folder=folder, found=found))
    return jobs


def run_batch(
    jobs: Sequence[Job],
    settings: Settings,
    options: RunOptions,
    *,
    processes: int = 1,
    stage_progress: StageProgress = silent_stage,
    on_start: Callable[[Job], None] = lambda job: None,
) -> Iterator[Outcome]:
    """Work through `jobs`, giving each outcome as soon as it is known.

    With several processes each gets its share of the cores, so that their thread pools do not
    fight, and no stage progress is shown.
    """
    if processes <= 1 or len(jobs) <= 1:
        for job in jobs:
            on_start(job)
            yield _run(job, settings, options, stage_progress)
        return
    threads = max(1, (os.cpu_count() or 1) // processes)
    with ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_limit_threads,
        initargs=(threads,),
    ) as pool:
        submitted = {pool.submit(_run, job, settings, options, silent_stage): job for job in jobs}
        for future in as_completed(submitted):
            job = submitted[future]
            try:
                yield future.result()
            except BrokenProcessPool:
                # The system ends a process that takes too much memory, and the pool with it.
                yield Outcome(job=job, error=f"{job.path}: {_ENDED}")


def about(path: Path, error: LfdfpError) -> str:
    """What went wrong, with the file named: a stage that sees only pixels does not know it."""
    text = str(error)
    return text if path.name in text else f"{path}: {text}"


def _captures_in(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in CAPTURE_SUFFIXES and path.is_file()
    )


def _default_folder(path: Path, output: Path | None, *, single: bool) -> Path:
    if output is None:
        return path.with_name(path.stem) if path.suffix else path.with_name(path.name + "_lfdfp")
    return output if single else output / path.stem


def _run(
    job: Job, settings: Settings, options: RunOptions, stage_progress: StageProgress
) -> Outcome:
    try:
        record = run_capture(job.path, job.folder, settings, options, stage_progress=stage_progress)
    except NotRawError as error:
        return Outcome(job=job, error=about(job.path, error), skipped=job.found)
    except LfdfpError as error:
        return Outcome(job=job, error=about(job.path, error))
    except MemoryError:
        return Outcome(job=job, error=f"{job.path}: not enough memory for this capture")
    return Outcome(job=job, record=record)


def _limit_threads(threads: int) -> None:
    """Give a worker process its share of the cores; set before the libraries load."""
    keep_freed_memory()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
