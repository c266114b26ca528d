"""Writing a picture: its format by the name, with what it says of itself."""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, features

from lfdfp.computing.blocks import map_blocks
from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import replacing, write_bytes
from lfdfp.storage.pictures.color_profiles import (
    encoded,
    gray_profile,
    rgb_or_none,
    srgb_profile,
)
from lfdfp.storage.pictures.exif import (
    ORIENTATION,
    Directory,
    Exif,
    bytes_entry,
    directory_bytes,
    exif_bytes,
    parse_exif,
    undefined_entry,
    with_entries,
)
from lfdfp.storage.pictures.exr import require_exr, write_exr
from lfdfp.storage.pictures.metadata import (
    SOFTWARE,
    fitted_exif,
    fitted_xmp,
    output_exif,
    output_xmp,
)
from lfdfp.storage.pictures.picture import Picture
from lfdfp.storage.pictures.png import METERS_PER_INCH, SIGNATURE, XMP_KEYWORD
from lfdfp.storage.pictures.shot import SHOT, exif_of_shot
from lfdfp.storage.pictures.stored import Resolution

_PNG: Final = frozenset({".png"})
_TIFF: Final = frozenset({".tif", ".tiff"})
_JPEG: Final = frozenset({".jpg", ".jpeg"})
_BY_PILLOW: Final = _JPEG | {".webp", ".avif"}
SCREEN_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
"""Of maps and sheets to look at."""
WRITTEN_SUFFIXES: Final = _PNG | _TIFF | _BY_PILLOW | {".exr"}

_LONGEST_SIDES: Final[Mapping[str, int]] = {
    ".jpg": 65_500,
    ".jpeg": 65_500,
    ".webp": 16_383,
    ".avif": 65_536,
}
_EXIF_MARK: Final = b"Exif\0\0"
_XMP_MARK: Final = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_LEVEL: Final = 4
_ICC_TAG, _XMP_TAG = 34675, 700
_FIRST_DIRECTORY: Final = 4
"""Where a TIFF file says where its first directory is."""
_FIRST_CHUNK_BYTES: Final = 25
_NO_LIMIT: Final = 1 << 30
_SEGMENT_BYTES: Final = 65_533 - 2
"""Room of one segment of a JPEG file, which has to hold all EXIF data or all XMP."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Content:
    """What goes into a file: whole numbers, shape (T, S, C), and what is said of them."""

    values: NDArray[Any]
    exif: Exif
    xmp: bytes | None
    icc_profile: bytes
    srgb: bool
    resolution: Resolution | None
    note: str


def check_writable(path: Path, size: tuple[int, int] | None = None) -> None:
    """Refuse a name or a size that no format can be written with, before the work is done.

    Raises
    ------
    ImageError
        With the suffix; where a package is missing; or where (rows, columns) are too many.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITTEN_SUFFIXES:
        raise ImageError(
            f"{path}: pictures are written as .png, .tif, .jpg, .webp, .avif or .exr, "
            f"not {suffix!r}"
        )
    if suffix == ".exr":
        require_exr(path)
    if suffix == ".avif" and not features.check("avif"):
        raise ImageError(f"{path}: this installation of Pillow does not write AVIF")
    longest = _LONGEST_SIDES.get(suffix)
    if size is not None and longest is not None and max(size) > longest:
        raise ImageError(
            f"{path}: {size[1]} x {size[0]} pixels; {suffix} holds at most {longest} a side; "
            "take .png or .tif"
        )


def write_picture(
    path: Path, picture: Picture, provenance: Mapping[str, object]
) -> tuple[str, ...]:
    """Write a picture; the suffix of `path` chooses the format.

    PNG and TIFF hold 8 or 16 bits, JPEG, WebP and AVIF 8, with the curve of the picture's profile
    (sRGB without one); OpenEXR holds linear light as half floats. All carry profile, EXIF data and
    XMP, as far as the format has room; what is left out is said in the notes that are returned. A
    picture without EXIF data gets those of the capture that `provenance` tells of.

    Raises
    ------
    ImageError
        If the suffix names no format that can be written, or the picture is too large for it.
    StorageError
        If the file cannot be written.
    """
    check_writable(path, picture.light.shape[:2])
    if picture.exif is None:
        picture = replace(picture, exif=exif_of_shot(provenance.get(SHOT)))
    note = json.dumps(dict(provenance), default=str)
    suffix = path.suffix.lower()
    if suffix == ".exr":
        write_exr(path, picture, output_exif(picture, picture.light.shape[:2], note), note)
        return ()
    if suffix == ".webp":
        picture = replace(picture, profile=rgb_or_none(picture.profile))
    return _write(path, _content(_values(picture, suffix), picture, note))


def write_screen_image(
    path: Path, values: NDArray[np.uint8], provenance: Mapping[str, object]
) -> None:
    """Write 8-bit sRGB values, shape (T, S, 3), as they are: maps and sheets to look at."""
    if path.suffix.lower() not in SCREEN_SUFFIXES:
        raise ImageError(f"{path}: maps are written as .png or .jpg, not {path.suffix!r}")
    note = json.dumps(dict(provenance), default=str)
    exif = exif_of_shot(provenance.get(SHOT))
    no_picture = Picture(light=np.zeros((1, 1, 3), np.float32), exif=exif)
    _write(path, _content(values, no_picture, note))


