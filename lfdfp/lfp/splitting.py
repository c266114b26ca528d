"""The sections of an LFP file, each to a file of its own.

Files are called as ``lfpsplitter`` of the lfptools calls them; the payloads are written as they
are, where that program widens raw codes to 16 bits. Nothing that stands in the file becomes a
path: names from the table of contents are used only when they are plain words.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from lfdfp.errors import StorageError
from lfdfp.files import replacing
from lfdfp.lfp.container import FILE_MAGIC, read_container
from lfdfp.lfp.contents import read_contents
from lfdfp.lfp.inventory import Item, inventory
from lfdfp.lfp.opening import named, not_a_capture, read_head

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9]{1,8}")
_F01_DEPTH_SHAPE = (20, 20)


def split(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    verify: bool = True,
    overwrite: bool = False,
) -> list[Path]:
    """Write every section of an LFP file to a file of its own.

    Parameters
    ----------
    path
        The LFP file; its name without suffix begins every name that is written.
    folder
        Where to write; made if it does not exist.
    verify
        Check the SHA-1 of every section.
    overwrite
        Replace files that exist.

    Returns
    -------
    list of Path
        The files, in the order of the sections; empty sections make none.

    Raises
    ------
    LfpFormatError, ChecksumError, MetadataError
        If the file cannot be read.
    StorageError
        If a file exists and must not be replaced, or cannot be written: no file is, then.
    """
    path, folder = Path(path), Path(folder)
    with named(path):
        head = read_head(path)
        if not head.startswith(FILE_MAGIC):
            raise not_a_capture(head)
        container = read_container(path, verify=verify)
        items = inventory(container, read_contents(container))
    targets = [(folder / f"{_base(path)}_{name}", item) for item, name in section_names(items)]
    if not overwrite:
        _refuse_existing([target for target, _ in targets])
    _make_folder(folder)
    with ExitStack() as all_or_none:
        for target, item in targets:
            temporary = all_or_none.enter_context(replacing(target))
            with temporary.open("wb") as stream:
                for piece in _written(item):
                    stream.write(piece)
    return [target for target, _ in targets]


def section_names(items: list[Item]) -> Iterator[tuple[Item, str]]:
    """Every section that has a payload, and the end of its file's name; no name comes twice."""
    counts: Counter[str] = Counter()
    taken: set[str] = set()
    for item in items:
        if not item.section.payload:
            continue
        name = _section_name(item, counts)
        stem, dot, suffix = name.rpartition(".")
        while name.lower() in taken:  # the files may lie on a disk that ignores case
            stem = f"{stem}_section{item.index}"
            name = f"{stem}{dot}{suffix}"
        taken.add(name.lower())
        yield item, name


def _section_name(item: Item, counts: Counter[str]) -> str:
    number = counts[item.content]
    counts[item.content] += 1
    key = _key(item)
    stored = _stored_name(item)
    if stored is not None:
        return stored
    match item.content:
        case "contents":
            return "table.json"
        case "JSON text":
            return f"{key}{number}.json"
        case "raw image" | "white image":
            return f"{key}{number}.raw"
        case "JPEG picture":
            return f"{number:02d}.jpg"
        case "PNG picture":
            return f"{number:02d}.png"
        case "H.264 stream":
            return f"{key}_{number:02d}.h264"
        case "depth table":
            return "depth.txt" if item.shape == _F01_DEPTH_SHAPE else "lut_depth.txt"
        case "confidence table":
            return "lut_confidence.txt"
    return f"{key}{number}.bin"


def _key(item: Item) -> str:
    key = "" if item.reference is None else item.reference.key
    return key if _WORD.fullmatch(key) else "unknown"


def _stored_name(item: Item) -> str | None:
    """Last part of the name that a camera's store gives a file (``C:\\T1CALIB\\MOD_0000.RAW``)."""
    if item.reference is None or item.reference.key != "dataRef":
        return None
    node = item.reference.ancestors[-1].get("name")
    if node is None or not isinstance(node.value, str):
        return None
    last = re.split(r"[/\\]", node.value)[-1]
    return last if _FILE_NAME.fullmatch(last) else None


def _written(item: Item) -> Iterator[bytes]:
    """The payload; tables of 32-bit floats as text, one number per line, row by row."""
    if item.content not in ("depth table", "confidence table"):
        yield item.section.payload
        return
    for number in np.frombuffer(item.section.payload, "<f4"):
        yield f"{number:.9g}\n".encode()


def _base(path: Path) -> str:
    """The name without suffix; volumes of a store (data.C.0) differ in theirs and keep it."""
    return path.name if path.suffix[1:].isdigit() else path.stem


def _refuse_existing(targets: list[Path]) -> None:
    existing = next((target for target in targets if target.exists()), None)
    if existing is not None:
        raise StorageError(
            f"{existing} exists already; choose another folder, or allow overwriting"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made: {error.strerror or error}") from error
