"""Captures worked on by the workers of a Dask scheduler, on this machine or many others."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lfdfp.errors import LfdfpError, StorageError, of_the_system
from lfdfp.files import json_text, remove_leftovers, write_bytes, write_text
from lfdfp.pipeline.batch.outcome import Event, Outcome, Started
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.remote import Delivery, Errand, Parcel, packed, run_errand
from lfdfp.pipeline.batch.worker import Task
from lfdfp.pipeline.record import RunOptions, read_record
from lfdfp.pipeline.reuse import RECORD
from lfdfp.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Future

_POLL_S: Final = 0.2
_CONNECT_S: Final = 2.0
"""For one attempt: between attempts it is asked whether to stop."""
_AHEAD: Final = 2
"""Errands for each worker, so that the next one's files are there when one ends."""


class ClusterError(LfdfpError):
    """A scheduler that cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where captures are worked on.

    Attributes
    ----------
    scheduler
        Address, such as ``tcp://host:8786``.
    upload
        Send the files of each capture along and take the outputs back; without, workers read
        and write under the same paths as this process.
    patience_s
        How long to wait for a scheduler that cannot be reached any more.
    """

    scheduler: str
    upload: bool = False
    patience_s: float = 600.0


def workers_of(cluster: Cluster) -> int:
    """How many workers the scheduler has now; their number may change.

    Raises
    ------
    ClusterError
        If it cannot be reached, or Dask is not installed.
    """
    try:
        client = _connected(cluster)
    except OSError as error:
        raise ClusterError(
            f"{cluster.scheduler}: no scheduler answers ({_line(error)}); start one with "
            "`dask scheduler`"
        ) from error
    try:
        return _workers(client)
    finally:
        client.close(timeout=_CONNECT_S)


def run_on_cluster(
    jobs: Sequence[Job],
    settings: Settings,
    options: RunOptions,
    cluster: Cluster,
    *,
    stop: Callable[[], bool],
    log: Path | None = None,
) -> Iterator[Event]:
    """As `run_batch`, by the workers of a cluster.

    A capture whose worker dies moves on to another, until that has happened as often as the
    scheduler allows (``distributed.scheduler.allowed-failures``). After the scheduler was started
    anew, everything that had not come back is sent again.

    Raises
    ------
    ClusterError
        If the scheduler stays away for too long.
    """
    work = _Work(settings, options, cluster)
    waiting = deque(jobs)
    attempts: dict[Path, int] = {}
    with _logged(log):
        try:
            while waiting or work.running:
                if stop():
                    yield from work.interrupted()
                    return
                waiting.extendleft(reversed(work.lost()))
                while waiting and work.has_room():
                    job = waiting.popleft()
                    attempts[job.folder] = attempts.get(job.folder, 0) + 1
                    refused = work.begin(job)
                    yield Started(job=job, attempt=attempts[job.folder])
                    if refused is not None:
                        yield refused
                for outcome in work.ended():
                    yield replace(outcome, attempts=attempts[outcome.job.folder])
                time.sleep(_POLL_S)
        finally:
            work.end()


class _Work:
    """The connection to the scheduler, and what has been given away."""

    def __init__(self, settings: Settings, options: RunOptions, cluster: Cluster) -> None:
        self._settings, self._options, self._cluster = settings, options, cluster
        self._client: Client | None = None
        self._away_since: float | None = None
        self.running: dict[Future, Job] = {}

    def lost(self) -> list[Job]:
        """Jobs that have to be sent again; connects anew where there is no connection."""
        gone = [future for future in self.running if future.status in ("cancelled", "lost")]
        if self._client is None or self._client.status in ("closed", "closing"):
            gone = list(self.running)
            self._connect()
        return [self.running.pop(future) for future in gone]

    def has_room(self) -> bool:
        """Whether another job can be given away now."""
        client = self._client
        if client is None or client.status != "running":
            return False
        return len(self.running) < _AHEAD * _workers(client)

    def begin(self, job: Job) -> Outcome | None:
        """Give a job away; its outcome where that is impossible."""
        task = Task(job=job, settings=self._settings, options=self._options)
        try:
            if self._cluster.upload:
                errand = Errand(task=task, parcel=_parcel(task))
            else:
                errand = Errand(task=_by_path(task))
        except OSError as error:
            line = f"{job.path}: {of_the_system(error)}"
            return Outcome(job=job, status="failed", error=line)
        assert self._client is not None
        future = self._client.submit(run_errand, errand, pure=False, retries=0)
        self.running[future] = job
        return None

    def ended(self) -> Iterator[Outcome]:
        """Jobs that have come to their ends, their files in place."""
        for future in [one for one in self.running if one.status in ("finished", "error")]:
            job = self.running[future]
            if future.status == "error":
                outcome = _broken(job, future.exception())
            else:
                try:
                    delivery: Delivery = future.result(timeout=60)
                except Exception:  # noqa: BLE001  # whatever it is, the result did not get here
                    future.cancel()  # `lost` will find it
                    continue
                outcome = _received(job, delivery, self._options)
            del self.running[future]
            future.release()
            remove_leftovers(job.folder)  # of a worker that died when it had begun with it
            yield outcome

    def interrupted(self) -> Iterator[Outcome]:
        """Take everything back."""
        if self._client is not None and self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.cancel(list(self.running), force=True)
        for job in self.running.values():
            yield Outcome(job=job, status="interrupted", error=f"{job.path}: interrupted")
        self.running.clear()

    def end(self) -> None:
        """Leave the scheduler, which forgets what it was given."""
        self.running.clear()
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close(timeout=1)

    def _connect(self) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        try:
            self._client = _connected(self._cluster)
        except OSError as error:
            if now - self._away_since > self._cluster.patience_s:
                raise ClusterError(
                    f"{self._cluster.scheduler}: the scheduler does not answer any more "
                    f"({_line(error)}); what is finished is kept, and the same command goes on"
                ) from error
            self._client = None
        else:
            self._away_since = None


