"""Which captures a batch takes, and where the outputs of each go."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lfdfp.errors import StorageError
from lfdfp.files import path_kind
from lfdfp.lfp import CAPTURE_SUFFIXES
from lfdfp.pipeline.material import Kind, Material
from lfdfp.pipeline.reuse import RECORD

if TYPE_CHECKING:
    from lfdfp.pipeline.batch.state import Entry


_NAMELESS: Final = frozenset({"raw", "stack"})
"""Names that say nothing: Lytro Desktop keeps every capture as raw.lfp in a folder of its own."""

_FIELD_SUFFIXES: Final = frozenset({".h5", ".hdf5", ".mat", ".png"})
_FIELD_NAME: Final = re.compile(r"(eslf\.png|__decoded\.mat)$", re.IGNORECASE)
_VIEW_SUFFIXES: Final = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".ppm"})
_SCENE_FILE: Final = "parameters.cfg"
"""What lies in every scene of the HCI benchmark."""

_PROCESSED_ENDING: Final = re.compile(r"-(stk|dm)$", re.IGNORECASE)


Stacks = Literal["by-folder", "by-time"]
"""Photographs belong together that lie in one folder, or that one folder's were taken in a row."""

_IN_A_ROW_S: Final = 5.0
"""Longest time between photographs of one stack: cameras that step their focus take one or two
seconds, a person who turns to the next subject takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One material and where its outputs go.

    Attributes
    ----------
    path, kind, photographs
        As in `Material`.
    found
        True when the file was found in a folder rather than named by the user: a file without
        a raw capture in it is then passed over, not failed.
    """

    path: Path
    folder: Path
    kind: Kind = "capture"
    photographs: tuple[Path, ...] = ()
    found: bool = False

    @property
    def material(self) -> Material:
        """What it is made of."""
        return Material(path=self.path, kind=self.kind, photographs=self.photographs)


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
    inputs: Sequence[Path],
    output: Path | None,
    placed: Mapping[Path, Path] | None = None,
    *,
    stacks: Stacks | None = None,
) -> list[Job]:
    """Captures and light fields named or found in folders, each with a folder of its own.

    Without `output`, a capture's folder lies beside it under its name without the suffix. With
    `output` and a single file, that is the folder; else it holds one for each capture, so that
    a folder of captures can grow. Captures called ``raw`` or ``stack`` go by the name of their
    folder. Captures that would share a folder get their suffix, then a number, added. Folders that
    hold results of a run are not searched for anything but captures.

    Parameters
    ----------
    placed
        Folders of earlier batches: a capture keeps its own, whatever has been added since.
    stacks
        Whether, and how, pictures that are found in folders are stacks of photographs.

    Raises
    ------
    StorageError
        For a path that cannot be looked at.
    """
    placed = {} if placed is None else placed
    materials: dict[Path, tuple[Material, bool]] = {}
    for path in inputs:
        is_folder = path_kind(path) == "folder"
        for one in _materials_in(path, stacks) if is_folder else [_named_material(path)]:
            materials.setdefault(one.path.resolve(), (one, is_folder))
    chosen = list(materials.values())
    single = len(chosen) == 1 and not chosen[0][1]
    wanted = [_default_folder(one.path, output, single=single) for one, _ in chosen]
    counts = Counter(wanted)
    taken = set(placed.values())
    jobs = []
    for (one, found), usual in zip(chosen, wanted, strict=True):
        kept = placed.get(one.path.absolute())
        folder = kept or _free_folder(one.path, usual, counts, taken)
        taken.add(folder)
        jobs.append(
            Job(
                path=one.path,
                folder=folder,
                kind=one.kind,
                photographs=one.photographs,
                found=found,
            )
        )
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


def _named_material(path: Path) -> Material:
    """A file by the kind that its suffix tells; what is unknown may be a capture."""
    is_field = path.suffix.lower() in _FIELD_SUFFIXES
    return Material(path=path, kind="light field" if is_field else "capture")


def _materials_in(folder: Path, stacks: Stacks | None) -> list[Material]:
    """What a folder and its subfolders hold, by path; ``._x.lfp`` of macOS is nothing."""
    files = sorted(
        path for path in folder.rglob("*") if not path.name.startswith(".") and path.is_file()
    )
    results = {path.parent for path in files if path.name == RECORD}
    found = [Material(path=path) for path in _captures_among(files)]
    others = [path for path in files if path.parent not in results]
    scenes = {path.parent for path in others if path.name == _SCENE_FILE}
    scenes |= _folders_of_views([path for path in others if path.parent not in scenes])
    fields = [path for path in others if path.parent not in scenes and _is_light_field(path)]
    found += [Material(path=path, kind="light field") for path in [*scenes, *fields]]
    if stacks is not None:
        left = [path for path in others if path.parent not in scenes and path not in fields]
        found += _stacks_among(left, stacks)
    return sorted(found, key=lambda one: one.path)


def _captures_among(files: Sequence[Path]) -> list[Path]:
    found = [path for path in files if path.suffix.lower() in CAPTURE_SUFFIXES]
    raw = {path.with_suffix("") for path in found}
    return [path for path in found if _origin(path) not in raw]


def _folders_of_views(files: Sequence[Path]) -> set[Path]:
    """Folders whose pictures are views of one light field, by the numbers in their names."""
    from lfdfp.interchange.view_names import fill_a_square

    pictures = _by_folder(files, _VIEW_SUFFIXES)
    return {folder for folder, views in pictures.items() if fill_a_square(folder, views)}


def _by_folder(files: Sequence[Path], suffixes: Collection[str]) -> dict[Path, list[Path]]:
    found: dict[Path, list[Path]] = {}
    for path in files:
        if path.suffix.lower() in suffixes:
            found.setdefault(path.parent, []).append(path)
    return found


def _is_light_field(path: Path) -> bool:
    """Whether a file that was found is one: by the names that programs give, by its kind."""
    if path.suffix.lower() in (".h5", ".hdf5"):
        from lfdfp.storage.hdf5 import kind_of

        try:
            return kind_of(path) == "light_field"
        except StorageError:
            return False
    return _FIELD_NAME.search(path.name) is not None


def _stacks_among(files: Sequence[Path], stacks: Stacks) -> list[Material]:
    """Two or more pictures of a folder that belong together; one alone is none."""
    from lfdfp.storage.images import PICTURE_SUFFIXES
    from lfdfp.storage.photographs import taken_s

    by_folder = _by_folder(files, PICTURE_SUFFIXES)
    if stacks == "by-folder":
        groups = {folder: tuple(paths) for folder, paths in by_folder.items()}
    else:
        times = {path: taken_s(path) for paths in by_folder.values() for path in paths}
        rows = [row for paths in by_folder.values() for row in _rows(paths, times)]
        groups = {row[0]: row for row in rows}
    return [
        Material(path=path, kind="photographs", photographs=group)
        for path, group in groups.items()
        if len(group) > 1
    ]


def _rows(paths: Sequence[Path], times: Mapping[Path, float]) -> list[tuple[Path, ...]]:
    """Pictures in the order of their times, parted where a long time passed."""
    ordered = sorted(paths, key=lambda path: (times[path], path))
    rows: list[list[Path]] = []
    for path in ordered:
        if rows and times[path] - times[rows[-1][-1]] <= _IN_A_ROW_S:
            rows[-1].append(path)
        else:
            rows.append([path])
    return [tuple(row) for row in rows]


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
