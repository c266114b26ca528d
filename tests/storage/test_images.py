"""Pictures come back as written, with depth, alpha, orientation and profile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lfdfp.errors import ImageError, StorageError
from lfdfp.imaging.color import decode_srgb
from lfdfp.storage.images import Picture, picture_size, read_picture, write_picture

rng = np.random.default_rng(0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_picture_comes_back(
    tmp_path: Path, suffix: str, bits: int, channels: int, with_alpha: bool
) -> None:
    levels = 2**bits - 1
    codes = rng.integers(0, levels + 1, (5, 7, channels))
    picture = Picture(
        light=decode_srgb((codes / levels).astype(np.float32)),
        alpha=rng.integers(0, 256, (5, 7)).astype(np.float32) / 255 if with_alpha else None,
        bits=bits,
        icc_profile=PROFILE,
    )
    path = tmp_path / f"picture{suffix}"
    write_picture(path, picture, {"seed": 0})
    again = read_picture(path)
    assert again.bits == bits
    assert again.icc_profile == PROFILE
    np.testing.assert_allclose(again.light[..., :channels], picture.light, atol=3 / levels)
    if with_alpha:
        np.testing.assert_allclose(again.alpha, picture.alpha, atol=1e-4)
    else:
        assert again.alpha is None


def test_orientation_is_applied_once(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    values = np.zeros((16, 32, 3), np.uint8)
    values[:8, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(path, exif=exif, quality=95)
    assert picture_size(path) == (32, 16)
    picture = read_picture(path)
    assert picture.light.shape == (32, 16, 3)
    assert picture.light[:16, 8:].mean() > 0.9
    again = tmp_path / "again.jpg"
    write_picture(again, picture, {})
    assert read_picture(again).light.shape == (32, 16, 3)


def test_a_text_file_with_a_picture_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    path.write_text("hello")
    with pytest.raises(ImageError, match=r"text\.jpg: is not a picture"):
        read_picture(path)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.png", tmp_path / "part.png"
    noise = rng.random((64, 64, 3), np.float32)
    write_picture(whole, Picture(light=noise), {})
    part.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(ImageError, match=r"part\.png: the picture is damaged"):
        read_picture(part)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damage_anywhere_in_a_deep_tiff_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    light = rng.random((20, 30, 3), np.float32)
    write_picture(path, Picture(light=light, bits=16, icc_profile=PROFILE), {})
    whole, messages = path.read_bytes(), []
    for place in rng.integers(4, len(whole), 200):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read_picture(path)
        except ImageError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert not any("\n" in message for message in messages)


def test_a_huge_picture_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(ImageError, match="20000 x 20000 pixels are more than the 120 megapixels"):
        read_picture(path)


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("a file where a folder is needed")
    picture = Picture(light=np.zeros((4, 4, 3), np.float32))
    with pytest.raises(StorageError, match="cannot be written"):
        write_picture(blocked / "picture.png", picture, {})
    with pytest.raises(ImageError, match=r"not '\.gif'"):
        write_picture(tmp_path / "picture.gif", picture, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder"]
