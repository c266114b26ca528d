"""Netpbm pictures with 16 bits (PPM, PGM) and with floating point (PFM), read strictly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import path_kind, write_bytes
from lfdfp.interchange.integer_codes import Codes
from lfdfp.storage.images import MAX_PIXELS

_CHANNELS: Final = {b"P5": 1, b"P6": 3, b"Pf": 1, b"PF": 3}
_LONGEST_TOKEN: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """`last` is the greatest code of PPM and PGM, the scale of PFM."""

    rows: int
    columns: int
    channels: int
    last: float
    data_offset: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.rows, self.columns, self.channels


def ppm_size(path: Path) -> tuple[int, int]:
    """(rows, columns) of a PPM or PGM file, from its header alone."""
    header = _header(path, (b"P5", b"P6"))
    return header.rows, header.columns


def read_ppm(path: Path) -> Codes:
    """Read a binary PPM (P6) or PGM (P5) file with 8 or 16 bits; 16 bits are big-endian.

    Raises
    ------
    ImageError
        If the file is not of this kind, is shorter than its header says, or holds codes above
        the maximum of its header.
    """
    header = _header(path, (b"P5", b"P6"))
    if not (header.last.is_integer() and 1 <= header.last <= 65535):
        raise ImageError(f"{path}: greatest code {header.last:g}; 1 to 65535 is possible")
    maximum = int(header.last)
    values = _samples(path, header, np.dtype(np.uint8 if maximum <= 255 else ">u2"))
    codes = values.astype(values.dtype.newbyteorder("="))
    if int(codes.max()) > maximum:
        raise ImageError(f"{path}: code {codes.max()} above the {maximum} that the header allows")
    return Codes(values=codes, maximum=maximum)


def write_ppm(path: Path, codes: Codes) -> None:
    """Write a PPM (RGB) or PGM (gray) file; codes above 255 as 16 bits, big-endian."""
    rows, columns, channels = codes.values.shape
    kind = {1: "P5", 3: "P6"}[channels]
    data = codes.values.astype(np.uint8 if codes.maximum <= 255 else ">u2")
    write_bytes(path, f"{kind}\n{columns} {rows}\n{codes.maximum}\n".encode() + data.tobytes())


def read_pfm(path: Path) -> FloatArray:
    """Read a PFM file: shape (T, S) where it is gray, (T, S, 3) where it is in color.

    The file's rows run from the bottom up, and a negative scale says little-endian; both are
    undone here. The scale's size carries no meaning and is ignored.

    Raises
    ------
    ImageError
        If the file is not a PFM file or is shorter than its header says.
    """
    header = _header(path, (b"Pf", b"PF"))
    if not math.isfinite(header.last) or header.last == 0:
        raise ImageError(f"{path}: scale {header.last:g}; its sign has to give the byte order")
    values = _samples(path, header, np.dtype("<f4" if header.last < 0 else ">f4"))
    upright = np.ascontiguousarray(values[::-1], np.float32)
    return upright[..., 0] if header.channels == 1 else upright


def write_pfm(path: Path, values: FloatArray) -> None:
    """Write values of shape (T, S) or (T, S, 3), little-endian."""
    kind = "Pf" if values.ndim == 2 else "PF"
    data = values[::-1].astype("<f4")
    header = f"{kind}\n{values.shape[1]} {values.shape[0]}\n-1.0\n"
    write_bytes(path, header.encode() + data.tobytes())


def _header(path: Path, kinds: tuple[bytes, ...]) -> _Header:
    if path_kind(path) == "other":
        raise ImageError(f"{path}: this is no regular file")
    try:
        with path.open("rb") as stream:
            kind = stream.read(2)
            if kind not in kinds:
                wanted = " or ".join(known.decode() for known in kinds)
                raise ImageError(f"{path}: starts with {kind!r}, where {wanted} is needed")
            columns, rows = (_whole_number(_token(stream)) for _ in range(2))
            last = float(_token(stream))
            offset = stream.tell()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ImageError(f"{path}: the header is damaged: {error}") from error
    if rows < 1 or columns < 1 or rows * columns > MAX_PIXELS:
        raise ImageError(f"{path}: {columns} x {rows} pixels; 1 to {MAX_PIXELS} can be read")
    return _Header(
        rows=rows, columns=columns, channels=_CHANNELS[kind], last=last, data_offset=offset
    )


def _whole_number(token: str) -> int:
    if not (token.isascii() and token.isdigit()):  # Python would also take 1_000
        raise ValueError(f"{token!r} is no whole number")
    return int(token)


def _token(stream: BinaryIO) -> str:
    """The next word of a header, and one white space behind it; comments are passed over."""
    token = b""
    while len(token) < _LONGEST_TOKEN:
        byte = stream.read(1)
        if byte == b"#" and not token:
            stream.readline(4096)
        elif byte.strip():
            token += byte
        elif token or not byte:
            break
    return token.decode("ascii", "replace")


def _samples(path: Path, header: _Header, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = math.prod(header.shape)
    available = path.stat().st_size - header.data_offset
    if available < count * dtype.itemsize:
        raise ImageError(
            f"{path}: {available} bytes of pixels, where {count * dtype.itemsize} are needed"
        )
    values: NDArray[Any] = np.fromfile(path, dtype, count, offset=header.data_offset)
    return values.reshape(header.shape)
