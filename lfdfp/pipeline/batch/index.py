"""The pages of a folder of results: index.html for people, index.csv and .json for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lfdfp.errors import StorageError
from lfdfp.files import json_text, read_small_file, write_text
from lfdfp.pipeline.batch.state import Entry, read_entries
from lfdfp.pipeline.batch.survey import folder_key
from lfdfp.pipeline.record import RunRecord, read_record
from lfdfp.pipeline.reuse import RECORD, THUMBNAIL
from lfdfp.report.index_page import MARK, IndexRow, index_page, index_table

PAGE: Final = "index.html"
_LARGEST_PAGE: Final = 1 << 26


def write_index(root: Path, entries: Sequence[Entry]) -> list[Path]:
    """Write the index of a folder of results, whole; the paths of its three files.

    Raises
    ------
    StorageError
        If they cannot be written, or an ``index.html`` that is not this program's is there.
    """
    check_index(root)
    rows = [_row(entry, root) for entry in entries]
    page, table, data = (root / name for name in (PAGE, "index.csv", "index.json"))
    write_text(page, index_page(root.absolute().name, rows))
    write_text(table, index_table(rows))
    write_text(data, json_text([_plain(row) for row in rows]) + "\n")
    return [page, table, data]


def check_index(root: Path) -> None:
    """Refuse a folder in which somebody else's ``index.html`` would be replaced.

    Raises
    ------
    StorageError
        With what to do.
    """
    page = root / PAGE
    if page.is_file() and MARK.encode() not in read_small_file(page, most=_LARGEST_PAGE):
        raise StorageError(
            f"{page}: was not made by lfdfp and would be replaced; name another folder with -o"
        )


def found_entries(root: Path) -> list[Entry]:
    """What a folder of results holds, by its state file and by every ``run.json`` below it."""
    entries = read_entries(root)
    for path in sorted(root.rglob(RECORD)):
        key = folder_key(path.parent, root)
        record = read_record(path)
        if record is not None and key not in entries:
            entries[key] = _entry(key, record)
    return list(entries.values())


def _entry(key: str, record: RunRecord) -> Entry:
    return Entry(
        folder=key,
        path=record.capture,
        status="done",
        key=record.key,
        seconds=sum(stage.wall_s for stage in record.stages),
        peak_memory_mib=record.peak_memory_mib,
        facts=record.facts,
        warnings=record.warnings,
    )


def _plain(row: IndexRow) -> dict[str, object]:
    """As `dataclasses.asdict`, which copies every text: of thousands of rows that takes long."""
    return {one.name: getattr(row, one.name) for one in fields(row)}


def _row(entry: Entry, root: Path) -> IndexRow:
    facts = entry.facts
    camera, small = _mapping(facts.get("camera")), _mapping(facts.get("thumbnail"))
    calibration = _mapping(facts.get("calibration"))
    has_page = (root / entry.folder / "inspect.html").is_file()
    has_thumbnail = bool(small) and (root / entry.folder / THUMBNAIL).is_file()
    ended = entry.began + entry.seconds
    return IndexRow(
        name=Path(entry.folder).name,
        folder=entry.folder,
        capture=entry.path,
        status=entry.status,
        reason=_reason(entry),
        taken=str(facts.get("taken") or ""),
        camera=f"{camera.get('model', '')} {camera.get('serial', '')}".strip(),
        calibration=str(calibration.get("source", "")),
        made_from=str(facts.get("data_term", "")),
        scale=_number(facts.get("scale")),
        lattice_error_px=_number(calibration.get("standard_error_px")),
        seconds=round(entry.seconds, 2),
        peak_memory_mib=_number(entry.peak_memory_mib),
        attempts=entry.attempts,
        ended=datetime.fromtimestamp(ended, UTC).isoformat(timespec="seconds") if ended else "",
        warnings=entry.warnings,
        page="inspect.html" if has_page else "",
        thumbnail=THUMBNAIL if has_thumbnail else "",
        frames=int(small.get("frames", 0)) if has_thumbnail else 0,
        frame_columns=int(small.get("columns", 0)) if has_thumbnail else 0,
        frame_rows=int(small.get("rows", 0)) if has_thumbnail else 0,
    )


def _reason(entry: Entry) -> str:
    """What went wrong, without the path that messages begin with: the row has it."""
    name = Path(entry.path).name
    before, found, after = entry.reason.partition(f"{name}: ")
    told_before = entry.path.endswith(f"{before.removeprefix('./')}{name}")
    return after if found and told_before else entry.reason


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and math.isfinite(value)
    return round(float(value), 4) if known and isinstance(value, int | float) else None
