"""Every kind of picture file comes out upright, with its own depth and the right values."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.imaging.display import decode_srgb, encode_srgb
from lfdfp.storage.images import page_headers, picture_size, read_codes, read_picture
from tests.storage.pictures.picture_files import (
    ALPHA,
    GRAY,
    INK,
    KINDS,
    RGB,
    RGBA,
    codes8,
    codes16,
)


def _written(folder: Path, name: str) -> Path:
    path = folder / f"picture{KINDS[name].suffix}"
    KINDS[name].write(path)
    return path


@pytest.mark.parametrize("name", KINDS)
def test_light_depth_and_size(tmp_path: Path, name: str) -> None:
    path, kind = _written(tmp_path, name), KINDS[name]
    picture = read_picture(path)
    values = encode_srgb(picture.light)
    if picture.alpha is not None:
        values = np.concatenate([values, picture.alpha[..., None]], axis=2)
    assert values.shape == kind.values.shape
    assert picture.bits == kind.bits
    assert picture_size(path) == kind.values.shape[:2]
    np.testing.assert_allclose(values, kind.values, atol=kind.tolerance)


@pytest.mark.parametrize("name", KINDS)
def test_codes_are_the_same_values(tmp_path: Path, name: str) -> None:
    path, kind = _written(tmp_path, name), KINDS[name]
    codes = read_codes(path)
    assert codes.dtype == (np.uint8 if kind.bits == 8 else np.uint16)
    levels = np.iinfo(codes.dtype).max
    np.testing.assert_allclose(codes / levels, kind.values, atol=kind.tolerance)


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    try:
        heif.from_pillow(Image.fromarray(codes8(RGB))).save(path, quality=95)
    except Exception as error:  # noqa: BLE001 - the package says so in many ways
        pytest.skip(f"this pillow-heif does not write HEIC: {error}")
    assert picture_size(path) == RGB.shape[:2]
    np.testing.assert_allclose(encode_srgb(read_picture(path).light), RGB, atol=0.1)


def test_all_pages_of_a_tiff_count_but_no_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(codes16(RGB), photometric="rgb", metadata=None, compression="lzw")
        writer.write(codes8(RGB)[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
        writer.write(codes16(RGB[::-1]), photometric="rgb", metadata=None)
    assert [header.upright_size for header in page_headers(path)] == [(48, 80)] * 2
    np.testing.assert_allclose(encode_srgb(read_picture(path, 1).light), RGB[::-1], atol=1e-4)
    with pytest.raises(ImageError, match=r"stack\.tif: page 3 of 2 does not exist"):
        read_picture(path, 2)


def test_white_of_floating_point_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "dark.tif"
    tifffile.imwrite(path, GRAY[..., 0], metadata=None)
    picture = read_picture(path, white=255)
    np.testing.assert_allclose(picture.light, decode_srgb(GRAY / 255), rtol=1e-4)


def test_highlights_of_floating_point_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "bright.tif"
    tifffile.imwrite(path, 1.5 * GRAY[..., 0] / GRAY.max(), metadata=None)
    assert read_picture(path).light.max() == pytest.approx(decode_srgb(np.float32([1.5]))[0])


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hole.tif"
    values = GRAY[..., 0].copy()
    values[3, 4] = np.nan
    tifffile.imwrite(path, values, metadata=None)
    with pytest.raises(ImageError, match=r"hole\.tif: some of its values are not finite"):
        read_picture(path)


def test_a_channel_that_is_not_opacity_is_left_out_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "spot.tif"
    tifffile.imwrite(path, codes8(RGBA), photometric="rgb", extrasamples=["unspecified"])
    picture = read_picture(path)
    assert picture.alpha is None
    assert picture.notes == (
        "spot.tif: a further channel, which is not said to be opacity, is left out",
    )


def test_nothing_is_seen_where_premultiplied_alpha_is_zero(tmp_path: Path) -> None:
    path, alpha = tmp_path / "hole.tif", ALPHA.copy()
    alpha[:10] = 0
    multiplied = codes16(np.concatenate([RGB * alpha, alpha], axis=2))
    tifffile.imwrite(path, multiplied, photometric="rgb", extrasamples=["assocalpha"])
    light = read_picture(path).light
    assert np.all(light[:10] == 0)
    np.testing.assert_allclose(encode_srgb(light[10:]), RGB[10:], atol=1e-3)


@pytest.mark.parametrize("save_as", ["picture.jpg", "picture.tif"])
def test_cmyk_goes_through_its_own_profile(tmp_path: Path, save_as: str) -> None:
    profile = Path("/usr/share/color/icc/ghostscript/default_cmyk.icc")
    if not profile.is_file():
        pytest.skip("no CMYK profile at hand")
    path = tmp_path / save_as
    image = Image.fromarray(codes8(INK), mode="CMYK")
    image.save(path, icc_profile=profile.read_bytes(), quality=100)
    converted = ImageCms.profileToProfile(
        image, str(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    picture = read_picture(path)
    assert picture.profile is None
    assert picture.notes == (f"{save_as}: its CMYK colors became sRGB by its own profile",)
    expected: FloatArray = np.asarray(converted, np.float32) / 255
    np.testing.assert_allclose(encode_srgb(picture.light), expected, atol=0.03)


@pytest.mark.parametrize("name", ["jpeg xl 8 rgb", "jpeg xl 16 gray"])
def test_jpeg_xl_in_srgb_needs_no_note(tmp_path: Path, name: str) -> None:
    assert read_picture(_written(tmp_path, name)).notes == ()


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (300, 400), (7, 1000), (600, 9)])
def test_the_size_of_jpeg_xl_is_read_without_decoding(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8)))
    assert picture_size(path) == size
    assert read_picture(path).light.shape[:2] == size


def test_a_camera_raw_named_tif_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "raw.tif"
    tifffile.imwrite(path, codes16(GRAY)[..., 0], photometric="cfa", metadata=None)
    with pytest.raises(ImageError, match=r"raw\.tif: holds a camera's raw photograph"):
        picture_size(path)


def test_channels_and_times_of_a_microscope_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    stack = np.zeros((2, 3, 16, 16), np.uint16)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(ImageError, match=r"cells\.tif: holds a picture for each of Z x C"):
        read_picture(path)
