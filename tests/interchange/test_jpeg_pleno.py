"""JPEG Pleno folders: names, 10-bit codes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lfdfp.errors import ImageError
from lfdfp.interchange.integer_codes import Codes
from lfdfp.interchange.jpeg_pleno import read_jpeg_pleno, write_jpeg_pleno
from lfdfp.interchange.netpbm import read_ppm, write_ppm
from tests.interchange.asymmetric_scene import assert_axes_and_signs, asymmetric_field


def _with_maximum(folder: Path, maximum: int) -> None:
    for path in folder.glob("*.ppm"):
        write_ppm(path, Codes(values=read_ppm(path).values, maximum=maximum))


def test_names_and_depth_are_those_of_the_format(tmp_path: Path) -> None:
    write_jpeg_pleno(tmp_path / "a", asymmetric_field())
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names[:2] == ["000_000.ppm", "000_001.ppm"]
    assert names[-1] == "002_004.ppm"
    assert (tmp_path / "a" / "000_000.ppm").read_bytes().startswith(b"P6\n37 24\n1023\n")


def test_ten_bit_codes_under_a_header_of_sixteen_are_recognized(tmp_path: Path) -> None:
    write_jpeg_pleno(tmp_path / "a", asymmetric_field())
    expected = read_jpeg_pleno(tmp_path / "a")
    _with_maximum(tmp_path / "a", 65535)
    found = read_jpeg_pleno(tmp_path / "a")
    np.testing.assert_array_equal(found.views, expected.views)
    assert "as 10 bits" in found.history[0]


def test_a_crop_of_the_grid_counts_from_anywhere(tmp_path: Path) -> None:
    write_jpeg_pleno(tmp_path / "a", asymmetric_field())
    for path in sorted((tmp_path / "a").glob("*.ppm"), reverse=True):
        row, column = map(int, path.stem.split("_"))
        path.rename(path.with_name(f"{row + 1:03d}_{column + 1:03d}.ppm"))
    assert_axes_and_signs(read_jpeg_pleno(tmp_path / "a"))


def test_missing_and_mixed_views_are_refused(tmp_path: Path) -> None:
    write_jpeg_pleno(tmp_path / "a", asymmetric_field())
    path = tmp_path / "a" / "001_003.ppm"
    codes = read_ppm(path)
    write_ppm(path, Codes(values=codes.values[:20], maximum=1023))
    with pytest.raises(ImageError, match=r"001_003\.ppm: 37 x 20 pixels, but 000_000\.ppm"):
        read_jpeg_pleno(tmp_path / "a")
    write_ppm(path, Codes(values=codes.values, maximum=2047))
    with pytest.raises(ImageError, match=r"001_003\.ppm: 3 channels up to 2047"):
        read_jpeg_pleno(tmp_path / "a")
    path.unlink()
    with pytest.raises(ImageError, match=r"view \(1, 3\) is missing from a grid of 3 x 5"):
        read_jpeg_pleno(tmp_path / "a")
