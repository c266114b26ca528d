"""The page of many results: small, whole, and safe from what file names hold."""

from __future__ import annotations

import csv
import io
import json
import re

from lfdfp.report.index_page import MARK, IndexRow, index_page, index_table

EVIL = "</script><script>alert('x')</script>&<b>"


def _data(page: str) -> dict[str, list[list[object]]]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, list[list[object]]] = json.loads(found[1])
    return data


def test_every_row_is_on_the_page() -> None:
    rows = [IndexRow(name=n, folder=n, capture=f"{n}.lfp", status="done") for n in "abc"]
    page = index_page("shots", rows)
    assert [row[0] for row in _data(page)["rows"]] == ["a", "b", "c"]
    assert MARK in page
    assert "<title>shots</title>" in page


def test_text_from_files_stays_text() -> None:
    row = IndexRow(
        name=EVIL, folder=EVIL, capture=EVIL, status="failed", reason=EVIL, warnings=(EVIL,)
    )
    page = index_page(EVIL, [row])
    assert "alert('x')</script>" not in page
    assert page.count("<script") == 2
    data = _data(page)
    assert data["rows"][0][0] == data["warnings"][0] == EVIL


def test_a_warning_of_many_captures_is_written_once() -> None:
    rows = [
        IndexRow(name=str(n), folder=str(n), capture="", status="done", warnings=("dark", str(n)))
        for n in range(3)
    ]
    data = _data(index_page("shots", rows))
    assert data["warnings"] == ["dark", "0", "1", "2"]
    assert [row[8] for row in data["rows"]] == [[0, 1], [0, 2], [0, 3]]


def test_two_thousand_captures_stay_below_three_megabytes() -> None:
    rows = [
        IndexRow(
            name=f"IMG_{n:04}",
            folder=f"2014/holiday at the sea/IMG_{n:04}",
            capture=f"/home/somebody/pictures/2014/holiday at the sea/IMG_{n:04}.lfp",
            status="done",
            taken="2014-08-12T10:11:12Z",
            camera="F01 A303134643",
            warnings=(f"{n % 17} % of the pixels are overexposed: they say nothing about detail",),
            page="inspect.html",
            thumbnail="thumbnail.webp",
            frames=7,
            frame_columns=192,
            frame_rows=192,
        )
        for n in range(2000)
    ]
    assert len(index_page("shots", rows).encode()) < 3_000_000


def test_the_table_holds_no_formulas() -> None:
    row = IndexRow(name="=cmd()", folder="@x", capture="+1", status="done", warnings=("a", "b"))
    (read,) = csv.DictReader(io.StringIO(index_table([row])))
    assert read["name"] == "'=cmd()"
    assert read["folder"] == "'@x"
    assert read["capture"] == "'+1"
    assert read["warnings"] == "a; b"
    assert read["scale"] == ""
