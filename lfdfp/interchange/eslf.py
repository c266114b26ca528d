"""ESLF pictures (Lytro Power Tools, Stanford archive): one picture of all lenslets' images.

Under lenslet (t, s) lie V x U pixels, so that ray (v, u, t, s) is pixel (V t + v, U s + u). The
picture is encoded with the sRGB curve; alpha, where there is one, is the weight. Where there is
none, a pixel that is black while the middle of its lenslet is not lies outside the lenslet's image.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.files import write_bytes
from lfdfp.interchange.coded_light import (
    Codes,
    check_size,
    encoded_view,
    encoded_weight,
    field_of_codes,
    has_weights,
    rgb_or_gray,
)
from lfdfp.storage.images import Bits, picture_size, png_text, read_codes

_USUAL_SIZES: Final = (14, 15)
"""Pixels per lenslet that Lytro's tools (14) and this camera's full lenslets (15) have."""

_LARGEST_SIZE: Final = 99
_SIGNATURE_AND_HEADER: Final = 33
_NOTE_KEY: Final = "angular_size"

AngularSize = tuple[int, int]


def read_eslf(path: Path, *, angular_size: AngularSize | None = None) -> LightField:
    """Read an ESLF picture, 8 or 16 bits.

    Parameters
    ----------
    angular_size
        (V, U), pixels per lenslet. Default: what the file notes, else 14 or 15, whichever divides
        the picture.

    Raises
    ------
    ImageError
        If the file is no picture, is too large, or its size does not divide.
    """
    size = picture_size(path)
    views, how = _angular_size(path, size, angular_size)
    check_size(path, (*size, 3))
    values = read_codes(path)
    maximum = int(np.iinfo(values.dtype).max)
    parts = (values[v :: views[0], u :: views[1]] for v, u in np.ndindex(views))
    field = field_of_codes((Codes(values=part, maximum=maximum) for part in parts), views)
    if values.shape[2] in (1, 3):
        field = _without_black_corners(field)
    note = f"ESLF picture read, {views[0]} x {views[1]} pixels per lenslet ({how})"
    return replace(field, history=(note,))


def write_eslf(path: Path, field: LightField, *, bits: Bits = 16) -> None:
    """Write an ESLF PNG; weights other than 1 as alpha, the angular size as a text chunk.

    Raises
    ------
    ImageError
        If the field is neither gray nor RGB, or `path` is no ``.png``.
    """
    if path.suffix.lower() != ".png":
        raise ImageError(f"{path}: ESLF pictures are written as .png, not {path.suffix!r}")
    rgb_or_gray(path, field)
    done, content = cv2.imencode(".png", _mosaic(field, bits), [cv2.IMWRITE_PNG_COMPRESSION, 4])
    if not done:
        raise ImageError(f"{path}: the picture could not be encoded as PNG")
    note = json.dumps({_NOTE_KEY: list(field.angular_shape)})
    write_bytes(path, _with_text(content.tobytes(), note))


def _mosaic(field: LightField, bits: Bits) -> NDArray[Any]:
    """The picture's values, shape (V T, U S, C), in OpenCV's order of channels."""
    maximum = 255 if bits == 8 else 65535
    (rows, columns), (height, width) = field.angular_shape, field.spatial_shape
    weighted = has_weights(field)
    colors = 3 if weighted else field.views.shape[4]
    shape = (rows * height, columns * width, colors + weighted)
    picture = np.empty(shape, np.uint8 if bits == 8 else np.uint16)
    for v, u in np.ndindex(rows, columns):
        picture[v::rows, u::columns, :colors] = encoded_view(field, v, u, maximum)[..., ::-1]
        if weighted:
            picture[v::rows, u::columns, 3] = encoded_weight(field, v, u, maximum)
    return picture


def _angular_size(
    path: Path, size: tuple[int, int], given: AngularSize | None
) -> tuple[AngularSize, str]:
    """(V, U) and how it is known."""
    noted = given or _noted_size(path)
    if noted is not None:
        if (
            not all(1 <= n <= _LARGEST_SIZE for n in noted)
            or size[0] % noted[0]
            or size[1] % noted[1]
        ):
            raise ImageError(
                f"{path}: {size[1]} x {size[0]} pixels do not divide into lenslets of "
                f"{noted[1]} x {noted[0]}"
            )
        return noted, "given" if given else "as noted in the file"
    fitting = [n for n in _USUAL_SIZES if size[0] % n == 0 and size[1] % n == 0]
    if not fitting:
        raise ImageError(
            f"{path}: {size[1]} x {size[0]} pixels divide neither by 14 nor by 15: this is no "
            "ESLF picture, or its angular size has to be given (--angular-size)"
        )
    return (fitting[0], fitting[0]), "guessed from the picture's size"


def _noted_size(path: Path) -> AngularSize | None:
    """What `write_eslf` noted in the PNG, or None."""
    text = png_text(path, "Comment")
    try:
        rows, columns = json.loads(text)[_NOTE_KEY]
        return int(rows), int(columns)
    except (ValueError, KeyError, TypeError):
        return None


def _without_black_corners(field: LightField) -> LightField:
    """Weight 0 for pixels that are black where the middle of the lenslet is not."""
    v, u = field.center
    lit = field.views[v, u].any(axis=2)
    dark = ~field.views.any(axis=4)
    return replace(field, weights=np.where(dark & lit, np.uint8(0), field.weights))


def _with_text(png: bytes, text: str) -> bytes:
    """A PNG with a text chunk ``Comment`` behind its header."""
    body = b"tEXtComment\0" + text.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_SIGNATURE_AND_HEADER] + chunk + png[_SIGNATURE_AND_HEADER:]
