"""Pictures in and out: PNG, TIFF and JPEG with 8 or 16 bits, orientation and color profile kept.

Inside, light is linear; a picture file is taken to be encoded with the sRGB curve, except OpenEXR
(written only), which holds linear light. A color profile is not interpreted but carried from input
to output, so colors keep their meaning.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from lfdfp.computing.parts import by_parts
from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import replacing, write_bytes
from lfdfp.imaging.color import decode_srgb, encode_srgb, oriented
from lfdfp.storage.exr import require_exr, write_exr

Bits = Literal[8, 16]
MAX_PIXELS: Final = 120_000_000
"""Largest picture that is read: sizes are checked before memory is taken."""

PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"})
_TIFF_SUFFIXES: Final = frozenset({".tif", ".tiff"})
_ICC_TAG: Final = 34675
_ORIENTATION_TAG: Final = 0x0112

_DAMAGED: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    SyntaxError,
    struct.error,
    zlib.error,
    cv2.error,
)
"""What the readers of other packages raise on files that are damaged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture file's content.

    Attributes
    ----------
    light
        Shape (T, S, C) with C = 1 (gray) or 3 (RGB), linear light in [0, 1], upright.
    alpha
        Shape (T, S), in [0, 1], or None.
    bits
        Depth of the file, 8 or 16.
    icc_profile, exif
        Carried from input to output as they are (orientation reset).
    """

    light: FloatArray
    alpha: FloatArray | None = None
    bits: Bits = 8
    icc_profile: bytes | None = None
    exif: bytes | None = None


def picture_size(path: Path) -> tuple[int, int]:
    """(rows, columns) of an upright picture, from its header alone."""
    with _opened(path) as image, _damage_reported(path):
        columns, rows = image.size
        turned = _orientation(_header_exif(image)) >= 5
    return (columns, rows) if turned else (rows, columns)


def read_picture(path: Path) -> Picture:
    """Read a picture file into linear light, upright.

    Raises
    ------
    ImageError
        If the file is missing, not a picture, damaged, or larger than `MAX_PIXELS`.
    """
    with _opened(path) as image, _damage_reported(path):
        exif = _header_exif(image)
        orientation = _orientation(exif)
        exif[_ORIENTATION_TAG] = 1
        carried = exif.tobytes()
        icc_profile = image.info.get("icc_profile")
        values = _values(path, image)
    bits: Bits = 16 if values.dtype == np.uint16 else 8
    white = np.float32(np.iinfo(values.dtype).max)
    scaled = by_parts(lambda codes: codes.astype(np.float32) / white, oriented(values, orientation))
    has_alpha = scaled.shape[2] in (2, 4)
    return Picture(
        light=decode_srgb(scaled[..., :-1] if has_alpha else scaled),
        alpha=scaled[..., -1] if has_alpha else None,
        bits=bits,
        icc_profile=icc_profile,
        exif=carried,
    )


def read_codes(path: Path) -> NDArray[Any]:
    """A picture's uint8 or uint16 values as stored, upright: shape (T, S, C).

    Alpha is last where C is 2 or 4.

    Raises
    ------
    ImageError
        As `read_picture`.
    """
    with _opened(path) as image, _damage_reported(path):
        orientation = _orientation(_header_exif(image))
        values = _values(path, image)
    turned: NDArray[Any] = oriented(values, orientation)
    return turned


def check_writable(path: Path) -> None:
    """Refuse a suffix that names no format that can be written, before the work is done.

    Raises
    ------
    ImageError
        With the suffix; or where OpenEXR's package is missing.
    """
    suffix = path.suffix.lower()
    if suffix == ".exr":
        require_exr(path)
    elif suffix not in _TIFF_SUFFIXES | {".png", ".jpg", ".jpeg"}:
        raise ImageError(
            f"{path}: pictures are written as .png, .tif, .jpg or .exr, not {suffix!r}"
        )


def write_picture(path: Path, picture: Picture, provenance: Mapping[str, object]) -> None:
    """Write a picture; the suffix of `path` chooses the format.

    PNG and TIFF hold 8 or 16 bits, JPEG 8, with the sRGB curve; OpenEXR holds linear light as half
    floats. Provenance is stored as JSON in the PNG text chunk "Comment" (8 bits), in the TIFF
    description, or in the OpenEXR attribute "comments".

    Raises
    ------
    ImageError
        If the suffix names no format that can be written.
    """
    check_writable(path)
    suffix = path.suffix.lower()
    note = json.dumps(dict(provenance), default=str)
    if suffix == ".exr":
        write_exr(path, picture.light, picture.alpha, note)
        return
    encoded = encode_srgb(picture.light)
    if picture.alpha is not None and suffix not in (".jpg", ".jpeg"):
        encoded = np.concatenate([encoded, picture.alpha[..., None]], axis=2)
    values = _quantized(encoded, 8 if suffix in (".jpg", ".jpeg") else picture.bits)
    if values.dtype == np.uint16 and values.shape[2] == 2:  # hardly any reader knows this kind
        values = values[..., [0, 0, 0, 1]]
    if suffix in _TIFF_SUFFIXES:
        _write_tiff(path, values, picture, note)
    elif suffix == ".png" and values.dtype == np.uint16:
        _write_deep_png(path, values, picture)
    else:
        carried = {"icc_profile": picture.icc_profile, "exif": picture.exif}
        _write_shallow(path, values, carried, note)


def write_screen_image(
    path: Path, values: NDArray[np.uint8], provenance: Mapping[str, object]
) -> None:
    """Write 8-bit sRGB values, shape (T, S, 3), as they are: maps and sheets to look at."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ImageError(f"{path}: maps are written as .png or .jpg, not {path.suffix!r}")
    _write_shallow(path, values, {}, json.dumps(dict(provenance), default=str))


