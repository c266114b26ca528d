"""Profiles that fit are computed in and kept; others are converted or left out with a note."""

from __future__ import annotations

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from lfdfp.imaging.display import decode_srgb
from lfdfp.storage.images import Picture, read_picture, write_picture
from lfdfp.storage.pictures.color_profiles import (
    ColorProfile,
    converted_light,
    decoded,
    encoded,
    gray_profile,
    light_of_lab,
    primaries_of,
    profile_for,
    space_of,
    srgb_profile,
)
from tests.storage.pictures.picture_files import GRAY, RGB, codes8, png_chunk

ADOBE_RGB = imagecodecs.cms_profile("adobergb")
GAMMA_22_GRAY = imagecodecs.cms_profile("gray", gamma=2.2)
LAB = imagecodecs.cms_profile("lab4")


def _profile(content: bytes, channels: int = 3) -> ColorProfile:
    profile, note = profile_for(content, channels)
    assert profile is not None, note
    return profile


def test_light_follows_the_curve_of_the_profile() -> None:
    profile = _profile(ADOBE_RGB)
    ramp = np.linspace(0, 1, 1001, dtype=np.float32)[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(decoded(ramp, profile), ramp ** (563 / 256), atol=1e-4)
    np.testing.assert_allclose(encoded(decoded(ramp, profile), profile), ramp, atol=1e-6)


def test_a_profile_of_srgb_means_the_srgb_curve_itself() -> None:
    for content in (
        srgb_profile(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ):
        profile = _profile(content)
        assert profile.curves is None
        np.testing.assert_array_equal(decoded(RGB, profile), decode_srgb(RGB))


def test_gray_has_a_curve_too() -> None:
    profile = _profile(GAMMA_22_GRAY, 1)
    np.testing.assert_allclose(decoded(GRAY, profile), GRAY**2.2, atol=1e-4)
    assert _profile(gray_profile().content, 1).curves is None


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
def test_a_wide_profile_comes_back_with_its_values(tmp_path: Path, suffix: str, bits: int) -> None:
    source, target = tmp_path / "a.png", tmp_path / f"b{suffix}"
    Image.fromarray(codes8(RGB)).save(source, icc_profile=ADOBE_RGB)
    picture = read_picture(source)
    write_picture(target, picture, {})
    again = read_picture(target)
    assert again.profile is not None
    assert again.profile.content == ADOBE_RGB
    tolerance = 1e-6 if suffix in (".png", ".tif") else 0.1
    np.testing.assert_allclose(again.light, picture.light, atol=tolerance)


@pytest.mark.parametrize(
    ("content", "mode", "note"),
    [
        (GAMMA_22_GRAY, "RGB", "its color profile is one for GRAY pixels and left out"),
        (LAB, "RGB", "its color profile is damaged and left out"),
        (ADOBE_RGB[:300], "RGB", "its color profile is damaged and left out"),
        (ADOBE_RGB[:132] + bytes(len(ADOBE_RGB) - 132), "RGB", "left out"),
        (b"x" * 500, "L", "its color profile is damaged and left out"),
        (ADOBE_RGB, "L", "its RGB profile on gray pixels became a gray profile"),
    ],
)
def test_a_profile_that_does_not_fit_is_said(
    tmp_path: Path, content: bytes, mode: str, note: str
) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(codes8(RGB)).convert(mode).save(path, icc_profile=content)
    picture = read_picture(path)
    assert len(picture.notes) == 1
    assert note in picture.notes[0]
    assert picture.light.shape[2] == (1 if mode == "L" else 3)
    target = tmp_path / "b.tif"
    write_picture(target, picture, {})
    assert not read_picture(target).notes


def test_a_cmyk_profile_on_rgb_pixels_is_left_out(tmp_path: Path) -> None:
    header = bytearray(ADOBE_RGB)
    header[16:20] = b"CMYK"
    profile, note = profile_for(bytes(header), 3)
    assert profile is None
    assert note == "its color profile is one for CMYK pixels and left out"


def test_damage_in_a_profile_never_raises() -> None:
    random = np.random.default_rng(0)
    for place in random.integers(0, len(ADOBE_RGB), 300):
        damaged = bytearray(ADOBE_RGB)
        damaged[place] ^= int(random.integers(1, 256))
        profile, note = profile_for(bytes(damaged), 3)
        assert (profile is None) == bool(note)


def test_primaries_are_those_of_the_profile() -> None:
    adobe = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329)
    assert primaries_of(_profile(ADOBE_RGB)) == pytest.approx(adobe, abs=2e-3)
    srgb = primaries_of(None)
    assert primaries_of(_profile(srgb_profile())) == pytest.approx(srgb, abs=2e-3)


def test_light_of_one_profile_in_another_is_what_little_cms_says() -> None:
    profile = _profile(ADOBE_RGB)
    light = converted_light(decode_srgb(RGB), None, profile)
    image = Image.fromarray(codes8(RGB))
    opened = ImageCms.ImageCmsProfile(io.BytesIO(ADOBE_RGB))
    expected = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), opened, renderingIntent=ImageCms.Intent(1)
    )
    np.testing.assert_allclose(
        255 * encoded(light, profile), np.asarray(expected, np.float32), atol=1.5
    )
    np.testing.assert_allclose(converted_light(light, profile, None), decode_srgb(RGB), atol=1e-5)


