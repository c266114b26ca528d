"""``lfdfp info``: what is this file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.reporting import echo_json, reported_errors, say


def info_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="A Lytro file (.lfp, .lfr, .lfx, data.C.0), a file or folder that lfdfp made, a "
            "light field, a picture, or a folder of captures.",
        ),
    ],
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not check the sections' checksums.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Say what a file or folder is: camera, lens, exposure and sections; sizes, steps, warnings.

    Writes nothing. Example:  lfdfp info IMG_0001.lfp
    """
    from lfdfp.lfp import describe
    from lfdfp.pipeline.file_facts import file_facts

    with reported_errors():
        description = file_facts(file) or describe(file, verify=not no_verify)
    if json_output:
        echo_json(description.as_dict())
        return
    for line in description.lines():
        say(line)
