from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from lfdfp.errors import StorageError
from lfdfp.storage import sound_hdf5
from lfdfp.storage.sound_hdf5 import fault_of, opened_hdf5, require_sound


def _file(path: Path, **arrays: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


def test_a_sound_file_is_opened(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.h5", values=np.arange(6).reshape(2, 3))
    with opened_hdf5(path) as file:
        np.testing.assert_array_equal(file["values"][()], np.arange(6).reshape(2, 3))


@pytest.mark.slow
def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    _file(tmp_path / "secret.h5", key=np.arange(5))
    for name, link in (
        ("external", h5py.ExternalLink("secret.h5", "/key")),
        ("soft", h5py.SoftLink("/elsewhere")),
    ):
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            file["views"] = link
        with pytest.raises(StorageError, match=rf"{name}\.h5: is refused: 'views' is a link"):
            require_sound(path)


def test_data_kept_in_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"secret" * 100)
    raw = tmp_path / "raw.h5"
    with h5py.File(raw, "w") as file:
        file.create_dataset(
            "views", (100,), "u1", external=[(str(tmp_path / "secret.bin"), 0, 100)]
        )
    _file(tmp_path / "other.h5", key=np.arange(5))
    virtual = tmp_path / "virtual.h5"
    layout = h5py.VirtualLayout((5,), "i8")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "key", (5,))
    with h5py.File(virtual, "w") as file:
        file.create_virtual_dataset("views", layout)
    for path in (raw, virtual):
        assert fault_of(path) == "is refused: 'views' is kept in another file"


def test_gigabytes_of_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("views", (1 << 30,), "f4", chunks=(1 << 16,), compression="gzip")
    assert "makes 4096 MiB of 0 bytes" in fault_of(path)


def test_groups_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.h5"
    with h5py.File(path, "w") as file:
        file.create_group("/".join("g" * 40))
        file["/".join("g" * 40)]["loop"] = file["g"]  # a hard link back: a circle
    assert "deep" in fault_of(path)


def test_a_library_that_never_returns_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path / "a.h5", values=np.arange(3))
    monkeypatch.setattr(sound_hdf5, "_PATIENCE_S", 0.5)
    slow = subprocess.run

    def never(command: list[str], **options: object) -> object:
        return slow([sys.executable, "-c", "while True: pass"], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(sound_hdf5.subprocess, "run", never)
    start = time.monotonic()
    with pytest.raises(StorageError, match="does not end"):
        require_sound(path)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_are_one_line_or_harmless(tmp_path: Path, seed: int) -> None:
    path = _file(tmp_path / "a.h5", values=np.arange(600).reshape(20, 30))
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 4):
        content[place] = int(rng.integers(0, 256))
    path.write_bytes(content)
    fault = fault_of(path)
    assert "\n" not in fault
    assert len(fault) < 300


def test_a_file_is_examined_again_when_it_changes(tmp_path: Path) -> None:
    path = _file(tmp_path / "a.h5", values=np.arange(3))
    require_sound(path)
    with h5py.File(path, "a") as file:
        file["link"] = h5py.SoftLink("/values")
    with pytest.raises(StorageError, match="link"):
        require_sound(path)
