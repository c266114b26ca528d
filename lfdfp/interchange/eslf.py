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

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.files import write_bytes
from lfdfp.interchange.damage import damage_named
from lfdfp.interchange.integer_codes import (
    Codes,
    check_size,
    encoded_view,
    encoded_weight,
    field_of_codes,
    has_weights,
    rgb_or_gray,
)
from lfdfp.interchange.lenslet_pattern import lenslet_evidence
from lfdfp.storage.images import Bits, picture_size, png_text, read_codes

_SIZES: Final = range(4, 25)
"""Pixels per lenslet that are looked for: Lytro's tools have 14, an Illum's full lenslets 15."""

_BLOCK_OF_JPEG: Final = 8
"""Its multiples are never taken for lenslets, however clear: those sizes have to be given."""

_LEAST_EVIDENCE: Final = 0.25
_ALIKE: Final = 0.6
_LARGEST_SIZE: Final = 99
_SIGNATURE_AND_HEADER: Final = 33
_NOTE_KEY: Final = "angular_size"

AngularSize = tuple[int, int]


def read_eslf(path: Path, *, angular_size: AngularSize | None = None) -> LightField:
    """Read an ESLF picture, 8 or 16 bits.

    Parameters
    ----------
    angular_size
        (V, U), pixels per lenslet. Default: what the file notes, else what the picture shows
        (`lenslet_evidence`).

    Raises
    ------
    ImageError
        If the file is no picture, is too large, its size does not divide, or it does not show
        lenslets of one clear size: photographs and mosaics of views are pictures too.
    """
    with damage_named(path):
        size = picture_size(path)
        check_size(path, (*size, 3))
        known = angular_size or _noted_size(path)
        if known is not None:
            _check_divides(path, size, known)
        values = read_codes(path)
        views, how = known, "given" if angular_size else "as noted in the file"
        if views is None:
            views, how = _seen_size(path, values)
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
    import cv2

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


def _check_divides(path: Path, size: tuple[int, int], views: AngularSize) -> None:
    possible = all(1 <= n <= _LARGEST_SIZE for n in views)
    if not possible or size[0] % views[0] or size[1] % views[1]:
        raise ImageError(
            f"{path}: {size[1]} x {size[0]} pixels do not divide into lenslets of "
            f"{views[1]} x {views[0]}"
        )


def _seen_size(path: Path, values: NDArray[Any]) -> tuple[AngularSize, str]:
    """The number of pixels per lenslet that the picture shows, and how sure it is."""
    rows, columns = values.shape[:2]
    evidence = lenslet_evidence(values, _SIZES)
    most = max(evidence.values())
    # A multiple of the right size repeats as well.
    seen = min(n for n in _SIZES if evidence[n] >= 0.9 * most or most <= 0)
    fits = rows % seen == 0 and columns % seen == 0 and seen % _BLOCK_OF_JPEG
    if most < _LEAST_EVIDENCE or not fits:
        raise ImageError(
            f"{path}: {columns} x {rows} pixels that show no lenslets of one size: give "
            "--angular-size for an ESLF picture, --grid for a mosaic of views; a photograph is no "
            "light field"
        )
    rivals = [n for n in _SIZES if n % seen and evidence[n] > _ALIKE * evidence[seen]]
    if rivals:
        raise ImageError(
            f"{path}: lenslets of {seen} and of {rivals[0]} pixels are about as likely; give "
            "--angular-size"
        )
    return (seen, seen), f"as {100 * evidence[seen]:.0f} % of the picture's contrast repeats"


def _noted_size(path: Path) -> AngularSize | None:
    """What `write_eslf` noted in the PNG, or None."""
    try:
        noted = json.loads(png_text(path, "Comment"))[_NOTE_KEY]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(noted, list) or len(noted) != 2:
        return None
    rows, columns = noted
    return (rows, columns) if type(rows) is type(columns) is int else None


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
