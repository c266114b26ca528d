"""Every table of figures in the docs stands beside the command that makes it, and that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from lfdfp.cli.commands import COMMANDS
from lfdfp.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "measurements").rglob("*.md"))
_BENCHMARK = re.compile(r"python\s+-m\s+(lfdfp\.[\w.]+)([^`\n]*)")
_COMMAND = re.compile(r"(?:^|`)lfdfp (\w+)([^`\n]*)", re.M)


def _sections(text: str) -> Iterator[str]:
    yield from re.split(r"^(?=#+ )", text, flags=re.M)


def _tables(section: str) -> list[str]:
    return re.findall(r"(?:^\|.*\n)+", section, re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_table_has_its_command(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    chapter = ""
    for section in _sections(text):
        if section.startswith(("# ", "## ")):
            chapter = section
        if page.stem == "index" or not _tables(section):
            continue
        made_by = _BENCHMARK.search(section) or _COMMAND.search(section)
        made_by = made_by or _BENCHMARK.search(chapter) or _COMMAND.search(chapter)
        assert made_by, f"no command makes the table of {section.splitlines()[0]!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_their_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module, arguments in _BENCHMARK.findall(text):
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        assert path.is_file(), module
        source = path.read_text(encoding="utf-8")
        for option in re.findall(r"--[a-z][\w-]*", arguments):
            assert f'"{option}"' in source, f"{module} has no option {option}"
    commands = typer.main.get_command(app)
    for name, arguments in _COMMAND.findall(text):
        assert name in COMMANDS, name
        known = {option for one in commands.get_command(None, name).params for option in one.opts}
        for option in re.findall(r"--[a-z][\w-]*", arguments):
            assert option in known, f"lfdfp {name} has no option {option}"
