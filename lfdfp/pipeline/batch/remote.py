"""What a worker of a cluster does: one capture, by path or from what was sent along."""

from __future__ import annotations

import contextlib
import gc
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lfdfp.computing.memory import forget_peak_memory, return_freed_memory
from lfdfp.computing.threads import use_threads
from lfdfp.files import write_bytes
from lfdfp.pipeline.batch.outcome import Outcome
from lfdfp.pipeline.batch.worker import Task, run_task
from lfdfp.progress import Progress, StageProgress
from lfdfp.version import __version__

_ONE_AT_A_TIME: Final = threading.Lock()
"""Kernels of one process may not run for two captures at once, and memory is for one."""

_INPUTS, _CALIBRATION, _WHITE, _OUTPUTS = "inputs", "calibration", "white", "outputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The contents of all files that a capture needs, by their names relative to a folder.

    Attributes
    ----------
    inputs
        Relative to the folder that the material lies in.
    calibration
        Files of cameras that may be the capture's.
    white_image
        The given white image with its text, the image first.
    """

    inputs: Mapping[str, bytes]
    calibration: Mapping[str, bytes] = field(default_factory=dict)
    white_image: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A task for a worker somewhere else.

    Attributes
    ----------
    parcel
        None where the worker sees the same files under the same paths.
    version
        Of the program that sends it.
    """

    task: Task
    parcel: Parcel | None = None
    version: str = __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What comes back.

    Attributes
    ----------
    files
        Everything that was written, by name, where the inputs had come in a parcel.
    """

    outcome: Outcome
    seconds: float
    files: Mapping[str, bytes] = field(default_factory=dict)


class NotWantedError(Exception):
    """The batch that had sent the errand has been interrupted."""


def run_errand(errand: Errand) -> Delivery:
    """Work on a capture, with whatever goes wrong as its outcome; one at a time in a process."""
    if errand.version != __version__:
        return _refused(errand, f"the worker has lfdfp {__version__}, not {errand.version}")
    from distributed import get_worker

    with _ONE_AT_A_TIME:
        threads = int(get_worker().state.nthreads)
        use_threads(threads, load_torch=_learns(errand.task))
        forget_peak_memory()
        began = time.monotonic()
        try:
            outcome, files = _worked_on(errand)
        finally:
            gc.collect()
            return_freed_memory()
    return Delivery(outcome=outcome, seconds=time.monotonic() - began, files=files)


def packed(folder: Path, files: Sequence[Path]) -> dict[str, bytes]:
    """The contents of files, by their way from `folder`.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _refused(errand: Errand, why: str) -> Delivery:
    job = errand.task.job
    outcome = Outcome(job=job, status="failed", error=f"{job.path}: {why}")
    return Delivery(outcome=outcome, seconds=0.0)


def _learns(task: Task) -> bool:
    """Whether a network may be needed: to make pictures finer than their stack."""
    fusion = task.settings.fusion
    return fusion.data == "stack" and max(fusion.scale, task.options.photographs.scale) > 1


def _worked_on(errand: Errand) -> tuple[Outcome, dict[str, bytes]]:
    if errand.parcel is None:
        return run_task(errand.task, _while_wanted()), {}
    return _unpacked_and_run(errand.task, errand.parcel)


def _unpacked_and_run(task: Task, parcel: Parcel) -> tuple[Outcome, dict[str, bytes]]:
    from distributed import get_worker

    # There, Dask removes what a worker that was killed has left.
    place = get_worker().local_directory
    with tempfile.TemporaryDirectory(prefix="lfdfp-", dir=place) as name:
        folder = Path(name)
        _unpack(folder / _INPUTS, parcel.inputs)
        _unpack(folder / _CALIBRATION, parcel.calibration)
        _unpack(folder / _WHITE, parcel.white_image)
        there = _there(task, parcel, folder)
        outcome = run_task(there, _while_wanted())
        outputs = folder / _OUTPUTS
        written = [path for path in outputs.rglob("*") if path.is_file()]
        files = packed(outputs, written) if outcome.status == "done" else {}
        error = outcome.error.replace(str(there.job.path), str(task.job.path))
    return replace(outcome, error=error), files


def _there(task: Task, parcel: Parcel, folder: Path) -> Task:
    """The task with the paths of its files in the worker's own folder."""
    base = task.job.path.parent
    white = next(iter(parcel.white_image), None)
    inputs = folder / _INPUTS
    job = replace(
        task.job,
        path=inputs / task.job.path.relative_to(base),
        photographs=tuple(inputs / path.relative_to(base) for path in task.job.photographs),
        folder=folder / _OUTPUTS,
    )
    options = replace(
        task.options,
        calibration=folder / _CALIBRATION,
        usual_calibrations=False,
        white_image=None if white is None else folder / _WHITE / white,
    )
    return replace(task, job=job, options=options)


def _unpack(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, content)


def _while_wanted() -> StageProgress:
    """Progress that ends the work when the scheduler has taken the errand back."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def check(*_: object) -> None:
        state = worker.state.tasks.get(key)
        if state is None or state.state == "cancelled":
            raise NotWantedError(key)

    progress: Progress = check

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Progress]:
        del name
        check()
        yield progress

    return stage
