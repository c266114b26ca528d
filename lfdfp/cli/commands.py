"""The commands by name: each is imported when it is called, so that help appears at once."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, get_type_hints

import typer
from typer.core import TyperGroup

HELP_NAMES: Final = {"help_option_names": ["-h", "--help"]}


class Listed(NamedTuple):
    """A command in the list of all: its function, and what it does in a few words."""

    function: str
    says: str


COMMANDS: Final[Mapping[str, Listed]] = {
    "run": Listed("run:run_command", "Turn raw captures into sharp pictures."),
    "batch": Listed("batch:batch_command", "Turn folders of captures into a folder of results."),
    "index": Listed("index:index_command", "List a folder of results: a page, CSV and JSON."),
    "info": Listed("info:info_command", "Say what a file is."),
    "doctor": Listed("doctor:doctor_command", "Say what would make a capture's picture better."),
    "calibrate": Listed("calibrate:calibrate_command", "Build a camera's calibration file."),
    "split": Listed("split:split_command", "Write the sections of an LFP file to files."),
    "decode": Listed("decode:decode_command", "Decode a raw capture to a light field."),
    "convert": Listed("convert:convert_command", "Convert a light field between formats."),
    "refocus": Listed("refocus:refocus_command", "Refocus a light field on planes."),
    "disparity": Listed("disparity:disparity_command", "Estimate the center view's disparity."),
    "fuse": Listed("fuse:fuse_command", "Fuse photographs of different focus."),
    "inspect": Listed("inspect:inspect_command", "Write one page to look at a result."),
    "export": Listed("export:export_command", "Make animations, stereo pictures, depth files."),
    "evaluate": Listed("evaluate:evaluate_command", "Say how good a picture is."),
    "simulate": Listed("simulate:simulate_command", "Simulate a raw capture of known truth."),
}
"""In the order of the list: what most people need comes first."""


class LazyCommands(TyperGroup):
    """A group that knows its commands by the table above."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command; None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].function.split(":")
        alone = typer.Typer(
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            context_settings=HELP_NAMES,
        )
        command = getattr(importlib.import_module(f"lfdfp.cli.{module}"), function)
        _leave_files_to_readers(command)
        alone.command(cmd_name)(command)
        return typer.main.get_command(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.says) for name, listed in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; for a file's name, say how it is run."""
        name = args[0]
        if name not in COMMANDS and (Path(name).suffix or Path(name).exists()):
            ctx.fail(f"{name!r} is no command; to make its picture:  lfdfp run {name}")
        like = difflib.get_close_matches(name, COMMANDS, n=1)
        if name not in COMMANDS and like:
            ctx.fail(f"{name!r} is no command; did you mean {like[0]}?")
        return super().resolve_command(ctx, args)


def _leave_files_to_readers(command: Callable[..., None]) -> None:
    """Drop typer's own check of files: it says four lines, as of an option that does not exist."""
    for hint in get_type_hints(command, include_extras=True).values():
        for described in getattr(hint, "__metadata__", ()):
            if hasattr(described, "readable"):
                described.readable = False
