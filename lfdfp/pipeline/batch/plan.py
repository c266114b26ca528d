"""Which captures a batch takes, and where the outputs of each go."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lfdfp.files import path_kind

if TYPE_CHECKING:
    from lfdfp.pipeline.batch.state import Entry

CAPTURE_SUFFIXES: Final = frozenset({".lfp", ".lfr", ".lfx"})

_NAMELESS: Final = frozenset({"raw", "stack"})
"""Names that say nothing: Lytro Desktop keeps every capture as raw.lfp in a folder of its own."""

_PROCESSED_ENDING: Final = re.compile(r"-(stk|dm)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One capture and where its outputs go.

    Attributes
    ----------
    found
        True when the file was found in a folder rather than named by the user: a file without
        a raw capture in it is then passed over, not failed.
    """

    path: Path
    folder: Path
    found: bool = False


def results_root(inputs: Sequence[Path], output: Path | None) -> Path:
    """The folder that holds all results, and what is told of all: named, or the inputs' own.

    Raises
    ------
    StorageError
        For a path that cannot be looked at.
    """
    if output is not None:
        return output
    are_folders = [path_kind(path) == "folder" for path in inputs]
    if are_folders == [True]:
        return inputs[0]
    whole = [path.absolute() for path in inputs]
    folders = [p if is_one else p.parent for p, is_one in zip(whole, are_folders, strict=True)]
    return Path(os.path.commonpath(folders))


def placed_before(entries: Iterable[Entry], root: Path) -> dict[Path, Path]:
    """Where the outputs of captures were put by earlier batches, by absolute path."""
    return {Path(entry.path): root / entry.folder for entry in entries}


def plan_jobs(
    inputs: Sequence[Path], output: Path | None, placed: Mapping[Path, Path] | None = None
) -> list[Job]:
    """Captures named or found in folders, each with a folder of its own.

    Without `output`, a capture's folder lies beside it under its name without the suffix. With
    `output` and a single file, that is the folder; else it holds one for each capture, so that
    a folder of captures can grow. Captures called ``raw`` or ``stack`` go by the name of their
    folder. Captures that would share a folder get their suffix, then a number, added.

    Raises
    ------
    StorageError
        For a path that cannot be looked at.
    """
    placed = {} if placed is None else placed
    captures: dict[Path, bool] = {}
    known: set[Path] = set()
    for path in inputs:
        is_folder = path_kind(path) == "folder"
        for capture in _captures_in(path) if is_folder else [path]:
            if capture.resolve() not in known:
                known.add(capture.resolve())
                captures[capture] = is_folder
    single = len(captures) == 1 and not any(captures.values())
    wanted = {path: _default_folder(path, output, single=single) for path in captures}
    counts = Counter(wanted.values())
    kept = {path: placed[path.absolute()] for path in captures if path.absolute() in placed}
    taken = set(placed.values())
    jobs = []
    for path, found in captures.items():
        folder = kept.get(path) or _free_folder(path, wanted[path], counts, taken)
        taken.add(folder)
        jobs.append(Job(path=path, folder=folder, found=found))
    return jobs


def _free_folder(path: Path, wanted: Path, counts: Counter[Path], taken: set[Path]) -> Path:
    folder = wanted
    if counts[folder] > 1:
        folder = folder.with_name(f"{_name(path)}_{path.suffix.removeprefix('.')}")
    number = 2
    while folder in taken:
        folder = folder.with_name(f"{_name(path)}_{number}")
        number += 1
    return folder


def _captures_in(folder: Path) -> list[Path]:
    """Captures of a folder and its subfolders; ``._x.lfp`` of macOS is none."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in CAPTURE_SUFFIXES
        and not path.name.startswith("._")
        and path.is_file()
    )
    raw = {path.with_suffix("") for path in found}
    return [path for path in found if _origin(path) not in raw]


def _origin(path: Path) -> Path | None:
    """What a processed file that ends in -stk or -dm was made of, without its suffix."""
    stem = _PROCESSED_ENDING.sub("", path.stem)
    return None if stem == path.stem or not stem else path.with_name(stem)


def _name(path: Path) -> str:
    parent = path.absolute().parent.name
    return parent if path.stem.lower() in _NAMELESS and parent else path.stem


def _default_folder(path: Path, output: Path | None, *, single: bool) -> Path:
    if output is None:
        return path.with_name(_name(path)) if path.suffix else path.with_name(path.name + "_lfdfp")
    return output if single else output / _name(path)
