"""Files are written beside their target, then renamed: a reader never sees half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from lfdfp.errors import StorageError

PathKind = Literal["file", "folder", "other", "missing"]
"""A file here is a regular one; "other" are pipes, devices and sockets."""

PAGE_SUFFIXES = (".html", ".htm")

_BLOCK_BYTES = 1 << 20
_TEMPORARY = ".lfdfp-"
"""What the names of half-written files begin with."""


def check_outputs(
    *targets: Path, inputs: Iterable[Path] = (), endings: Collection[str] | None = None
) -> None:
    """Refuse files that cannot or must not be written, before the work is done.

    Parameters
    ----------
    inputs
        What is read: no target may be one of them, by whatever name.
    endings
        The suffixes that are written, in lower case; None where they are checked elsewhere.

    Raises
    ------
    StorageError
        Also for two targets of one name, a folder, a link to nothing, and a place that cannot be
        written to.
    """
    sources = list(inputs)
    for number, target in enumerate(targets):
        if any(_same(target, other) for other in targets[:number]):
            raise StorageError(f"{target}: two outputs have this name")
        for source in sources:
            if _same(target, source):
                raise StorageError(
                    f"{target}: is one of the inputs and would be replaced; name another output"
                )
        if endings is not None and target.suffix.lower() not in endings:
            raise StorageError(
                f"{target}: this is written as {' or '.join(endings)}, not {target.suffix!r}"
            )
        _check_place(target)


def check_output_folder(folder: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse a folder that cannot be made or written to, or that is one of the inputs.

    Raises
    ------
    StorageError
        With the reason.
    """
    if any(_same(folder, source) for source in inputs):
        raise StorageError(f"{folder}: is one of the inputs; name another folder")
    try:
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"{folder}: is a file, where a folder is needed")
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {error.strerror or error}") from error
    _check_place(folder / "file", called=folder)


def _same(one: Path, other: Path) -> bool:
    """Whether two names mean the same file, now or once it is written."""
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        pass
    try:
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return False


def _check_place(target: Path, *, called: Path | None = None) -> None:
    """Refuse a target that is a folder, a link to nothing, or in a place without permission.

    `called` is named in its stead: the folder of files that have no names yet.
    """
    name = called or target
    try:
        if target.is_dir():
            raise StorageError(f"{name}: is a folder, where a file is needed")
        for place in (target, *target.absolute().parents):
            if place.is_symlink() and not place.exists():
                raise StorageError(
                    f"{name}: {'' if place == name else f'{place} '}is a link to "
                    f"{place.readlink()}, which does not exist"
                )
        folder = next(parent for parent in target.absolute().parents if parent.exists())
        if not folder.is_dir():
            raise StorageError(f"{name}: cannot be written: {folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StorageError(f"{name}: cannot be written: no permission to write in {folder}")
    except OSError as error:
        raise StorageError(f"{name}: cannot be written: {error.strerror or error}") from error


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` if the block succeeds.

    The temporary name keeps the suffix of `target`, since many writers choose the format by it.

    Raises
    ------
    StorageError
        If the folder cannot be made or written to, or the disk is full.
    """
    temporary = _beside(target)
    made = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"{target}: cannot be written: {reason}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
        _remove_empty(made)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`; rename it to `target` if the block succeeds.

    Raises
    ------
    StorageError
        If `target` exists and is not an empty folder (nothing of the user's is ever removed), or
        cannot be made.
    """
    temporary = _beside(target)
    made = _missing_parents(target)
    try:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if target.exists():
            raise StorageError(f"{target}: exists already; remove it or name another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        temporary.rename(target)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"{target}: cannot be written: {reason}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(made)


def _beside(target: Path) -> Path:
    """A name in the folder of `target` that nothing has.

    It is known before the file is made: an interruption in between would leave one behind.
    """
    number, stem = f"{os.getpid()}-{secrets.token_hex(4)}", target.stem[:40]
    return target.with_name(f"{_TEMPORARY}{number}-{stem}{target.suffix}")


def _missing_parents(target: Path) -> list[Path]:
    """The folders that have to be made for a target, the innermost first."""
    with suppress(OSError):
        return [parent for parent in target.absolute().parents if not parent.exists()]
    return []


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders in which nothing came to lie."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def remove_leftovers(folder: Path) -> int:
    """Remove what a process that was killed has left half-written in a folder; how many.

    What a running process is writing stays. The folder is removed too if nothing else was in it.
    """
    try:
        left = [path for path in folder.iterdir() if _is_left(path.name)]
    except OSError:
        return 0
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if left:
        with suppress(OSError):
            folder.rmdir()
    return len(left)


def _is_left(name: str) -> bool:
    """Whether a name is that of a half-written file whose process has ended."""
    found = re.match(rf"{re.escape(_TEMPORARY)}(\d+)-", name)
    if found is None:  # made by an earlier version
        return name.startswith(_TEMPORARY)
    if os.name != "posix":  # there, asking after a process would end it
        return int(found[1]) != os.getpid()
    try:
        os.kill(int(found[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False


def require_room(target: Path, size: int) -> None:
    """Refuse to begin a file that its disk has no room for.

    Parameters
    ----------
    size
        Bytes that the file may take.

    Raises
    ------
    StorageError
        Where less is free.
    """
    folder = next((p for p in target.absolute().parents if p.is_dir()), None)
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    if free < size:
        raise StorageError(
            f"{target}: cannot be written: it may take {size >> 20} MiB, and {free >> 20} MiB are "
            "free on the disk"
        )


def write_bytes(target: Path, content: bytes) -> None:
    """Write a whole file, atomically."""
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: Path, content: str) -> None:
    """Write a whole UTF-8 text file, atomically.

    What UTF-8 cannot hold (names of files in another encoding) becomes a question mark.
    """
    write_bytes(target, content.encode("utf-8", "replace"))


def path_kind(path: Path) -> PathKind:
    """What lies at a path.

    Raises
    ------
    StorageError
        Where the system does not let it be looked at: a name that is too long, a folder that is
        closed, a NUL in the path.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise StorageError(f"{path}: cannot be looked at: {reason or error}") from error
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def read_small_file(path: Path, *, most: int) -> bytes:
    """The content of a file of up to `most` bytes.

    Pipes and devices are refused: reading them can wait, or go on, for ever.

    Raises
    ------
    StorageError
        If it is missing, larger, no regular file, or cannot be read.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise StorageError(f"{path}: this is no regular file")
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise StorageError(f"{path}: cannot be read: {reason or error}") from error
    if len(content) > most:
        raise StorageError(f"{path}: {about.st_size} bytes, where up to {most} can be read")
    return content


def json_text(value: Any) -> str:
    """`value` as indented JSON; NaN and infinity, which JSON does not know, become null."""
    return json.dumps(plain_json(value), indent=2, default=str, allow_nan=False)


def plain_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: plain_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes as hexadecimal text, read in blocks.

    Raises
    ------
    OSError
        Also for what is no regular file: reading a pipe can wait for ever.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "this is no regular file", str(path))
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
