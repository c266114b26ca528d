"""JPEG, WebP and AVIF files, which Pillow opens; it is allowed no other format."""

from __future__ import annotations

import mmap
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.color_profiles import profile_by_code
from lfdfp.storage.pictures.exif import Exif, orientation_of, parse_exif
from lfdfp.storage.pictures.stored import (
    Header,
    Metadata,
    Resolution,
    Stored,
    alpha_apart,
    check_file_bytes,
    check_pixels,
)

_OFFERED: Final = ("JPEG", "WEBP", "AVIF")
_MODES: Final = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA", "CMYK": "CMYK"}
_MOST_SCANS: Final = 100
"""Of a progressive JPEG; ten are usual, and each takes as long as the whole picture."""

_ROWS: Final = 256
"""That are copied at a time."""

_opening = threading.Lock()


def read_headers(path: Path) -> list[Header]:
    """Size and orientation."""
    with _opened(path) as image:
        orientation = orientation_of(_exif(image))
        return [Header(rows=image.height, columns=image.width, orientation=orientation)]


def read_stored(path: Path, page: int) -> Stored:
    """The pixels, 8 bits deep or as deep as AVIF has them, and what the file says of them."""
    with _opened(path) as image:
        unpacked = image.width * image.height * len(image.getbands())
        check_file_bytes(path, unpacked, modern=image.format in ("WEBP", "AVIF"))
        if image.format in ("JPEG", "MPO"):
            _check_scans(path)
        depth = _avif_depth(path) if image.format == "AVIF" else 8
        cmyk = image.mode == "CMYK"
        codes = _pixels(image) if depth == 8 else _deep_avif(path)
        white = float(2**depth - 1)
        values, alpha = (codes, None) if cmyk else alpha_apart(codes, white)
        exif = _exif(image)
        count = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
        xmp = image.info.get("xmp")
        profile: bytes | None = image.info.get("icc_profile")
        notes: tuple[str, ...] = ()
        if profile is None and image.format == "AVIF":
            profile, notes = profile_by_code(*_avif_codes(path))
        return Stored(
            values=values,
            white=white,
            colors="cmyk" if cmyk else "gray" if values.shape[2] == 1 else "rgb",
            alpha=alpha,
            bits=16 if depth > 8 else 8,
            orientation=orientation_of(exif),
            metadata=Metadata(
                exif=exif,
                xmp=xmp if isinstance(xmp, bytes) else None,
                icc_profile=profile,
                resolution=_resolution(image),
            ),
            notes=(*notes, f"it holds {count} pictures; the first is read") if count > 1 else notes,
        )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture with its header read and its size found possible."""
    with _opening:  # the limit is global, and the one of this program says more
        pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of damaged EXIF data, which are read elsewhere
                image = Image.open(path, formats=_OFFERED)
        finally:
            Image.MAX_IMAGE_PIXELS = pillow_limit
    with image:
        check_pixels(image.height, image.width)
        yield image


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The codes, copied some rows at a time: Pillow's own picture is large enough."""
    mode = _MODES.get(image.mode, "RGB")
    image.load()
    parts = (
        np.asarray(image.crop((0, top, image.width, min(top + _ROWS, image.height))).convert(mode))
        for top in range(0, image.height, _ROWS)
    )
    first = next(parts)
    codes = np.empty((image.height, *first.shape[1:]), np.uint8)
    codes[: len(first)] = first
    for place, part in enumerate(parts, start=1):
        codes[place * _ROWS : place * _ROWS + len(part)] = part
    return codes


def _exif(image: Image.Image) -> Exif | None:
    content = image.info.get("exif")
    if not isinstance(content, bytes) or not content:
        return None
    try:
        return parse_exif(content.removeprefix(b"Exif\0\0"))
    except ImageError:
        return None


def _resolution(image: Image.Image) -> Resolution | None:
    found = image.info.get("dpi")
    if not isinstance(found, tuple) or len(found) != 2 or not all(0 < n < 1e6 for n in found):
        return None
    return Resolution(across=float(found[0]), down=float(found[1]))


def _check_scans(path: Path) -> None:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        place, scans = -2, 0
        while scans <= _MOST_SCANS and (place := whole.find(b"\xff\xda", place + 2)) >= 0:
            scans += 1
    if scans > _MOST_SCANS:
        raise ImageError(f"more than {_MOST_SCANS} scans, which would take very long to unpack")


def _avif_codes(path: Path) -> tuple[int, int]:
    """Codes of primaries and curve in the box ``colr``; those of sRGB where there is none."""
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    place = head.find(b"colrnclx")
    codes = head[place + 8 : place + 12]
    if place < 0 or len(codes) < 4:
        return 1, 13
    return int.from_bytes(codes[:2], "big"), int.from_bytes(codes[2:], "big")


def _avif_depth(path: Path) -> int:
    """Bits per channel: the box ``pixi`` holds their number and then one byte for each."""
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    box = head[head.find(b"pixi") :] if b"pixi" in head else b""
    return max(box[9 : 9 + box[8]], default=8) if len(box) > 9 else 8


def _deep_avif(path: Path) -> NDArray[np.uint16]:
    values: NDArray[np.uint16] = imagecodecs.avif_decode(path.read_bytes()).astype(np.uint16)
    return values
