"""``lfdfp info`` says what a file is."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from lfdfp.cli.main import app


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_info_says_what_a_capture_is(small_capture: Path) -> None:
    assert "raw capture" in _run("info", small_capture).stdout
    facts = json.loads(_run("info", small_capture, "--json").stdout)
    assert facts["camera"]["model"] == "F01"
