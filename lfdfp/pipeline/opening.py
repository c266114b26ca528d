"""Files to nouns and back, by their content and name: for those who work from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lfdfp.datatypes import FloatArray, FocalStack, LightField, RawCapture, SharpPicture
from lfdfp.errors import ImageError

if TYPE_CHECKING:
    from os import PathLike

Noun: TypeAlias = RawCapture | LightField | FocalStack | SharpPicture
"""What files hold."""


def open(path: str | PathLike[str]) -> Noun:
    """Read a raw capture, a light field in any known format, or one of this program's files.

    Parameters
    ----------
    path
        A file, or a folder of views. The content decides what it is.

    Returns
    -------
    RawCapture, LightField, FocalStack or SharpPicture
        In linear light; axes as in ``docs/conventions.md``.

    Raises
    ------
    LfdfpError
        If there is nothing, or nothing that can be read.

    Examples
    --------
    >>> field = lfdfp.open("views/")  # doctest: +SKIP
    >>> stack = lfdfp.focal_stack(field)  # doctest: +SKIP
    """
    from lfdfp.interchange.formats import read_light_field
    from lfdfp.lfp import is_capture_name, read_capture
    from lfdfp.storage.hdf5 import kind_of, load_focal_stack, load_sharp_picture

    place = Path(path)
    if is_capture_name(place):
        return read_capture(place)
    kind = kind_of(place) if place.is_file() else None
    if kind == "focal_stack":
        return load_focal_stack(place)
    if kind == "fusion_result":
        return load_sharp_picture(place)
    return read_light_field(place)


def save(
    noun: LightField | FocalStack | SharpPicture | FloatArray, path: str | PathLike[str]
) -> None:
    """Write a light field, a focal stack, a sharp picture, or any picture in linear light.

    Parameters
    ----------
    noun
        An array is a picture, shape (Y, X, 3) or (Y, X), linear light in [0, 1].
    path
        Its ending says how: ``.h5`` holds everything; a light field also becomes ``.mat``
        (LF Toolbox), ``.png`` (ESLF) or a folder of views; a sharp picture its fine picture, as
        PNG, TIFF, JPEG, WebP, AVIF or EXR.

    Raises
    ------
    LfdfpError
        If the ending does not fit what is to be written, or the place cannot be written.
    """
    from lfdfp.interchange.formats import format_of_target, write_light_field
    from lfdfp.storage.hdf5 import save_focal_stack, save_sharp_picture

    place = Path(path)
    if isinstance(noun, LightField):
        write_light_field(place, noun, format_of_target(place))
    elif isinstance(noun, FocalStack):
        if place.suffix.lower() not in {".h5", ".hdf5"}:
            raise ImageError(f"{place}: a focal stack is written as .h5")
        save_focal_stack(place, noun, {})
    elif isinstance(noun, SharpPicture) and place.suffix.lower() in {".h5", ".hdf5"}:
        save_sharp_picture(place, noun, {})
    else:
        _save_picture(noun.super_resolved if isinstance(noun, SharpPicture) else noun, place)


def _save_picture(light: FloatArray, path: Path) -> None:
    from lfdfp.storage.images import Picture, write_picture

    shown = light[..., None] if light.ndim == 2 else light
    if shown.ndim != 3:
        raise ImageError(f"{path}: a picture has the shape (Y, X, 3) or (Y, X), not {light.shape}")
    write_picture(path, Picture(light=np.ascontiguousarray(shown, np.float32)), {})
