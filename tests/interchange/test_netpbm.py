"""PPM and PFM files, byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import ImageError
from lfdfp.interchange.integer_codes import Codes
from lfdfp.interchange.netpbm import ppm_size, read_pfm, read_ppm, write_pfm, write_ppm


@pytest.mark.parametrize(("scale", "order"), [("-1.0", "<"), ("1", ">"), ("-0.25", "<")])
def test_pfm_rows_run_upwards_and_the_scale_tells_the_byte_order(
    tmp_path: Path, scale: str, order: str
) -> None:
    values = struct.pack(f"{order}6f", 1, 2, 3, 4, 5, 6)
    (tmp_path / "a.pfm").write_bytes(f"Pf\n3 2\n{scale}\n".encode() + values)
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), [[4, 5, 6], [1, 2, 3]])


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3)])
def test_pfm_comes_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    write_pfm(tmp_path / "a.pfm", values)
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), values)


def test_deep_ppm_is_big_endian(tmp_path: Path) -> None:
    (tmp_path / "a.ppm").write_bytes(
        b"P6 # made by hand\n2 1\n1023\n" + struct.pack(">6H", 0, 1, 2, 258, 1022, 1023)
    )
    codes = read_ppm(tmp_path / "a.ppm")
    assert (codes.maximum, ppm_size(tmp_path / "a.ppm")) == (1023, (1, 2))
    np.testing.assert_array_equal(codes.values, [[[0, 1, 2], [258, 1022, 1023]]])
    write_ppm(tmp_path / "b.ppm", codes)
    assert (tmp_path / "b.ppm").read_bytes().endswith(struct.pack(">6H", 0, 1, 2, 258, 1022, 1023))


@pytest.mark.parametrize("channels", [1, 3])
def test_shallow_pictures_come_back(tmp_path: Path, channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 4, channels), np.uint8)
    write_ppm(tmp_path / "a.ppm", Codes(values=values, maximum=255))
    np.testing.assert_array_equal(read_ppm(tmp_path / "a.ppm").values, values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"P3\n1 1\n255\n0 0 0", "starts with b'P3', where P5 or P6 is needed"),
        (b"P6\n2 2\n255\n\0\0\0", "3 bytes of pixels, where 12 are needed"),
        (b"P6\n99999 99999\n255\n", "99999 x 99999 pixels"),
        (b"P6\nwide 2\n255\n", "the header is damaged"),
        (b"P6\n-2 2\n255\n", "-2' is no whole number"),
        (b"P6\n1 1\n70000\n" + bytes(6), "greatest code 70000"),
        (b"P6\n1 1\n100\n\xff\0\0", "code 255 above the 100"),
        (b"", "starts with b''"),
        (b"P5\n1 1\nnan\n" + bytes(1), "greatest code nan"),
        (b"P5\n1 1\ninf\n" + bytes(1), "greatest code inf"),
    ],
)
def test_damaged_ppm_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.ppm").write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_ppm(tmp_path / "a.ppm")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"Pf\n1 1\n0\n" + bytes(4), "scale 0"), (b"Pf\n1 1\nnan\n" + bytes(4), "scale nan")],
)
def test_pfm_without_a_byte_order_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.pfm").write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_pfm(tmp_path / "a.pfm")
