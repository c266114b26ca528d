"""Folders of views: any naming, order by parallax, and clear refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.interchange.view_folder import (
    ONE_AXIS_RUNS_BACKWARDS,
    read_view_folder,
    write_view_folder,
)
from tests.factories import textured_plane
from tests.interchange.asymmetric_scene import (
    ANGULAR,
    assert_axes_and_signs,
    asymmetric_field,
)

Naming = Callable[[int, int], str]
ROW_COLUMN: list[Naming] = [
    lambda v, u: f"view_{v:02d}_{u:02d}.png",
    lambda v, u: f"{v + 3}_{u + 9}.png",
    lambda v, u: f"lf-r{v + 1}-c{u + 1}.png",
    lambda v, u: (
        f"IMG_0001_{1 + v * 5 + (u if v % 2 == 0 else 4 - u):03d}_{v + 1:02d}_{u + 1:02d}.png"
    ),
    lambda v, u: f"out_{v:02d}_{u:02d}_{-381.9 + 3 * v}_{1103.25 + u}.png",
    lambda v, u: f"{v * 2}_{u * 4}.png",
]


def _write(folder: Path, field: LightField, name: Naming) -> Path:
    write_view_folder(folder, field, bits=8)
    for v, u in np.ndindex(field.angular_shape):
        (folder / f"view_{v:02d}_{u:02d}.png").rename(folder / f"tmp-{name(v, u)}")
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.removeprefix("tmp-"))
    return folder


@pytest.mark.parametrize("name", ROW_COLUMN)
def test_two_numbers_are_found_in_any_name(tmp_path: Path, name: Naming) -> None:
    field = read_view_folder(_write(tmp_path / "views", asymmetric_field(), name))
    assert_axes_and_signs(field)
    assert field.warnings == ()


def test_the_order_is_seen_from_the_parallax(tmp_path: Path) -> None:
    folder = _write(tmp_path / "views", asymmetric_field(), lambda v, u: f"{u}_{v}.png")
    field = read_view_folder(folder)
    assert_axes_and_signs(field)
    assert field.history[-1] == "order of the views' numbers: col_row (by parallax)"


def test_a_given_order_wins_but_a_contradiction_is_told(tmp_path: Path) -> None:
    folder = _write(tmp_path / "views", asymmetric_field(), lambda v, u: f"{u}_{v}.png")
    assert_axes_and_signs(read_view_folder(folder, order="col_row"))
    forced = read_view_folder(folder, order="row_col")
    assert forced.angular_shape == ANGULAR[::-1]
    assert "speaks for col_row" in forced.warnings[0]


def test_an_axis_that_runs_backwards_is_told(tmp_path: Path) -> None:
    folder = _write(tmp_path / "views", asymmetric_field(), lambda v, u: f"{v}_{4 - u}.png")
    assert ONE_AXIS_RUNS_BACKWARDS in read_view_folder(folder).warnings


def test_views_without_parallax_are_taken_by_rows_with_a_warning(tmp_path: Path) -> None:
    one = asymmetric_field()
    still = LightField(views=np.broadcast_to(one.views[1, 2], one.views.shape), weights=one.weights)
    write_view_folder(tmp_path / "views", still)
    field = read_view_folder(tmp_path / "views")
    assert field.angular_shape == ANGULAR
    assert "no clear parallax" in field.warnings[0]


def test_tiff_views_come_back(tmp_path: Path) -> None:
    write_view_folder(tmp_path / "views", asymmetric_field(), suffix=".tif")
    assert_axes_and_signs(read_view_folder(tmp_path / "views"))


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    write_view_folder(tmp_path / "views", asymmetric_field())
    (tmp_path / "views" / "readme.md").write_text("3 x 5 views")
    Image.new("RGB", (5, 5)).save(tmp_path / "views" / "preview.png")
    assert_axes_and_signs(read_view_folder(tmp_path / "views"))


def test_bad_folders_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "views"
    write_view_folder(folder, asymmetric_field(), bits=8)
    view = folder / "view_01_03.png"
    kept = view.read_bytes()

    view.unlink()
    with pytest.raises(ImageError, match=r"view \(1, 3\) is missing from a grid of 3 x 5 views"):
        read_view_folder(folder)
    Image.new("RGB", (5, 6)).save(view)
    with pytest.raises(ImageError, match=r"view_01_03\.png: 5 x 6 pixels, but view_00_00\.png"):
        read_view_folder(folder)
    Image.new("L", (37, 24)).save(view)
    with pytest.raises(ImageError, match=r"view_01_03\.png: 1 channels up to 255"):
        read_view_folder(folder)
    view.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(ImageError, match=r"view_01_03\.png: the picture is damaged"):
        read_view_folder(folder)
    view.write_bytes(kept)
    (folder / "other_0_0.png").write_bytes(kept)
    with pytest.raises(ImageError, match="names of more than one kind"):
        read_view_folder(folder)
    (folder / "other_0_0.png").rename(folder / "view_1_3.png")
    with pytest.raises(ImageError, match=r"view \(1, 3\) is there more than once"):
        read_view_folder(folder)


@pytest.mark.parametrize("word", ["label", "disparity", "depth", "mask", "gt"])
def test_labels_and_disparities_beside_the_views_are_passed_over(tmp_path: Path, word: str) -> None:
    folder = _write(tmp_path / "views", asymmetric_field(), lambda v, u: f"{v + 1}_{u + 1}.png")
    Image.new("L", (37, 24)).save(folder / f"2_3_{word}.png")
    Image.new("L", (37, 24)).save(folder / f"1_1_{word}.png")
    assert_axes_and_signs(read_view_folder(folder))


def test_views_that_are_all_called_disparity_are_views(tmp_path: Path) -> None:
    name: Naming = lambda v, u: f"disparity_{v}_{u}.png"  # noqa: E731
    assert_axes_and_signs(read_view_folder(_write(tmp_path / "views", asymmetric_field(), name)))


@pytest.mark.parametrize("base", [0, 1, 100])
@pytest.mark.parametrize("form", ["{:03d}.png", "frame{}_of_scene.png", "IMG_0001_{:04d}.png"])
def test_a_running_number_is_laid_out_as_neighbors_are_alike(
    tmp_path: Path, base: int, form: str
) -> None:
    field, _ = textured_plane(-0.6, angular=(4, 6), shape=(50, 60))
    folder = _write(tmp_path / "views", field, lambda v, u: form.format(base + 6 * v + u))
    read = read_view_folder(folder)
    assert read.angular_shape == (4, 6)
    np.testing.assert_allclose(read.view(2, 5), field.view(2, 5), atol=0.01)
    assert "running number taken for 4 x 6 views (as neighbors are alike)" in read.history


def test_a_running_number_that_goes_down_the_columns_is_seen(tmp_path: Path) -> None:
    field, _ = textured_plane(-0.6, angular=(4, 6), shape=(50, 60))
    folder = _write(tmp_path / "views", field, lambda v, u: f"{4 * u + v:03d}.png")
    read = read_view_folder(folder)
    assert read.angular_shape == (4, 6)
    np.testing.assert_allclose(read.view(2, 5), field.view(2, 5), atol=0.01)


def test_rows_that_turn_back_or_show_no_parallax_are_refused(tmp_path: Path) -> None:
    field, _ = textured_plane(-0.6, angular=(4, 6), shape=(50, 60))
    back = _write(
        tmp_path / "back", field, lambda v, u: f"{6 * v + (5 - u if v % 2 else u):03d}.png"
    )
    still, _ = textured_plane(0.0, angular=(4, 6), shape=(50, 60))
    alike = _write(tmp_path / "still", still, lambda v, u: f"{6 * v + u:03d}.png")
    for folder in (back, alike):
        with pytest.raises(ImageError, match=r"24 views with one running number.* give --grid"):
            read_view_folder(folder)
    assert read_view_folder(alike, grid=(4, 6)).angular_shape == (4, 6)
    with pytest.raises(ImageError, match="24 views do not fill a grid of 5 x 5"):
        read_view_folder(alike, grid=(5, 5))


def test_a_running_number_with_a_gap_is_told(tmp_path: Path) -> None:
    field, _ = textured_plane(-0.6, angular=(4, 6), shape=(50, 60))
    folder = _write(tmp_path / "views", field, lambda v, u: f"{6 * v + u:03d}.png")
    (folder / "009.png").unlink()
    with pytest.raises(ImageError, match="the view after number 8 is missing"):
        read_view_folder(folder)


def test_missing_rows_are_told(tmp_path: Path) -> None:
    folder = _write(tmp_path / "views", asymmetric_field(), lambda v, u: f"{v}_{u * u}.png")
    with pytest.raises(ImageError, match="unevenly spaced"):
        read_view_folder(folder)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "views", "order"),
    [
        ("f01-10x10", (10, 10, 256, 256, 3), "col_row"),
        ("illum-9x9", (9, 9, 434, 625, 3), "row_col"),
    ],
)
def test_real_views_are_read_with_their_axes_right(
    data_dir: Path, name: str, views: tuple[int, ...], order: str
) -> None:
    import cv2

    folder = data_dir / "lightfields" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    field = read_view_folder(folder)
    assert field.views.shape == views
    assert field.history[-1] == f"order of the views' numbers: {order} (by parallax)"
    assert field.warnings == ()
    v, u = field.center
    left, right = (
        np.ascontiguousarray(field.view(v, column)[64:192, 64:192, 1]) for column in (u - 1, u + 1)
    )
    (along_s, along_t), _ = cv2.phaseCorrelate(left, right, cv2.createHanningWindow((128, 128), 5))
    assert abs(along_s) > 4 * abs(along_t)


@pytest.mark.data
@pytest.mark.parametrize(("name", "views"), [("f01-10x10", 10), ("illum-9x9", 9)])
def test_real_views_under_a_running_number_find_their_rows(
    data_dir: Path, tmp_path: Path, name: str, views: int
) -> None:
    folder = data_dir / "lightfields" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    field = read_view_folder(folder)
    part = np.s_[:, :, 60:190, 60:190]
    field = replace(field, views=field.views[part], weights=field.weights[part])
    _write(tmp_path / "views", field, lambda v, u: f"{views * v + u:03d}.png")
    read = read_view_folder(tmp_path / "views")
    assert read.angular_shape == (views, views)
    assert read.history[-1] == "order of the views' numbers: row_col (by parallax)"
