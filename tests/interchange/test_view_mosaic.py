"""One picture of all views is read by its given grid, and a wrong grid is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.imaging.display import encode_srgb
from lfdfp.interchange.formats import read_light_field
from lfdfp.interchange.view_mosaic import read_view_mosaic
from lfdfp.interchange.view_neighbors import UNLIKE_NEIGHBORS
from tests.factories import textured_plane
from tests.interchange.asymmetric_scene import (
    ANGULAR,
    assert_axes_and_signs,
    asymmetric_field,
)


def _mosaic(path: Path, views: np.ndarray) -> Path:
    codes = np.rint(255 * encode_srgb(np.clip(views, 0, 1))).astype(np.uint8)
    rows, columns, height, width, _ = codes.shape
    picture = codes.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    Image.fromarray(picture).save(path)
    return path


def test_views_come_back_from_their_mosaic(tmp_path: Path) -> None:
    field = asymmetric_field()
    path = _mosaic(tmp_path / "a.png", field.views * np.float32(field.scale))
    read = read_light_field(path, grid=ANGULAR)
    assert_axes_and_signs(read)
    assert read.warnings == ()


def test_the_order_is_seen_from_the_parallax(tmp_path: Path) -> None:
    field = asymmetric_field()
    swapped = (field.views * np.float32(field.scale)).swapaxes(0, 1)
    read = read_view_mosaic(_mosaic(tmp_path / "a.png", swapped), ANGULAR[::-1])
    assert_axes_and_signs(read)


def test_a_wrong_grid_is_told(tmp_path: Path) -> None:
    field, _ = textured_plane(-0.3, angular=(6, 6), shape=(60, 60))
    path = _mosaic(tmp_path / "a.png", field.views)
    assert UNLIKE_NEIGHBORS not in read_view_mosaic(path, (6, 6)).warnings
    assert UNLIKE_NEIGHBORS in read_view_mosaic(path, (9, 9)).warnings


@pytest.mark.parametrize("grid", [(7, 5), (3, 8), (1000, 1)])
def test_a_grid_that_does_not_divide_is_refused(tmp_path: Path, grid: tuple[int, int]) -> None:
    field = asymmetric_field()
    path = _mosaic(tmp_path / "a.png", field.views * np.float32(field.scale))
    with pytest.raises(ImageError, match=r"a\.png: 185 x 72 pixels do not divide into"):
        read_view_mosaic(path, grid)


def test_a_grid_is_for_mosaics_and_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "a.mat").write_bytes(b"x")
    with pytest.raises(ImageError, match="read as lf-toolbox, where a grid of views cannot be"):
        read_light_field(tmp_path / "a.mat", grid=(2, 2))
