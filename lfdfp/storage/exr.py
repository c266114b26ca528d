"""Pictures in linear light as OpenEXR: half floats, nothing clipped, no transfer curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import replacing
from lfdfp.version import __version__

_SRGB_PRIMARIES: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""(x, y) of red, green, blue and white: ITU-R BT.709 and D65."""

_LARGEST_HALF: Final = 65504.0


def write_exr(path: Path, light: FloatArray, alpha: FloatArray | None, note: str) -> None:
    """Write scan lines of half floats, compressed without loss (ZIP).

    Parameters
    ----------
    light
        Shape (T, S, C) with C = 1 (channel Y) or 3 (R, G, B), linear light, sRGB primaries.
    alpha
        Shape (T, S), or None. The format wants colors multiplied by it, and so they are written.
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
    values = light if alpha is None else light * alpha[..., None]
    gray = values.shape[2] == 1
    channels = {"Y" if gray else "RGB": _half(values[..., 0] if gray else values)}
    if alpha is not None:
        channels["A"] = _half(alpha)
    header = {
        "compression": openexr.ZIP_COMPRESSION,
        "type": openexr.scanlineimage,
        "chromaticities": _SRGB_PRIMARIES,
        "software": f"lfdfp {__version__}",
        "comments": note,
    }
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
