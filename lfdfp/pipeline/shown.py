"""A stored result as it is shown: read, with the rendition of the run that made it."""

from __future__ import annotations

from pathlib import Path

from lfdfp.datatypes import FocalStack, SharpPicture
from lfdfp.errors import StorageError
from lfdfp.pipeline.reuse import FUSION


def shown_picture(result: Path) -> SharpPicture:
    """The sharp picture in a folder that a run made, or in its ``fusion.h5``, as the run showed it.

    Raises
    ------
    StorageError
        If there is none, or it cannot be read.
    """
    from lfdfp.storage.hdf5 import load_sharp_picture

    path = result / FUSION if result.is_dir() else result
    if not path.is_file():
        raise StorageError(
            f"{result}: holds no {FUSION}; `lfdfp run --keep solution` and `lfdfp fuse` keep one"
        )
    return as_shown(load_sharp_picture(path), None, path)[0]


def as_shown(
    picture: SharpPicture, stack: FocalStack | None, path: Path
) -> tuple[SharpPicture, FocalStack | None]:
    """As the run showed it that made the file at `path`, by what the file tells of its colors."""
    from lfdfp.imaging.rendition import (
        COLORS,
        CameraColors,
        rendered_picture,
        rendered_stack,
        rendition_for,
    )
    from lfdfp.settings import settings_from_mapping
    from lfdfp.storage.hdf5 import provenance_of

    told = provenance_of(path) if path.suffix in (".h5", ".hdf5") and path.is_file() else {}
    colors = CameraColors.told(told.get(COLORS))
    if colors is None:
        return picture, stack
    settings = told.get("settings")
    display = settings.get("display", {}) if isinstance(settings, dict) else {}
    wanted = settings_from_mapping({"display": display}, origin=str(path)).display
    rendition = rendition_for(wanted, picture.all_in_focus, colors)
    shown = None if stack is None else rendered_stack(stack, rendition)
    return rendered_picture(picture, rendition), shown
