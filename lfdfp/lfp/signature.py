"""What a run of bytes is, by how it begins."""

from __future__ import annotations

import re

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89LFP\r\n\x1a\n", "an LFP container"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"MATLAB 5.0", "a MATLAB file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"GIF8", "a GIF picture"),
    (4, b"ftyp", "an MP4 or HEIF file"),
    (0, b"\xfa\x80\x08\xaf", "a geometric correction table"),
    (0, b"\0\0\0\x01\x67", "an H.264 stream"),
    (0, b"\0\0\x01\x67", "an H.264 stream"),
    (0, b"\0\0\0\x01\x09", "an H.264 stream"),
    (0, b"\0\0\0\x01\x27", "an H.264 stream"),
)
_CHANGED_MAGIC = re.compile(rb"(?:\x89|\t|\xc2\x89|\xef\xbf\xbd|\?)LFP[\r\n]")
_JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def signature(head: bytes) -> str | None:
    """What begins with these bytes (the first sixteen suffice), with its article; None if unknown.

    >>> signature(bytes.fromhex("ffd8ffe000104a46"))
    'a JPEG picture'
    """
    for offset, magic, name in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head.lstrip()[:1] in (b"{", b"[") and head.isascii() and _is_text(head):
        return "JSON text"
    return None


def is_changed_as_text(head: bytes) -> bool:
    """Whether this was an LFP container before a transfer took it for text.

    The format's first bytes are made to show it, as those of PNG are: line ends are exchanged,
    the eighth bit is cut off, or the first byte is written in another encoding.
    """
    return _CHANGED_MAGIC.match(head) is not None and signature(head) != "an LFP container"


def _is_text(head: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\r\n" for byte in head)


def png_shape(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a PNG picture, or None if its header is cut short."""
    if len(data) < 24:
        return None
    return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")


def jpeg_shape(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a JPEG picture from its frame header, or None if there is none."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _JPEG_FRAME_MARKERS:
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            return height, int.from_bytes(data[position + 7 : position + 9], "big")
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
