"""LF Toolbox files: axes reversed by HDF5, weight as fourth channel, MATLAB's own header."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from lfdfp.errors import ImageError, StorageError
from lfdfp.interchange.lf_toolbox import read_lf_toolbox, write_lf_toolbox
from tests.interchange.asymmetric_scene import asymmetric_field

rng = np.random.default_rng(0)


def _file(path: Path, stored: np.ndarray) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["LF"] = stored
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_reversed_axes_become_ours(tmp_path: Path, dtype: type) -> None:
    channels, width, height, columns, rows = 4, 7, 6, 5, 3
    stored = rng.random((channels, width, height, columns, rows))
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    stored = (stored * top).astype(dtype)
    field = read_lf_toolbox(_file(tmp_path / "a.mat", stored))
    assert field.views.shape == (rows, columns, height, width, 3)
    for v, u, t, s, c in [(0, 0, 0, 0, 0), (2, 4, 5, 6, 2), (1, 3, 2, 4, 1)]:
        expected = stored[c, s, t, u, v] / top
        np.testing.assert_allclose(field.view(v, u)[t, s, c], expected, rtol=1e-5)
        weight = stored[3, s, t, u, v] / top
        np.testing.assert_allclose(field.weight(v, u)[t, s], weight, atol=0.51 / 255)


def test_without_a_fourth_channel_all_weights_are_one(tmp_path: Path) -> None:
    field = read_lf_toolbox(_file(tmp_path / "a.mat", np.ones((3, 7, 6, 5, 3), np.uint16)))
    assert np.all(field.weight(1, 1) == 1)


def test_matlab_finds_its_header_and_classes(tmp_path: Path) -> None:
    write_lf_toolbox(tmp_path / "a.mat", asymmetric_field())
    block = (tmp_path / "a.mat").read_bytes()[:512]
    assert block.startswith(b"MATLAB 7.3 MAT-file")
    assert block[124:128] == b"\x00\x02IM"
    with h5py.File(tmp_path / "a.mat") as file:
        assert file["LF"].shape == (4, 37, 24, 5, 3)
        assert file["LF"].attrs["MATLAB_class"] == b"uint16"
        assert file["GeneratedByInfo"].attrs["MATLAB_class"] == b"struct"


def test_what_is_no_decoded_file_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old.mat"
    old.write_bytes(b"MATLAB 5.0 MAT-file, Platform: PCWIN" + bytes(200))
    with pytest.raises(StorageError, match=r"old\.mat: an old MAT-file; save it .* -v7\.3"):
        read_lf_toolbox(old)
    (tmp_path / "text.mat").write_text("no MAT-file")
    with pytest.raises(StorageError, match="cannot be read"):
        read_lf_toolbox(tmp_path / "text.mat")
    with pytest.raises(StorageError, match="five axes"):
        read_lf_toolbox(_file(tmp_path / "flat.mat", np.zeros((4, 5))))
    with pytest.raises(StorageError, match="int32"):
        read_lf_toolbox(_file(tmp_path / "int.mat", np.zeros((3, 2, 2, 2, 2), np.int32)))
    with pytest.raises(StorageError, match="9 channels"):
        read_lf_toolbox(_file(tmp_path / "nine.mat", np.zeros((9, 2, 2, 2, 2), np.uint8)))


def test_a_declared_size_is_checked_before_memory_is_taken(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "huge.mat", "w") as file:
        file.create_dataset("LF", (4, 60000, 40000, 99, 99), np.uint16, chunks=(1, 8, 8, 1, 1))
    with pytest.raises(ImageError, match="4 x 60000 x 40000 x 99 x 99 samples"):
        read_lf_toolbox(tmp_path / "huge.mat")
