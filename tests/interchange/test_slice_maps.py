"""Maps of slices hold the numbers themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.interchange.netpbm import read_pfm
from lfdfp.interchange.slice_maps import write_slice_depth, write_slice_index

_INDEX = np.arange(12, dtype=np.uint16).reshape(3, 4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("count", "dtype"), [(12, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_gray_values_are_numbers_of_slices(
    tmp_path: Path, suffix: str, count: int, dtype: type[np.generic]
) -> None:
    path = tmp_path / f"map{suffix}"
    write_slice_index(path, _INDEX, count, {})
    values = tifffile.imread(path) if suffix == ".tif" else np.asarray(Image.open(path))
    assert values.dtype == dtype
    np.testing.assert_array_equal(values, _INDEX)


def test_depth_is_codes_in_a_png_and_slices_elsewhere(tmp_path: Path) -> None:
    depth = np.linspace(0, 8, 12, dtype=np.float32).reshape(3, 4)
    for suffix in (".png", ".tif", ".pfm"):
        write_slice_depth(tmp_path / f"depth{suffix}", depth, 9, {"from": "here"})
    with Image.open(tmp_path / "depth.png") as image:
        note = json.loads(image.info["Comment"])
        codes = np.asarray(image)
    assert codes.dtype == np.uint16
    assert note["formula"] == "slice = 8 * code / 65535, counted from 0"
    assert note["from"] == "here"
    np.testing.assert_allclose(codes * (8 / 65535), depth, atol=1e-4)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "depth.tif"), depth)
    np.testing.assert_array_equal(read_pfm(tmp_path / "depth.pfm"), depth)


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"decision maps are written as \.png or \.tif"):
        write_slice_index(tmp_path / "map.jpg", _INDEX, 12, {})
    with pytest.raises(ImageError, match=r"depth is written as \.png, \.tif or \.pfm"):
        write_slice_depth(tmp_path / "depth.jpg", np.zeros((3, 4), np.float32), 12, {})
    assert not list(tmp_path.iterdir())
