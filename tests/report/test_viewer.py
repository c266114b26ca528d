"""The page in a real browser; skipped where Chromium or Selenium is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lfdfp.datatypes import Depth, FocalStack, Provenance, RayEvidence, SharpPicture
from lfdfp.report.page import (
    ELEMENT,
    PageMap,
    PagePicture,
    PageSlices,
    inspection_page,
    picture_element,
)
from lfdfp.report.run_outputs import write_page
from tests.report.browser import headless_browser

pytestmark = pytest.mark.slow

_PATIENCE_S = 40.0
_NEAR, _FAR = -0.4, 0.3
_EVIL = "<script>window.hurt = 1</script>"


def _page(path: Path) -> None:
    """A near square in the middle of a far wall."""
    rng = np.random.default_rng(0)
    t, s, k = 60, 80, 2
    light = rng.random((k * t, k * s, 3), np.float32)
    fine = np.full((k * t, k * s), _FAR, np.float32)
    fine[40:80, 60:100] = _NEAR
    picture = SharpPicture(
        all_in_focus=light[::2, ::2].copy(),
        super_resolved=light,
        scale=k,
        depth=Depth(
            disparity=fine[::2, ::2].copy(),
            confidence=np.ones((t, s), np.float32),
            fine_disparity=fine,
            angular_shape=(9, 9),
        ),
        evidence=RayEvidence(observability=fine - _NEAR, standard_error=None),
        provenance=Provenance(data_term="rays", prior="total variation"),
    )
    stack = FocalStack(
        slices=rng.random((3, t, s, 3), np.float32),
        slopes=np.linspace(_NEAR, _FAR, 3),
        reference_view=rng.random((t, s, 3), np.float32),
        focus_curves=rng.random((3, 4, 5), np.float32),
    )
    write_page(path, picture, stack, title=_EVIL, facts={"Camera": _EVIL}, warnings=[_EVIL])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    page = tmp_path_factory.mktemp("page") / "inspect.html"
    _page(page)
    with headless_browser(tmp_path_factory.mktemp("profile")) as window:
        window.get(page.as_uri())
        yield window


def _until(browser: Any, script: str) -> bool:
    """Whether a condition in the page comes true."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if browser.execute_script(f"return {script}"):
            return True
        time.sleep(0.1)
    return False


def _click(browser: Any, x: float, y: float) -> None:
    """Click at a share of the picture's width and height."""
    from selenium.webdriver.common.action_chains import ActionChains

    port = browser.find_element("id", "viewport")
    left, top, scale = browser.execute_script("return [state.x, state.y, state.scale]")
    columns, rows = browser.execute_script("return [width, height]")
    across = left + scale * columns * x - port.rect["width"] / 2
    down = top + scale * rows * y - port.rect["height"] / 2
    ActionChains(browser).move_to_element_with_offset(port, across, down).click().perform()