def _content(values: NDArray[Any], picture: Picture, note: str) -> _Content:
    size = values.shape[0], values.shape[1]
    profile = srgb_profile() if values.shape[2] >= 3 else gray_profile().content
    return _Content(
        values=values,
        exif=output_exif(picture, size, note),
        xmp=output_xmp(picture.xmp, size),
        icc_profile=profile if picture.profile is None else picture.profile.content,
        srgb=picture.profile is None,
        resolution=picture.resolution,
        note=note,
    )


def _write(path: Path, content: _Content) -> tuple[str, ...]:
    suffix = path.suffix.lower()
    if suffix in _TIFF:
        _write_tiff(path, content)
        return ()
    if suffix in _PNG:
        write_bytes(path, _png(content))
        return ()
    return _write_by_pillow(path, content)


def _values(picture: Picture, suffix: str) -> NDArray[Any]:
    """Whole numbers as the file holds them, shape (T, S, C), alpha last."""
    dtype = np.uint8 if suffix in _BY_PILLOW or picture.bits == 8 else np.uint16
    values = map_blocks(
        lambda part: _quantized(encoded(part, picture.profile), dtype), picture.light, dtype
    )
    if suffix == ".webp" and values.shape[2] == 1:  # a format without gray
        values = np.repeat(values, 3, axis=2)
    if picture.alpha is not None and suffix not in _JPEG:
        alpha = map_blocks(lambda part: _quantized(part, dtype), picture.alpha[..., None], dtype)
        values = np.concatenate([values, alpha], axis=2)
    return values


def _quantized(values: FloatArray, dtype: Any) -> NDArray[Any]:
    levels = np.float32(np.iinfo(dtype).max)
    return np.asarray(np.rint(np.clip(values, 0, 1) * levels), dtype)


def _write_by_pillow(path: Path, content: _Content) -> tuple[str, ...]:
    suffix, values = path.suffix.lower(), content.values
    room = _SEGMENT_BYTES if suffix in _JPEG else _NO_LIMIT
    told = content.exif
    if suffix == ".avif":  # it turns pictures by a property of its own; Pillow would rewrite all
        told = replace(told, root=with_entries(told.root, {}, without=(ORIENTATION,)))
    exif, notes = fitted_exif(told, room - len(_EXIF_MARK))
    packet, more = fitted_xmp(content.xmp, room - len(_XMP_MARK))
    options: dict[str, Any] = {
        "exif": _EXIF_MARK + exif,
        "icc_profile": content.icc_profile,
        "quality": 95,
    }
    if packet is not None:
        options["xmp"] = packet
    if suffix in _JPEG:
        options["subsampling"] = 0
        if content.resolution is not None:
            options["dpi"] = (content.resolution.across, content.resolution.down)
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    with replacing(path) as temporary:
        image.save(temporary, **options)
    return tuple(f"{path.name}: {note}" for note in (*notes, *more))


def _png(content: _Content) -> bytes:
    """A PNG file: the chunks that say what the picture is are put behind the first one."""
    values = np.ascontiguousarray(content.values)
    plain = imagecodecs.png_encode(values, level=_PNG_LEVEL)
    chunks = [_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(content.icc_profile))]
    if content.srgb:
        chunks.append(_chunk(b"sRGB", b"\0"))
    if content.resolution is not None:
        across = round(content.resolution.across / METERS_PER_INCH)
        down = round(content.resolution.down / METERS_PER_INCH)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", across, down, 1)))
    chunks.append(_chunk(b"eXIf", exif_bytes(content.exif)))
    if content.xmp is not None:
        chunks.append(_chunk(b"iTXt", XMP_KEYWORD + b"\0\0\0\0\0" + content.xmp))
    texts = {"Software": SOFTWARE, "Description": content.note, "Comment": content.note}
    chunks += [
        _chunk(b"tEXt", f"{keyword}\0{text}".encode("latin-1", "replace"))
        for keyword, text in texts.items()
    ]
    first = len(SIGNATURE) + _FIRST_CHUNK_BYTES
    whole = memoryview(plain)
    return b"".join((whole[:first], *chunks, whole[first:]))


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def _write_tiff(path: Path, content: _Content) -> None:
    channels = content.values.shape[2]
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            content.values[..., 0] if channels == 1 else content.values,
            bigtiff=False,
            byteorder=content.exif.order,
            photometric="rgb" if channels >= 3 else "minisblack",
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            planarconfig="contig" if channels > 1 else None,
            compression="zlib",
            predictor=True,
            software=False,
            metadata=None,
        )
        _complete_directory(temporary, content)


def _complete_directory(path: Path, content: _Content) -> None:
    """Put a fuller directory at the end of a TIFF file, with what is said of the picture."""
    notes = {_ICC_TAG: undefined_entry(content.icc_profile)}
    if content.xmp is not None:
        notes[_XMP_TAG] = bytes_entry(content.xmp)
    with path.open("r+b") as stream:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            written = parse_exif(whole).root
            end = len(whole) + len(whole) % 2
        root = with_entries(written, {**content.exif.root.entries, **notes})
        full = Directory(entries=root.entries, below=content.exif.root.below)
        start, packed = directory_bytes(full, content.exif.order, end)
        stream.seek(end)
        stream.write(packed)
        stream.seek(_FIRST_DIRECTORY)
        stream.write(struct.pack(content.exif.order + "I", start))