def _connected(cluster: Cluster) -> Client:
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "Dask is not installed: install it with `pip install lfdfp[cluster]`, here and where "
            "the workers run"
        ) from error
    # Parcels are large on purpose; a capture that fails is not the scheduler's business.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
    return Client(cluster.scheduler, timeout=_CONNECT_S, set_as_default=False, name="lfdfp")


def _workers(client: Client) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _by_path(task: Task) -> Task:
    """The task with paths that do not depend on where a process was started."""
    job, options = task.job, task.options

    def whole(path: Path | None) -> Path | None:
        return None if path is None else path.absolute()

    there = replace(
        job,
        path=job.path.absolute(),
        folder=job.folder.absolute(),
        photographs=tuple(path.absolute() for path in job.photographs),
    )
    options = replace(
        options, calibration=whole(options.calibration), white_image=whole(options.white_image)
    )
    return replace(task, job=there, options=options)


def _parcel(task: Task) -> Parcel:
    """Everything that a task needs.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    from lfdfp.lfp import source_files

    job, options = task.job, task.options
    inputs = packed(job.path.parent, job.material.files())
    white = options.white_image
    return Parcel(
        inputs=inputs,
        calibration=_calibrations_for(inputs, options) if job.kind == "capture" else {},
        white_image={} if white is None else packed(white.parent, source_files(white)),
    )


def _calibrations_for(inputs: Mapping[str, bytes], options: RunOptions) -> dict[str, bytes]:
    """Files of cameras whose serial numbers the capture names, from the first folder of each."""
    from lfdfp.storage.camera_calibrations import search_folders

    found: dict[str, Path] = {}
    for folder in search_folders(options.calibration, usual=options.usual_calibrations):
        for path in sorted(folder.glob("*.h5")):
            serial = path.stem.encode()
            # Where letters were replaced in the file's name, the serial number is not known.
            if b"_" in serial or any(serial in content for content in inputs.values()):
                found.setdefault(path.name, path)
    return {name: path.read_bytes() for name, path in found.items()}


def _broken(job: Job, error: BaseException | None) -> Outcome:
    """The outcome of a job that no worker could bring to an end."""
    kind = type(error).__name__
    if kind == "KilledWorker":
        what = "the workers that worked on it have died, perhaps for lack of memory"
    else:
        what = f"the worker could not begin: {kind}: {_line(error) if error else ''}"
    return Outcome(job=job, status="failed", error=f"{job.path}: {what}")


def _received(job: Job, delivery: Delivery, options: RunOptions) -> Outcome:
    """The outcome, with the files that came along in the job's folder."""
    outcome = replace(delivery.outcome, job=job, seconds=delivery.seconds)
    if not delivery.files:
        return outcome
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        for name, content in delivery.files.items():
            if name != RECORD:
                write_bytes(job.folder / name, content)
        document = _as_if_here(json.loads(delivery.files[RECORD]), job, options)
        write_text(job.folder / RECORD, json_text(document) + "\n")
    except (OSError, StorageError) as error:
        line = of_the_system(error) if isinstance(error, OSError) else str(error)
        return replace(outcome, status="failed", record=None, error=f"{job.path}: {line}")
    return replace(outcome, record=read_record(job.folder / RECORD))


def _as_if_here(document: dict[str, Any], job: Job, options: RunOptions) -> dict[str, Any]:
    """A ``run.json`` with the paths of this machine."""
    here = {
        name: [str(job.folder / Path(one).name) for one in document[name]]
        for name in ("pictures", "files")
    }
    paths = {"capture": str(job.path), "folder": str(job.folder)}
    return document | here | paths | {"options": asdict(options)}


@contextlib.contextmanager
def _logged(log: Path | None) -> Iterator[None]:
    """Send what Dask tells about connections to the log of the batch."""
    logger = logging.getLogger("distributed")
    if log is None:
        yield
        return
    handler = logging.FileHandler(log, delay=True)
    before = logger.propagate, logger.handlers[:]
    logger.propagate, logger.handlers[:] = False, [handler]
    try:
        yield
    finally:
        logger.propagate, logger.handlers[:] = before
        handler.close()
