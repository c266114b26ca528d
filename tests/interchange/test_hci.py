"""HCI folders: row-major views, the parameters' grid, and the sign of disparity."""

from __future__ import annotations

import configparser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.interchange.hci import read_hci, read_hci_disparity, write_hci
from lfdfp.interchange.netpbm import read_pfm
from tests.interchange.asymmetric_scene import SPOTS, asymmetric_field, spot


def _views(folder: Path, count: int, *, skip: int = -1) -> None:
    for k in range(count):
        if k != skip:
            Image.new("RGB", (4, 3), (k, 0, 255)).save(folder / f"input_Cam{k:03d}.png")


def test_views_are_counted_row_by_row(tmp_path: Path) -> None:
    _views(tmp_path, 9)
    field = read_hci(tmp_path)
    red = np.array([[field.view(v, u)[0, 0, 0] for u in range(3)] for v in range(3)])
    assert np.all(np.diff(red.ravel()) > 0)
    assert field.spatial_shape == (3, 4)


def test_the_parameters_give_the_grid(tmp_path: Path) -> None:
    _views(tmp_path, 6)
    with pytest.raises(ImageError, match=r"6 views and no parameters\.cfg"):
        read_hci(tmp_path)
    parameters = tmp_path / "parameters.cfg"
    parameters.write_text("[extrinsics]\nnum_cams_x = 3\nnum_cams_y = 2\n")
    assert read_hci(tmp_path).angular_shape == (2, 3)
    parameters.write_text("[extrinsics]\nnum_cams_x = 9\nnum_cams_y = 9\n")
    with pytest.raises(ImageError, match=r"input_Cam006\.png is missing, where 9 x 9"):
        read_hci(tmp_path)
    parameters.write_text("[extrinsics]\nnum_cams_x = 100000\nnum_cams_y = 1\n")
    with pytest.raises(ImageError, match="100000 x 1 cameras"):
        read_hci(tmp_path)
    for broken in ("no section", "[extrinsics]\nnum_cams_x = many\nnum_cams_y = 1\n", "[meta]\n"):
        parameters.write_text(broken)
        with pytest.raises(ImageError, match=r"parameters\.cfg: cannot be read"):
            read_hci(tmp_path)


def test_a_missing_view_is_named(tmp_path: Path) -> None:
    _views(tmp_path, 10, skip=4)
    with pytest.raises(ImageError, match=r"input_Cam004\.png is missing"):
        read_hci(tmp_path)


def test_disparity_has_the_opposite_sign_in_the_file(tmp_path: Path) -> None:
    field = asymmetric_field()
    red = np.full(field.spatial_shape, SPOTS["red"][1], np.float32)
    red[0, 0] = -0.5
    write_hci(tmp_path / "scene", field, disparity=red)
    np.testing.assert_array_equal(read_hci_disparity(tmp_path / "scene"), red)

    stored = float(read_pfm(tmp_path / "scene" / "gt_disp_lowres.pfm")[12, 12])
    read = read_hci(tmp_path / "scene")
    seen = spot(read, "red", 1, 4)[1] - spot(read, "red", 1, 2)[1]
    assert seen == pytest.approx(-stored * 2, abs=0.05)

    parser = configparser.ConfigParser()
    parser.read(tmp_path / "scene" / "parameters.cfg")
    assert (parser.getfloat("meta", "disp_min"), parser.getfloat("meta", "disp_max")) == (-1.0, 0.5)
    assert parser.getint("extrinsics", "num_cams_x") == 5
    assert np.isnan(parser.getfloat("extrinsics", "baseline_mm"))
