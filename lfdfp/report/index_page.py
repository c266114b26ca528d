"""Many results on one page, and as a table: what is there, how it went, where to look."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import resources
from string import Template
from typing import Final

from lfdfp.report.scripts import script_json

MARK: Final = '<meta name="generator" content="lfdfp index">'
"""What tells an index of this program from any other page."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One result.

    Attributes
    ----------
    folder
        Of the outputs, relative to the page's.
    capture
        What it was made of.
    taken, ended
        When the capture was taken, and the work on it ended; ISO 8601 in UTC, empty if not known.
    lattice_error_px
        Standard error of the lenslets' positions.
    page, thumbnail
        File names in `folder`; empty where there is none.
    frames, frame_columns, frame_rows
        Of the thumbnail: see `lfdfp.report.thumbnail`.
    """

    name: str
    folder: str
    capture: str
    status: str
    reason: str = ""
    taken: str = ""
    camera: str = ""
    calibration: str = ""
    made_from: str = ""
    scale: float | None = None
    lattice_error_px: float | None = None
    seconds: float = 0.0
    peak_memory_mib: float | None = None
    attempts: int = 1
    ended: str = ""
    warnings: tuple[str, ...] = ()
    page: str = ""
    thumbnail: str = ""
    frames: int = 0
    frame_columns: int = 0
    frame_rows: int = 0


def index_page(title: str, rows: Sequence[IndexRow]) -> str:
    """HTML of a page with a card for every row, to be filtered and sorted in the browser.

    Thumbnails are files beside the page and load as they come into view. Text from files is
    among the rows: all of it is escaped here, and put in as text by the page's script.
    """
    warnings = list(dict.fromkeys(warning for row in rows for warning in row.warnings))
    number = {warning: n for n, warning in enumerate(warnings)}
    data = {
        "warnings": warnings,
        "rows": [_compact(row, [number[warning] for warning in row.warnings]) for row in rows],
    }
    template = resources.files("lfdfp.report").joinpath("templates/index.html")
    return Template(template.read_text(encoding="utf-8")).substitute(
        title=html.escape(title), mark=MARK, data=script_json(data)
    )


def index_table(rows: Sequence[IndexRow]) -> str:
    """The rows as comma-separated values, with a header.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    names = [one.name for one in fields(IndexRow)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in names])
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        value = "; ".join(str(one) for one in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _compact(row: IndexRow, warnings: Sequence[int]) -> list[object]:
    """A row in the order in which the page's script expects it."""
    return [
        row.folder,
        row.status,
        row.reason,
        row.taken,
        row.camera,
        row.made_from,
        row.scale,
        round(row.seconds, 1),
        list(warnings),
        row.page,
        row.thumbnail,
        row.frames,
        row.frame_columns,
        row.frame_rows,
    ]
