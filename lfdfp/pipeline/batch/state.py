"""What a batch remembers: one SQLite file beside the outputs, written by one process alone.

Every outcome is committed as soon as it is known, so that a batch that was killed at any moment
goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from lfdfp.errors import StorageError
from lfdfp.pipeline.record import StageTime

STATE: Final = "lfdfp-batch.sqlite"
LOCK: Final = "lfdfp-batch.lock"
LOG: Final = "lfdfp-batch.log"

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS captures (
    folder TEXT PRIMARY KEY,     -- of the outputs, relative to the file's own folder
    path TEXT NOT NULL,
    status TEXT NOT NULL,        -- running, done, failed, skipped, interrupted
    reason TEXT NOT NULL,
    request TEXT NOT NULL,       -- hash of settings, options and version
    calibration TEXT NOT NULL,   -- hash of what calibrations there were to choose from
    key TEXT NOT NULL,           -- of the run: the same key, the same bytes
    attempts INTEGER NOT NULL,
    began REAL NOT NULL,         -- seconds since 1970
    seconds REAL NOT NULL,
    peak_memory_mib REAL,
    inputs TEXT NOT NULL,        -- JSON: files with size, time and hash
    outputs TEXT NOT NULL,       -- the same
    facts TEXT NOT NULL,         -- JSON
    warnings TEXT NOT NULL       -- JSON
);
CREATE TABLE IF NOT EXISTS stages (
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    wall_s REAL NOT NULL,
    cpu_s REAL NOT NULL,
    reused INTEGER NOT NULL,
    PRIMARY KEY (folder, name)
);
"""

EntryStatus = Literal["running", "done", "failed", "skipped", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file as it was when it was last looked at.

    Attributes
    ----------
    path
        Absolute, or the name in a folder of outputs.
    size, mtime_ns
        Bytes, and when it was last changed: equal ones are taken for the same file.
    sha256
        Of its bytes.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is remembered of one capture; the columns of the table, where they are explained.

    Attributes
    ----------
    folder
        Of the outputs, relative to that of the state file where it lies below it.
    inputs, outputs
        The files that were read, by absolute path; and written, by their name in the folder.
    """

    folder: str
    path: str
    status: EntryStatus
    reason: str = ""
    request: str = ""
    calibration: str = ""
    key: str = ""
    attempts: int = 1
    began: float = 0.0
    seconds: float = 0.0
    peak_memory_mib: float | None = None
    inputs: tuple[KnownFile, ...] = ()
    outputs: tuple[KnownFile, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


_JSON_COLUMNS: Final = ("inputs", "outputs", "facts", "warnings")


class State:
    """The state file of one folder of results, open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def entries(self) -> dict[str, Entry]:
        """All captures, by folder."""
        cursor = self._connection.execute("SELECT * FROM captures ORDER BY folder")
        names = [column[0] for column in cursor.description]
        rows = (map(_text, row) for row in cursor)
        found = (_entry(dict(zip(names, row, strict=True))) for row in rows)
        return {entry.folder: entry for entry in found}

    def write(self, entry: Entry, stages: Sequence[StageTime] = ()) -> None:
        """Remember a capture, in place of what was known of it."""
        row = _row(entry)
        marks = ", ".join(f":{name}" for name in row)
        with self._connection:
            self._connection.execute(
                f"INSERT OR REPLACE INTO captures ({', '.join(row)}) VALUES ({marks})", row
            )
            folder = _kept(entry.folder)
            self._connection.execute("DELETE FROM stages WHERE folder = ?", (folder,))
            self._connection.executemany(
                "INSERT INTO stages VALUES (?, ?, ?, ?, ?)",
                [(folder, s.name, s.wall_s, s.cpu_s, s.reused) for s in stages],
            )

    def begin(self, entry: Entry) -> None:
        """Remember that a capture is being worked on, and keep the rest of what is known of it."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO captures (folder, path, status, reason, request, calibration, key,"
                " attempts, began, seconds, inputs, outputs, facts, warnings)"
                " VALUES (?, ?, 'running', '', '', '', '', ?, ?, 0, '[]', '[]', '{}', '[]')"
                " ON CONFLICT (folder) DO UPDATE SET status = 'running', path = excluded.path,"
                " attempts = excluded.attempts, began = excluded.began",
                (_kept(entry.folder), _kept(entry.path), entry.attempts, entry.began),
            )


@contextlib.contextmanager
def opened_state(folder: Path) -> Iterator[State]:
    """The state file in a folder of results, made where there is none.

    A damaged one is put aside: what is finished is then found by the records of the runs.

    Raises
    ------
    StorageError
        If it cannot be written, or a newer version of the program has made it.
    """
    path = folder / STATE
    folder.mkdir(parents=True, exist_ok=True)
    connection = _connected(path)
    try:
        yield State(connection)
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


def read_entries(folder: Path) -> dict[str, Entry]:
    """What the state file in a folder says, while a batch is writing it or not; {} without one."""
    path = folder / STATE
    if not path.is_file():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return State(connection).entries()
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return {}


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other batches out of a folder of results; the system ends it if the process dies.

    Raises
    ------
    StorageError
        If another one is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # SQLite's own lock on an empty database: it works on every system, and leaves nothing behind.
    connection = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StorageError(
                f"{folder}: another lfdfp is at work in this folder; wait for it, or name another "
                f"folder ({error})"
            ) from error
        yield
    finally:
        connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    try:
        return _checked(path)
    except (sqlite3.DatabaseError, ValueError) as error:
        if isinstance(error, sqlite3.OperationalError):
            raise StorageError(f"{path}: cannot be written: {error}") from error
    for ending in ("", "-wal", "-shm"):
        damaged = path.with_name(path.name + ending)
        if damaged.exists():
            damaged.replace(
                path.with_name(f"{path.stem}-damaged-{time.time():.0f}{path.suffix}{ending}")
            )
    return _checked(path)


def _checked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StorageError(f"{path}: made by a newer version of lfdfp: update it")
        (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if health != "ok":
            raise ValueError(health)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # never damaged; the last row may be lost
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        State(connection).entries()
    except BaseException:
        connection.close()
        raise
    return connection


def _row(entry: Entry) -> dict[str, Any]:
    values = {name: _kept(value) for name, value in asdict(entry).items()}
    return values | {name: json.dumps(values[name], default=str) for name in _JSON_COLUMNS}


def _kept(value: Any) -> Any:
    """`value` as SQLite can keep it: names of files in another encoding than UTF-8 as bytes."""
    if not isinstance(value, str):
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")
    return value


def _text(value: Any) -> Any:
    """A value as it was before `_kept`."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _entry(row: dict[str, Any]) -> Entry:
    lists = {name: json.loads(row[name]) for name in _JSON_COLUMNS}
    return Entry(
        **(row | lists)
        | {
            "inputs": tuple(KnownFile(**one) for one in lists["inputs"]),
            "outputs": tuple(KnownFile(**one) for one in lists["outputs"]),
            "warnings": tuple(lists["warnings"]),
        }
    )
