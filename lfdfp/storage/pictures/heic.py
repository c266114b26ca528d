"""HEIC files, read by the extra package pillow-heif (libheif)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.color_profiles import profile_by_code
from lfdfp.storage.pictures.exif import Exif, parse_exif
from lfdfp.storage.pictures.stored import (
    Header,
    Metadata,
    Stored,
    alpha_apart,
    check_file_bytes,
    check_pixels,
)


def read_headers(path: Path) -> list[Header]:
    """Size; the decoder turns the picture upright by itself."""
    image = _opened(path)
    return [Header(rows=image.size[1], columns=image.size[0])]


def read_stored(path: Path, page: int) -> Stored:
    """The pixels, 8 bits deep or 16 where the file has more, and what the file says of them."""
    image = _opened(path)
    check_file_bytes(path, 3 * image.size[0] * image.size[1], modern=True)
    codes: NDArray[Any] = np.asarray(image)
    white = float(np.iinfo(codes.dtype).max)
    values, alpha = alpha_apart(codes, white)
    info = image.info
    profile: bytes | None = info.get("icc_profile") or None
    notes: tuple[str, ...] = ()
    codes_of = info.get("nclx_profile")
    if profile is None and codes_of:
        profile, notes = profile_by_code(
            int(codes_of["color_primaries"]), int(codes_of["transfer_characteristics"])
        )
    return Stored(
        values=values,
        white=white,
        colors="gray" if values.shape[2] == 1 else "rgb",
        alpha=alpha,
        bits=16 if values.dtype == np.uint16 else 8,
        metadata=Metadata(
            exif=_exif(info.get("exif")),
            xmp=info.get("xmp") or None,
            icc_profile=profile,
        ),
        notes=notes,
    )


def _opened(path: Path) -> Any:
    """The file's main picture, its size found possible."""
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageError(
            f"{path}: HEIC files need the package pillow-heif: pip install 'lfdfp[heic]'"
        ) from error
    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    image = file[file.primary_index]
    check_pixels(image.size[1], image.size[0])
    return image


def _exif(content: bytes | None) -> Exif | None:
    try:
        return parse_exif(content.removeprefix(b"Exif\0\0")) if content else None
    except ImageError:
        return None
