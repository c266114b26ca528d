"""``lfdfp split`` writes the sections of a file."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from lfdfp.cli.main import app


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_split_writes_every_section(small_capture: Path, tmp_path: Path) -> None:
    result = _run("split", small_capture, "-o", tmp_path / "sections", "--json")
    paths = [Path(path) for path in json.loads(result.stdout)]
    assert paths
    assert all(path.parent == tmp_path / "sections" and path.is_file() for path in paths)
