"""ESLF pictures: their layout, the guess of the angular size, and black corners."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.interchange.eslf import read_eslf, write_eslf
from tests.interchange.asymmetric_scene import asymmetric_field

rng = np.random.default_rng(0)


def _picture(path: Path, rows: int, columns: int, channels: int = 3) -> np.ndarray:
    """A picture file of random values; they are given in the file's order (RGB)."""
    values = rng.integers(1, 255, (rows, columns, channels), np.uint8)
    cv2.imwrite(str(path), values[..., [2, 1, 0, 3][:channels]])
    return values


def test_a_ray_is_found_at_its_pixel(tmp_path: Path) -> None:
    values = _picture(tmp_path / "a_eslf.png", 14 * 3, 14 * 5)
    field = read_eslf(tmp_path / "a_eslf.png")
    assert field.views.shape == (14, 14, 3, 5, 3)
    for v, u, t, s in [(0, 0, 0, 0), (13, 2, 1, 4), (5, 11, 2, 3)]:
        encoded = values[14 * t + v, 14 * s + u] / 255
        expected = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(field.view(v, u)[t, s], expected, atol=2e-5)


@pytest.mark.parametrize(("size", "found"), [((28, 42), 14), ((45, 30), 15), ((210, 210), 14)])
def test_the_angular_size_is_guessed(tmp_path: Path, size: tuple[int, int], found: int) -> None:
    _picture(tmp_path / "a.png", *size)
    field = read_eslf(tmp_path / "a.png")
    assert field.angular_shape == (found, found)
    assert "guessed" in field.history[-1]


def test_the_angular_size_can_be_given(tmp_path: Path) -> None:
    _picture(tmp_path / "a.png", 18, 28)
    assert read_eslf(tmp_path / "a.png", angular_size=(9, 7)).views.shape == (9, 7, 2, 4, 3)
    with pytest.raises(ImageError, match="28 x 18 pixels do not divide into lenslets of 5 x 9"):
        read_eslf(tmp_path / "a.png", angular_size=(9, 5))
    with pytest.raises(ImageError, match="neither by 14 nor by 15"):
        read_eslf(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [8, 16])
def test_what_was_written_notes_its_angular_size(tmp_path: Path, bits: int) -> None:
    write_eslf(tmp_path / "a.png", asymmetric_field(), bits=bits)  # type: ignore[arg-type]
    depth = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).dtype.itemsize * 8
    assert depth == bits
    assert "as noted in the file" in read_eslf(tmp_path / "a.png").history[-1]


def test_alpha_is_the_weight(tmp_path: Path) -> None:
    values = _picture(tmp_path / "a.png", 28, 14, 4)
    field = read_eslf(tmp_path / "a.png")
    np.testing.assert_allclose(field.weight(3, 6)[1, 0], values[17, 6, 3] / 255, rtol=1e-6)


def test_black_corners_have_no_weight_but_a_dark_scene_has(tmp_path: Path) -> None:
    values = rng.integers(20, 255, (28, 28, 3), np.uint8)
    values[0, 0] = 0  # a corner of the first lenslet
    values[14:, 14:] = 0  # the whole last lenslet: the scene is black there
    cv2.imwrite(str(tmp_path / "a.png"), values)
    field = read_eslf(tmp_path / "a.png")
    assert field.weight(0, 0)[0, 0] == 0
    assert field.weights.sum() == field.weights.size - 1


def test_no_picture_and_no_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match="the picture is damaged"):
        read_eslf(tmp_path / "a.png")
    field = LightField(views=np.zeros((1, 1, 2, 2, 3), np.float32), weights=np.ones((1, 1, 2, 2)))
    with pytest.raises(ImageError, match=r"written as \.png"):
        write_eslf(tmp_path / "a.jpg", field)
