"""PNG files: chunks are checked and sorted here, pixels are decoded by imagecodecs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.color_profiles import profile_by_code
from lfdfp.storage.pictures.exif import Exif, orientation_of, parse_exif
from lfdfp.storage.pictures.formats import format_of
from lfdfp.storage.pictures.stored import (
    Header,
    Metadata,
    Resolution,
    Stored,
    alpha_apart,
    check_no_bomb,
    check_pixels,
    damage_reported,
)

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD: Final = b"XML:com.adobe.xmp"
METERS_PER_INCH: Final = 0.0254

_DECODED: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_READ: Final = (b"IHDR", b"iCCP", b"cICP", b"eXIf", b"pHYs", b"acTL")
_SAMPLES: Final = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_LARGEST_NOTE: Final = 16_000_000
_MOST_CHUNKS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """Size, kind and bit depth of a PNG file, its chunks, and those that are needed here."""

    columns: int
    rows: int
    depth: int
    kind: int
    chunks: tuple[_Chunk, ...]
    notes: Mapping[bytes, bytes]

    @property
    def unpacked_bytes(self) -> int:
        return self.rows * self.columns * _SAMPLES[self.kind] * (2 if self.depth == 16 else 1)


def read_headers(path: Path) -> list[Header]:
    """Size and orientation, after every chunk was found to fit into the file."""
    contents = _contents(path)
    orientation = orientation_of(_exif(contents))
    return [Header(rows=contents.rows, columns=contents.columns, orientation=orientation)]


def read_stored(path: Path, page: int) -> Stored:
    """The pixels, 8 or 16 bits deep, and what the file says of them."""
    contents = _contents(path)
    packed = sum(chunk.size for chunk in contents.chunks if chunk.name == b"IDAT")
    check_no_bomb(contents.unpacked_bytes, packed)
    codes = _pixels(path, contents)
    white = float(np.iinfo(codes.dtype).max)
    values, alpha = alpha_apart(codes, white)
    exif = _exif(contents)
    profile: bytes | None = _icc_profile(contents)
    notes: tuple[str, ...] = ()
    if profile is None and len(contents.notes.get(b"cICP", b"")) == 4:
        profile, notes = profile_by_code(*contents.notes[b"cICP"][:2])
    if b"acTL" in contents.notes:
        notes = (*notes, "animated: the first picture is read")
    return Stored(
        values=values,
        white=white,
        colors="gray" if values.shape[2] == 1 else "rgb",
        alpha=alpha,
        bits=16 if values.dtype == np.uint16 else 8,
        orientation=orientation_of(exif),
        metadata=Metadata(
            exif=exif,
            xmp=contents.notes.get(XMP_KEYWORD),
            icc_profile=profile,
            resolution=_resolution(contents),
        ),
        notes=notes,
    )


def png_text(path: Path, keyword: str) -> str:
    """The text of a PNG file's chunk ``tEXt``; empty where there is none, or no PNG file.

    Raises
    ------
    ImageError
        If the file is missing or damaged.
    """
    if format_of(path) != "png":
        return ""
    with damage_reported(path), path.open("rb") as stream:
        for chunk in _chunks(stream, path.stat().st_size):
            if chunk.name == b"tEXt" and chunk.size < _LARGEST_NOTE:
                name, _, text = _content(stream, chunk).partition(b"\0")
                if name == keyword.encode("latin-1"):
                    return text.decode("latin-1")
    return ""


def _contents(path: Path) -> _Contents:
    size = path.stat().st_size
    with path.open("rb") as stream:
        chunks = tuple(_chunks(stream, size))
        notes = {c.name: _content(stream, c) for c in reversed(chunks) if c.name in _READ}
        for chunk in chunks:
            if chunk.name == b"iTXt" and chunk.size < _LARGEST_NOTE:
                notes |= _xmp(_content(stream, chunk))
    if not chunks or chunks[0].name != b"IHDR" or chunks[0].size != 13:
        raise ValueError("it does not begin with the chunk IHDR")
    columns, rows, depth, kind = struct.unpack(">IIBB", notes[b"IHDR"][:10])
    check_pixels(rows, columns)
    if kind not in _SAMPLES:
        raise ValueError(f"color type {kind} does not exist")
    return _Contents(columns=columns, rows=rows, depth=depth, kind=kind, chunks=chunks, notes=notes)


def _chunks(stream: BinaryIO, file_size: int) -> Iterator[_Chunk]:
    """Where the chunks are, up to IEND; each has to fit into the file."""
    place = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            raise ValueError("it ends before its last chunk")
        size, name = struct.unpack(">I4s", head)
        if place + 12 + size > file_size:
            shown = name.decode("ascii", "backslashreplace")
            raise ValueError(f"chunk {shown} of {size} bytes reaches beyond the end of the file")
        yield _Chunk(name=name, start=place, size=size)
        if name == b"IEND":
            return
        place += 12 + size
    raise ValueError(f"more than {_MOST_CHUNKS} chunks")


def _content(stream: BinaryIO, chunk: _Chunk) -> bytes:
    stream.seek(chunk.start + 8)
    return stream.read(min(chunk.size, _LARGEST_NOTE))


def _pixels(path: Path, contents: _Contents) -> NDArray[Any]:
    """Shape (T, S) or (T, S, C); the decoder sees the chunks that it needs and no others."""
    parts = [SIGNATURE]
    with path.open("rb") as stream:
        for chunk in contents.chunks:
            if chunk.name in _DECODED:
                stream.seek(chunk.start)
                parts.append(stream.read(12 + chunk.size))
    values: NDArray[Any] = imagecodecs.png_decode(b"".join(parts))
    return values


def _exif(contents: _Contents) -> Exif | None:
    content = contents.notes.get(b"eXIf", b"")
    try:
        return parse_exif(content.removeprefix(b"Exif\0\0")) if content else None
    except ImageError:
        return None


def _icc_profile(contents: _Contents) -> bytes | None:
    name, _, packed = contents.notes.get(b"iCCP", b"").partition(b"\0")
    return _inflated(packed[1:]) if name and packed[:1] == b"\0" else None


def _resolution(contents: _Contents) -> Resolution | None:
    content = contents.notes.get(b"pHYs", b"")
    if len(content) != 9 or content[8] != 1:
        return None
    across, down = struct.unpack(">II", content[:8])
    return Resolution(across=across * METERS_PER_INCH, down=down * METERS_PER_INCH)


def _xmp(content: bytes) -> dict[bytes, bytes]:
    """The XMP packet, if that is what a chunk iTXt holds."""
    keyword, _, rest = content.partition(b"\0")
    if keyword != XMP_KEYWORD or len(rest) < 2:
        return {}
    text = rest[2:].split(b"\0", 2)[-1]
    return {XMP_KEYWORD: (_inflated(text) or b"") if rest[0] else text}


def _inflated(packed: bytes) -> bytes | None:
    """What zlib packed, if it is whole and not too large."""
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, _LARGEST_NOTE)
    except zlib.error:
        return None
    return unpacked if unpacker.eof else None
