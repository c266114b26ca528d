"""What a batch remembers comes back, after a kill too, and belongs to one process at a time."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from lfdfp.errors import StorageError
from lfdfp.pipeline.batch.state import (
    STATE,
    Entry,
    KnownFile,
    locked,
    opened_state,
    read_entries,
)
from lfdfp.pipeline.record import StageTime

DONE = Entry(
    folder="sub/a",
    path="/shots/a.lfp",
    status="done",
    request="r",
    calibration="c",
    key="k",
    attempts=2,
    began=1.5,
    seconds=2.5,
    peak_memory_mib=300.0,
    inputs=(KnownFile(path="/shots/a.lfp", size=3, mtime_ns=10**18 + 1, sha256="ab"),),
    outputs=(KnownFile(path="all.png", size=4, mtime_ns=5, sha256="cd"),),
    facts={"camera": {"model": "F01"}},
    warnings=("dark",),
)


def test_an_entry_comes_back(tmp_path: Path) -> None:
    with opened_state(tmp_path) as state:
        state.write(DONE, [StageTime(name="read", wall_s=1, cpu_s=0.5)])
        assert read_entries(tmp_path) == {"sub/a": DONE}  # while it is being written, too
    with opened_state(tmp_path) as state:
        assert state.entries() == {"sub/a": DONE}
    with sqlite3.connect(tmp_path / STATE) as connection:
        rows = connection.execute("SELECT folder, name, wall_s FROM stages").fetchall()
    connection.close()
    assert rows == [("sub/a", "read", 1.0)]


def test_beginning_again_keeps_what_is_known(tmp_path: Path) -> None:
    with opened_state(tmp_path) as state:
        state.write(DONE)
        state.begin(Entry(folder="sub/a", path="/shots/a.lfp", status="running", attempts=1))
        state.begin(Entry(folder="b", path="/shots/b.lfp", status="running"))
    found = read_entries(tmp_path)
    assert found["sub/a"].status == found["b"].status == "running"
    assert found["sub/a"].outputs == DONE.outputs


def _write_and_die(folder: Path) -> None:
    with opened_state(folder) as state:
        state.write(DONE)
        os._exit(1)


def test_what_was_written_survives_the_end_of_its_process(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 1
    assert read_entries(tmp_path) == {"sub/a": DONE}


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b"no database" * 1000)
    assert read_entries(tmp_path) == {}
    with opened_state(tmp_path) as state:
        assert state.entries() == {}
        state.write(DONE)
    assert list(tmp_path.glob("lfdfp-batch-damaged-*.sqlite"))
    assert read_entries(tmp_path) == {"sub/a": DONE}


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / STATE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="newer version"), opened_state(tmp_path):
        pass
    assert not list(tmp_path.glob("*damaged*"))


def test_only_one_process_works_in_a_folder(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(StorageError, match="another lfdfp is at work"), locked(tmp_path):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path):
        pass


def test_names_of_another_encoding_come_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"sub/a\xff")
    entry = replace(DONE, folder=name, path=f"/shots/{name}.lfp", reason=f"{name}: damaged")
    with opened_state(tmp_path) as state:
        state.begin(entry)
        state.write(entry, [StageTime(name="read", wall_s=1.0, cpu_s=1.0)])
        state.write(entry, [StageTime(name="read", wall_s=1.0, cpu_s=1.0)])
    assert read_entries(tmp_path) == {name: entry}
