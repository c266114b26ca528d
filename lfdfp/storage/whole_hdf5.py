"""Write HDF5 files so that a full disk is an error and not the end of the program.

Where a write fails, HDF5's library can leave the whole program with a segmentation fault, when it
closes the file that it could not finish. So files of ordinary size are made in memory and written
as a whole; for others, room is asked for first, and the library hears of no failure: what could
not be written is forgotten, and the failure raised when the file is closed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import h5py

from lfdfp.files import require_room

_IN_MEMORY_BYTES: Final = 256 << 20


@contextmanager
def whole_hdf5(path: Path, *, size: int | None, **options: Any) -> Iterator[h5py.File]:
    """A new HDF5 file at `path`, to be used within `replacing`.

    Parameters
    ----------
    size
        Bytes that its arrays take at most; None where that is not known.
    options
        Of ``h5py.File``.

    Raises
    ------
    StorageError
        Where the disk has less room.
    OSError
        Where something could not be written.
    """
    if size is not None and size <= _IN_MEMORY_BYTES:
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", **options) as file:
            yield file
        path.write_bytes(buffer.getbuffer())
        return
    if size is not None:
        require_room(path, size)
    with path.open("w+b", buffering=0) as stream:
        patient = _Patient(stream)
        with h5py.File(patient, "w", **options) as file:
            yield file
        if patient.failure is not None:
            raise patient.failure


class _Patient(io.RawIOBase):
    """A file that takes every write, and keeps the first failure for later."""

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream
        self._place = 0
        self._end = 0
        self.failure: OSError | None = None

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._end}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        view, count = memoryview(buffer).cast("B"), 0
        if self.failure is None:
            self._stream.seek(self._place)
            count = self._stream.readinto(view)
        view[count:] = bytes(len(view) - count)
        self._place += len(view)
        return len(view)

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        self._try(self._write_all, view)
        self._place += len(view)
        self._end = max(self._end, self._place)
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        self._end = self._place if size is None else size
        self._try(self._stream.truncate, self._end)
        return self._end

    def _write_all(self, view: memoryview) -> None:
        self._stream.seek(self._place)
        while view:
            view = view[self._stream.write(view) :]

    def _try(self, action: Callable[[Any], Any], argument: Any) -> None:
        if self.failure is None:
            try:
                action(argument)
            except OSError as error:
                self.failure = error
