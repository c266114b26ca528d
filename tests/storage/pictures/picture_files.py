"""Small picture files of every kind that is read, with the values that they hold."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.color import oriented
from lfdfp.imaging.display import decode_srgb


def _smooth(channels: int, seed: int) -> FloatArray:
    """Values without sharp edges, which lossy formats keep; shape (48, 80, channels)."""
    coarse = np.random.default_rng(seed).random((4, 5, channels)).astype(np.float32)
    fine = cv2.resize(coarse, (80, 48), interpolation=cv2.INTER_CUBIC).reshape(48, 80, channels)
    return np.clip(0.1 + 0.8 * fine, 0.05, 0.95)


RGB: Final = _smooth(3, 1)
GRAY: Final = _smooth(1, 2)
ALPHA: Final = _smooth(1, 3)
RGBA: Final = np.concatenate([RGB, ALPHA], axis=2)
GRAY_ALPHA: Final = np.concatenate([GRAY, ALPHA], axis=2)
_BLACK: Final = 1 - RGB.max(axis=2, keepdims=True)
INK: Final = np.concatenate([(1 - RGB - _BLACK) / (1 - _BLACK), _BLACK], axis=2)


def codes8(values: FloatArray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.rint(values * 255).astype(np.uint8)


def codes16(values: FloatArray) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return np.rint(values * 65535).astype(np.uint16)


def png_chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a file is written, and what it then holds: encoded values, depth, and how exactly."""

    suffix: str
    write: Callable[[Path], object]
    values: FloatArray
    bits: int = 8
    tolerance: float = 0.003


def _tiff(
    values: FloatArray, codes: Any, *, bits: int = 16, tolerance: float = 0.003, **options: Any
) -> Kind:
    def write(path: Path) -> None:
        tifffile.imwrite(path, codes, metadata=None, **options)

    return Kind(suffix=".tif", write=write, values=values, bits=bits, tolerance=tolerance)


def _pillow(suffix: str, values: FloatArray, *, tolerance: float = 0.003, **options: Any) -> Kind:
    codes = codes8(values)
    image = Image.fromarray(codes[..., 0] if codes.shape[2] == 1 else codes)
    return Kind(
        suffix=suffix,
        write=lambda path: image.save(path, **options),
        values=values,
        tolerance=tolerance,
    )


def _bytes(suffix: str, values: FloatArray, content: Callable[[], bytes], **more: Any) -> Kind:
    return Kind(
        suffix=suffix, write=lambda path: path.write_bytes(content()), values=values, **more
    )


def _palette(suffix: str) -> Kind:
    image = Image.fromarray(codes8(RGB)).quantize(256)
    values = np.asarray(image.convert("RGB"), np.float32) / 255
    return Kind(suffix=suffix, write=lambda path: image.save(path), values=values)


def _two_colors() -> Kind:
    table = np.array([[0x1200, 0xC800], [0x3400, 0xA000], [0x5600, 0x0B00]], np.uint16)
    choice = GRAY[..., 0] > 0.5

    def write(path: Path) -> None:
        extra = [(320, 3, table.size, tuple(table.ravel().tolist()), True)]
        tifffile.imwrite(path, choice, metadata=None, extratags=extra)
        with tifffile.TiffFile(path, mode="r+b") as file:
            file.pages.first.tags["PhotometricInterpretation"].overwrite(3)

    values = (table.T >> 8)[choice.astype(int)].astype(np.float32) / 255
    return Kind(suffix=".tif", write=write, values=values)


def _ycbcr() -> Kind:
    image = Image.fromarray(codes8(RGB)).convert("YCbCr")
    return Kind(
        suffix=".tif",
        write=lambda path: image.save(path, compression="tiff_lzw"),
        values=RGB,
        tolerance=0.02,
    )


def _bilevel() -> Kind:
    ink = Image.fromarray(codes8(GRAY)[..., 0]).point(lambda v: 255 * (v > 127), "1")
    values = np.asarray(ink, np.float32)[..., None]
    return Kind(
        suffix=".tif", write=lambda path: ink.save(path, compression="group4"), values=values
    )


