"""``lfdfp info``: what is this file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.reporting import echo_json, printable, reported_errors


def info_command(
    file: Annotated[Path, typer.Argument(help="Any LFP file (.lfp, .lfr, .lfx, data.C.0).")],
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not check the sections' checksums.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Facts as JSON on stdout.")] = False,
) -> None:
    """Say what a file is: camera, serial, lens, exposure, sections, checksums.

    Writes nothing. Example:  lfdfp info IMG_0001.lfp
    """
    from lfdfp.lfp import describe

    with reported_errors():
        facts = describe(file, verify=not no_verify).as_dict()
        if json_output:
            echo_json(facts)
            return
        for line in _lines(facts):
            typer.echo(printable(line))


def _lines(facts: object, indent: int = 0) -> list[str]:
    """Nested facts as indented ``name: value`` lines; what is not known is left out."""
    space = "  " * indent
    if isinstance(facts, dict):
        lines = []
        for name, value in facts.items():
            if value is None or value == [] or value == {} or value == "":
                continue
            label = str(name).replace("_", " ")
            if isinstance(value, (dict, list, tuple)) and _nested(value):
                lines += [f"{space}{label}:", *_lines(value, indent + 1)]
            else:
                lines.append(f"{space}{label}: {_plain(value)}")
        return lines
    if isinstance(facts, (list, tuple)):
        return [line for value in facts for line in _item_lines(value, indent)]
    return [f"{space}{_plain(facts)}"]


def _nested(value: dict[str, object] | list[object] | tuple[object, ...]) -> bool:
    return isinstance(value, dict) or any(isinstance(v, (dict, list, tuple)) for v in value)


def _item_lines(value: object, indent: int) -> list[str]:
    space = "  " * indent
    if isinstance(value, dict):
        known = (f"{k} {_plain(v)}" for k, v in value.items() if v not in (None, "", [], {}))
        return [f"{space}- {', '.join(known)}"]
    return [f"{space}- {_plain(value)}"]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) for v in value)
    return str(value)
