"""Reading a picture of any format: size from its header, values as stored, or linear light."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lfdfp.computing.blocks import map_blocks
from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.imaging.color import oriented
from lfdfp.imaging.display import encode_srgb
from lfdfp.imaging.lookup import looked_up
from lfdfp.storage.pictures.color_profiles import (
    ColorProfile,
    decoded,
    light_of_lab,
    profile_for,
    rgb_of_cmyk,
)
from lfdfp.storage.pictures.formats import PictureFormat, format_of
from lfdfp.storage.pictures.picture import CodedPicture, Picture
from lfdfp.storage.pictures.stored import Header, Stored, damage_reported

_READERS: Final[Mapping[PictureFormat, str]] = {
    "png": "png",
    "jpeg": "by_pillow",
    "webp": "by_pillow",
    "avif": "by_pillow",
    "heic": "heic",
    "jpegxl": "jpeg_xl",
    "tiff": "tiff",
    "raw": "raw",
}
"""The module that reads each format; the package that it needs is loaded when it is needed."""

_WHITES: Final = (1.0, 255.0, 65535.0)
_LARGEST_FLOAT: Final = float(np.finfo(np.float32).max)
_OVERSHOOT: Final = 2.0
"""Values in floating point may exceed white that much (highlights, ringing) before the next greater
white is taken."""


class _Reader(Protocol):
    def read_headers(self, path: Path) -> list[Header]: ...
    def read_stored(self, path: Path, page: int) -> Stored: ...


def picture_size(path: Path, page: int = 0) -> tuple[int, int]:
    """(rows, columns) of an upright picture, from its header alone."""
    headers = page_headers(path)
    if not 0 <= page < len(headers):
        raise ImageError(f"{path}: page {page + 1} of {len(headers)} does not exist")
    return headers[page].upright_size


def page_headers(path: Path) -> list[Header]:
    """The header of every picture in a file: pages of a TIFF file, one in all other formats."""
    with damage_reported(path):
        return _reader(path).read_headers(path)


def read_picture(path: Path, page: int = 0, *, white: float | None = None) -> Picture:
    """Read a picture into linear light, upright.

    Parameters
    ----------
    page
        Of a TIFF file with several pictures, counted from 0.
    white
        For floating point and whole numbers above 16 bits: the value that is white. None for 1,
        255 or 65535, whichever the values need; frames of one stack need the same
        (`needed_white`).

    Raises
    ------
    ImageError
        If the file is missing, not a picture, damaged, or larger than `MAX_PIXELS`.
    """
    return read_coded_picture(path, page, white=white).picture()


def read_coded_picture(path: Path, page: int = 0, *, white: float | None = None) -> CodedPicture:
    """As `read_picture`, with values as they are stored wherever a curve makes light of them."""
    with damage_reported(path):
        stored = _stored(path, page)
        white = _white(stored, white)
        values, curves, profile, notes = _coded(stored, white)
        alpha = stored.alpha
        told = Picture(
            light=np.zeros((1, 1, values.shape[2]), np.float32),
            alpha=None if alpha is None else oriented(alpha, stored.orientation),
            bits=stored.bits,
            profile=profile,
            exif=stored.metadata.exif,
            xmp=stored.metadata.xmp,
            resolution=stored.metadata.resolution,
            notes=tuple(f"{path.name}: {note}" for note in (*stored.notes, *notes)),
        )
        codes = np.ascontiguousarray(oriented(values, stored.orientation))
        return CodedPicture(codes=codes, curves=curves, told=told)


def read_codes(path: Path, page: int = 0) -> NDArray[Any]:
    """A picture's uint8 or uint16 values as stored, upright: shape (T, S, C).

    Alpha is last where C is 2 or 4. Colors that are neither gray nor RGB, numbers of another type
    and light that is stored linearly become sRGB values first.

    Raises
    ------
    ImageError
        As `read_picture`.
    """
    with damage_reported(path):
        stored = _stored(path, page)
        dtype = np.uint8 if stored.bits == 8 else np.uint16
        greatest = np.iinfo(dtype).max
        plain = stored.colors in ("gray", "rgb") and not stored.linear
        if plain and stored.white == greatest and not stored.premultiplied:
            codes = stored.values.astype(dtype, copy=False)
        elif plain:
            scaled = np.asarray(stored.values / np.float64(_white(stored, None)), np.float32)
            codes = _rounded(_straight(stored, scaled), dtype)
        else:
            codes = _rounded(encode_srgb(_light(stored, _white(stored, None))), dtype)
        if stored.alpha is not None:
            codes = np.concatenate([codes, _rounded(stored.alpha[..., None], dtype)], axis=2)
        turned: Any = oriented(np.asarray(codes), stored.orientation)
        return np.asarray(turned)


def needed_white(path: Path, page: int = 0) -> float:
    """The white that the values of a picture need whose header leaves it open."""
    with damage_reported(path):
        return _white(_stored(path, page), None)


def _stored(path: Path, page: int) -> Stored:
    return _reader(path).read_stored(path, page)


def _reader(path: Path) -> _Reader:
    name = _READERS[format_of(path)]
    reader: Any = import_module(f"lfdfp.storage.pictures.{name}")
    return reader  # type: ignore[no-any-return]


def _is_said(stored: Stored) -> bool:
    """Whether the depth of whole numbers says what white is."""
    return stored.values.dtype.kind in "bui" and stored.values.dtype.itemsize <= 2


def _white(stored: Stored, given: float | None) -> float:
    """The value of white: said by the depth, given, or the least usual one that is great enough."""
    if _is_said(stored) or stored.colors == "lab":
        return stored.white
    if given is not None:
        return given
    largest = float(stored.values.max())
    greatest = max(largest, -float(stored.values.min()))
    if not greatest < _LARGEST_FLOAT:  # nor is NaN smaller than anything
        raise ImageError("some of its values are not finite numbers of single precision")
    floating = stored.values.dtype.kind == "f"
    margin = _OVERSHOOT if floating else 1.0
    whites = _WHITES if floating else _WHITES[1:]
    return next((w for w in whites if largest <= margin * w), largest if floating else stored.white)


def _light(stored: Stored, white: float) -> FloatArray:
    values, curves, _, _ = _coded(stored, white)
    return np.asarray(values, np.float32) if curves is None else looked_up(values, curves)


def _coded(
    stored: Stored, white: float
) -> tuple[NDArray[Any], FloatArray | None, ColorProfile | None, tuple[str, ...]]:
    """Codes and their curves (or light and None), the profile of their primaries, and notes."""
    if stored.colors == "lab":
        return light_of_lab(stored.values), None, None, ("its Lab colors became sRGB",)
    if stored.colors == "cmyk":
        ink = np.clip(stored.values / np.float32(white), 0, 1).astype(np.float32)
        rgb, note = rgb_of_cmyk(ink, stored.metadata.icc_profile)
        return decoded(rgb, None), None, None, (note,)
    profile, note = profile_for(stored.metadata.icc_profile, stored.values.shape[2])
    notes = (note,) if note else ()
    if stored.linear:
        scale = np.float32(1 / white)
        return map_blocks(lambda codes: codes * scale, stored.values), None, None, notes
    if _is_said(stored) and not stored.premultiplied and stored.values.dtype.kind == "u":
        return stored.values, _curves(stored.values, white, profile), profile, notes
    scaled = map_blocks(lambda v: np.maximum(v / np.float64(white), 0), stored.values)
    return decoded(_straight(stored, scaled), profile), None, profile, notes


def _curves(codes: NDArray[Any], white: float, profile: ColorProfile | None) -> FloatArray:
    """Linear light of every whole number, shape (levels, C)."""
    ramp = np.minimum(np.arange(np.iinfo(codes.dtype).max + 1) / white, 1).astype(np.float32)
    return decoded(np.repeat(ramp[:, None], codes.shape[2], axis=1), profile)


def _straight(stored: Stored, values: FloatArray) -> FloatArray:
    """Values that were multiplied by alpha without it; black where nothing is seen."""
    if not stored.premultiplied or stored.alpha is None:
        return values
    alpha = stored.alpha[..., None]
    return np.where(alpha > 0, np.minimum(values / np.maximum(alpha, 1e-6), 1), 0).astype(
        np.float32
    )


def _rounded(values: FloatArray, dtype: Any) -> NDArray[Any]:
    levels = np.float32(np.iinfo(dtype).max)
    return map_blocks(lambda part: np.rint(np.clip(part, 0, 1) * levels), values, dtype)
