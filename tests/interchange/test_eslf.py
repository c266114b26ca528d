"""ESLF pictures: their layout, the guess of the angular size, and black corners."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.interchange.eslf import read_eslf, write_eslf
from lfdfp.interchange.view_folder import read_view_folder
from tests.factories import textured_plane
from tests.interchange.asymmetric_scene import asymmetric_field

rng = np.random.default_rng(0)


def _picture(path: Path, rows: int, columns: int, channels: int = 3) -> np.ndarray:
    """A picture file of random values; they are given in the file's order (RGB)."""
    values = rng.integers(1, 255, (rows, columns, channels), np.uint8)
    cv2.imwrite(str(path), values[..., [2, 1, 0, 3][:channels]])
    return values


def test_a_ray_is_found_at_its_pixel(tmp_path: Path) -> None:
    values = _picture(tmp_path / "a_eslf.png", 14 * 3, 14 * 5)
    field = read_eslf(tmp_path / "a_eslf.png", angular_size=(14, 14))
    assert field.views.shape == (14, 14, 3, 5, 3)
    for v, u, t, s in [(0, 0, 0, 0), (13, 2, 1, 4), (5, 11, 2, 3)]:
        encoded = values[14 * t + v, 14 * s + u] / 255
        expected = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(field.view(v, u)[t, s], expected, atol=2e-5)


def _lenslets(views: int, shape: tuple[int, int], *, disparity: float = 0.2) -> np.ndarray:
    """An ESLF picture (8 bits) of a textured plane, as other programs write it: without a note."""
    field, _ = textured_plane(disparity, angular=(views, views), shape=shape)
    codes = np.rint(255 * np.clip(field.views, 0, 1)).astype(np.uint8)
    return codes.transpose(2, 0, 3, 1, 4).reshape(views * shape[0], views * shape[1], 3)


def _mosaic(views: int, shape: tuple[int, int]) -> np.ndarray:
    field, _ = textured_plane(-0.15, angular=(views, views), shape=shape)
    codes = np.rint(255 * np.clip(field.views, 0, 1)).astype(np.uint8)
    return codes.transpose(0, 2, 1, 3, 4).reshape(views * shape[0], views * shape[1], 3)


@pytest.mark.parametrize(
    ("views", "shape"),
    [(14, (10, 12)), (15, (12, 10)), (15, (14, 28)), (14, (15, 30)), (9, (20, 24)), (10, (14, 9))],
)
def test_the_angular_size_is_seen_in_the_picture(
    tmp_path: Path, views: int, shape: tuple[int, int]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), _lenslets(views, shape))
    field = read_eslf(tmp_path / "a.png")
    assert field.angular_shape == (views, views)
    assert field.spatial_shape == shape
    assert "of the picture's contrast repeats" in field.history[-1]


@pytest.mark.slow
def test_a_photograph_is_no_eslf_picture(tmp_path: Path) -> None:
    _, picture = textured_plane(0.0, shape=(280, 420))
    cv2.imwrite(str(tmp_path / "a.png"), np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8))
    with pytest.raises(ImageError, match=r"a\.png: .* show no lenslets .* --grid for a mosaic"):
        read_eslf(tmp_path / "a.png")


@pytest.mark.slow
@pytest.mark.parametrize("quality", [30, 90])
def test_the_blocks_of_jpeg_are_no_lenslets(tmp_path: Path, quality: int) -> None:
    _, picture = textured_plane(0.0, shape=(336, 336), highest=0.02)
    codes = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    with pytest.raises(ImageError, match="show no lenslets"):
        read_eslf(tmp_path / "a.jpg")


@pytest.mark.parametrize("shape", [(28, 42), (14, 15)])
def test_a_mosaic_of_views_is_no_eslf_picture(tmp_path: Path, shape: tuple[int, int]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), _mosaic(14, shape))
    with pytest.raises(ImageError, match="show no lenslets"):
        read_eslf(tmp_path / "a.png")


@pytest.mark.parametrize("value", [0, 90])
def test_a_picture_of_one_color_shows_no_lenslets(tmp_path: Path, value: int) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((210, 210, 3), value, np.uint8))
    with pytest.raises(ImageError, match="show no lenslets"):
        read_eslf(tmp_path / "a.png")


