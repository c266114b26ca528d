"""EXIF data come back entry by entry, the maker note at its old place."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.storage.pictures.exif import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROPERABILITY_POINTER,
    MAKER_NOTE,
    ByteOrder,
    Directory,
    Entry,
    Exif,
    all_entries,
    comment_entry,
    exif_bytes,
    long_entry,
    number_in,
    orientation_of,
    parse_exif,
    rational_entry,
    short_entry,
    text_entry,
    text_of,
    undefined_entry,
    without_entry,
)


def _exif(order: ByteOrder) -> Exif:
    inside = Directory(entries={1: text_entry("R98"), 2: undefined_entry(b"0100")})
    camera = Directory(
        entries={
            0x829A: rational_entry(order, 1, 200),
            MAKER_NOTE: undefined_entry(bytes(range(200))),
            0x9286: comment_entry("by hand"),
            0xA002: long_entry(order, 6000),
        },
        below={INTEROPERABILITY_POINTER: inside},
    )
    place = Directory(entries={0: Entry(kind=1, count=4, data=b"\2\3\0\0"), 1: text_entry("N")})
    root = Directory(
        entries={
            0x010F: text_entry("Maker"),
            0x0112: short_entry(order, 6),
            0xC4A5: undefined_entry(b"x" * 9),
        },
        below={EXIF_POINTER: camera, GPS_POINTER: place},
    )
    return Exif(order=order, root=root)


def _values(exif: Exif) -> dict[tuple[tuple[int, ...], int], tuple[int, int, bytes]]:
    return {(path, tag): (e.kind, e.count, e.data) for path, tag, e in all_entries(exif.root)}


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_entry_comes_back(order: ByteOrder) -> None:
    exif = _exif(order)
    again = parse_exif(exif_bytes(exif))
    assert again.order == order
    assert _values(again) == _values(exif)
    assert orientation_of(again) == 6
    assert text_of(again.root.entries[0x010F]) == "Maker"
    exposure = again.root.below[EXIF_POINTER].entries[0x829A]
    assert number_in(exposure, order) == pytest.approx(1 / 200)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pillow_reads_what_is_written(order: ByteOrder) -> None:
    found = Image.Exif()
    found.load(b"Exif\0\0" + exif_bytes(_exif(order)))
    assert found[0x010F] == "Maker"
    camera = found.get_ifd(EXIF_POINTER)
    assert camera[0x829A] == pytest.approx(1 / 200)
    assert camera[MAKER_NOTE] == bytes(range(200))
    assert found.get_ifd(GPS_POINTER)[1] == "N"


@pytest.mark.parametrize("earlier", [20, 900])
def test_the_maker_note_stays_where_it_was(earlier: int) -> None:
    first = exif_bytes(_exif("<"))
    exif = parse_exif(first)
    place = first.index(bytes(range(200)))
    grown = dict(exif.root.entries) | {0x010E: text_entry("d" * earlier)}
    content = exif_bytes(Exif(order="<", root=Directory(entries=grown, below=exif.root.below)))
    assert content.index(bytes(range(200))) == place
    again = parse_exif(content)
    assert text_of(again.root.entries[0x010E]) == "d" * earlier
    assert again.root.below[EXIF_POINTER].entries[MAKER_NOTE].data == bytes(range(200))


def test_an_entry_can_be_taken_out() -> None:
    exif = _exif("<")
    root = without_entry(exif.root, (EXIF_POINTER,), MAKER_NOTE)
    remaining = set(_values(Exif(root=root)))
    assert set(_values(exif)) - remaining == {((EXIF_POINTER,), MAKER_NOTE)}


def test_what_is_no_exif_is_refused() -> None:
    for content in (b"", b"II*", b"XX*\0aaaa", b"II\0\0aaaa"):
        with pytest.raises(ImageError, match="do not begin as such"):
            parse_exif(content)


def test_damage_loses_entries_but_never_raises() -> None:
    whole = exif_bytes(_exif(">"))
    random = np.random.default_rng(0)
    for place in random.integers(8, len(whole), 500):
        damaged = bytearray(whole)
        damaged[place] ^= int(random.integers(1, 256))
        exif_bytes(parse_exif(bytes(damaged)))
    circle = bytearray(exif_bytes(Exif(root=Directory(below={EXIF_POINTER: Directory()}))))
    struct.pack_into("<I", circle, 8 + 2 + 8, 8)
    assert parse_exif(bytes(circle)).root.below
