"""Ordinary photographs of one scene: which files they are, and reading them alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.storage.pictures.color_profiles import ColorProfile, converted_light, rgb_or_none
from lfdfp.storage.pictures.formats import PICTURE_SUFFIXES, RAW_SUFFIXES
from lfdfp.storage.pictures.picture import CodedPicture, Picture
from lfdfp.storage.pictures.reading import (
    needed_white,
    page_headers,
    read_coded_picture,
)

MAX_TOTAL_PIXELS: Final = 240_000_000
"""Most pixels of all photographs together: 2.9 GB of linear light."""

_OF_SYSTEMS: Final = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_SIDECARS: Final = frozenset({".xmp", ".pp3", ".dop"})
_EXIF: Final = 0x8769
_TAKEN: Final = 0x9003
_FRACTION: Final = 0x9291
_PATTERN: Final = frozenset("*?[")
CONVERTED: Final = "pictures with different color profiles became those of the first one's profile"
_CROPPED_PX: Final = 2
"""Raw converters differ by a pixel or two at the borders; more is another picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One photograph: a file, and which of its pages."""

    path: Path
    page: int = 0
    pages: int = 1

    def __str__(self) -> str:
        return str(self.path) if self.pages == 1 else f"{self.path}, page {self.page + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameList:
    """Photographs that belong together.

    Attributes
    ----------
    frames
        In the order in which they were given; those of a folder by name, those of a file by page.
    size
        (rows, columns) that all are read with.
    white
        The value of white that all need; None where their depth says it.
    notes
        What was passed over, and what will be cropped.
    """

    frames: tuple[Frame, ...]
    size: tuple[int, int]
    white: float | None = None
    notes: tuple[str, ...] = ()


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, in the order of their names.

    Files that systems put beside pictures (``._x``, thumbnails, sidecars) are passed over.

    Raises
    ------
    ImageError
        If there are none.
    """
    try:
        found = sorted(path for path in folder.iterdir() if _is_picture(path))
    except OSError as error:
        raise ImageError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if found:
        return found
    stacks = [inner for inner in sorted(folder.iterdir()) if _holds_pictures(inner)]
    if stacks:
        raise ImageError(
            f"{folder}: there are no pictures in this folder but in {len(stacks)} inside it "
            f"({stacks[0].name}, ...); fuse one of them, or each as a stack of its own: "
            f"lfdfp batch {folder} --stacks by-folder"
        )
    raise ImageError(f"{folder}: there are no pictures in this folder")


def list_frames(inputs: Sequence[Path]) -> FrameList:
    """All photographs of files, folders and patterns (``shots/*.tif``), found to fit together.

    Sizes are compared from the headers, before any picture is read whole. Every page of a TIFF
    file counts.

    Raises
    ------
    ImageError
        For fewer than two photographs, for sizes that differ by more than two pixels, or for an
        unreadable file.
    """
    paths, notes = _paths(inputs)
    headers = {path: page_headers(path) for path in dict.fromkeys(paths)}
    listed = [
        (Frame(path=path, page=page, pages=len(headers[path])), header)
        for path in paths
        for page, header in enumerate(headers[path])
    ]
    frames = tuple(frame for frame, _ in listed)
    if len(frames) < 2:
        raise ImageError(f"{inputs[0]}: one picture alone cannot be fused; give two or more")
    size, cropped = _common_size(frames, [header.upright_size for _, header in listed])
    whites = [needed_white(f.path, f.page) for f, header in listed if header.open_ended]
    return FrameList(
        frames=frames, size=size, white=max(whites, default=None), notes=(*notes, *cropped)
    )


def read_frame(listed: FrameList, number: int) -> Picture:
    """One photograph of the list, with the size of all."""
    return read_coded_frame(listed, number).picture()


def read_coded_frame(listed: FrameList, number: int) -> CodedPicture:
    """As `read_frame`, with values as they are stored."""
    frame = listed.frames[number]
    picture = read_coded_picture(frame.path, frame.page, white=listed.white)
    if picture.codes.shape[:2] == listed.size:
        return picture
    top, left = (
        (found - wanted) // 2
        for found, wanted in zip(picture.codes.shape[:2], listed.size, strict=True)
    )
    inner = slice(top, top + listed.size[0]), slice(left, left + listed.size[1])
    alpha = picture.told.alpha
    told = replace(picture.told, alpha=None if alpha is None else alpha[inner])
    return replace(picture, codes=picture.codes[inner], told=told)


def read_photographs(listed: FrameList) -> tuple[FloatArray, Picture]:
    """All photographs, and the first one's file properties.

    Returns
    -------
    photographs
        Shape (N, T, S, C), linear light, gray or RGB, with the primaries of the first.
    template
        The first picture, for the output's color profile, metadata, depth and alpha; its notes
        are those of all.

    Raises
    ------
    ImageError
        For too many pixels, or an unreadable file.
    """
    rows, columns = listed.size
    count = len(listed.frames)
    total = count * rows * columns
    if total > MAX_TOTAL_PIXELS:
        raise ImageError(
            f"{count} pictures of {columns} x {rows} are {total // 1_000_000} "
            f"megapixels, more than the {MAX_TOTAL_PIXELS // 1_000_000} that fit; reduce them first"
        )
    first = read_frame(listed, 0)
    slices = first.light[None]
    alpha, bits = first.alpha, first.bits
    notes = [*listed.notes, *first.notes]
    for number in range(1, count):
        picture = read_frame(listed, number)
        light, note = in_profile(picture, first.profile)
        notes += [*picture.notes, *note]
        slices = _with_room(slices, count, light.shape[2])
        slices[number] = light
        if picture.alpha is not None:
            alpha = picture.alpha if alpha is None else np.maximum(alpha, picture.alpha)
        bits = max(bits, picture.bits)
    profile = first.profile if first.light.shape[2] == slices.shape[3] else None
    template = replace(
        first,
        light=slices[0],
        alpha=alpha,
        bits=bits,
        profile=profile,
        notes=tuple(dict.fromkeys(notes)),
    )
    return slices, template


