"""The page of many results in a real browser; skipped where Chromium or Selenium is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lfdfp.report.index_page import IndexRow, index_page
from tests.report.browser import headless_browser

pytestmark = pytest.mark.slow

_PATIENCE_S = 20.0
_COUNT = 2000
_COLUMNS, _FRAMES = 192, 7
_EVIL = "<script>window.hurt = 1</script>"


def _rows() -> list[IndexRow]:
    return [
        IndexRow(
            name=f"IMG_{n:04}",
            folder=f"IMG_{n:04}",
            capture=f"shots/IMG_{n:04}.lfp",
            status="failed" if n % 20 == 19 else "done",
            reason=_EVIL if n % 20 == 19 else "",
            taken=f"2014-08-{1 + n % 28:02}T10:{n % 60:02}:12Z",
            camera=("F01 A303134643", "ILLUM B5143909630")[n % 2],
            warnings=(_EVIL, f"{n % 17} % are overexposed") if n % 3 == 0 else (),
            page="inspect.html",
            thumbnail="thumbnail.webp",
            frames=_FRAMES,
            frame_columns=_COLUMNS,
            frame_rows=_COLUMNS,
        )
        for n in range(_COUNT)
    ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("results")
    strip = np.random.default_rng(0).integers(0, 255, (_COLUMNS, _COLUMNS * _FRAMES, 3), np.uint8)
    for row in _rows():
        (folder / row.folder).mkdir()
        target = folder / row.folder / row.thumbnail
        if row.name == "IMG_0000":
            Image.fromarray(strip).save(target, "WEBP", quality=30)
        else:
            target.write_bytes((folder / "IMG_0000" / row.thumbnail).read_bytes())
    (folder / "index.html").write_text(index_page(_EVIL, _rows()), encoding="utf-8")
    with headless_browser(tmp_path_factory.mktemp("profile")) as window:
        window.get("about:blank")
        window.get((folder / "index.html").as_uri())
        yield window


def test_two_thousand_captures_open_within_a_second(browser: Any) -> None:
    took_ms = browser.execute_script(
        "const [one] = performance.getEntriesByType('navigation');"
        "return one.loadEventEnd - one.startTime"
    )
    assert 0 < took_ms < 1000
    assert browser.execute_script("return document.querySelectorAll('#cards > li').length") > 20
    assert browser.find_element("id", "count").text == "2000 of 2000"


def test_text_from_files_runs_nothing(browser: Any) -> None:
    assert browser.execute_script("return window.hurt") is None
    assert browser.title == _EVIL
    assert _EVIL in browser.find_element("css selector", "#cards").get_attribute("textContent")


def test_only_pictures_near_the_screen_are_loaded(browser: Any) -> None:
    end = time.monotonic() + _PATIENCE_S
    strips = [""]
    while not strips[0] and time.monotonic() < end:  # the browser tells of what is in view later
        strips = browser.execute_script(
            "return [...document.querySelectorAll('.strip')].map(s => s.style.backgroundImage)"
        )
    assert strips[0]
    assert not strips[-1]


def test_a_picture_refocuses_under_the_pointer(browser: Any) -> None:
    def shown() -> str:
        return str(
            browser.execute_script(
                "return document.querySelector('.strip').style.backgroundPositionX"
            )
        )

    def move(kind: str, part: float) -> None:
        browser.execute_script(
            "const s = document.querySelector('.strip'), b = s.getBoundingClientRect();"
            "s.dispatchEvent(new PointerEvent(arguments[0], {bubbles: true,"
            "clientX: b.left + arguments[1] * b.width, clientY: b.top + 5}));",
            kind,
            part,
        )

    move("pointermove", 0.01)
    nearest = shown()
    move("pointermove", 0.99)
    farthest = shown()
    move("pointerleave", 0.5)
    assert (nearest, farthest, shown()) == (f"-{_COLUMNS}px", f"-{_COLUMNS * 6}px", "0px")


def test_captures_can_be_filtered_and_sorted(browser: Any) -> None:
    def choose(name: str, value: str) -> tuple[str, str]:
        browser.execute_script(
            "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('input'))",
            name,
            value,
        )
        first = browser.find_element("css selector", "#cards .name").text
        return browser.find_element("id", "count").text, first

    assert choose("status", "failed") == ("100 of 2000", "IMG_0019")
    assert choose("status", "") == ("2000 of 2000", "IMG_0000")
    assert choose("camera", "ILLUM B5143909630")[0] == "1000 of 2000"
    assert choose("camera", "")[0] == "2000 of 2000"
    assert choose("search", "img_1234")[1] == "IMG_1234"
    choose("search", "")
    assert choose("sort", "newest")[1] == "IMG_0419"
    choose("sort", "name")
