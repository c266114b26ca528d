"""What a picture file says of itself: carried from the input, corrected, filled in, made to fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from PIL import ExifTags

from lfdfp.storage.pictures.exif import (
    EXIF_POINTER,
    Directory,
    Entry,
    Exif,
    all_entries,
    comment_entry,
    exif_bytes,
    long_entry,
    number_in,
    ratio_entry,
    short_entry,
    text_entry,
    text_of,
    undefined_entry,
    with_directory,
    with_entries,
    without_entry,
)
from lfdfp.storage.pictures.picture import Picture
from lfdfp.version import __version__

SOFTWARE: Final = f"lfdfp {__version__}"
DESCRIPTION: Final = 0x010E

_MAKE, _MODEL, _SOFTWARE, _ORIENTATION = 0x010F, 0x0110, 0x0131, 0x0112
_ACROSS, _DOWN, _RESOLUTION_UNIT, _INCHES = 0x011A, 0x011B, 0x0128, 2
_EXPOSURE_TIME, _F_NUMBER, _ISO, _TAKEN = 0x829A, 0x829D, 0x8827, 0x9003
_FOCAL_LENGTH, _SERIAL, _VERSION, _COLOR_SPACE = 0x920A, 0xA431, 0x9000, 0xA001
_COLUMNS, _ROWS, _USER_COMMENT = 0xA002, 0xA003, 0x9286
_SRGB, _UNCALIBRATED = 1, 0xFFFF

_OF_THE_OLD_FILE: Final = frozenset(
    {0x00FE, 0x00FF, *range(0x0100, 0x0104), 0x0106, 0x010A, 0x0111, 0x0112}
    | {0x0115, 0x0116, 0x0117, 0x011C, 0x013D, 0x0140}
    | {*range(0x0142, 0x014A), 0x014A, 0x0152, 0x0153, 0x015B, 0x0201, 0x0202}
    | {0x0211, 0x0212, 0x02BC, 0x8649, 0x83BB, 0x8773}
)
"""Entries that describe the bytes of the file that was read: sizes, strips, thumbnail, profile."""
_OF_THE_OLD_PIXELS: Final = frozenset({0x9102})

_XMP_CORRECTIONS: Final = (
    (rb"(tiff:Orientation\s{0,9}=\s{0,9}[\"'])\d{1,9}", rb"\g<1>1"),
    (rb"(<tiff:Orientation>\s{0,9})\d{1,9}", rb"\g<1>1"),
    (
        rb"((?:tiff:ImageWidth|exif:PixelXDimension)\s{0,9}=\s{0,9}[\"'])\d{1,9}",
        rb"\g<1>%(columns)d",
    ),
    (rb"(<(?:tiff:ImageWidth|exif:PixelXDimension)>\s{0,9})\d{1,9}", rb"\g<1>%(columns)d"),
    (
        rb"((?:tiff:ImageLength|exif:PixelYDimension)\s{0,9}=\s{0,9}[\"'])\d{1,9}",
        rb"\g<1>%(rows)d",
    ),
    (rb"(<(?:tiff:ImageLength|exif:PixelYDimension)>\s{0,9})\d{1,9}", rb"\g<1>%(rows)d"),
    (rb"\sxmpNote:HasExtendedXMP\s{0,9}=\s{0,9}[\"']\w{0,99}[\"']", rb""),
)
"""What XMP packets say of the file that was read, and what they have to say of the new one; none
looks far ahead, so that no packet takes long."""
_XMP_PREVIEW: Final = (b"<xmp:Thumbnails>", b"</xmp:Thumbnails>")
_XMP_END: Final = b"<?xpacket end"


def output_exif(picture: Picture, size: tuple[int, int], provenance: str) -> Exif:
    """EXIF data for the new file: what described the old one is corrected or left out.

    The provenance becomes the image's description, or the user's comment where the photograph
    has a description of its own; where it has both, they stay as they are.
    """
    source = picture.exif or Exif()
    order = source.order
    root: dict[int, Entry] = {
        _ORIENTATION: short_entry(order, 1),
        _SOFTWARE: text_entry(SOFTWARE),
    }
    space = _SRGB if picture.profile is None else _UNCALIBRATED
    below: dict[int, Entry] = {
        _COLUMNS: long_entry(order, size[1]),
        _ROWS: long_entry(order, size[0]),
        _COLOR_SPACE: short_entry(order, space),
    }
    if picture.resolution is not None:
        root[_ACROSS] = ratio_entry(order, picture.resolution.across)
        root[_DOWN] = ratio_entry(order, picture.resolution.down)
        root[_RESOLUTION_UNIT] = short_entry(order, _INCHES)
    inner = source.root.below.get(EXIF_POINTER, Directory())
    if _VERSION not in inner.entries:
        below[_VERSION] = undefined_entry(b"0232")
    if not text_of(source.root.entries.get(DESCRIPTION)):
        root[DESCRIPTION] = text_entry(provenance)
    elif not _comment(inner.entries.get(_USER_COMMENT)):
        below[_USER_COMMENT] = comment_entry(provenance)
    changed = with_entries(source.root, root, without=_OF_THE_OLD_FILE)
    inner = with_entries(inner, below, without=_OF_THE_OLD_PIXELS)
    return replace(source, root=with_directory(changed, EXIF_POINTER, inner))


def _comment(entry: Entry | None) -> bytes:
    """What a user's comment says, without the name of its code."""
    return b"" if entry is None else entry.data[8:].strip(b"\0 ")


