"""Folder of views, one picture each, named with two numbers (``view_05_07.png``) or one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.files import replacing_folder
from lfdfp.interchange.damage import damage_named
from lfdfp.interchange.integer_codes import has_weights, rgb_or_gray
from lfdfp.interchange.view_names import arrange, in_one_line
from lfdfp.interchange.view_neighbors import columns_of
from lfdfp.interchange.view_order import GridOrder, observed_parallax, swapped_axes
from lfdfp.interchange.view_pictures import read_view_pictures
from lfdfp.storage.images import PICTURE_SUFFIXES, Bits, Picture, read_codes, write_picture

OrderChoice = Literal["auto", "row_col", "col_row"]
Grid = tuple[int, int]
"""(rows, columns) of views."""

ViewSuffix = Literal[".png", ".tif"]

ONE_AXIS_RUNS_BACKWARDS: Final = (
    "content moves along rows and columns of views with opposite signs: one axis of the grid of "
    "views probably runs backwards"
)


def read_view_folder(
    folder: Path, *, order: OrderChoice = "auto", grid: Grid | None = None
) -> LightField:
    """Read a folder of views whose names hold two numbers, in any base and step, or one.

    Parameters
    ----------
    order
        Whether the first number counts rows of views or columns. ``auto`` decides by the parallax
        between the views, and takes rows where they show none.
    grid
        (rows, columns) of views whose names hold one running number. None finds it: neighbors in
        a column are more alike than others.

    Raises
    ------
    ImageError
        For missing views, mixed sizes or kinds, unreadable files, no views at all, or a running
        number of which the rows' length cannot be told.
    """
    with damage_named(folder):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        pictures = [
            path
            for path in files
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
        ]
        if not pictures:
            raise ImageError(f"{folder}: no pictures found; a folder of views is needed")
        views, notes = _laid_out(folder, pictures, grid)
        field = read_view_pictures(views)
    note = f"{len(views) * len(views[0])} views read, {views[0][0].name} to {views[-1][-1].name}"
    return in_order(replace(field, history=(note, *notes)), order)


def _laid_out(
    folder: Path, pictures: list[Path], given: Grid | None
) -> tuple[list[list[Path]], tuple[str, ...]]:
    """Files as a grid ``[first][second]``, and what was found out about it."""
    line = in_one_line(folder, pictures)
    if line is None:
        if given is not None:
            raise ImageError(f"{folder}: names with two numbers; a grid is only given for one")
        return arrange(folder, pictures), ()
    if given is not None and given[0] * given[1] != len(line):
        raise ImageError(
            f"{folder}: {len(line)} views do not fill a grid of {given[0]} x {given[1]}"
        )
    columns = given[1] if given is not None else columns_of(read_codes(path) for path in line)
    if columns is None:
        raise ImageError(
            f"{folder}: {len(line)} views with one running number, and their likeness does not "
            "tell how many make a row: give --grid ROWSxCOLUMNS"
        )
    rows = [line[start : start + columns] for start in range(0, len(line), columns)]
    how = "given" if given is not None else "as neighbors are alike"
    return rows, (f"running number taken for {len(rows)} x {columns} views ({how})",)


def in_order(field: LightField, order: OrderChoice) -> LightField:
    """A field that was read as ``[first number, second number]``, its axes set right."""
    seen = observed_parallax(field)
    chosen: GridOrder = (seen.order or "row_col") if order == "auto" else order
    reason = "given" if order != "auto" else "by parallax" if seen.order else "assumed"
    if chosen == "col_row":
        field = swapped_axes(field)
    warnings = field.warnings
    if order == "auto" and seen.order is None:
        warnings += ("views show no clear parallax: their first number is taken as the row",)
    if order != "auto" and seen.order not in (None, order):
        warnings += (f"order {order} as given, but the views' parallax speaks for {seen.order}",)
    if seen.opposite_signs:
        warnings += (ONE_AXIS_RUNS_BACKWARDS,)
    history = (*field.history, f"order of the views' numbers: {chosen} ({reason})")
    return replace(field, warnings=warnings, history=history)


def write_view_folder(
    folder: Path, field: LightField, *, bits: Bits = 16, suffix: ViewSuffix = ".png"
) -> None:
    """Write ``view_RR_CC.png``, counted from 0, row first; weights other than 1 as alpha.

    Raises
    ------
    StorageError
        If `folder` exists already and is not empty.
    ImageError
        If the field is neither gray nor RGB.
    """
    rgb_or_gray(folder, field)
    weighted = has_weights(field)
    rows, columns = field.angular_shape
    with replacing_folder(folder) as target:
        for v, u in ((v, u) for v in range(rows) for u in range(columns)):
            alpha = field.weight(v, u) if weighted else None
            picture = Picture(light=field.view(v, u), alpha=alpha, bits=bits)
            write_picture(target / f"view_{v:02d}_{u:02d}{suffix}", picture, {})
