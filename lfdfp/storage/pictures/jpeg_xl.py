"""JPEG XL files: the size is read here, pixels are decoded by imagecodecs (libjxl)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

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
_ASSUMED_SRGB: Final = "its color profile, if it has one, is not read: sRGB is assumed"


def read_headers(path: Path) -> list[Header]:
    """Size; the decoder turns the picture upright by itself, which the size takes into account."""
    rows, columns, orientation, _ = _size(_parts(path).get(b"jxlc", b""))
    check_pixels(rows, columns)
    if orientation >= 5:
        rows, columns = columns, rows
    return [Header(rows=rows, columns=columns)]


def read_stored(path: Path, page: int) -> Stored:
    """The pixels, 8 or 16 bits deep, or floating point as linear light."""
    parts = _parts(path)
    rows, columns, _, plain = _size(parts.get(b"jxlc", b""))
    check_pixels(rows, columns)
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
        notes=() if plain else (_ASSUMED_SRGB,),
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

    def size(self) -> int:
        """A side of a picture: one of four lengths of numbers, counted from 1."""
        return 1 + self.bits((9, 13, 18, 30)[self.bits(2)])


def _size(codestream: bytes) -> tuple[int, int, int, bool]:
    """(rows, columns, orientation, whether all else is as usual: 8 bits, sRGB, one picture)."""
    if codestream[:2] != _CODESTREAM:
        raise ValueError("there is no codestream in it")
    reader = _BitReader(codestream[2:])
    small = reader.bits(1)
    rows = 8 * (1 + reader.bits(5)) if small else reader.size()
    ratio = _RATIOS[reader.bits(3)]
    if ratio is not None:
        columns = rows * ratio[0] // ratio[1]
    else:
        columns = 8 * (1 + reader.bits(5)) if small else reader.size()
    plain = bool(reader.bits(1))
    orientation = 1 if plain or not reader.bits(1) else 1 + reader.bits(3)
    return rows, columns, orientation, plain
