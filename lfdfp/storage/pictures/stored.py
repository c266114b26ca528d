"""What a picture file holds, as each format's reader hands it over, and the limits on its size."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError, LfdfpError
from lfdfp.storage.pictures.exif import Exif

Bits = Literal[8, 16]
Colors = Literal["gray", "rgb", "cmyk", "lab"]

MAX_PIXELS: Final = 120_000_000
"""Largest picture that is read: sizes are checked before memory is taken."""

_BOMB_BYTES: Final = 64_000_000
_BOMB_RATIO: Final = 300
"""Noise of a sensor leaves at least a bit for every few samples; 300 samples in a byte are none."""
_LOSSY_BOMB_RATIO: Final = 2000
"""Modern lossy formats smooth the noise away; even so no photograph gets this small."""

_LARGEST_OVERHEAD: Final = 64_000_000
"""Profiles, previews and notes of a file, in bytes."""

_DAMAGED: Final = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    SyntaxError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What other packages raise on files that are damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Pixels per inch along rows and columns of the stored picture."""

    across: float
    down: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the file says of the picture, as bytes where other programs have to understand it."""

    exif: Exif | None = None
    xmp: bytes | None = None
    icc_profile: bytes | None = None
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Size and orientation of a picture as stored.

    `open_ended` where the kind of numbers does not say which of them is white.
    """

    rows: int
    columns: int
    orientation: int = 1
    open_ended: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """(rows, columns) once the picture is turned upright."""
        turned = self.orientation >= 5
        return (self.columns, self.rows) if turned else (self.rows, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """A picture file's content before anything is interpreted.

    Attributes
    ----------
    values
        Shape (T, S, C), as the rows of the file lie, without alpha.
    white
        The value of white, for whole numbers; of no meaning for floating point.
    alpha
        Shape (T, S), in [0, 1], or None; `premultiplied` where the colors are multiplied by it.
    colors
        What the channels are. CMYK is ink: 0 is paper. Lab has L in 0 to 100.
    linear
        Whether the values are linear light; if not, a profile or the sRGB curve says what they are.
    """

    values: NDArray[Any]
    white: float
    colors: Colors
    alpha: FloatArray | None = None
    premultiplied: bool = False
    bits: Bits = 8
    linear: bool = False
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()


def alpha_apart(values: NDArray[Any], white: float) -> tuple[NDArray[Any], FloatArray | None]:
    """Colors (Y, X, 1 or 3) and opacity (Y, X), 0 to 1, of values (Y, X, 1 to 4) up to `white`.

    Opacity comes last where the channels are even in number.
    """
    values = values[..., None] if values.ndim == 2 else values
    if values.shape[2] % 2:
        return values, None
    return values[..., :-1], (values[..., -1] / np.float32(white)).astype(np.float32)


def check_pixels(rows: int, columns: int) -> None:
    """Refuse a picture that is empty or larger than `MAX_PIXELS`.

    Raises
    ------
    ImageError
        With the size; the file has to be named by the caller.
    """
    if rows < 1 or columns < 1:
        raise ImageError(f"{columns} x {rows} pixels are no picture")
    if rows * columns > MAX_PIXELS:
        raise ImageError(
            f"{columns} x {rows} pixels are more than the {MAX_PIXELS // 1_000_000} megapixels "
            "that fit; crop or reduce the picture first"
        )


def check_no_bomb(unpacked: int, stored: int, *, modern: bool = False) -> None:
    """Refuse few bytes that unpack to very many, before they do.

    `modern` is for formats that are far better at small files (WebP, AVIF, HEIC, JPEG XL).

    Raises
    ------
    ImageError
        With both sizes; the file has to be named by the caller.
    """
    ratio = _LOSSY_BOMB_RATIO if modern else _BOMB_RATIO
    if unpacked > _BOMB_BYTES and unpacked > ratio * stored:
        raise ImageError(
            f"{stored} bytes would unpack to {unpacked // 1_000_000} MB: a decompression bomb, "
            "not a photograph"
        )


def check_file_bytes(path: Path, unpacked: int, *, modern: bool = False) -> None:
    """Refuse a file with far too few or far too many bytes for its picture.

    Raises
    ------
    ImageError
        With the sizes; the file has to be named by the caller.
    """
    stored = path.stat().st_size
    check_no_bomb(unpacked, stored, modern=modern)
    if stored > _LARGEST_OVERHEAD + 2 * unpacked:
        raise ImageError(
            f"{stored // 1_000_000} MB hold a picture of {unpacked // 1_000_000} MB: most of the "
            "file is something else"
        )


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it; what other packages raise becomes one line."""
    try:
        yield
    except LfdfpError as error:
        text = str(error)
        named = text.startswith(f"{path}: ")
        raise type(error)(text if named else f"{path}: {text}") from error
    except MemoryError as error:
        raise ImageError(f"{path}: not enough memory for this picture") from error
    except _DAMAGED as error:
        raise ImageError(f"{path}: the picture is damaged: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