def _opened(path: Path) -> Image.Image:
    """A picture file with its header read and its size found possible."""
    if not path.is_file():
        raise ImageError(f"{path}: no such file")
    pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # ours, below, says more
    try:
        image = Image.open(path)
    except (UnidentifiedImageError, *_DAMAGED) as error:
        raise ImageError(f"{path}: is not a picture that can be read (PNG, JPEG, TIFF)") from error
    finally:
        Image.MAX_IMAGE_PIXELS = pillow_limit
    columns, rows = image.size
    if rows * columns > MAX_PIXELS:
        image.close()
        raise ImageError(
            f"{path}: {columns} x {rows} pixels are more than the {MAX_PIXELS // 1_000_000} "
            "megapixels that fit; crop or reduce the picture first"
        )
    return image


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    """Turn what the readers raise on damaged files into one line."""
    try:
        yield
    except _DAMAGED as error:
        raise ImageError(f"{path}: the picture is damaged: {_one_line(error)}") from error


def _header_exif(image: Image.Image) -> Image.Exif:
    """EXIF data, without decoding the pixels (Pillow would, to find a PNG's trailing chunk)."""
    if image.format == "PNG" and "exif" not in image.info:
        return Image.Exif()
    return image.getexif()


def _orientation(exif: Image.Exif) -> int:
    """1 to 8; 1 where there is none, or none that exists."""
    stored = exif.get(_ORIENTATION_TAG, 1)
    return stored if isinstance(stored, int) and 1 <= stored <= 8 else 1


def _values(path: Path, image: Image.Image) -> NDArray[Any]:
    """The values of an opened picture, shape (T, S, C), uint8 or uint16, as stored."""
    deep = _deep_values(path, image)
    return _shallow_values(image) if deep is None else deep


def _shallow_values(image: Image.Image) -> NDArray[Any]:
    """8-bit values, shape (T, S, C), of any mode that Pillow knows."""
    transparent = "A" in image.getbands() or "transparency" in image.info
    gray = image.mode in ("1", "L", "LA", "I", "F")
    mode = {(True, True): "LA", (True, False): "L", (False, True): "RGBA"}.get(
        (gray, transparent), "RGB"
    )
    values = np.asarray(image.convert(mode))
    return values[..., None] if values.ndim == 2 else values


def _deep_values(path: Path, image: Image.Image) -> NDArray[Any] | None:
    """16-bit values, shape (T, S, C), or None where the file has 8 bits."""
    if image.format == "TIFF":
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages.first
            if page.dtype != np.uint16 or page.photometric not in (1, 2):
                return None
            if page.shape[:2] != (image.height, image.width) or page.size > 4 * MAX_PIXELS:
                raise ValueError(f"values of shape {page.shape} for {image.width} x {image.height}")
            values: NDArray[Any] = page.asarray()
    elif image.format == "PNG":
        read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if read is None or read.dtype != np.uint16:
            return None
        values = read[..., [2, 1, 0, 3][: read.shape[2]]] if read.ndim == 3 else read
    else:
        return None
    return values[..., None] if values.ndim == 2 else values


def _quantized(encoded: FloatArray, bits: Bits) -> NDArray[Any]:
    dtype = np.uint16 if bits == 16 else np.uint8
    levels = np.float32(np.iinfo(dtype).max)
    return by_parts(lambda part: np.rint(np.clip(part, 0, 1) * levels), encoded, dtype)


def _write_shallow(
    path: Path, values: NDArray[np.uint8], carried: Mapping[str, bytes | None], note: str
) -> None:
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    options: dict[str, Any] = {name: value for name, value in carried.items() if value}
    if path.suffix.lower() == ".png":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", note)
        options.update(pnginfo=text, compress_level=4)
    else:
        options.update(quality=95, subsampling=0)
    with replacing(path) as temporary:
        image.save(temporary, **options)


def _write_deep_png(path: Path, values: NDArray[np.uint16], picture: Picture) -> None:
    ordered = values[..., [2, 1, 0, 3][: values.shape[2]]] if values.shape[2] >= 3 else values
    kinds, blocks = [], []
    if picture.icc_profile:
        kinds.append(cv2.IMAGE_METADATA_ICCP)
        blocks.append(np.frombuffer(picture.icc_profile, np.uint8))
    if picture.exif:
        kinds.append(cv2.IMAGE_METADATA_EXIF)
        blocks.append(np.frombuffer(picture.exif.removeprefix(b"Exif\0\0"), np.uint8))
    options = [cv2.IMWRITE_PNG_COMPRESSION, 4]
    done, content = cv2.imencodeWithMetadata(".png", ordered, kinds, blocks, options)
    if not done:
        raise ImageError(f"{path}: the picture could not be encoded as PNG")
    write_bytes(path, content.tobytes())


def _write_tiff(path: Path, values: NDArray[Any], picture: Picture, note: str) -> None:
    extra = []
    if picture.icc_profile:
        extra.append((_ICC_TAG, 7, len(picture.icc_profile), picture.icc_profile, True))
    channels = values.shape[2]
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values[..., 0] if channels == 1 else values,
            photometric="rgb" if channels >= 3 else "minisblack",
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            planarconfig="contig" if channels > 1 else None,
            compression="zlib",
            description=note,
            metadata=None,
            extratags=extra,
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
