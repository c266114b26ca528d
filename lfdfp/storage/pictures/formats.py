"""The formats of pictures that are opened, each known by its first bytes and by nothing else."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final, Literal

from lfdfp.errors import ImageError

PictureFormat = Literal["png", "jpeg", "webp", "tiff", "avif", "heic", "jpegxl", "raw"]

RAW_SUFFIXES: Final = frozenset(
    {".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef"}
)
"""Names under which cameras keep raw photographs."""

PICTURE_SUFFIXES: Final = RAW_SUFFIXES | {
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".webp",
    ".avif",
    ".heic",
    ".heif",
    ".jxl",
}

_FIRST_BYTES: Final[tuple[tuple[bytes, PictureFormat], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\xff\x0a", "jpegxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jpegxl"),
    (b"FUJIFILMCCD-RAW", "raw"),
    (b"IIRO", "raw"),
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIU\0", "raw"),
)
_TIFF_MARKS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_CR2_MARK: Final = b"CR\x02"
_BRANDS: Final[dict[bytes, PictureFormat]] = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"heim": "heic",
    b"heis": "heic",
    b"hevc": "heic",
    b"mif1": "heic",
    b"msf1": "heic",
    b"crx ": "raw",
}
_HEAD_BYTES: Final = 64


def format_of(path: Path) -> PictureFormat:
    """The format of a picture file.

    Raw photographs in a TIFF structure (CR2, NEF, ARW, DNG, PEF) are told by their name.

    Raises
    ------
    ImageError
        If the file is missing, unreadable, or of no format that is offered.
    """
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # reading a pipe can wait for ever
            raise ImageError(f"{path}: this is no regular file")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise ImageError(f"{path}: is a folder, not a picture") from error
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImageError(f"{path}: cannot be read: {reason or error}") from error
    found = _format(head, path.suffix.lower())
    if found is None:
        raise ImageError(
            f"{path}: is not a picture that can be read (PNG, JPEG, TIFF, WebP, AVIF, HEIC, "
            "JPEG XL, camera raw)"
        )
    return found


def _format(head: bytes, suffix: str) -> PictureFormat | None:
    if head.startswith(_TIFF_MARKS):
        raw = suffix in RAW_SUFFIXES or head[8:11] == _CR2_MARK
        return "raw" if raw else "tiff"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _branded(head)
    return next((name for mark, name in _FIRST_BYTES if head.startswith(mark)), None)


def _branded(head: bytes) -> PictureFormat | None:
    """The format of a file of boxes: the major brand first, then those that it agrees with."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, end, 4))]
    if brands[0] in (b"mif1", b"msf1"):  # says only that there are pictures in it
        brands = [*brands[1:], brands[0]]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
