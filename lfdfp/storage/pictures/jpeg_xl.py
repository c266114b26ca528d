"""JPEG XL files: the size is read here, pixels are decoded by imagecodecs (libjxl)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.exif import Exif, parse_exif
from lfdfp.storage.pictures.stored import (
    Header,
    Metadata,
    Stored,
    alpha_apart,
    check_file_bytes,
    check_pixels,
)

_CODESTREAM: Final = b"\xff\x0a"
_RATIOS: Final = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_MOST_BOXES: Final = 1000
_LARGEST_NOTE: Final = 16_000_000
_ASSUMED_SRGB: Final = "its color profile is not read: sRGB is assumed"
Curve = Literal["srgb", "linear"]

_SRGB_NAMED: Final = 1
"""D65 among white points, BT.709 among primaries."""
_CURVES: Final[Mapping[int, Curve]] = {8: "linear", 13: "srgb"}


def read_headers(path: Path) -> list[Header]:
    """Size; the decoder turns the picture upright by itself, which the size takes into account."""
    start = _start(_parts(path).get(b"jxlc", b""))
    if start.orientation >= 5:
        return [Header(rows=start.columns, columns=start.rows)]
    return [Header(rows=start.rows, columns=start.columns)]


def read_stored(path: Path, page: int) -> Stored:
    """The pixels, 8 or 16 bits deep, or floating point as linear light."""
    parts = _parts(path)
    start = _start(parts.get(b"jxlc", b""))
    rows, columns = start.rows, start.columns
    check_file_bytes(path, 3 * rows * columns, modern=True)
    codes: NDArray[Any] = imagecodecs.jpegxl_decode(path.read_bytes())
    if codes.shape[0] * codes.shape[1] != rows * columns or codes.ndim > 3:
        raise ValueError(f"values of shape {codes.shape} for {columns} x {rows} pixels")
    floating = codes.dtype.kind == "f"
    white = 1.0 if floating else float(np.iinfo(codes.dtype).max)
    values, alpha = alpha_apart(codes, white)
    return Stored(
        values=values.astype(np.float32) if floating else values,
        white=white,
        colors="gray" if values.shape[2] == 1 else "rgb",
        alpha=alpha,
        bits=8 if values.dtype == np.uint8 else 16,
        metadata=Metadata(exif=_exif(parts), xmp=parts.get(b"xml ")),
        linear=start.curve == "linear",
        notes=() if start.curve else (_ASSUMED_SRGB,),
    )


def _parts(path: Path) -> dict[bytes, bytes]:
    """The start of the codestream as ``jxlc``, and the boxes with EXIF and XMP, if any."""
    size = path.stat().st_size
    parts: dict[bytes, bytes] = {}
    with path.open("rb") as stream:
        if stream.read(2) == _CODESTREAM:
            stream.seek(0)
            return {b"jxlc": stream.read(64)}
        place = 0
        for _ in range(_MOST_BOXES):
            stream.seek(place)
            head = stream.read(16)
            if len(head) < 8:
                break
            length, name = struct.unpack(">I4s", head[:8])
            skipped = 8
            if length == 1 and len(head) == 16:
                length, skipped = struct.unpack(">Q", head[8:])[0], 16
            length = size - place if length == 0 else length
            if length < skipped or place + length > size:
                break
            stream.seek(place + skipped)
            if name in (b"jxlc", b"jxlp"):
                start = stream.read(68)
                parts.setdefault(b"jxlc", start[4:] if name == b"jxlp" else start)
            elif name in (b"Exif", b"xml ") and length < _LARGEST_NOTE:
                parts.setdefault(name, stream.read(length - skipped))
            place += length
    return parts


def _exif(parts: dict[bytes, bytes]) -> Exif | None:
    """EXIF data, which begin after an offset of four bytes; the decoder has turned the picture."""
    content = parts.get(b"Exif", b"")
    start = 4 + int.from_bytes(content[:4], "big")
    try:
        return parse_exif(content[start:]) if len(content) > 12 else None
    except ImageError:
        return None


class _BitReader:
    """Bits of a codestream, the lowest of each byte first (ISO/IEC 18181-1)."""

    def __init__(self, content: bytes) -> None:
        self._left = int.from_bytes(content, "little")
        self._count = 8 * len(content)

    def bits(self, count: int) -> int:
        if count > self._count:
            raise ValueError("the codestream ends in its header")
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        self._count -= count
        return value

    def one_of(self, *kinds: tuple[int, int]) -> int:
        """A number in one of four kinds: the least, and the bits that are added to it."""
        least, count = kinds[self.bits(2)]
        return least + self.bits(count)

    def enumerated(self) -> int:
        """The number of a name in a list."""
        return self.one_of((0, 0), (1, 0), (2, 4), (18, 6))

    def picture_size(self) -> tuple[int, int]:
        """(rows, columns): in steps of eight, or one of four kinds; or by a usual ratio."""
        small = self.bits(1)
        rows = self._side(small=small)
        ratio = _RATIOS[self.bits(3)]
        if ratio is not None:
            return rows, rows * ratio[0] // ratio[1]
        return rows, self._side(small=small)

    def _side(self, *, small: int) -> int:
        if small:
            return 8 * (1 + self.bits(5))
        return self.one_of((1, 9), (1, 13), (1, 18), (1, 30))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What the first bytes of a codestream say; `curve` where its primaries are those of sRGB."""

    rows: int
    columns: int
    orientation: int
    curve: Curve | None


def _start(codestream: bytes) -> _Start:
    if codestream[:2] != _CODESTREAM:
        raise ValueError("there is no codestream in it")
    reader = _BitReader(codestream[2:])
    rows, columns = reader.picture_size()
    check_pixels(rows, columns)
    usual = bool(reader.bits(1))  # 8 bits, sRGB, upright
    further = not usual and bool(reader.bits(1))
    orientation = 1 + reader.bits(3) if further else 1
    curve = "srgb" if usual else _curve(reader, further=further)
    return _Start(rows=rows, columns=columns, orientation=orientation, curve=curve)


def _curve(reader: _BitReader, *, further: bool) -> Curve | None:
    """The tone curve of sRGB primaries; None where the header is too unusual to be followed."""
    if further:
        if reader.bits(1):  # a size to be shown at
            reader.picture_size()
        if reader.bits(1) or reader.bits(1):  # a preview, an animation
            return None
    floating = reader.bits(1)
    if reader.bits(2) == 3:
        reader.bits(6)
    reader.bits(4 * floating + 1)  # size of exponents; kind of buffers
    extra = reader.one_of((0, 0), (1, 0), (2, 4), (1, 12))
    if not all(reader.bits(1) for _ in range(extra)):  # more than plain opacity
        return None
    reader.bits(1)  # kind of compression
    if reader.bits(1):
        return "srgb"
    if reader.bits(1):  # an ICC profile
        return None
    space = reader.enumerated()
    named = [reader.enumerated()] if space in (0, 1) else []
    named += [reader.enumerated()] if space == 0 else []
    if space not in (0, 1) or any(name != _SRGB_NAMED for name in named) or reader.bits(1):
        return None
    return _CURVES.get(reader.enumerated())
