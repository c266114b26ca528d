"""Whole commands as functions: what `lfdfp run` and `lfdfp convert` do, from Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lfdfp.errors import ImageError

if TYPE_CHECKING:
    from os import PathLike

    from lfdfp.pipeline.record import RunOptions, RunRecord
    from lfdfp.settings import Settings


def run(
    path: str | PathLike[str],
    folder: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    options: RunOptions | None = None,
    *,
    scale: int | None = None,
    resume: bool = False,
) -> RunRecord:
    """Turn one raw capture into a folder of pictures, with its page; as ``lfdfp run``.

    Parameters
    ----------
    folder
        None: beside the capture, under its name without the suffix.
    scale
        In place of the settings': 1 to 4 times finer than a view.
    resume
        Make nothing again whose input and settings are the same.

    Returns
    -------
    RunRecord
        What was made, also written to ``run.json``.

    Raises
    ------
    LfdfpError
        If the file holds no pictures, is damaged, or the folder cannot be written.
    """
    from lfdfp.pipeline.record import RunOptions
    from lfdfp.pipeline.run_capture import run_capture
    from lfdfp.settings import Settings

    place = Path(path)
    chosen = Settings() if settings is None else settings
    if scale is not None:
        chosen = replace(chosen, fusion=replace(chosen.fusion, scale=scale))
    wanted = RunOptions() if options is None else options
    target = place.with_suffix("") if folder is None else Path(folder)
    return run_capture(place, target, chosen, replace(wanted, resume=resume or wanted.resume))


def convert(source: str | PathLike[str], target: str | PathLike[str]) -> None:
    """Write a light field in another format, by the ending of `target`; as ``lfdfp convert``.

    Raises
    ------
    LfdfpError
        If `source` is no light field, is `target` itself, or the format is not written.
    """
    from lfdfp.datatypes import LightField
    from lfdfp.files import check_outputs
    from lfdfp.pipeline.opening import open, save

    check_outputs(Path(target), inputs=[Path(source)])
    field = open(source)
    if not isinstance(field, LightField):
        raise ImageError(f"{source}: holds a {type(field).__name__}, where a light field is needed")
    save(field, target)