def test_lab_is_what_little_cms_says() -> None:
    rgb = codes8(RGB)
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    applied = ImageCms.applyTransform(Image.fromarray(rgb), to_lab)
    assert applied is not None
    lab = np.asarray(applied).astype(np.float32)
    lab[..., 0] *= 100 / 255
    lab[..., 1:] -= 256 * (lab[..., 1:] > 127)
    encoded_again = encoded(light_of_lab(lab), None)
    assert np.abs(encoded_again - RGB).mean() < 0.005
    assert space_of(LAB) is None


def test_a_profile_is_written_with_the_same_bytes_every_time() -> None:
    srgb_profile.cache_clear()
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert srgb_profile() == first
    assert gray_profile().content == gray_profile().content


def test_gray_pictures_in_a_format_without_gray_keep_their_light(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    profile = _profile(GAMMA_22_GRAY, 1)
    light = decoded(GRAY, profile)
    write_picture(path, Picture(light=light, profile=profile), {})
    again = read_picture(path)
    assert not again.notes
    np.testing.assert_allclose(again.light, light.repeat(3, axis=2), atol=0.03)


def test_colors_named_by_a_code_get_a_profile(tmp_path: Path) -> None:
    plain = imagecodecs.png_encode(codes8(RGB))
    light = decode_srgb(codes8(RGB) / np.float32(255))
    for code, red, notes in ((12, 0.68, 0), (9, 0.708, 0), (1, 0.64, 0)):
        path = tmp_path / f"{code}.png"
        path.write_bytes(plain[:33] + png_chunk(b"cICP", bytes([code, 13, 0, 1])) + plain[33:])
        picture = read_picture(path)
        assert primaries_of(picture.profile)[0] == pytest.approx(red, abs=1e-3)
        assert len(picture.notes) == notes
        np.testing.assert_allclose(picture.light, light, atol=1e-6)
    bright = tmp_path / "hdr.png"
    bright.write_bytes(plain[:33] + png_chunk(b"cICP", bytes([9, 16, 0, 1])) + plain[33:])
    assert "high dynamic range is taken for ordinary values" in read_picture(bright).notes[0]


def test_avif_names_its_colors_by_a_code(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    Image.fromarray(codes8(RGB)).save(path)
    content = path.read_bytes()
    place = content.index(b"colrnclx") + 8
    path.write_bytes(content[:place] + b"\0\x0c\0\x0d" + content[place + 4 :])
    assert primaries_of(read_picture(path).profile)[0] == pytest.approx(0.68, abs=1e-3)
