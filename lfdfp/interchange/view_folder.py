"""Folder of views, one picture each, named with two numbers: ``view_05_07.png`` and the like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.files import replacing_folder
from lfdfp.interchange.coded_light import has_weights, rgb_or_gray
from lfdfp.interchange.view_names import arrange
from lfdfp.interchange.view_order import GridOrder, observed_parallax, swapped_axes
from lfdfp.interchange.view_pictures import read_view_pictures
from lfdfp.storage.images import PICTURE_SUFFIXES, Bits, Picture, write_picture

OrderChoice = Literal["auto", "row_col", "col_row"]
ViewSuffix = Literal[".png", ".tif"]

ONE_AXIS_RUNS_BACKWARDS: Final = (
    "content moves along rows and columns of views with opposite signs: one axis of the grid of "
    "views probably runs backwards"
)


def read_view_folder(folder: Path, *, order: OrderChoice = "auto") -> LightField:
    """Read a folder of views whose names hold two numbers, in any base and step.

    Parameters
    ----------
    order
        Whether the first number counts rows of views or columns. ``auto`` decides by the parallax
        between the views, and takes rows where they show none.

    Raises
    ------
    ImageError
        For missing views, mixed sizes or kinds, unreadable files, or no views at all.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    pictures = [
        path
        for path in files
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    ]
    if not pictures:
        raise ImageError(f"{folder}: no pictures found; a folder of views is needed")
    grid = arrange(folder, pictures)
    field = read_view_pictures(grid)
    note = f"{len(pictures)} views read, {grid[0][0].name} to {grid[-1][-1].name}"
    return in_order(replace(field, history=(note,)), order)


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
