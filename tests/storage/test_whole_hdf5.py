"""An HDF5 file is whole or an error, however large, and the program goes on."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lfdfp.errors import StorageError
from lfdfp.files import replacing
from lfdfp.storage import whole_hdf5 as module
from lfdfp.storage.whole_hdf5 import whole_hdf5

SIZES = {"in memory": 1000, "on disk": 1 << 40, "unknown": None}


def _write(path: Path, size: int | None, **options: Any) -> None:
    random = np.random.default_rng(0)
    with replacing(path) as temporary, whole_hdf5(temporary, size=size, **options) as file:
        for number in range(20):
            values = random.random((40, 50))
            file.create_dataset(f"a{number}", data=values, chunks=(8, 50), compression="gzip")
            file.attrs[f"b{number}"] = "text" * 100


@pytest.fixture
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "require_room", lambda *_: None)


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("options", [{}, {"userblock_size": 512}])
def test_a_file_comes_back(tmp_path: Path, size: int | None, options: dict[str, Any]) -> None:
    _write(tmp_path / "a.h5", size, **options)
    random = np.random.default_rng(0)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.userblock_size == options.get("userblock_size", 0)
        for number in range(20):
            np.testing.assert_array_equal(file[f"a{number}"], random.random((40, 50)))


class _Full:
    """A disk that holds so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def opened(self, path: Path, mode: str) -> Any:
        disk = self

        class Limited(io.FileIO):
            def write(self, data: Any, /) -> int:
                if disk.room < len(data):
                    raise OSError(errno.ENOSPC, "No space left on device")
                disk.room -= len(data)
                return super().write(data)

        return Limited(path, mode.replace("b", ""))


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("room", [0, 1, 5_000, 100_000])
def test_a_full_disk_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int | None, room: int
) -> None:
    disk = _Full(room)
    monkeypatch.setattr(Path, "open", lambda path, mode, **_: disk.opened(path, mode))
    with pytest.raises(StorageError, match=r"a\.h5: cannot be written: No space left on device"):
        _write(tmp_path / "a.h5", size)
    assert not list(tmp_path.iterdir())


def test_room_is_asked_for_before_a_large_file_is_begun(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="it may take 1048576 MiB"):
        _write(tmp_path / "a.h5", 1 << 40)
    assert not list(tmp_path.iterdir())
