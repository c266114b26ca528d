"""Depth files hold what was given; a depth map in a JPEG file is found where the format says."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.interchange.depth_picture import add_depth_map, write_depth
from lfdfp.interchange.netpbm import read_pfm

DISPARITY = np.linspace(-2, 1, 35 * 400, dtype=np.float32).reshape(35, 400)


@pytest.mark.parametrize("name", ["d.tif", "d.pfm"])
def test_values_are_kept(name: str, tmp_path: Path) -> None:
    write_depth(tmp_path / name, DISPARITY)
    read = tifffile.imread if name.endswith("tif") else read_pfm
    np.testing.assert_array_equal(read(tmp_path / name), DISPARITY)


@pytest.mark.parametrize(("white", "first"), [("near", 65535), ("far", 0)])
def test_gray_runs_from_near_to_far(white: str, first: int, tmp_path: Path) -> None:
    write_depth(tmp_path / "d.png", DISPARITY, white=white)
    codes = np.asarray(Image.open(tmp_path / "d.png")).astype(int)
    assert codes[0, 0] == first
    assert codes[-1, -1] == 65535 - first
    np.testing.assert_allclose(np.abs(np.diff(codes.ravel())), 65535 / (DISPARITY.size - 1), atol=1)


def test_a_jpeg_carries_its_depth_map(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(0).random((400, 400), np.float32)
    Image.new("RGB", (40, 30), (90, 80, 70)).save(path)
    add_depth_map(path, noise)
    content = path.read_bytes()
    with Image.open(path) as picture:
        assert picture.size == (40, 30)
    digest = re.search(rb'HasExtendedXMP="(\w{32})"', content)
    assert digest is not None
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest[1]
    parts = {}
    for found in re.finditer(re.escape(head), content):
        length = int.from_bytes(content[found.start() - 2 : found.start()], "big")
        total, start = (
            int.from_bytes(content[at : at + 4], "big") for at in (found.end(), found.end() + 4)
        )
        parts[start] = content[found.end() + 8 : found.start() - 2 + length]
    whole = b"".join(parts[start] for start in sorted(parts))
    assert len(parts) > 1
    assert len(whole) == total
    assert hashlib.md5(whole).hexdigest().upper().encode() == digest[1]
    data = re.search(rb'GDepth:Data="([^"]+)"', whole)
    assert data is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))))
    np.testing.assert_allclose(shown / 255, (noise - noise.min()) / np.ptp(noise), atol=0.003)


def test_what_is_no_jpeg_or_no_depth_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\x89PNG")
    with pytest.raises(ImageError, match=r"a\.jpg: no JPEG"):
        add_depth_map(tmp_path / "a.jpg", DISPARITY)
    with pytest.raises(ImageError, match=r"a\.bmp: depth is written as"):
        write_depth(tmp_path / "a.bmp", DISPARITY)


def test_an_exr_file_holds_the_values_in_its_channel_for_depth(tmp_path: Path) -> None:
    openexr = pytest.importorskip("OpenEXR")
    disparity = np.linspace(-0.5, 0.3, 12, dtype=np.float32).reshape(3, 4)
    write_depth(tmp_path / "z.exr", disparity)
    with openexr.File(str(tmp_path / "z.exr"), separate_channels=True) as file:
        channels = file.channels()
        assert list(channels) == ["Z"]
        np.testing.assert_array_equal(channels["Z"].pixels, disparity)
