"""EXIF data as directories of entries, read and written without losing an entry's bytes.

A value is kept as the file has it, in the file's byte order, so that entries which nobody here
knows survive. The layout is that of TIFF 6.0; the tags are those of Exif 2.32 (CIPA DC-008).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, Protocol

from lfdfp.errors import ImageError

ByteOrder = Literal["<", ">"]

EXIF_POINTER: Final = 0x8769
GPS_POINTER: Final = 0x8825
INTEROPERABILITY_POINTER: Final = 0xA005
POINTERS: Final = (EXIF_POINTER, GPS_POINTER, INTEROPERABILITY_POINTER)
MAKER_NOTE: Final = 0x927C

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 3, 4, 5, 7
_CLASSIC_KINDS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TYPE_BYTES: Final = _CLASSIC_KINDS | {13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value by its type; BigTIFF adds types with 64 bits, 13 is a place."""
_POINTER_LETTERS: Final = {4: "I", 8: "Q"}
LARGEST_ENTRY: Final = 16_000_000
"""Most bytes of one entry that are kept: some cameras put previews into their notes."""
_NUMBER_LETTERS: Final = {
    1: "B",
    3: "H",
    4: "I",
    5: "II",
    8: "h",
    9: "i",
    10: "ii",
    11: "f",
    12: "d",
}
_SAME_RATIO: Final = 1e-3
_LARGEST_LONG: Final = 0xFFFFFFFF
_HEADER_BYTES: Final = 8
ORIENTATION: Final = 0x0112
_MOST_ENTRIES: Final = 1024
_DEEPEST: Final = 3


