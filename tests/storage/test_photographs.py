"""Photographs of one scene: which files are meant, and reading them alike."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.imaging.display import decode_srgb, encode_srgb
from lfdfp.storage.images import read_picture
from lfdfp.storage.photographs import list_frames, pictures_in, read_frame, read_photographs
from tests.storage.pictures.picture_files import GRAY, RGB, codes8, codes16


def _save(path: Path, values: FloatArray = RGB) -> Path:
    codes = codes8(values)
    Image.fromarray(codes[..., 0] if codes.shape[2] == 1 else codes).save(path)
    return path


def test_a_folder_gives_its_pictures_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.tif"):
        _save(tmp_path / name)
    for name in ("._a.JPG", ".DS_Store", "Thumbs.db", "a.xmp", "b.png.xmp", "notes.txt", "d.bmp"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    names = [frame.path.name for frame in list_frames([tmp_path]).frames]
    assert names == ["a.JPG", "b.png", "c.tif"]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there are no pictures in this folder"):
        pictures_in(tmp_path)


def test_one_picture_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.png: one picture alone cannot be fused"):
        list_frames([_save(tmp_path / "a.png")])


def test_patterns_are_followed_where_no_shell_did(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b.png"):
        _save(tmp_path / name)
    listed = list_frames([tmp_path / "a*.png"])
    assert [frame.path.name for frame in listed.frames] == ["a1.png", "a2.png"]
    with pytest.raises(ImageError, match="no picture matches"):
        list_frames([tmp_path / "x*.png"])


@pytest.mark.parametrize("name", ["._a.png", "Thumbs.db", ".DS_Store", "a.xmp", "a.png.XMP"])
def test_files_beside_pictures_that_were_given_are_passed_over(tmp_path: Path, name: str) -> None:
    beside = tmp_path / name
    beside.write_bytes(b"\0\5\x16\7")
    listed = list_frames([beside, _save(tmp_path / "a.png"), _save(tmp_path / "b.png")])
    assert [frame.path.name for frame in listed.frames] == ["a.png", "b.png"]
    assert "are passed over" in listed.notes[0]


def test_raw_photographs_beside_their_pictures_are_passed_over(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _save(tmp_path / f"{name}.jpg")
        (tmp_path / f"{name}.nef").write_bytes(b"II*\0")
    listed = list_frames([tmp_path])
    assert [frame.path.name for frame in listed.frames] == ["a.jpg", "b.jpg"]
    assert listed.notes == (
        "2 raw photographs have a picture of the same name beside them and are passed over",
    )


def test_every_page_of_every_file_is_a_frame(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for number, path in enumerate(paths):
        pages = np.stack([codes16(RGB[::-1]), codes16(RGB)])[: 2 - number]
        tifffile.imwrite(path, pages, photometric="rgb", metadata=None)
    listed = list_frames(paths)
    assert [str(frame) for frame in listed.frames] == [
        f"{paths[0]}, page 1",
        f"{paths[0]}, page 2",
        str(paths[1]),
    ]
    photographs, template = read_photographs(listed)
    for found, wanted in zip(photographs, (RGB[::-1], RGB, RGB[::-1]), strict=True):
        np.testing.assert_allclose(encode_srgb(found), wanted, atol=1e-4)
    assert template.bits == 16


def test_one_pixel_more_is_cropped_and_three_are_refused(tmp_path: Path) -> None:
    first = _save(tmp_path / "a.png", RGB)
    second = _save(tmp_path / "b.png", np.pad(RGB, ((1, 1), (0, 1), (0, 0))))
    listed = list_frames([second, first])
    assert listed.size == (48, 80)
    assert listed.notes == ("1 of 2 pictures are a pixel or two larger and are cropped to 80 x 48",)
    np.testing.assert_allclose(read_frame(listed, 0).light, read_picture(first).light)
    third = _save(tmp_path / "c.png", np.pad(RGB, ((0, 3), (0, 0), (0, 0))))
    with pytest.raises(ImageError, match=r"c\.png: 80 x 51 pixels, but a\.png has 80 x 48"):
        list_frames([first, third])


def test_floating_point_of_one_stack_has_one_white(tmp_path: Path) -> None:
    dark, bright = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(dark, GRAY[..., 0], metadata=None)
    tifffile.imwrite(bright, 255 * GRAY[..., 0], metadata=None)
    listed = list_frames([dark, bright])
    assert listed.white == 255
    np.testing.assert_allclose(read_frame(listed, 1).light, decode_srgb(GRAY), atol=1e-5)
    np.testing.assert_allclose(read_frame(listed, 0).light, decode_srgb(GRAY / 255), atol=1e-5)


def test_profiles_of_all_become_the_first_ones(tmp_path: Path) -> None:
    adobe = imagecodecs.cms_profile("adobergb")
    wide, plain = tmp_path / "a.png", _save(tmp_path / "b.png")
    Image.fromarray(codes8(RGB)).save(wide, icc_profile=adobe)
    photographs, template = read_photographs(list_frames([plain, wide]))
    assert template.profile is None
    assert "became those of the first one's profile" in template.notes[0]
    assert photographs[1].std() > photographs[0].std()  # its colors are wider
    photographs, template = read_photographs(list_frames([wide, plain]))
    assert template.profile is not None
    assert template.profile.content == adobe
    assert photographs[1].std() < photographs[0].std()


def test_gray_stays_gray_until_a_picture_has_color(tmp_path: Path) -> None:
    gray = [_save(tmp_path / f"g{n}.png", GRAY) for n in range(2)]
    assert read_photographs(list_frames(gray))[0].shape == (2, 48, 80, 1)
    photographs, template = read_photographs(list_frames([gray[0], _save(tmp_path / "c.png")]))
    assert photographs.shape == (2, 48, 80, 3)
    np.testing.assert_array_equal(photographs[0, ..., 0], photographs[0, ..., 2])
    assert template.profile is None


def test_a_folder_of_stacks_says_how_each_is_fused(tmp_path: Path) -> None:
    for name in ("beetle", "wasp"):
        (tmp_path / name).mkdir()
        _save(tmp_path / name / "a.png")
    with pytest.raises(ImageError, match=r"in 2 inside it \(beetle.*lfdfp batch .*by-folder"):
        pictures_in(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"no pictures in this folder$"):
        pictures_in(tmp_path / "empty")
