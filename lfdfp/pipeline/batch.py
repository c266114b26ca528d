"""Many captures, one after the other or several at a time; a bad one does not stop the rest."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lfdfp.computing.memory import keep_freed_memory
from lfdfp.errors import LfdfpError, NotRawError, defect, of_the_system
from lfdfp.files import path_kind
from lfdfp.pipeline.record import RunOptions, RunRecord
from lfdfp.pipeline.run_capture import run_capture
from lfdfp.progress import StageProgress, silent_stage
from lfdfp.settings import Settings

CAPTURE_SUFFIXES: Final = frozenset({".lfp", ".lfr", ".lfx"})

_NAMELESS: Final = frozenset({"raw", "stack"})
"""Names that say nothing: Lytro Desktop keeps every capture as raw.lfp in a folder of its own."""

_PROCESSED_ENDING: Final = re.compile(r"-(stk|dm)$", re.IGNORECASE)

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
    called ``raw`` or ``stack`` go by the name of their folder. Captures that would share a folder
    get their suffix, then a number, added.

    Raises
    ------
    StorageError
        For a path that cannot be looked at.
    """
    captures: dict[Path, bool] = {}
    known: set[Path] = set()
    for path in inputs:
        is_folder = path_kind(path) == "folder"
        for capture in _captures_in(path) if is_folder else [path]:
            if capture.resolve() not in known:
                known.add(capture.resolve())
                captures[capture] = is_folder
    wanted = {path: _default_folder(path, output, single=len(captures) == 1) for path in captures}
    counts = Counter(wanted.values())
    taken: set[Path] = set()
    jobs = []
    for path, found in captures.items():
        folder = wanted[path]
        if counts[folder] > 1:
            folder = folder.with_name(f"{_name(path)}_{path.suffix.removeprefix('.')}")
        number = 2
        while folder in taken:
            folder = folder.with_name(f"{_name(path)}_{number}")
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
            yield _run(job, settings, options, stage_progress, alone=len(jobs) == 1)
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
    """Captures of a folder and its subfolders; ``._x.lfp`` of macOS is none."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in CAPTURE_SUFFIXES
        and not path.name.startswith("._")
        and path.is_file()
    )
    raw = {path.with_suffix("") for path in found}
    return [path for path in found if _origin(path) not in raw]


def _origin(path: Path) -> Path | None:
    """What a processed file that ends in -stk or -dm was made of, without its suffix."""
    stem = _PROCESSED_ENDING.sub("", path.stem)
    return None if stem == path.stem or not stem else path.with_name(stem)


def _name(path: Path) -> str:
    parent = path.absolute().parent.name
    return parent if path.stem.lower() in _NAMELESS and parent else path.stem


def _default_folder(path: Path, output: Path | None, *, single: bool) -> Path:
    if output is None:
        return path.with_name(_name(path)) if path.suffix else path.with_name(path.name + "_lfdfp")
    return output if single else output / _name(path)


def _run(
    job: Job,
    settings: Settings,
    options: RunOptions,
    stage_progress: StageProgress,
    *,
    alone: bool = False,
) -> Outcome:
    try:
        record = run_capture(job.path, job.folder, settings, options, stage_progress=stage_progress)
    except NotRawError as error:
        return Outcome(job=job, error=about(job.path, error), skipped=job.found)
    except LfdfpError as error:
        return Outcome(job=job, error=about(job.path, error))
    except MemoryError:
        return Outcome(job=job, error=f"{job.path}: not enough memory for this capture")
    except OSError as error:
        return Outcome(job=job, error=f"{job.path}: {of_the_system(error)}")
    except Exception as error:  # a defect must not take the other captures' results with it
        if alone:
            raise
        return Outcome(job=job, error=f"{job.path}: {defect(error)}")
    return Outcome(job=job, record=record)


def _limit_threads(threads: int) -> None:
    """Give a worker process its share of the cores; set before the libraries load."""
    keep_freed_memory()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
