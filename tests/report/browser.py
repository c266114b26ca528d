"""A real browser without a window; tests that want one are skipped where it is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def headless_browser(profile: Path) -> Iterator[Any]:
    """Chromium, 1400 × 900 pixels, driven by Selenium, with its settings in `profile`."""
    pytest.importorskip("selenium", reason="the browser is driven by selenium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no Chromium with its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new --no-sandbox --disable-quic --no-first-run --disable-component-update "
        "--disable-background-networking --disable-sync --use-angle=swiftshader "
        f"--enable-unsafe-swiftshader --window-size=1400,900 --user-data-dir={profile}"
    ).split():
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()