def in_profile(
    picture: Picture, profile: ColorProfile | None
) -> tuple[FloatArray, tuple[str, ...]]:
    """The picture's light (Y, X, C) in another profile's primaries; a note where they differ."""
    if has_primaries_of(picture, profile):
        return picture.light, ()
    converted = converted_light(picture.light, picture.profile, rgb_or_none(profile))
    return converted, (CONVERTED,)


def coded_in_profile(
    picture: CodedPicture, profile: ColorProfile | None
) -> tuple[CodedPicture, tuple[str, ...]]:
    """As `in_profile`; what has to be converted is light afterwards."""
    if has_primaries_of(picture.told, profile):
        return picture, ()
    light, notes = in_profile(picture.picture(), profile)
    return replace(picture, codes=light, curves=None), notes


def has_primaries_of(picture: Picture, profile: ColorProfile | None) -> bool:
    """Whether the picture's light can be taken for that of a picture with this profile."""
    own = None if picture.profile is None else picture.profile.content
    wanted = rgb_or_none(profile)
    return picture.light.shape[2] == 1 or own == (None if wanted is None else wanted.content)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def _holds_pictures(folder: Path) -> bool:
    try:
        return folder.is_dir() and any(_is_picture(path) for path in folder.iterdir())
    except OSError:
        return False


def _is_kept_beside_pictures(path: Path) -> bool:
    """Whether systems and raw converters keep such files beside pictures."""
    name = path.name.lower()
    return name.startswith("._") or name in _OF_SYSTEMS or path.suffix.lower() in _SIDECARS


def _paths(inputs: Sequence[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """The files that were meant, and notes on those that are passed over."""
    found = [path for one in inputs for path in _meant(one)]
    notes = []
    beside = [path for path in found if _is_kept_beside_pictures(path)]
    if beside:
        notes.append(f"{beside[0]} and the like are no pictures and are passed over")
        found = [path for path in found if path not in beside]
    developed = {path.with_suffix("") for path in found if path.suffix.lower() not in RAW_SUFFIXES}
    doubled = [
        path
        for path in found
        if path.suffix.lower() in RAW_SUFFIXES and path.with_suffix("") in developed
    ]
    if doubled:
        notes.append(
            f"{len(doubled)} raw photographs have a picture of the same name beside them and are "
            "passed over"
        )
        found = [path for path in found if path not in doubled]
    if not found:
        raise ImageError(f"{inputs[0]}: there are no pictures")
    return found, tuple(notes)


def _meant(given: Path) -> Iterator[Path]:
    if given.is_dir():
        yield from pictures_in(given)
    elif _PATTERN & set(given.name) and not given.exists():
        matching = sorted(filter(_is_picture, given.parent.glob(given.name)))
        if not matching:
            raise ImageError(f"{given}: no picture matches")
        yield from matching
    else:
        yield given


def _common_size(
    frames: Sequence[Frame], sizes: Sequence[tuple[int, int]]
) -> tuple[tuple[int, int], tuple[str, ...]]:
    """The size that all have in common, and a note where some are larger."""
    usual, _ = Counter(sizes).most_common(1)[0]
    named = frames[sizes.index(usual)].path.name
    for frame, size in zip(frames, sizes, strict=True):
        if max(abs(size[0] - usual[0]), abs(size[1] - usual[1])) > _CROPPED_PX:
            raise ImageError(
                f"{frame}: {size[1]} x {size[0]} pixels, but {named} has "
                f"{usual[1]} x {usual[0]}; pictures of one size are needed"
            )
    rows, columns = (min(sides) for sides in zip(*sizes, strict=True))
    larger = sum(size != (rows, columns) for size in sizes)
    if not larger:
        return (rows, columns), ()
    return (rows, columns), (
        f"{larger} of {len(frames)} pictures are a pixel or two larger and are cropped to "
        f"{columns} x {rows}",
    )


def _with_room(slices: FloatArray, number: int, channels: int) -> FloatArray:
    """`slices` (n, T, S, C) in an array for `number` of them with at least `channels`."""
    needed = (number, *slices.shape[1:3], max(slices.shape[3], channels))
    if slices.shape == needed:
        return slices
    roomy = np.empty(needed, np.float32)
    roomy[: len(slices)] = slices
    return roomy


def taken_s(path: Path) -> float:
    """When a photograph was taken, in seconds of its own clock; by the file's time if not told."""
    from datetime import datetime

    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            inner = image.getexif().get_ifd(_EXIF)
        moment = datetime.strptime(str(inner[_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return moment.timestamp() + float(f"0.{str(inner.get(_FRACTION, 0)).strip() or 0}")
    except (OSError, ValueError, KeyError, SyntaxError, UnidentifiedImageError):
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0
