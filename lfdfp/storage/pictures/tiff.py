"""TIFF and BigTIFF files: directories are checked here, pixels are decoded by tifffile."""

from __future__ import annotations

import logging
import mmap
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.storage.pictures.exif import (
    LARGEST_ENTRY,
    ByteOrder,
    Bytes,
    Exif,
    Place,
    directory_places,
    number_in,
    parse_exif,
    text_of,
    tiff_layout,
    with_entries,
)
from lfdfp.storage.pictures.stored import (
    Colors,
    Header,
    Metadata,
    Resolution,
    Stored,
    check_no_bomb,
    check_pixels,
)

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it finds odd is raised here

_SUBFILE, _WIDTH, _LENGTH, _BITS = 254, 256, 257, 258
_COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES = 259, 262, 274, 277
_STRIP_PLACES, _STRIP_BYTES, _STRIP_ROWS, _PLANES = 273, 279, 278, 284
_TILE_WIDTH, _TILE_LENGTH, _TILE_PLACES, _TILE_BYTES = 322, 323, 324, 325
_EXTRA, _FORMAT, _INKS, _COLOR_MAP = 338, 339, 332, 320
_UNSIGNED, _FLOATING = 1, 3
_ACROSS, _DOWN, _RESOLUTION_UNIT = 282, 283, 296
_XMP, _ICC, _DNG = 700, 34675, 50706
_DESCRIPTION = 270

_JPEG: Final = (7, 99)
_WHITE_IS_ZERO, _GRAY, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_CIELAB, _ICCLAB = 8, 9
_COLORS: Final[Mapping[int, tuple[Colors, int]]] = {
    _WHITE_IS_ZERO: ("gray", 1),
    _GRAY: ("gray", 1),
    _RGB: ("rgb", 3),
    _PALETTE: ("rgb", 1),
    _CMYK: ("cmyk", 4),
    _YCBCR: ("rgb", 3),
    _CIELAB: ("lab", 3),
    _ICCLAB: ("lab", 3),
}
"""What the channels are, and how many of them the file holds, by photometric interpretation."""
_CAMERA_RAW: Final = (32803, 34892)
_PREMULTIPLIED, _STRAIGHT = 1, 2
CENTIMETERS_PER_INCH: Final = 2.54

_DESCRIPTIVE: Final = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x0112, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B}
    | {0x013C, 0x4746, 0x4749, 0x8298, 0x9003, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F}
)
"""Entries of a TIFF file's directory that speak of the picture rather than of its bytes."""
_STRUCTURED: Final = ("ImageJ=", '{"shape"', "<?xml", "SCANIMAGE", "state.")
"""How descriptions begin that programs read, and that are wrong for any other file."""

_NO_PICTURE: Final = 0b101
"""Bits of the subfile type: a smaller copy, or a mask."""