def _lab(dtype: Any, photometric: str) -> FloatArray:
    """Neutral grays, which are the same in Lab under any white: L of `GRAY`, a = b = 0."""
    lightness = 116 * np.cbrt(decode_srgb(GRAY)) - 16
    unit = 1 if dtype == np.uint8 else 256
    white = 255 * unit if photometric == "icclab" else np.iinfo(dtype).max
    middle = 128 * unit if photometric == "icclab" else 0
    chroma = np.full_like(lightness, middle)
    return np.concatenate([np.rint(lightness / 100 * white), chroma, chroma], 2).astype(dtype)


def _turned(codes: Any, orientation: int) -> Kind:
    stored = oriented(codes, {6: 8, 8: 6}.get(orientation, orientation))
    return _tiff(
        RGB,
        np.ascontiguousarray(stored),
        bits=8 * codes.dtype.itemsize,
        photometric="rgb",
        compression="lzw",
        extratags=[(274, 3, 1, orientation, True)],
    )


_LIGHT: Final = decode_srgb(GRAY)
_NEUTRAL: Final = np.repeat(GRAY, 3, axis=2)

KINDS: Final[Mapping[str, Kind]] = {
    "png 8 gray": _pillow(".png", GRAY),
    "png 8 gray alpha": _pillow(".png", GRAY_ALPHA),
    "png 8 rgb": _pillow(".png", RGB),
    "png 8 rgb alpha": _pillow(".png", RGBA),
    "png palette": _palette(".png"),
    "png 16 gray": _bytes(".png", GRAY, lambda: imagecodecs.png_encode(codes16(GRAY)), bits=16),
    "png 16 gray alpha": _bytes(
        ".png", GRAY_ALPHA, lambda: imagecodecs.png_encode(codes16(GRAY_ALPHA)), bits=16
    ),
    "png 16 rgb": _bytes(".png", RGB, lambda: imagecodecs.png_encode(codes16(RGB)), bits=16),
    "png 16 rgb alpha": _bytes(
        ".png", RGBA, lambda: imagecodecs.png_encode(codes16(RGBA)), bits=16
    ),
    "jpeg gray": _pillow(".jpg", GRAY, quality=97, tolerance=0.03),
    "jpeg rgb": _pillow(".jpg", RGB, quality=97, subsampling=0, tolerance=0.03),
    "jpeg progressive": _pillow(".jpg", RGB, quality=97, progressive=True, tolerance=0.05),
    "jpeg cmyk": Kind(
        suffix=".jpg",
        write=lambda path: Image.fromarray(codes8(INK), mode="CMYK").save(path, quality=97),
        values=RGB,
        tolerance=0.03,
    ),
    "webp rgb": _pillow(".webp", RGB, quality=97, tolerance=0.05),
    "webp rgb alpha": _pillow(".webp", RGBA, lossless=True, exact=True),
    "avif rgb": _pillow(".avif", RGB, quality=97, tolerance=0.05),
    "avif 10 rgb": _bytes(
        ".avif",
        RGB,
        lambda: imagecodecs.avif_encode(codes16(RGB) >> 6, level=95, bitspersample=10),
        bits=16,
        tolerance=0.05,
    ),
    "jpeg xl 8 rgb": _bytes(
        ".jxl", RGB, lambda: imagecodecs.jpegxl_encode(codes8(RGB), lossless=True)
    ),
    "jpeg xl 16 gray": _bytes(
        ".jxl", GRAY, lambda: imagecodecs.jpegxl_encode(codes16(_LIGHT), lossless=True), bits=16
    ),  # this encoder says that 16 bits are linear light
    "tiff 16 lzw": _tiff(RGB, codes16(RGB), photometric="rgb", compression="lzw", predictor=2),
    "tiff 16 gray lzw": _tiff(GRAY, codes16(GRAY)[..., 0], compression="lzw"),
    "tiff 16 zstd": _tiff(RGB, codes16(RGB), photometric="rgb", compression="zstd"),
    "tiff 8 jpeg": _tiff(
        RGB,
        codes8(RGB),
        bits=8,
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": 97},
        tolerance=0.04,
    ),
    "tiff big": _tiff(RGB, codes16(RGB), photometric="rgb", bigtiff=True),
    "tiff big-endian": _tiff(RGB, codes16(RGB), photometric="rgb", byteorder=">"),
    "tiff tiles": _tiff(RGB, codes16(RGB), photometric="rgb", tile=(16, 32), compression="lzw"),
    "tiff 16 planes apart": _tiff(
        RGB, codes16(RGB).transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
    ),
    "tiff 8 planes apart": _tiff(
        RGB, codes8(RGB).transpose(2, 0, 1), bits=8, photometric="rgb", planarconfig="separate"
    ),
    "tiff 8 white is zero": _tiff(
        GRAY, 255 - codes8(GRAY)[..., 0], bits=8, photometric="miniswhite"
    ),
    "tiff 16 white is zero": _tiff(GRAY, 65535 - codes16(GRAY)[..., 0], photometric="miniswhite"),
    "tiff fax": _bilevel(),
    "tiff float": _tiff(RGB, RGB, photometric="rgb"),
    "tiff half float gray": _tiff(GRAY, GRAY[..., 0].astype(np.float16)),
    "tiff double": _tiff(GRAY, GRAY[..., 0].astype(np.float64)),
    "tiff float up to 255": _tiff(RGB, 255 * RGB, photometric="rgb"),
    "tiff float up to 65535": _tiff(
        RGB, 65535 * RGB, photometric="rgb", predictor=3, compression="zlib"
    ),
    "tiff 32": _tiff(
        RGB, np.rint(RGB.astype(float) * (2**32 - 1)).astype(np.uint32), photometric="rgb"
    ),
    "tiff 32 up to 65535": _tiff(RGB, codes16(RGB).astype(np.uint32), photometric="rgb"),
    "tiff 16 signed": _tiff(RGB, np.rint(RGB * 32767).astype(np.int16), photometric="rgb"),
    "tiff 8 alpha": _tiff(
        RGBA, codes8(RGBA), bits=8, photometric="rgb", extrasamples=["unassalpha"]
    ),
    "tiff 16 alpha": _tiff(
        RGBA, codes16(RGBA), photometric="rgb", extrasamples=["unassalpha"], compression="lzw"
    ),
    "tiff 16 multiplied by alpha": _tiff(
        RGBA,
        codes16(np.concatenate([RGB * ALPHA, ALPHA], axis=2)),
        photometric="rgb",
        extrasamples=["assocalpha"],
    ),
    "tiff gray alpha": _tiff(
        GRAY_ALPHA,
        codes16(GRAY_ALPHA),
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    ),
    "tiff palette": _palette(".tif"),
    "tiff palette of two": _two_colors(),
    "tiff ycbcr lzw": _ycbcr(),
    "tiff 8 cmyk": _tiff(RGB, codes8(INK), bits=8, tolerance=0.006, photometric="separated"),
    "tiff 16 cmyk": _tiff(RGB, codes16(INK), photometric="separated", compression="lzw"),
    # Steps of 0.4 in lightness are 0.0045 of encoded gray.
    "tiff 8 lab": _tiff(
        _NEUTRAL, _lab(np.uint8, "cielab"), bits=8, tolerance=0.006, photometric="cielab"
    ),
    "tiff 16 lab": _tiff(_NEUTRAL, _lab(np.uint16, "cielab"), photometric="cielab"),
    "tiff 8 icc lab": _tiff(
        _NEUTRAL, _lab(np.uint8, "icclab"), bits=8, tolerance=0.006, photometric="icclab"
    ),
    **{f"tiff 8 turned {n}": _turned(codes8(RGB), n) for n in range(1, 9)},
    **{f"tiff 16 turned {n}": _turned(codes16(RGB), n) for n in range(1, 9)},
}
