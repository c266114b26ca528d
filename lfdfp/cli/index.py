"""``lfdfp index``: the pages of a folder of results, made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.options import Json
from lfdfp.cli.reporting import echo_json, fail, reported_errors, say


def index_command(
    results: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of results of `lfdfp batch` or `run`.")
    ],
    json_output: Json = False,
) -> None:
    """Make index.html, index.csv and index.json of a folder of results anew.

    What the folder holds is found by lfdfp-batch.sqlite, and by every run.json below it.

    Example:  lfdfp index results/
    """
    from lfdfp.pipeline.batch.index import found_entries, write_index

    if not results.is_dir():
        raise fail(f"{results}: there is no such folder")
    with reported_errors():
        entries = found_entries(results)
        if not entries:
            raise fail(f"{results}: there are no results in this folder")
        written = write_index(results, entries)
    if json_output:
        echo_json({"captures": len(entries), "files": [str(path) for path in written]})
    else:
        say(f"{written[0]}: {len(entries)} captures")
