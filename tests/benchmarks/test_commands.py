"""Benchmarks are commands: they start, say how they are used, and run on a small capture."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import lfdfp

_PACKAGE = f"{lfdfp.__path__[0]}/benchmarks"
_HELP = """
import contextlib, io, runpy, sys
for name in sys.argv[1:]:
    sys.argv = [name, "--help"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        runpy.run_module(f"lfdfp.benchmarks.{name}", run_name="__main__")
    print(name, "usage:" in said.getvalue())
"""
_PARTS = {"fusion_methods", "fusion_speed", "photograph_pairs"}
"""Modules that `fusion` takes its methods, times and pairs from."""


@pytest.mark.slow
def test_every_benchmark_says_how_it_is_used() -> None:
    commands = [m.name for m in pkgutil.iter_modules([_PACKAGE]) if m.name not in _PARTS]
    assert len(commands) >= 10
    run = subprocess.run(
        [sys.executable, "-c", _HELP, *commands], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [f"{name} True" for name in commands]


@pytest.mark.slow
def test_every_step_of_the_table_runs() -> None:
    command = [sys.executable, "-m", "lfdfp.benchmarks.ray_steps", "--size", "300"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "| strength of the prior | 1 |" in table
    assert "100 %" in table
