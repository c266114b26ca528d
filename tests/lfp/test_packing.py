from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import MetadataError
from lfdfp.lfp.packing import F01_PACKING, ILLUM_PACKING, Packing, pack, unpack

ALL = (
    F01_PACKING,
    ILLUM_PACKING,
    Packing(bits_per_pixel=8, endianness="little"),
    Packing(bits_per_pixel=16, endianness="little"),
    Packing(bits_per_pixel=16, endianness="big"),
)


def test_twelve_bits_stand_one_after_the_other() -> None:
    codes = unpack(bytes.fromhex("123abc fff001"), (2, 2), F01_PACKING)
    assert codes.tolist() == [[0x123, 0xABC], [0xFFF, 0x001]]


def test_ten_bits_have_their_lower_bits_in_a_fifth_byte() -> None:
    codes = unpack(bytes([1, 2, 3, 255, 0b11_10_01_00]), (2, 2), ILLUM_PACKING)
    assert codes.tolist() == [[4, 9], [14, 1023]]


@pytest.mark.parametrize("packing", ALL, ids=lambda p: f"{p.bits_per_pixel}-{p.endianness}")
def test_packing_and_unpacking_undo_each_other(packing: Packing) -> None:
    generator = np.random.default_rng(1)
    # More than one block, and not a whole number of them.
    shape = (700, 412)
    codes = generator.integers(0, packing.largest_code + 1, shape, dtype=np.uint16)
    kept = codes.copy()
    data = pack(codes, packing)
    assert len(data) == shape[0] * shape[1] * packing.bits_per_pixel // 8
    np.testing.assert_array_equal(unpack(data, shape, packing), codes)
    np.testing.assert_array_equal(codes, kept)
    other = generator.bytes(len(data))
    assert pack(unpack(other, shape, packing), packing) == other


def test_a_view_of_a_larger_mosaic_can_be_packed() -> None:
    mosaic = np.arange(64, dtype=np.uint16).reshape(8, 8)
    data = pack(mosaic[::2, ::2], F01_PACKING)
    np.testing.assert_array_equal(unpack(data, (4, 4), F01_PACKING), mosaic[::2, ::2])


@pytest.mark.parametrize("count", [0, 5, 7])
def test_a_size_that_does_not_fit_is_refused(count: int) -> None:
    with pytest.raises(MetadataError, match=f"take 6 bytes, but the raw image has {count}"):
        unpack(bytes(count), (2, 2), F01_PACKING)


def test_pixels_must_fill_whole_groups() -> None:
    with pytest.raises(MetadataError, match="groups of 4"):
        ILLUM_PACKING.size_bytes((3, 2))


def test_a_packing_that_is_not_known_is_refused() -> None:
    with pytest.raises(MetadataError, match="14 bits, big endian, is not known; known are 12 big"):
        Packing(bits_per_pixel=14, endianness="big")


def test_a_code_that_is_too_large_is_not_cut() -> None:
    with pytest.raises(ValueError, match=r"must not exceed 1023 .* got 1024"):
        pack(np.full((2, 2), 1024, np.uint16), ILLUM_PACKING)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "packing"),
    [
        ("test_lytro_lfr_reading", ILLUM_PACKING),
        ("test_lytro_raw_illum_reading", ILLUM_PACKING),
        ("test_lytro_lfp_reading", F01_PACKING),
        ("test_lytro_raw_f0_reading", F01_PACKING),
    ],
)
def test_values_of_public_raws_are_whole_codes_of_the_packing(
    data_dir: Path, name: str, packing: Packing
) -> None:
    vectors = json.loads((data_dir / "lytro/metadata/imageio_pixel_test_vectors.json").read_text())
    codes = np.array([value * packing.largest_code for _, _, value in vectors[name]])
    np.testing.assert_allclose(codes, np.round(codes), atol=1e-6)
    placed = np.zeros((1, -len(codes) % 4 + len(codes)), np.uint16)
    placed[0, : len(codes)] = np.round(codes)
    np.testing.assert_array_equal(unpack(pack(placed, packing), placed.shape, packing), placed)