_MOST_PAGES: Final = 65_536
_MOST_SEGMENTS: Final = 4_000_000
_LARGEST_SEGMENT: Final = 64_000_000
_MOST_SAMPLES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """One directory of a file, with the places of its values."""

    index: int
    order: ByteOrder
    places: Mapping[int, Place]
    content: Bytes

    def numbers(self, tag: int) -> list[int]:
        """Whole numbers; empty where the entry is missing or of another type."""
        place = self.places.get(tag)
        letter = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}.get(place.kind) if place else None
        if place is None or letter is None:
            return []
        data = self.data(tag)
        return (
            [] if data is None else list(struct.unpack(f"{self.order}{place.count}{letter}", data))
        )

    def first(self, tag: int, default: int) -> int:
        found = self.numbers(tag)
        return found[0] if found else default

    def data(self, tag: int) -> bytes | None:
        """The bytes of an entry, None where it is missing."""
        place = self.places.get(tag)
        return (
            None if place is None else bytes(self.content[place.offset : place.offset + place.size])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What is needed to judge a page's size."""

    rows: int
    columns: int
    samples: int
    bits: int

    @property
    def unpacked_bytes(self) -> int:
        return self.rows * self.columns * self.samples * max(self.bits // 8, 1)


def read_headers(path: Path) -> list[Header]:
    """Size and orientation of every page that holds a picture."""
    with _pages(path) as pages:
        return [_header(page) for page in pages]


def _header(page: _Page) -> Header:
    shape = _shape(page)
    return Header(
        rows=shape.rows,
        columns=shape.columns,
        orientation=_orientation(page),
        open_ended=page.first(_FORMAT, _UNSIGNED) == _FLOATING or shape.bits > 16,
    )


def read_stored(path: Path, page: int) -> Stored:
    """The pixels of a page, in whatever depth, and what the file says of them."""
    with _pages(path) as pages:
        one = _chosen(pages, page)
        check_no_bomb(_shape(one).unpacked_bytes, _checked_segments(one))
        values = _values(path, one)
        metadata = _metadata(one)
        return _interpreted(one, values, metadata)


def descriptive_exif(content: Bytes) -> Exif | None:
    """EXIF data of a file in TIFF structure, without the entries that describe its bytes."""
    try:
        exif = parse_exif(content)
    except ImageError:
        return None
    root = with_entries(exif.root, {}, without=set(exif.root.entries) - _DESCRIPTIVE)
    if text_of(root.entries.get(_DESCRIPTION)).startswith(_STRUCTURED):
        root = with_entries(root, {}, without=(_DESCRIPTION,))
    return Exif(order=exif.order, root=root)


@contextmanager
def _pages(path: Path) -> Iterator[list[_Page]]:
    """The directories that hold pictures; thumbnails, masks and smaller copies are passed over."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        found = list(_directories(whole))
        pictures = [page for page in found if not page.first(_SUBFILE, 0) & _NO_PICTURE] or found[
            :1
        ]
        if not pictures:
            raise ValueError("there is no picture in it")
        yield pictures


def _directories(content: mmap.mmap) -> Iterator[_Page]:
    order, big, start = tiff_layout(content)
    seen: set[int] = set()
    while start and len(seen) < _MOST_PAGES:
        if start in seen:
            raise ValueError("its pages follow each other in a circle")
        seen.add(start)
        listed, following = directory_places(content, start, order, big=big)
        for place in listed:
            if place.offset + place.size > len(content):
                raise ValueError(f"tag {place.tag} reaches beyond the end of the file")
        places = {place.tag: place for place in reversed(listed) if place.size}
        yield _Page(index=len(seen) - 1, order=order, places=places, content=content)
        start = following


def _orientation(page: _Page) -> int:
    stored = page.first(_ORIENTATION, 1)
    return stored if 1 <= stored <= 8 else 1


def _chosen(pages: list[_Page], page: int) -> _Page:
    if not 0 <= page < len(pages):
        raise ImageError(f"page {page + 1} of {len(pages)} does not exist")
    return pages[page]


def _shape(page: _Page) -> _Shape:
    """The size of a page, found possible."""
    photometric = page.first(_PHOTOMETRIC, _GRAY)
    if photometric in _CAMERA_RAW or _DNG in page.places:
        raise ImageError(
            "holds a camera's raw photograph; give the file the ending of its camera, such as .dng"
        )
    if photometric not in _COLORS:
        raise ImageError(f"photometric interpretation {photometric} is not read")
    samples = page.first(_SAMPLES, 1)
    bits = page.numbers(_BITS)[: max(samples, 1)] or [1]
    shape = _Shape(
        rows=page.first(_LENGTH, 0),
        columns=page.first(_WIDTH, 0),
        samples=samples,
        bits=max(bits),
    )
    check_pixels(shape.rows, shape.columns)
    if len(set(bits)) > 1 or not 1 <= shape.bits <= 64:
        raise ImageError(f"channels of {', '.join(map(str, bits[:8]))} bits are not read")
    if not _COLORS[photometric][1] <= shape.samples <= _MOST_SAMPLES:
        raise ImageError(f"{shape.samples} channels do not make such a picture")
    return shape


def _checked_segments(page: _Page) -> int:
    """Bytes of all strips or tiles, after each was found inside the file and of a possible size."""
    shape = _shape(page)
    tiled = _TILE_WIDTH in page.places
    rows = page.first(_TILE_LENGTH if tiled else _STRIP_ROWS, shape.rows)
    rows = rows if tiled else min(rows, shape.rows)
    columns = page.first(_TILE_WIDTH, shape.columns) if tiled else shape.columns
    if rows < 1 or columns < 1:
        raise ValueError(f"strips or tiles of {columns} x {rows} pixels")
    samples = shape.samples if page.first(_PLANES, 1) == 1 else 1
    size = rows * columns * samples * max(shape.bits // 8, 1)
    if size > max(_LARGEST_SEGMENT, 2 * shape.unpacked_bytes):
        raise ImageError(f"tiles of {columns} x {rows} pixels are far larger than the picture")
    wanted = -(-shape.rows // rows) * -(-shape.columns // columns) * (shape.samples // samples)
    places = page.numbers(_TILE_PLACES if tiled else _STRIP_PLACES)
    counts = page.numbers(_TILE_BYTES if tiled else _STRIP_BYTES)
    if wanted > _MOST_SEGMENTS or not len(places) == len(counts) == wanted:
        raise ValueError(f"{len(places)} strips or tiles, where {wanted} are needed")
    for number, (place, count) in enumerate(zip(places, counts, strict=True)):
        if place + count > len(page.content):
            raise ValueError(f"strip or tile {number} reaches beyond the end of the file")
    if not any(counts):
        raise ValueError("there are no pixels in it")
    return sum(counts)


def _values(path: Path, page: _Page) -> NDArray[Any]:
    """Shape (T, S, C): the numbers as they are stored."""
    shape = _shape(page)
    if page.first(_PHOTOMETRIC, _GRAY) == _YCBCR and page.first(_COMPRESSION, 1) not in _JPEG:
        return _subsampled(path, page)
    with tifffile.TiffFile(path) as file:
        _refuse_many_axes(file)
        values: NDArray[Any] = file.pages[page.index].asarray()
    if page.first(_PLANES, 1) == 2 and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    values = values[..., None] if values.ndim == 2 else values
    if values.shape != (shape.rows, shape.columns, shape.samples):
        raise ValueError(f"values of shape {values.shape} for {shape}")
    if values.dtype.kind not in "buif" or values.dtype.itemsize > 8:
        raise ImageError(f"values of type {values.dtype} are not read")
    return values


def _subsampled(path: Path, page: _Page) -> NDArray[Any]:
    """RGB values of YCbCr colors that are not compressed as JPEG, which only libtiff unpacks."""
    if _shape(page).bits != 8:
        raise ImageError(f"YCbCr colors of {_shape(page).bits} bits are not read")
    with Image.open(path, formats=("TIFF",)) as image:
        image.seek(page.index)
        return np.asarray(image.convert("RGB"))


def _refuse_many_axes(file: tifffile.TiffFile) -> None:
    """Refuse stacks of microscopes with channels or times besides: pages are not just slices."""
    if not (file.is_imagej or file.is_ome):
        return
    series = file.series[0]
    long = [a for a, n in zip(series.axes, series.shape, strict=True) if n > 1 and a not in "YXS"]
    if len(long) > 1 or (long == ["C"] and len(file.pages) > 1):
        raise ImageError(
            f"holds a picture for each of {' x '.join(long)} (channels, times or depths); "
            "save one channel of one time as a stack of its own"
        )


def _interpreted(page: _Page, stored: NDArray[Any], metadata: Metadata) -> Stored:
    photometric = page.first(_PHOTOMETRIC, _GRAY)
    colors, count = _COLORS[photometric]
    if photometric == _CMYK and page.first(_INKS, 1) != 1:
        raise ImageError("inks other than cyan, magenta, yellow and black are not read")
    values = stored[..., :count]
    white = _white(values.dtype, _shape(page).bits)
    alpha, premultiplied, notes = _alpha(page, stored[..., count:], white)
    if photometric == _PALETTE:
        values = _looked_up(page, values)
        white = float(np.iinfo(values.dtype).max)
    elif photometric == _WHITE_IS_ZERO:
        values = (white - values).astype(np.float32 if values.dtype == bool else values.dtype)
    elif photometric in (_CIELAB, _ICCLAB):
        values, white = _lab(values, photometric), 100.0
    return Stored(
        values=values,
        white=white,
        colors=colors,
        alpha=alpha,
        premultiplied=premultiplied,
        bits=8 if _bits(page, values) <= 8 else 16,
        orientation=_orientation(page),
        metadata=metadata,
        notes=notes,
    )


def _bits(page: _Page, values: NDArray[Any]) -> int:
    """Depth of a channel: of the palette's colors where there is a palette."""
    if page.first(_PHOTOMETRIC, _GRAY) == _PALETTE:
        return 8 * values.dtype.itemsize
    return _shape(page).bits


def _white(dtype: np.dtype[Any], bits: int) -> float:
    """The greatest value of a whole number with so many bits; of no meaning for others."""
    if dtype.kind == "u":
        return float(2**bits - 1)
    return float(2 ** (bits - 1) - 1) if dtype.kind == "i" else 1.0


def _alpha(
    page: _Page, extra: NDArray[Any], white: float
) -> tuple[FloatArray | None, bool, tuple[str, ...]]:
    """The opacity, whether the colors are multiplied by it, and a note on channels left out."""
    kinds = page.numbers(_EXTRA)
    for number, kind in enumerate(kinds[: extra.shape[2]]):
        if kind in (_PREMULTIPLIED, _STRAIGHT):
            alpha = np.clip(extra[..., number] / np.float32(white), 0, 1).astype(np.float32)
            return alpha, kind == _PREMULTIPLIED, ()
    if extra.shape[2]:
        return None, False, ("a further channel, which is not said to be opacity, is left out",)
    return None, False, ()


def _looked_up(page: _Page, codes: NDArray[Any]) -> NDArray[Any]:
    """RGB values of palette codes; 8 bits deep where the palette has no more."""
    table = np.array(page.numbers(_COLOR_MAP), np.uint16)
    if table.size == 0 or table.size % 3 or int(codes.max()) >= table.size // 3:
        raise ValueError(f"a palette of {table.size} numbers is too small")
    colors: NDArray[Any] = table.reshape(3, -1).T
    if not (colors & 0xFF).any() or not (colors % 257).any():
        colors = (colors >> 8).astype(np.uint8)
    looked_up: NDArray[Any] = colors[codes[..., 0].astype(np.intp)]
    return looked_up


def _lab(values: NDArray[Any], photometric: int) -> FloatArray:
    """L* in 0 to 100, a* and b*; a* and b* are signed in CIELab and have an offset in ICCLab."""
    if values.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"Lab colors of type {values.dtype} are not read")
    unit = 1 if values.dtype == np.uint8 else 256
    chroma = values[..., 1:]
    if photometric == _ICCLAB:
        white = 255.0 * unit
        signed = chroma.astype(np.float32) / unit - 128
    else:
        white = float(np.iinfo(values.dtype).max)
        signed = chroma.view(np.int8 if unit == 1 else np.int16).astype(np.float32) / unit
    lightness = values[..., :1].astype(np.float32) * np.float32(100 / white)
    return np.concatenate([lightness, signed], axis=2)


def _metadata(page: _Page) -> Metadata:
    exif = descriptive_exif(page.content)
    return Metadata(
        exif=exif,
        xmp=_note(page, _XMP),
        icc_profile=_note(page, _ICC),
        resolution=resolution_of(exif),
    )


def _note(page: _Page, tag: int) -> bytes | None:
    place = page.places.get(tag)
    return page.data(tag) if place is not None and place.size <= LARGEST_ENTRY else None


def resolution_of(exif: Exif | None) -> Resolution | None:
    """Pixels per inch, where EXIF data say how many."""
    if exif is None:
        return None
    across, down, unit = (
        number_in(exif.root.entries.get(tag), exif.order)
        for tag in (_ACROSS, _DOWN, _RESOLUTION_UNIT)
    )
    per_inch = {2: 1.0, 3: CENTIMETERS_PER_INCH}.get(int(unit or 2))
    if not across or not down or per_inch is None:
        return None
    return Resolution(across=across * per_inch, down=down * per_inch)