class Bytes(Protocol):
    """What EXIF data are read from: bytes, or a file that is mapped."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: TIFF type, number of values, and their bytes.

    `offset` is where the bytes stood, for the maker note: cameras count places inside it from the
    start of the EXIF data, so it has to stay where it was.
    """

    kind: int
    count: int
    data: bytes
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Entries by tag, and the directories that tags point to."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    below: Mapping[int, Directory] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exif:
    """EXIF data; the thumbnail's directory, which follows the first one, is not kept."""

    order: ByteOrder = "<"
    root: Directory = field(default_factory=Directory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bytes of an entry are."""

    tag: int
    kind: int
    count: int
    offset: int
    size: int


def tiff_layout(content: Bytes) -> tuple[ByteOrder, bool, int]:
    """Byte order, whether places have 64 bits (BigTIFF), and where the first directory is.

    Raises
    ------
    ImageError
        If the bytes do not begin as such data do.
    """
    start = bytes(content[:16])
    order: ByteOrder = "<" if start[:2] == b"II" else ">"
    mark = struct.unpack(order + "H", start[2:4])[0] if len(start) >= _HEADER_BYTES else 0
    if start[:2] not in (b"II", b"MM") or mark not in (42, 43) or (mark == 43 and len(start) < 16):
        raise ImageError("data of EXIF or TIFF that do not begin as such")
    if mark == 43:
        return order, True, struct.unpack(order + "Q", start[8:])[0]
    return order, False, struct.unpack(order + "I", start[4:8])[0]


def directory_places(
    content: Bytes, start: int, order: ByteOrder, *, big: bool = False
) -> tuple[list[Place], int]:
    """Where the values of a directory's entries should be, and where the next directory is.

    Places may lie beyond the end of the content; a value of unknown type has size 0.
    """
    counting, entry_bytes, inline = ("Q", 20, 8) if big else ("H", 12, 4)
    numbers = order + ("HHQQ" if big else "HHII")
    head = bytes(content[start : start + struct.calcsize(counting)])
    if len(head) < struct.calcsize(counting):
        return [], 0
    count = min(struct.unpack(order + counting, head)[0], _MOST_ENTRIES)
    begin = start + len(head)
    end = begin + entry_bytes * count
    places: list[Place] = []
    for place in range(begin, end, entry_bytes):
        found = bytes(content[place : place + entry_bytes])
        if len(found) < entry_bytes:
            return places, 0
        tag, kind, values, offset = struct.unpack(numbers, found)
        size = _TYPE_BYTES.get(kind, 0) * values
        where = place + entry_bytes - inline if size <= inline else offset
        places.append(Place(tag=tag, kind=kind, count=values, offset=where, size=size))
    following = bytes(content[end : end + inline])
    if len(following) < inline:
        return places, 0
    return places, struct.unpack(order + ("Q" if big else "I"), following)[0]


def parse_exif(content: Bytes) -> Exif:
    """EXIF data from their bytes (or a whole TIFF file's); entries that are damaged are left out.

    Raises
    ------
    ImageError
        If these are not EXIF data at all.
    """
    order, big, first = tiff_layout(content)
    return Exif(order=order, root=_directory(content, first, order, big=big))


def _directory(
    content: Bytes, start: int, order: ByteOrder, *, big: bool, depth: int = 0
) -> Directory:
    entries: dict[int, Entry] = {}
    below: dict[int, Directory] = {}
    for place in directory_places(content, start, order, big=big)[0]:
        if not place.size or place.size > LARGEST_ENTRY:
            continue
        data = bytes(content[place.offset : place.offset + place.size])
        if len(data) < place.size:
            continue
        if place.tag in POINTERS:
            if depth < _DEEPEST and place.size in _POINTER_LETTERS:
                (target,) = struct.unpack(order + _POINTER_LETTERS[place.size], data)
                below[place.tag] = _directory(content, target, order, big=big, depth=depth + 1)
            continue
        kept_place = place.offset if place.tag == MAKER_NOTE and place.size > 4 else None
        if place.kind in _CLASSIC_KINDS:
            entries[place.tag] = Entry(
                kind=place.kind, count=place.count, data=data, offset=kept_place
            )
    return Directory(entries=entries, below=below)


def exif_bytes(exif: Exif) -> bytes:
    """EXIF data as JPEG, PNG and WebP hold them, from the byte order mark on."""
    note = _maker_note(exif.root)
    space = _Space(order=exif.order, begin=_HEADER_BYTES, note=note)
    first = space.place_directory(exif.root)
    mark = b"II*\0" if exif.order == "<" else b"MM\0*"
    return mark + struct.pack(exif.order + "I", first) + space.content()


def directory_bytes(directory: Directory, order: ByteOrder, begin: int) -> tuple[int, bytes]:
    """A directory for a place in another file: where it starts, and all bytes from `begin` on."""
    space = _Space(order=order, begin=begin, note=None)
    start = space.place_directory(directory)
    return start, space.content()


def _maker_note(directory: Directory) -> Entry | None:
    found = directory.entries.get(MAKER_NOTE)
    if found is not None:
        return found
    return next(filter(None, (_maker_note(one) for one in directory.below.values())), None)


class _Space:
    """Bytes being laid out: around the maker note, which stays where it was if it can."""

    def __init__(self, *, order: ByteOrder, begin: int, note: Entry | None) -> None:
        self._order = order
        self._begin = begin
        self._before = begin
        self._blocks: dict[int, bytes] = {}
        self._note_place = note.offset if note and note.offset and note.offset >= begin else None
        self._after = begin
        if note is not None and self._note_place is not None:
            self._blocks[self._note_place] = note.data
            self._after = self._note_place + len(note.data)

    def content(self) -> bytes:
        end = max((place + len(block) for place, block in self._blocks.items()), default=0)
        whole = bytearray(max(end - self._begin, 0))
        for place, block in self._blocks.items():
            whole[place - self._begin : place - self._begin + len(block)] = block
        return bytes(whole)

    def place_directory(self, directory: Directory) -> int:
        """Reserve room for the directory, put what it points to elsewhere, then fill it."""
        tags = sorted({*directory.entries, *directory.below})
        start = self._reserve(2 + 12 * len(tags) + 4)
        packed = struct.pack(self._order + "H", len(tags))
        for tag in tags:
            if tag in directory.below:
                place = self.place_directory(directory.below[tag])
                packed += struct.pack(self._order + "HHII", tag, _LONG, 1, place)
                continue
            entry = directory.entries[tag]
            packed += struct.pack(self._order + "HHI", tag, entry.kind, entry.count)
            packed += self._value(tag, entry)
        self._blocks[start] = packed + bytes(4)
        return start

    def _value(self, tag: int, entry: Entry) -> bytes:
        if len(entry.data) <= 4:
            return entry.data.ljust(4, b"\0")
        if tag == MAKER_NOTE and self._note_place is not None:
            return struct.pack(self._order + "I", self._note_place)
        place = self._reserve(len(entry.data))
        self._blocks[place] = entry.data
        return struct.pack(self._order + "I", place)

    def _reserve(self, size: int) -> int:
        even = size + size % 2
        if self._note_place is not None and self._before + even <= self._note_place:
            place, self._before = self._before, self._before + even
        else:
            place = self._after + self._after % 2
            self._after = place + even
        return place


def with_entries(
    directory: Directory, entries: Mapping[int, Entry], *, without: Iterable[int] = ()
) -> Directory:
    """The directory with some entries set and others left out."""
    dropped = set(without)
    kept = {tag: entry for tag, entry in directory.entries.items() if tag not in dropped}
    return Directory(entries={**kept, **entries}, below=directory.below)


def with_directory(directory: Directory, pointer: int, one: Directory) -> Directory:
    """The directory with another one below the tag `pointer`."""
    return Directory(entries=directory.entries, below={**directory.below, pointer: one})


def text_entry(text: str) -> Entry:
    """Text in ASCII; what ASCII does not have becomes a question mark."""
    data = text.encode("ascii", "replace").replace(b"\0", b" ") + b"\0"
    return Entry(kind=_ASCII, count=len(data), data=data)


def comment_entry(text: str) -> Entry:
    """Text as the tag UserComment wants it: the name of its code comes first."""
    data = b"ASCII\0\0\0" + text.encode("ascii", "replace")
    return undefined_entry(data)


def undefined_entry(data: bytes) -> Entry:
    """Bytes as they are."""
    return Entry(kind=_UNDEFINED, count=len(data), data=data)


def bytes_entry(data: bytes) -> Entry:
    """Bytes as numbers of 8 bits."""
    return Entry(kind=_BYTE, count=len(data), data=data)


def short_entry(order: ByteOrder, value: int) -> Entry:
    """A number of 16 bits."""
    return Entry(kind=_SHORT, count=1, data=struct.pack(order + "H", value))


def long_entry(order: ByteOrder, value: int) -> Entry:
    """A number of 32 bits."""
    return Entry(kind=_LONG, count=1, data=struct.pack(order + "I", value))


def rational_entry(order: ByteOrder, numerator: int, denominator: int) -> Entry:
    """A fraction of two numbers of 32 bits."""
    return Entry(kind=_RATIONAL, count=1, data=struct.pack(order + "II", numerator, denominator))


def ratio_entry(order: ByteOrder, value: float) -> Entry:
    """A fraction near a positive number; 1/200 stays 1/200."""
    inverse = round(1 / value) if value < 1 else 0
    if inverse and abs(inverse * value - 1) < _SAME_RATIO:
        return rational_entry(order, 1, min(inverse, _LARGEST_LONG))
    fraction = Fraction(min(value, 1e6)).limit_denominator(1000)
    return rational_entry(order, fraction.numerator, fraction.denominator)


def number_in(entry: Entry | None, order: ByteOrder) -> float | None:
    """The first number of an entry; None if it has none."""
    if entry is None or entry.kind not in _NUMBER_LETTERS:
        return None
    numbers = struct.unpack_from(order + _NUMBER_LETTERS[entry.kind], entry.data)
    if len(numbers) == 1:
        return float(numbers[0])
    return numbers[0] / numbers[1] if numbers[1] else None


def orientation_of(exif: Exif | None) -> int:
    """An orientation of 1 to 8; 1 (upright) where there is none, or none that exists."""
    stored = None if exif is None else number_in(exif.root.entries.get(ORIENTATION), exif.order)
    return int(stored) if stored is not None and stored in range(1, 9) else 1


def text_of(entry: Entry | None) -> str:
    """The text of an entry; empty if it has none."""
    if entry is None or entry.kind != _ASCII:
        return ""
    return entry.data.split(b"\0")[0].decode("utf-8", "replace").strip()


def all_entries(
    directory: Directory, path: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], int, Entry]]:
    """Every entry, with the pointers that lead to its directory and its tag."""
    for tag, entry in directory.entries.items():
        yield path, tag, entry
    for pointer, one in directory.below.items():
        yield from all_entries(one, (*path, pointer))


def without_entry(directory: Directory, path: tuple[int, ...], tag: int) -> Directory:
    """The directory without the entry that `all_entries` gave."""
    if not path:
        return with_entries(directory, {}, without=(tag,))
    inner = without_entry(directory.below[path[0]], path[1:], tag)
    return with_directory(directory, path[0], inner)
