"""Depth of a picture for other programs: gray PNG, float TIFF, PFM, EXR, JPEG with a depth map.

The depth map of a JPEG file follows Google's "Depth map metadata" (GDepth): a PNG, in base 64, in
the extended part of the file's XMP.
"""

from __future__ import annotations

import base64
import hashlib
import io
import struct
from pathlib import Path
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import replacing, write_bytes
from lfdfp.interchange.netpbm import write_pfm
from lfdfp.storage.pictures.exr import write_exr_channel

White = Literal["near", "far"]

DEPTH_SUFFIXES: Final = (".png", ".tif", ".tiff", ".pfm", ".exr", ".jpg", ".jpeg")

_GDEPTH: Final = "http://ns.google.com/photos/1.0/depthmap/"
_NOTE: Final = "http://ns.adobe.com/xmp/note/"
_XMP_HEAD: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_HEAD: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PART_BYTES: Final = 65_400
_NEAR, _FAR = 1.0, 10.0
"""Distances of the nearest and the farthest surface: relative, their ratio is not known."""


def write_depth(path: Path, disparity: FloatArray, *, white: White = "near") -> None:
    """Write disparity (Y, X), in pixels per angular step, near is negative.

    A PNG holds it as 16-bit gray, from the least to the greatest, with the near or the far white;
    TIFF, PFM and EXR (its channel Z) hold the values themselves.

    Raises
    ------
    ImageError
        For an ending that is none of `DEPTH_SUFFIXES` without JPEG, or an EXR file where the
        package ``openexr`` is missing.
    StorageError
        If the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".pfm":
        write_pfm(path, disparity)
    elif suffix == ".exr":
        write_exr_channel(path, "Z", disparity)
    elif suffix == ".png":
        write_bytes(path, _gray_png(nearness(disparity, white), 16))
    elif suffix in (".tif", ".tiff"):
        import tifffile

        with replacing(path) as temporary:
            tifffile.imwrite(temporary, disparity.astype(np.float32), compression="zlib")
    else:
        raise ImageError(f"{path}: depth is written as {', '.join(DEPTH_SUFFIXES)}")


def nearness(disparity: FloatArray, white: White) -> FloatArray:
    """From 0 to 1 over a disparity map (Y, X), 1 at its nearest (`near`) or farthest surface."""
    least, greatest = float(disparity.min()), float(disparity.max())
    share = (disparity - least) / max(greatest - least, 1e-12)
    return np.asarray(share if white == "far" else 1 - share, np.float32)


def add_depth_map(path: Path, disparity: FloatArray) -> None:
    """Put a disparity map (Y, X) into a JPEG file that is there: nearest is black, as it has to be.

    Disparity is even in the inverse of distance, which the format calls ``RangeInverse``.

    Raises
    ------
    ImageError
        If the file is no JPEG file.
    StorageError
        If the file cannot be written.
    """
    content = path.read_bytes()
    if content[:2] != b"\xff\xd8":
        raise ImageError(f"{path}: no JPEG file: a depth map cannot be put into it")
    extended = _extended(_gray_png(nearness(disparity, "far"), 8))
    digest = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper().encode()
    segments = [_segment(_XMP_HEAD + _packet(digest.decode()))]
    for start in range(0, len(extended), _PART_BYTES):
        part = extended[start : start + _PART_BYTES]
        place = struct.pack(">II", len(extended), start)
        segments.append(_segment(_EXTENSION_HEAD + digest + place + part))
    after = _end_of_header(content)
    write_bytes(path, content[:after] + b"".join(segments) + content[after:])


def _packet(digest: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:GDepth="{_GDEPTH}" xmlns:xmpNote="{_NOTE}" '
        f'GDepth:Format="RangeInverse" GDepth:Near="{_NEAR}" GDepth:Far="{_FAR}" '
        f'GDepth:Mime="image/png" xmpNote:HasExtendedXMP="{digest}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def _extended(png: bytes) -> bytes:
    data = base64.b64encode(png).decode()
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:GDepth="{_GDEPTH}" GDepth:Data="{data}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def _segment(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload


def _end_of_header(content: bytes) -> int:
    """Behind the JFIF and EXIF segments, which come first."""
    at = 2
    while content[at : at + 2] in (b"\xff\xe0", b"\xff\xe1") and len(content) > at + 4:
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return at


def _gray_png(values: FloatArray, bits: Literal[8, 16]) -> bytes:
    from PIL import Image

    last, dtype = (255, np.uint8) if bits == 8 else (65535, np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(np.rint(values * np.float32(last)).astype(dtype)).save(buffer, "PNG")
    return buffer.getvalue()
