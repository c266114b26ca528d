"""Pictures in linear light as OpenEXR: half floats, nothing clipped, no transfer curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import replacing
from lfdfp.storage.pictures.color_profiles import primaries_of
from lfdfp.storage.pictures.exif import Exif
from lfdfp.storage.pictures.metadata import SOFTWARE, camera_facts
from lfdfp.storage.pictures.picture import Picture

_LARGEST_HALF: Final = 65504.0


def write_exr(path: Path, picture: Picture, exif: Exif, note: str) -> None:
    """Write scan lines of half floats, compressed without loss (ZIP): Y or R, G, B, and A.

    Parameters
    ----------
    picture
        The format wants colors multiplied by alpha, and so they are written.
    exif
        For camera and exposure, which the header holds as attributes.
    note
        Stored in the header's ``comments``.

    Raises
    ------
    ImageError
        Where the package ``openexr`` is missing.
    StorageError
        Where the file cannot be written.
    """
    openexr = require_exr(path)
    light, alpha = picture.light, picture.alpha
    values = light if alpha is None else light * alpha[..., None]
    gray = values.shape[2] == 1
    channels = {"Y" if gray else "RGB": _half(values[..., 0] if gray else values)}
    if alpha is not None:
        channels["A"] = _half(alpha)
    header = {
        "compression": openexr.ZIP_COMPRESSION,
        "type": openexr.scanlineimage,
        "chromaticities": primaries_of(picture.profile),
        "software": SOFTWARE,
        "comments": note,
        **camera_facts(exif),
    }
    _write(path, openexr, header, channels)


def write_exr_channel(path: Path, name: str, values: FloatArray) -> None:
    """Write numbers (T, S) as 32-bit floats of one channel, compressed without loss.

    Raises
    ------
    ImageError, StorageError
        As `write_exr`.
    """
    openexr = require_exr(path)
    header = {
        "compression": openexr.ZIP_COMPRESSION,
        "type": openexr.scanlineimage,
        "software": SOFTWARE,
    }
    _write(path, openexr, header, {name: np.ascontiguousarray(values, np.float32)})


def _write(path: Path, openexr: Any, header: dict[str, Any], channels: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        try:
            with openexr.File(header, channels) as file:
                file.write(str(temporary))
        except RuntimeError as error:  # what the package raises for a full disk, for example
            raise OSError(" ".join(str(error).split())) from error


def _half(values: FloatArray) -> np.ndarray[Any, np.dtype[np.float16]]:
    limited = np.clip(values, -_LARGEST_HALF, _LARGEST_HALF)
    return np.ascontiguousarray(limited.astype(np.float16))


def require_exr(path: Path) -> Any:
    """The package that writes such files.

    Raises
    ------
    ImageError
        Where it is missing; `path` is named in it.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise ImageError(
            f"{path}: OpenEXR files need the package openexr: pip install 'lfdfp[exr]'"
        ) from error
    return OpenEXR
