"""Open HDF5 files that others may have written.

HDF5's library was not made for files that mean harm: a changed byte can make it loop for ever, deaf
to an interrupt, or fail hard; links, external storage and virtual datasets read other files; ten
kilobytes can stand for gigabytes. So a file is first walked through in a process of its own, with
limits of time and memory, and opened here only if that ends well.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from lfdfp.errors import StorageError

_PATIENCE_S: Final = 8.0
_MOST_PROCESSOR_S: Final = 5
"""A busy machine takes longer; a sound file takes a fraction of it."""

_MOST_MEMORY: Final = 3 << 30
_MOST_OBJECTS: Final = 20_000
_MOST_DEPTH: Final = 32
_MOST_ATTRIBUTE_BYTES: Final = 16 << 20
_HARMLESS_BYTES: Final = 64 << 20
"""Arrays up to this size are taken however well they are compressed."""

_MOST_EXPANSION: Final = 1500
"""Bytes of an array per byte stored; zeros compressed by our own filters reach 1000."""

_READ_WHOLE_BYTES: Final = 32 << 20
"""Arrays with less than this stored are read to their end, of others the first and last rows."""

UNREADABLE: Final = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    ArithmeticError,
    AttributeError,
)
"""What reading a file raises that is damaged or holds something else."""

_sound: dict[Path, tuple[int, int]] = {}
"""Files found sound, or written, by this process: time of change and size."""


@contextmanager
def opened_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading once it was found sound.

    Raises
    ------
    StorageError
        If the file is not HDF5, is damaged, or is made to do harm.
    OSError
        If it cannot be opened.
    """
    require_sound(path)
    with h5py.File(path, "r") as file:
        yield file


def require_sound(path: Path) -> None:
    """Refuse a file that cannot be read safely; see `opened_hdf5`."""
    mark = _mark(path)
    if mark is not None and _sound.get(path.absolute()) == mark:
        return
    fault = _examined_elsewhere(path)
    if fault:
        raise StorageError(f"{path}: {fault}")
    trust(path)


def trust(path: Path) -> None:
    """Note that a file, as it is now, is known to be sound: this process wrote or examined it."""
    mark = _mark(path)
    if mark is not None:
        _sound[path.absolute()] = mark


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _examined_elsewhere(path: Path) -> str:
    """What is wrong with a file, found out in another process; empty for nothing."""
    command = [sys.executable, "-m", __name__, str(path.absolute())]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"is damaged: reading it does not end within {_PATIENCE_S:.0f} s"
    if done.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
        return f"is damaged: reading it does not end within {_MOST_PROCESSOR_S} s"
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(done.stdout.decode("utf-8", "replace"))["fault"])
    return "is damaged: the HDF5 library fails on it"


def fault_of(path: Path) -> str:
    """What is wrong with an HDF5 file, in words that follow its name; empty for nothing."""
    try:
        with h5py.File(path, "r") as file:
            return _fault_of_group(file, depth=0, seen=[0])
    except UNREADABLE as error:
        words = str(error).splitlines() or ["unreadable"]
        return f"cannot be read as HDF5: {words[0][:200]}"
    except MemoryError:
        return "needs more memory than a file of this program"
    except RecursionError:
        return f"holds groups more than {_MOST_DEPTH} deep"


def _fault_of_group(group: h5py.Group, *, depth: int, seen: list[int]) -> str:
    if depth > _MOST_DEPTH:
        return f"holds groups more than {_MOST_DEPTH} deep"
    fault = _fault_of_attributes(group)
    for name in group if not fault else ():
        seen[0] += 1
        if seen[0] > _MOST_OBJECTS:
            return f"holds more than {_MOST_OBJECTS} objects"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            return f"is refused: {name!r} is a link to somewhere else"
        found = group[name]
        if isinstance(found, h5py.Group):
            fault = _fault_of_group(found, depth=depth + 1, seen=seen)
        elif isinstance(found, h5py.Dataset):
            fault = _fault_of_dataset(found, name)
        if fault:
            return fault
    return fault


def _fault_of_attributes(holder: Any) -> str:
    for name in holder.attrs:
        attribute = holder.attrs.get_id(name)
        if np.prod(attribute.shape, dtype=float) * attribute.dtype.itemsize > _MOST_ATTRIBUTE_BYTES:
            return f"is refused: its attribute {name!r} is too large"
        holder.attrs[name]
    return ""


def _fault_of_dataset(dataset: h5py.Dataset, name: str) -> str:
    if dataset.is_virtual or dataset.external:
        return f"is refused: {name!r} is kept in another file"
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > max(_HARMLESS_BYTES, _MOST_EXPANSION * stored):
        return f"is refused: {name!r} makes {dataset.nbytes >> 20} MiB of {stored} bytes"
    fault = _fault_of_attributes(dataset)
    if not fault and dataset.shape and dataset.size and dataset.dtype.kind in "biufc":
        whole = stored < _READ_WHOLE_BYTES
        for n in range(len(dataset)) if whole else (0, len(dataset) - 1):
            dataset[n]
    elif not fault and dataset.shape == ():
        dataset[()]
    return fault


def _limit_resources() -> None:
    """Let the examination end by itself where the system can see to it."""
    try:
        import resource
    except ImportError:  # Windows: the caller's patience has to do
        return
    seconds = _MOST_PROCESSOR_S
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> None:
    _limit_resources()
    sys.stdout.write(json.dumps({"fault": fault_of(Path(sys.argv[1]))}))


if __name__ == "__main__":
    _main()
