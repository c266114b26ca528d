"""The page stands alone, and text from files cannot become markup in it."""

from __future__ import annotations

import re

import numpy as np

from lfdfp.datatypes import FocalStack
from lfdfp.report.contact_sheet import contact_sheet
from lfdfp.report.maps import colored, disparity_picture
from lfdfp.report.page import PageMap, PagePicture, PageSlices, inspection_page

EVIL = "<script>alert(1)</script>\" onload='x' $data ${title} </title>"


def _page(text: str) -> str:
    picture = np.zeros((8, 12, 3), np.uint8)
    values = np.zeros((8, 12), np.float32)
    return inspection_page(
        title=text,
        pictures=[PagePicture(name="sharp", title=text, caption=text, picture=picture)],
        maps=[PageMap(name="map", title=text, caption=text, values=values, ends=(text, text))],
        slices=PageSlices(slices=[picture, picture], labels=[text, text]),
        facts={text: text},
        warnings=[text],
    )


def test_text_from_files_is_escaped() -> None:
    page = _page(EVIL)
    assert "<script>alert" not in page
    assert page.count("<script") == 2


def test_the_page_asks_for_nothing_from_outside() -> None:
    page = _page("a title")
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "a title" in page


def test_a_color_scale_marks_what_is_not_known_in_gray() -> None:
    values = np.array([[0.0, 1.0, np.nan]], np.float32)
    picture = colored(values, 0, 1)
    assert tuple(picture[0, 2]) == (128, 128, 128)
    assert picture[0, 0, 2] > picture[0, 0, 0]
    assert picture[0, 1, 0] > picture[0, 1, 2]


def test_near_is_red_in_a_disparity_picture() -> None:
    disparity = np.repeat(np.linspace(-1, 1, 64, dtype=np.float32)[None], 32, axis=0)
    picture = disparity_picture(disparity).astype(int)
    assert picture[5, 2, 0] > picture[5, 2, 2]
    assert picture[5, -3, 2] > picture[5, -3, 0]


def test_a_contact_sheet_shows_every_slice() -> None:
    slices = np.linspace(0.1, 1, 5, dtype=np.float32)[:, None, None, None].repeat(30, 1)
    stack = FocalStack(slices=np.broadcast_to(slices, (5, 30, 40, 3)).copy())
    sheet = contact_sheet(stack, tile_columns=40)
    levels = {int(v) for v in np.unique(sheet[..., 0])}
    assert len(levels) >= 5