def output_xmp(packet: bytes | None, size: tuple[int, int]) -> bytes | None:
    """The XMP packet for the new file, with size and orientation corrected."""
    if packet is None:
        return None
    rows, columns = size
    for pattern, replacement in _XMP_CORRECTIONS:
        numbers = {b"rows": rows, b"columns": columns}
        filled = replacement % numbers if b"%(" in replacement else replacement
        packet = re.sub(pattern, filled, packet)
    return _without_preview(packet)


def _without_preview(packet: bytes) -> bytes:
    before, opened, rest = packet.partition(_XMP_PREVIEW[0])
    _, closed, after = rest.partition(_XMP_PREVIEW[1])
    return before + after if opened and closed else packet


def fitted_exif(exif: Exif, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """EXIF data of at most `limit` bytes: the longest entries are left out, and named in notes."""
    content = exif_bytes(exif)
    dropped = []
    while len(content) > limit:
        found = list(all_entries(exif.root))
        if not found:
            return b"", ("EXIF data do not fit into this format and are left out",)
        path, tag, _ = max(found, key=lambda one: len(one[2].data))
        dropped.append(tag)
        exif = replace(exif, root=without_entry(exif.root, path, tag))
        content = exif_bytes(exif)
    return content, tuple(
        f"EXIF data are too long for this format: {_name(tag)} is left out" for tag in dropped
    )


def fitted_xmp(packet: bytes | None, limit: int) -> tuple[bytes | None, tuple[str, ...]]:
    """The XMP packet, without its room for edits if need be; None where it is too long."""
    if packet is None or len(packet) <= limit:
        return packet, ()
    before, end, after = packet.rpartition(_XMP_END)
    tight = before.rstrip() + end + after
    if len(tight) <= limit:
        return tight, ()
    note = f"{len(packet)} bytes of XMP are too many for this format and are left out"
    return None, (note,)


def _name(tag: int) -> str:
    names: Mapping[int, str] = ExifTags.TAGS
    return names.get(tag, f"entry 0x{tag:04X}")


def camera_facts(exif: Exif) -> dict[str, str | float]:
    """Camera and exposure under the names that OpenEXR has for them."""
    root, inner = exif.root, exif.root.below.get(EXIF_POINTER, Directory())
    texts = {
        "cameraMake": root.entries.get(_MAKE),
        "cameraModel": root.entries.get(_MODEL),
        "cameraSerialNumber": inner.entries.get(_SERIAL),
        "capDate": inner.entries.get(_TAKEN),
    }
    numbers = {
        "expTime": inner.entries.get(_EXPOSURE_TIME),
        "aperture": inner.entries.get(_F_NUMBER),
        "isoSpeed": inner.entries.get(_ISO),
        "nominalFocalLength": inner.entries.get(_FOCAL_LENGTH),
        "xDensity": root.entries.get(_ACROSS),
    }
    found: dict[str, str | float] = {n: text_of(e) for n, e in texts.items() if text_of(e)}
    for name, entry in numbers.items():
        value = number_in(entry, exif.order)
        if value is not None:
            found[name] = value
    return found