def _press(browser: Any, key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.execute_script("document.activeElement.blur()")
    ActionChains(browser).send_keys(key).perform()


def test_first_sight_compares_the_picture_with_the_center_view(browser: Any) -> None:
    assert browser.execute_script("return [state.view, state.compare]") == ["sharp", "center"]
    left = browser.execute_script("return document.getElementById('left').style.clipPath")
    assert "50%" in left


@pytest.mark.parametrize(("x", "y", "slope"), [(0.5, 0.5, _NEAR), (0.1, 0.1, _FAR)])
def test_a_click_focuses_on_what_is_there(browser: Any, x: float, y: float, slope: float) -> None:
    _click(browser, x, y)
    assert _until(browser, f"Math.abs(state.slope - {slope}) < 0.01")
    assert browser.execute_script("return state.view") == "refocus"
    assert browser.execute_script("return !document.getElementById('curve').hidden")


def test_looking_around_moves_near_things_against_the_look(browser: Any) -> None:
    _press(browser, "5")  # not a refocusing layer: waits for the renderer below
    browser.execute_script("show('refocus'); state.aperture = 0; state.slope = 0;")
    assert _until(browser, "renderer !== null")
    read = """
      state.look = [arguments[0], 0]; renderer.draw(1, 1);
      const gl = renderer.gl, pixels = new Uint8Array(4 * width * height);
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      return Array.from({length: width}, (_, s) => pixels[4 * ((height - 60) * width + s)]);"""
    middle, moved = (np.array(browser.execute_script(read, look)) for look in (0, 3))
    shift = round(2 * _NEAR * 3)  # near is negative: it moves against the viewpoint
    np.testing.assert_allclose(moved[70:90], middle[70 - shift : 90 - shift], atol=40)


def test_keys_choose_layers_and_zoom(browser: Any) -> None:
    _press(browser, "1")
    assert browser.execute_script("return state.view") == "sharp"
    before = browser.execute_script("return state.scale")
    _press(browser, "+")
    assert browser.execute_script("return state.scale") > before
    _press(browser, "0")
    assert browser.execute_script("return state.scale") == pytest.approx(before)


def test_maps_tell_the_value_under_the_cursor(browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.execute_script("show('disparity', '')")
    assert _until(browser, "find('disparity').values !== undefined")
    ActionChains(browser).move_to_element(browser.find_element("id", "viewport")).perform()
    assert "-0.4" in browser.find_element("id", "value").text
    assert "near" in browser.find_element("id", "legend").text


def test_a_deep_link_restores_what_is_shown(browser: Any) -> None:
    address = browser.current_url.split("#")[0]
    browser.get("about:blank")
    browser.get(address + "#view=refocus&x=0.5&y=0.5&aperture=2.00")
    assert _until(browser, f"Math.abs(state.slope - {_NEAR}) < 0.01")
    assert browser.execute_script("return [state.view, state.aperture]") == ["refocus", 2]


def _row_of(browser: Any, canvas: str, row: int) -> Any:
    """Red of one row of a canvas."""
    script = """
      const canvas = document.querySelector(arguments[0]);
      const bytes = canvas.getContext("2d").getImageData(0, arguments[1], canvas.width, 1).data;
      return Array.from(bytes).filter((_, k) => k % 4 === 0);"""
    return np.array(browser.execute_script(script, canvas, row), float)


def test_a_row_becomes_an_epipolar_slice_in_which_near_things_lean(browser: Any) -> None:
    _click(browser, 0.5, 0.5)
    _press(browser, "e")
    canvas = "#epipolarFigure canvas"
    assert _until(browser, f"document.querySelector('{canvas}').width === width")
    assert _until(browser, "document.querySelector('#epipolarFigure figcaption').textContent")
    middle, last = _row_of(browser, canvas, 4 * 16), _row_of(browser, canvas, 4 * 32)
    shift = round(2 * _NEAR * 4.5)  # pixels of the picture, from the middle to the last view
    np.testing.assert_array_equal(last[70:90], middle[70 - shift : 90 - shift])
    assert "Rendered" in browser.find_element("id", "epipolarFigure").text
    assert browser.execute_script("return !document.getElementById('rowLine').hidden")
    _press(browser, "e")
    assert browser.execute_script("return document.getElementById('rowLine').hidden")


def test_the_focus_curve_has_every_slice_and_says_where_focus_is(browser: Any) -> None:
    _click(browser, 0.5, 0.5)
    assert _until(browser, f"Math.abs(state.slope - {_NEAR}) < 0.01")
    figure = browser.find_element("id", "curve")
    assert len(figure.find_elements("css selector", "circle")) == 3
    assert "Focus measure at" in figure.text
    line = browser.execute_script("return document.querySelector('#curve .now').getAttribute('x1')")
    assert float(line) == pytest.approx(5, abs=1)  # at the nearest slice


def test_the_histogram_is_that_of_what_is_shown(browser: Any) -> None:
    name = "document.getElementById('histogramName').textContent"
    browser.execute_script("show('sharp', '')")
    assert "red, green, blue" in browser.execute_script(f"return {name}")
    browser.execute_script("show('disparity', '')")
    assert _until(browser, f"{name} === 'Histogram: Disparity'")
    assert _until(browser, "find('disparity').values !== undefined")
    ends = """const canvas = document.getElementById('histogram');
      return [0, 128, 254].map(x => canvas.getContext('2d').getImageData(x, 78, 1, 1).data[3]);"""
    low, between, high = browser.execute_script(ends)
    assert low > 0
    assert between == 0
    assert high > 0 or browser.execute_script(ends.replace("254", "255"))[2] > 0


def test_a_narrow_window_does_not_overflow(browser: Any) -> None:
    browser.set_window_size(500, 844)
    try:
        for view in ("sharp", "disparity", "refocus"):
            browser.execute_script(f"show('{view}', '')")
            wide, window = browser.execute_script(
                "return [document.documentElement.scrollWidth, innerWidth]"
            )
            assert wide <= window
        name = "return document.querySelector('th').getBoundingClientRect().width"
        assert browser.execute_script(name) > 90  # words, not letters below each other
    finally:
        browser.set_window_size(1400, 900)


def test_nothing_is_wrong_nothing_leaves_and_text_stays_text(browser: Any) -> None:
    severe = [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]
    assert severe == []
    requests = [
        one["message"]
        for one in browser.get_log("performance")
        if "Network.requestWillBeSent" in one["message"]
    ]
    assert not [one for one in requests if '"url":"http' in one]
    assert browser.execute_script("return window.hurt") is None
    assert _EVIL in browser.find_element("tag name", "h1").text


def test_the_picture_is_the_same_without_a_stack(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "plain.html"
    picture = SharpPicture(
        all_in_focus=np.zeros((8, 9, 3), np.float32),
        super_resolved=np.zeros((8, 9, 3), np.float32),
        scale=1,
        provenance=Provenance(data_term="stack", prior="none"),
    )
    write_page(path, replace(picture, depth=None), None, title="t", facts={}, warnings=[])
    browser.get(path.as_uri())
    assert browser.execute_script("return layers.length") == 1


def test_an_element_shows_the_page_in_another_and_tells_it_where_to_focus(
    tmp_path: Path, browser: Any
) -> None:
    _page(tmp_path / "inspect.html")
    (tmp_path / ELEMENT).write_text(picture_element(), encoding="utf-8")
    host = tmp_path / "host.html"
    host.write_text(
        f"""<!doctype html><script src="{ELEMENT}"></script>
        <lf-picture id="shot" src="inspect.html" aperture="2" style="width:600px"></lf-picture>
        <script>var told = [], loaded = false, shot = document.getElementById("shot");
        shot.addEventListener("focuschange", (event) => told.push(event.detail));
        shot.addEventListener("load", () => {{ loaded = true; }});
        shot.focus(0.5, 0.5);</script>""",
        encoding="utf-8",
    )
    browser.get(host.as_uri())
    assert _until(browser, f"told.some((one) => Math.abs(one.disparity - {_NEAR}) < 0.01)")
    assert browser.execute_script("return loaded && shot.offsetHeight") == 450
    browser.execute_script(f"shot.setFocus({_FAR})")
    assert _until(browser, f"Math.abs(told.at(-1).disparity - {_FAR}) < 0.01")
    browser.switch_to.frame(0)
    display = "getComputedStyle(document.querySelector('header')).display"
    seen = browser.execute_script(f"return [state.view, state.aperture, {display}]")
    browser.switch_to.default_content()
    assert seen == ["refocus", 2, "none"]


def test_in_photographs_a_click_finds_the_one_that_was_taken_there(
    tmp_path: Path, browser: Any
) -> None:
    numbers = np.ones((30, 40), np.float32)
    numbers[:, 20:] = 3
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (3, 30, 40, 3), np.uint8)
    path = tmp_path / "photographs.html"
    page = inspection_page(
        title="t",
        pictures=[PagePicture(name="sharp", title="All", caption="", picture=frames[0])],
        maps=[
            PageMap(
                name="decision",
                title="Decision",
                caption="",
                values=numbers,
                ends=("", ""),
                whole=True,
            )
        ],
        slices=PageSlices(
            slices=list(frames),
            labels=["a", "b", _EVIL],
            numbers=[0, 1, 2],
            curves=rng.random((3, 2, 2), np.float32),
        ),
        facts={},
        warnings=[],
    )
    path.write_text(page, encoding="utf-8")
    browser.get(path.as_uri())
    _click(browser, 0.75, 0.5)
    assert _until(browser, "state.view === 'slices' && nearestSlice() === 2 && state.slope === 2")
    assert browser.find_element("id", "caption").text == _EVIL
    assert "3 of 3" in browser.find_element("id", "focusValue").text
    _click(browser, 0.25, 0.5)
    assert _until(browser, "state.slope === 0")
    _press(browser, "]")
    assert _until(browser, "state.slope === 1")


def test_a_stack_without_depth_is_focused_where_it_is_sharpest(
    tmp_path: Path, browser: Any
) -> None:
    curves = np.zeros((5, 2, 2), np.float32)
    curves[:, :, 0] = np.array([0, 1, 4, 4, 1])[:, None]
    curves[4, :, 1] = 1
    stack = FocalStack(
        slices=np.random.default_rng(2).random((5, 20, 20, 3), np.float32),
        slopes=np.linspace(-1, 1, 5),
        focus_curves=curves,
    )
    view = stack.slices[2]
    made = Provenance(data_term="stack", prior="none")
    picture = SharpPicture(all_in_focus=view, super_resolved=view, scale=1, provenance=made)
    path = tmp_path / "stack.html"
    write_page(
        path,
        picture,
        stack,
        plain="Middle slice",
        views=[*stack.slices],
        title="t",
        facts={},
        warnings=[],
    )
    browser.get(path.as_uri())
    _click(browser, 0.25, 0.5)
    assert _until(browser, "Math.abs(state.slope - 0.25) < 0.01 && state.view === 'refocus'")
    assert browser.execute_script("return element(find('refocus')).naturalWidth") == 20
    _click(browser, 0.75, 0.5)
    assert _until(browser, "Math.abs(state.slope - 1) < 0.01")
    _press(browser, "e")
    assert _until(browser, "document.querySelector('#epipolarFigure canvas').width === 20")
    assert browser.execute_script("return layers.map(l => l.title)") == ["Middle slice", "Refocus"]
