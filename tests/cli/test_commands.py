"""The list of commands is the commands: each is there, is described, and is found when mistyped."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from typer.testing import CliRunner

import lfdfp.cli
from lfdfp.cli.commands import COMMANDS
from lfdfp.cli.main import app

runner = CliRunner()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = runner.invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"lfdfp {name}" in " ".join(result.output.split())


def test_no_command_is_left_out_of_the_list() -> None:
    modules = [module.name for module in pkgutil.iter_modules(lfdfp.cli.__path__)]
    defined = {
        name.removesuffix("_command")
        for module in modules
        for name in vars(importlib.import_module(f"lfdfp.cli.{module}"))
        if name.endswith("_command")
    }
    assert defined == set(COMMANDS)


def test_the_list_fits_a_terminal() -> None:
    lines = runner.invoke(app, ["--help"], terminal_width=80).output.splitlines()
    for name, listed in COMMANDS.items():
        assert any(line.split() == [name, *listed.says.split()] for line in lines)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("IMG_0001.lfp", "lfdfp run IMG_0001.lfp"), ("inf", "did you mean info?"), ("xyzzy", "xyzzy")],
)
def test_what_is_no_command_is_answered(typed: str, said: str) -> None:
    result = runner.invoke(app, [typed])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
