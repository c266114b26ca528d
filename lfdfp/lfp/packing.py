"""Packed sensor codes: bytes to a mosaic of 16-bit integers and back.

Rows follow each other without padding, the top left pixel first. Two packings are the cameras'
own; 8 and 16 bits per pixel need no packing and serve files of other programs.

========  =======  =====  ======  ==========================================================
camera    bits     bytes  pixels  layout of one group
========  =======  =====  ======  ==========================================================
F01       12 big   3      2       most significant bits first, one after the other
Illum     10       5      4       four bytes with the upper eight bits, then one byte with the
          little                  four pairs of lower bits, first pixel in the lowest bits
========  =======  =====  ======  ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray
from lfdfp.errors import MetadataError

Endianness = Literal["big", "little"]
_ByteArray: TypeAlias = NDArray[np.uint8]

_GROUPS_PER_BLOCK = 1 << 15
"""Work in blocks that stay in the cache: twice as fast, and no large temporaries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How the sensor's codes lie in the bytes: `bits_per_pixel` and `endianness` of the metadata.

    Raises
    ------
    MetadataError
        For a packing that is not known.
    """

    bits_per_pixel: int
    endianness: Endianness

    def __post_init__(self) -> None:
        if (self.bits_per_pixel, self.endianness) not in _LAYOUTS:
            known = ", ".join(f"{bits} {order}" for bits, order in _LAYOUTS)
            raise MetadataError(
                f"pixelPacking of {self.bits_per_pixel} bits, {self.endianness} endian, "
                f"is not known; known are {known}"
            )

    @property
    def largest_code(self) -> int:
        """The greatest value that a pixel can have."""
        return (1 << self.bits_per_pixel) - 1

    def size_bytes(self, shape: tuple[int, int]) -> int:
        """Bytes that a mosaic of this (height, width) takes.

        Raises
        ------
        MetadataError
            If the pixels do not fill whole groups.
        """
        height, width = shape
        layout = _LAYOUTS[self.bits_per_pixel, self.endianness]
        if height * width % layout.pixels:
            raise MetadataError(
                f"a mosaic of {height} x {width} pixels cannot be packed with "
                f"{self.bits_per_pixel} bits: its pixels must come in groups of {layout.pixels}"
            )
        return height * width // layout.pixels * layout.bytes


def unpack(data: bytes | memoryview, shape: tuple[int, int], packing: Packing) -> CodeArray:
    """Turn packed bytes into a mosaic.

    Parameters
    ----------
    data
        Exactly the bytes that the mosaic takes.
    shape
        (height, width).
    packing
        Bits per pixel and byte order.

    Returns
    -------
    ndarray of shape (height, width), uint16
        Raw codes.

    Raises
    ------
    MetadataError
        If the size of `data` is not that of the shape, before memory is taken.
    """
    expected = packing.size_bytes(shape)
    if len(data) != expected:
        raise MetadataError(
            f"{shape[0]} x {shape[1]} pixels of {packing.bits_per_pixel} bits take {expected} "
            f"bytes, but the raw image has {len(data)}"
        )
    layout = _LAYOUTS[packing.bits_per_pixel, packing.endianness]
    groups = np.frombuffer(data, np.uint8).reshape(-1, layout.bytes)
    codes = np.empty((len(groups), layout.pixels), np.uint16)
    for start in range(0, len(groups), _GROUPS_PER_BLOCK):
        block = slice(start, start + _GROUPS_PER_BLOCK)
        layout.unpack(groups[block], codes[block])
    return codes.reshape(shape)


def narrowed(data: bytes, shape: tuple[int, int], packing: Packing) -> bytes:
    """Packed bytes again, of codes that another program widened to 16 bits.

    ``lfpsplitter`` writes little-endian integers whose upper bits hold the code; the lower bits
    are zero. Codes in the lower bits, and big-endian ones, are understood as well. Data of another
    size come back as they are.

    Raises
    ------
    MetadataError
        For two bytes per pixel that hold no codes of the packing's bits.
    """
    bits = packing.bits_per_pixel
    if bits >= 16 or len(data) != 2 * shape[0] * shape[1]:
        return data
    for order in ("<u2", ">u2"):
        codes = np.frombuffer(data, order)
        together = int(np.bitwise_or.reduce(codes))
        if together < 1 << bits:
            return pack(codes.reshape(shape).astype(np.uint16), packing)
        if together % (1 << (16 - bits)) == 0:
            return pack((codes >> (16 - bits)).reshape(shape).astype(np.uint16), packing)
    raise MetadataError(
        f"the raw image has two bytes for every pixel, but they hold no codes of {bits} bits"
    )


def pack(mosaic: CodeArray, packing: Packing) -> bytes:
    """Turn a mosaic (height, width) into packed bytes; undoes `unpack`.

    Raises
    ------
    ValueError
        If a code is too large for the packing.
    MetadataError
        If the pixels do not fill whole groups.
    """
    height, width = mosaic.shape
    packing.size_bytes((height, width))
    if mosaic.size and int(mosaic.max()) > packing.largest_code:
        raise ValueError(
            f"codes must not exceed {packing.largest_code} to be packed with "
            f"{packing.bits_per_pixel} bits, got {int(mosaic.max())}"
        )
    layout = _LAYOUTS[packing.bits_per_pixel, packing.endianness]
    codes = np.ascontiguousarray(mosaic, np.uint16).reshape(-1, layout.pixels)
    groups = np.empty((len(codes), layout.bytes), np.uint8)
    for start in range(0, len(groups), _GROUPS_PER_BLOCK):
        block = slice(start, start + _GROUPS_PER_BLOCK)
        layout.pack(codes[block], groups[block])
    return groups.tobytes()


@dataclass(frozen=True, slots=True)
class _Layout:
    """One group: how many bytes, how many pixels, and how to fill the one from the other."""

    bytes: int
    pixels: int
    unpack: Callable[[_ByteArray, CodeArray], None]
    pack: Callable[[CodeArray, _ByteArray], None]


def _unpack_12_big(groups: _ByteArray, codes: CodeArray) -> None:
    middle = groups[:, 1]
    codes[:, 0] = (groups[:, 0].astype(np.uint16) << 4) | (middle >> 4)
    codes[:, 1] = ((middle & 15).astype(np.uint16) << 8) | groups[:, 2]


def _pack_12_big(codes: CodeArray, groups: _ByteArray) -> None:
    first, second = codes[:, 0], codes[:, 1]
    groups[:, 0] = first >> 4
    groups[:, 1] = ((first & 15) << 4) | (second >> 8)
    groups[:, 2] = second & 255


def _unpack_10_little(groups: _ByteArray, codes: CodeArray) -> None:
    low = groups[:, 4]
    for k in range(4):
        codes[:, k] = (groups[:, k].astype(np.uint16) << 2) | ((low >> (2 * k)) & 3)


def _pack_10_little(codes: CodeArray, groups: _ByteArray) -> None:
    low = np.zeros(len(codes), np.uint16)
    for k in range(4):
        groups[:, k] = codes[:, k] >> 2
        low |= (codes[:, k] & 3) << (2 * k)
    groups[:, 4] = low


def _unpack_8(groups: _ByteArray, codes: CodeArray) -> None:
    codes[:] = groups


def _pack_8(codes: CodeArray, groups: _ByteArray) -> None:
    groups[:] = codes


def _unpack_16_big(groups: _ByteArray, codes: CodeArray) -> None:
    codes[:, 0] = (groups[:, 0].astype(np.uint16) << 8) | groups[:, 1]


def _pack_16_big(codes: CodeArray, groups: _ByteArray) -> None:
    groups[:, 0] = codes[:, 0] >> 8
    groups[:, 1] = codes[:, 0] & 255


def _unpack_16_little(groups: _ByteArray, codes: CodeArray) -> None:
    _unpack_16_big(groups[:, ::-1], codes)


def _pack_16_little(codes: CodeArray, groups: _ByteArray) -> None:
    _pack_16_big(codes, groups[:, ::-1])


_LAYOUTS: dict[tuple[int, str], _Layout] = {
    (12, "big"): _Layout(3, 2, _unpack_12_big, _pack_12_big),
    (10, "little"): _Layout(5, 4, _unpack_10_little, _pack_10_little),
    (8, "big"): _Layout(1, 1, _unpack_8, _pack_8),
    (8, "little"): _Layout(1, 1, _unpack_8, _pack_8),
    (16, "big"): _Layout(2, 1, _unpack_16_big, _pack_16_big),
    (16, "little"): _Layout(2, 1, _unpack_16_little, _pack_16_little),
}

F01_PACKING = Packing(bits_per_pixel=12, endianness="big")
ILLUM_PACKING = Packing(bits_per_pixel=10, endianness="little")