def test_two_sizes_that_are_as_likely_are_refused(tmp_path: Path) -> None:
    line = np.zeros(420)
    line[9::10] += 60
    line[13::14] += 72
    steps = np.cumsum(line * np.where(np.arange(420) % 2, 1, -1))
    ramp = np.interp(steps, [steps.min(), steps.max()], [10, 240])
    picture = np.add.outer(ramp, ramp) / 2
    cv2.imwrite(str(tmp_path / "a.png"), np.rint(picture).astype(np.uint8))
    with pytest.raises(ImageError, match=r"lenslets of (10|14) and of (10|14) pixels are about as"):
        read_eslf(tmp_path / "a.png")


def _with_note(path: Path, picture: np.ndarray, note: str) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", note)
    Image.fromarray(picture).save(path, pnginfo=info)
    return path


@pytest.mark.parametrize(
    "note",
    [
        '{"angular_size": ' + 100_000 * "[",
        '{"angular_size": [1e999, 14]}',
        '{"angular_size": [14.5, 14]}',
        '{"angular_size": ["14", "14"]}',
        '{"angular_size": {"a": 1}}',
        '{"angular_size": [9' + 5000 * "9" + ", 14]}",
        "[]",
    ],
)
def test_a_note_that_makes_no_sense_is_no_note(tmp_path: Path, note: str) -> None:
    path = _with_note(tmp_path / "a.png", _lenslets(14, (10, 12)), note)
    assert read_eslf(path).angular_shape == (14, 14)


@pytest.mark.parametrize("note", ['{"angular_size": [-1, 0]}', '{"angular_size": [999, 14]}'])
def test_a_noted_size_that_is_not_possible_is_refused(tmp_path: Path, note: str) -> None:
    path = _with_note(tmp_path / "a.png", np.zeros((28, 28, 3), np.uint8), note)
    with pytest.raises(ImageError, match="do not divide into lenslets"):
        read_eslf(path)


def test_the_angular_size_can_be_given(tmp_path: Path) -> None:
    _picture(tmp_path / "a.png", 18, 28)
    assert read_eslf(tmp_path / "a.png", angular_size=(9, 7)).views.shape == (9, 7, 2, 4, 3)
    with pytest.raises(ImageError, match="28 x 18 pixels do not divide into lenslets of 5 x 9"):
        read_eslf(tmp_path / "a.png", angular_size=(9, 5))
    with pytest.raises(ImageError, match="show no lenslets of one size"):
        read_eslf(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [8, 16])
def test_what_was_written_notes_its_angular_size(tmp_path: Path, bits: int) -> None:
    write_eslf(tmp_path / "a.png", asymmetric_field(), bits=bits)  # type: ignore[arg-type]
    depth = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).dtype.itemsize * 8
    assert depth == bits
    assert "as noted in the file" in read_eslf(tmp_path / "a.png").history[-1]


def test_alpha_is_the_weight(tmp_path: Path) -> None:
    values = _picture(tmp_path / "a.png", 28, 14, 4)
    field = read_eslf(tmp_path / "a.png", angular_size=(14, 14))
    np.testing.assert_allclose(field.weight(3, 6)[1, 0], values[17, 6, 3] / 255, rtol=1e-6)


def test_black_corners_have_no_weight_but_a_dark_scene_has(tmp_path: Path) -> None:
    values = rng.integers(20, 255, (28, 28, 3), np.uint8)
    values[0, 0] = 0  # a corner of the first lenslet
    values[14:, 14:] = 0  # the whole last lenslet: the scene is black there
    cv2.imwrite(str(tmp_path / "a.png"), values)
    field = read_eslf(tmp_path / "a.png", angular_size=(14, 14))
    assert field.weight(0, 0)[0, 0] == 0
    assert field.weights.sum() == field.weights.size - 1


def test_no_picture_and_no_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match="the picture is damaged"):
        read_eslf(tmp_path / "a.png")
    field = LightField(views=np.zeros((1, 1, 2, 2, 3), np.float32), weights=np.ones((1, 1, 2, 2)))
    with pytest.raises(ImageError, match=r"written as \.png"):
        write_eslf(tmp_path / "a.jpg", field)


@pytest.mark.data
@pytest.mark.parametrize(("name", "views"), [("f01-10x10", 10), ("illum-9x9", 9)])
def test_real_views_under_lenslets_show_their_size(
    data_dir: Path, tmp_path: Path, name: str, views: int
) -> None:
    folder = data_dir / "lightfields" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    field = read_view_folder(folder)
    part = np.s_[:, :, 60:190, 60:190]
    field = replace(field, views=field.views[part], weights=field.weights[part])
    path = tmp_path / "a.png"
    write_eslf(path, field, bits=8)
    Image.open(path).save(path)  # without the note
    assert read_eslf(path).angular_shape == (views, views)
