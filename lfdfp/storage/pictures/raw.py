"""Raw photographs of cameras (CR2, CR3, NEF, ARW, DNG, RAF, ORF, ...), developed by LibRaw."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.exif import Exif, parse_exif
from lfdfp.storage.pictures.stored import Header, Metadata, Stored, check_no_bomb, check_pixels
from lfdfp.storage.pictures.tiff import descriptive_exif

_TURNED: Final = (5, 6)
"""Values of LibRaw's ``flip`` for a quarter turn."""


def read_headers(path: Path) -> list[Header]:
    """Size of the developed picture, upright."""
    with _opened(path) as raw:
        rows, columns = raw.sizes.height, raw.sizes.width
        if raw.sizes.flip in _TURNED:
            rows, columns = columns, rows
        return [Header(rows=rows, columns=columns)]


def read_stored(path: Path, page: int) -> Stored:
    """The picture in linear light with sRGB primaries, upright, with the camera's white balance."""
    with _opened(path) as raw:
        check_no_bomb(2 * raw.sizes.raw_height * raw.sizes.raw_width, path.stat().st_size)
        values: NDArray[np.uint16] = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            output_bps=16,
            gamma=(1, 1),
            output_color=_rawpy(path).ColorSpace.sRGB,
        )
        exif = _exif(path, raw)
    return Stored(
        values=values,
        white=65535.0,
        colors="gray" if values.shape[2] == 1 else "rgb",
        bits=16,
        linear=True,
        metadata=Metadata(exif=exif),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file with its header read and its size found possible."""
    rawpy = _rawpy(path)
    try:
        with rawpy.RawPy() as raw:
            raw.open_file(str(path))
            check_pixels(raw.sizes.raw_height, raw.sizes.raw_width)
            check_pixels(raw.sizes.height, raw.sizes.width)
            yield raw
    except rawpy.LibRawError as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ImageError(f"{path}: the raw photograph cannot be read: {reason}") from error


def _rawpy(path: Path) -> Any:
    try:
        import rawpy
    except ImportError as error:
        raise ImageError(
            f"{path}: raw photographs need the package rawpy: pip install 'lfdfp[raw]'"
        ) from error
    return rawpy


def _exif(path: Path, raw: Any) -> Exif | None:
    """EXIF data of the file where it has the structure of TIFF, else of its preview."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        found = descriptive_exif(whole)
    if found is not None and found.root.entries:
        return found
    try:
        preview = raw.extract_thumb()
        with Image.open(io.BytesIO(preview.data), formats=("JPEG",)) as image:
            return parse_exif(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    except (_rawpy(path).LibRawError, ImageError, OSError, ValueError, TypeError):
        return None
