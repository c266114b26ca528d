"""``lfdfp split``: the sections of an LFP file as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import NoVerify
from lfdfp.cli.reporting import echo_json, reported_errors, say


def split_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any LFP file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for the files. Default: beside the file."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there already.")
    ] = False,
    no_verify: NoVerify = False,
    json_output: Annotated[bool, typer.Option("--json", help="Paths as JSON on stdout.")] = False,
) -> None:
    """Write every section of an LFP file to a file of its own, under lfpsplitter's names.

    Example:  lfdfp split IMG_0001-stk.lfp -o sections/
    """
    from lfdfp.lfp import split

    with reported_errors():
        folder = file.parent if output is None else output
        paths = split(file, folder, verify=not no_verify, overwrite=overwrite)
        if json_output:
            echo_json([str(path) for path in paths])
            return
        for path in paths:
            say(str(path))
