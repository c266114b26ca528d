"""What a batch has to do: which captures are finished, and which are not or are not any more."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lfdfp.files import sha256_of
from lfdfp.pipeline.batch.outcome import Outcome
from lfdfp.pipeline.batch.plan import Job
from lfdfp.pipeline.batch.state import Entry, KnownFile
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings
from lfdfp.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is wanted of every capture, and hashes of it.

    Attributes
    ----------
    key
        Over settings, options and the program's version.
    calibration
        Over the files that a calibration could be taken from, as they lie there: where it has
        changed, each run looks whether its own calibration has.
    """

    settings: Settings
    options: RunOptions
    key: str
    calibration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known before anything is begun.

    Attributes
    ----------
    remembered
        Outcomes that still hold.
    due
        What is to be done, in order.
    refreshed
        Entries of finished captures whose files have new times and their old contents.
    """

    remembered: tuple[Outcome, ...]
    due: tuple[Job, ...]
    refreshed: tuple[Entry, ...] = ()


def request_of(settings: Settings, options: RunOptions) -> Request:
    """The request that these settings and options make."""
    from lfdfp.storage.camera_calibrations import search_folders

    wanted = {name: value for name, value in asdict(options).items() if name != "resume"}
    folders = search_folders(options.calibration, usual=options.usual_calibrations)
    white = [] if options.white_image is None else [options.white_image]
    return Request(
        settings=settings,
        options=options,
        key=_hash(__version__, repr(settings), repr(wanted)),
        calibration=_hash(*_listing([*folders, *white])),
    )


def folder_key(folder: Path, root: Path) -> str:
    """How the state file in `root` calls a folder of outputs: by its way from there, if any."""
    folder, root = folder.absolute(), root.absolute()
    return (folder.relative_to(root) if folder.is_relative_to(root) else folder).as_posix()


def survey(
    jobs: Sequence[Job],
    entries: Mapping[str, Entry],
    request: Request,
    root: Path,
    *,
    retry_failed: bool = False,
    check: bool = False,
) -> Survey:
    """Compare what is wanted with what is remembered and lies on disk.

    Parameters
    ----------
    retry_failed
        Take captures up again that have failed.
    check
        Read all outputs and compare their hashes; without, a file that has its size and time of
        last change is taken to be what was written.
    """
    remembered: list[Outcome] = []
    due: list[Job] = []
    refreshed: list[Entry] = []
    for job in jobs:
        entry = entries.get(folder_key(job.folder, root))
        now = None if entry is None else _as_it_is_now(entry, job, request, check=check)
        if now is None or not request.options.resume:
            due.append(job)
        elif now.status == "done" or (now.status in ("failed", "skipped") and not retry_failed):
            remembered.append(_remembered(job, now))
            if now != entry:
                refreshed.append(now)
        else:
            due.append(job)
    return Survey(remembered=tuple(remembered), due=tuple(due), refreshed=tuple(refreshed))


def known_file(path: Path, name: str, sha256: str | None = None) -> KnownFile:
    """A file as it is now, under this name.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    about = path.stat()
    return KnownFile(
        path=name,
        size=about.st_size,
        mtime_ns=about.st_mtime_ns,
        sha256=sha256_of(path) if sha256 is None else sha256,
    )


def _as_it_is_now(entry: Entry, job: Job, request: Request, *, check: bool) -> Entry | None:
    """The entry with the present times of its files; None where it does not hold any more."""
    if (entry.request, entry.calibration) != (request.key, request.calibration):
        return None
    files = {str(path.absolute()): path for path in job.material.files()}
    if list(files) != [known.path for known in entry.inputs]:
        return None
    inputs = [_unchanged(known, Path(known.path), check=False) for known in entry.inputs]
    outputs = [_unchanged(known, job.folder / known.path, check=check) for known in entry.outputs]
    if None in inputs or None in outputs:
        return None
    return replace(
        entry,
        inputs=tuple(known for known in inputs if known is not None),
        outputs=tuple(known for known in outputs if known is not None),
    )


def _unchanged(known: KnownFile, path: Path, *, check: bool) -> KnownFile | None:
    try:
        about = path.stat()
        if about.st_size != known.size:
            return None
        if about.st_mtime_ns == known.mtime_ns and not check:
            return known
        same = sha256_of(path) == known.sha256
    except OSError:
        return None
    return replace(known, mtime_ns=about.st_mtime_ns) if same else None


def _remembered(job: Job, entry: Entry) -> Outcome:
    reason = entry.reason
    if entry.status == "failed":
        reason += " (in an earlier batch; --retry-failed tries it again)"
    status = entry.status if entry.status != "running" else "interrupted"
    return Outcome(job=job, status=status, error=reason, seconds=entry.seconds, remembered=True)


def _listing(paths: Sequence[Path]) -> list[str]:
    """Files at these paths and below them, with sizes and times."""
    found = []
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            try:
                about = file.stat()
            except OSError:
                continue
            if not file.is_dir():
                found.append(f"{file.absolute()} {about.st_size} {about.st_mtime_ns}")
    return found


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
