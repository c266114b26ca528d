"""Raw photographs are developed with the camera's white balance, never their preview taken."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from lfdfp.errors import ImageError
from lfdfp.storage.images import page_headers, picture_size, read_codes, read_picture
from lfdfp.storage.pictures.exif import text_of

_NEUTRAL = (0.5, 1.0, 0.625)
"""Camera values of white: the gains that white balance has to apply are 2, 1 and 1.6."""


def _dng(path: Path, *, orientation: int = 1) -> None:
    """A linear ramp of white, as a mosaic of 14 bits behind a small preview."""
    ramp = np.linspace(0.1, 0.9, 128)[None, :] * np.ones((96, 1))
    mosaic = np.empty((96, 128))
    for (row, column), channel in zip(np.ndindex(2, 2), (0, 1, 1, 2), strict=True):
        mosaic[row::2, column::2] = _NEUTRAL[channel] * ramp[row::2, column::2]
    identity = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.204, 1.057]]
    )
    matrix = [n for value in identity.ravel() for n in (round(10_000 * value), 10_000)]
    neutral = [n for value in _NEUTRAL for n in (round(1000 * value), 1000)]
    tags = [
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),
        (50708, 2, 0, "Test camera", True),
        (271, 2, 0, "Maker", True),
        (272, 2, 0, "Test camera", True),
        (274, 3, 1, orientation, True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50714, 4, 1, 0, True),
        (50717, 4, 1, 16383, True),
        (50721, 10, 9, struct.pack("<18i", *matrix), True),
        (50728, 5, 3, struct.pack("<6I", *neutral), True),
        (50778, 3, 1, 21, True),
    ]
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            np.rint(16383 * mosaic).astype(np.uint16),
            photometric="cfa",
            metadata=None,
            extratags=tags,
        )


def test_light_is_linear_and_white_is_white(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    _dng(path)
    picture = read_picture(path)
    assert picture.bits == 16
    assert picture.light.shape[:2] == picture_size(path)
    inner = picture.light[8:-8, 8:-8]
    np.testing.assert_allclose(inner[..., 0], inner[..., 1], rtol=0.03)
    np.testing.assert_allclose(inner[..., 2], inner[..., 1], rtol=0.03)
    green = inner[..., 1].mean(axis=0)
    line = np.polyval(np.polyfit(np.arange(green.size), green, 1), np.arange(green.size))
    np.testing.assert_allclose(green, line, atol=0.01)
    assert green[-1] / green[0] > 5
    assert picture.exif is not None
    assert text_of(picture.exif.root.entries[0x010F]) == "Maker"
    assert 0x0111 not in picture.exif.root.entries
    assert read_codes(path).dtype == np.uint16


def test_it_is_turned_upright(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    upright, turned = tmp_path / "a.dng", tmp_path / "b.dng"
    _dng(upright)
    _dng(turned, orientation=6)
    assert picture_size(turned) == picture_size(upright)[::-1]
    first, second = read_picture(upright).light, read_picture(turned).light
    np.testing.assert_allclose(np.rot90(first, -1), second, atol=0.02)


def test_damage_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "a.nef"
    path.write_bytes(b"II*\0" + bytes(1000))
    with pytest.raises(ImageError, match=r"a\.nef: the raw photograph cannot be read: "):
        page_headers(path)


def test_without_the_package_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dng"
    _dng(path)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(ImageError, match=r"a\.dng: .* rawpy: pip install 'lfdfp\[raw\]'"):
        read_picture(path)
    heic = tmp_path / "a.heic"
    heic.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"a\.heic: .* pip install 'lfdfp\[heic\]'"):
        read_picture(heic)
