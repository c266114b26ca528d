"""LF Toolbox files: axes reversed by HDF5, weight as fourth channel, MATLAB's own header."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from lfdfp.errors import StorageError
from lfdfp.interchange.lf_toolbox import read_lf_toolbox, write_lf_toolbox
from tests.interchange.asymmetric_scene import asymmetric_field

rng = np.random.default_rng(0)


def _file(path: Path, stored: np.ndarray, *, matlab: bool = True) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["LF"] = stored
        if matlab:
            file["LF"].attrs["MATLAB_class"] = np.bytes_(str(stored.dtype))
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


@pytest.mark.slow
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
    with pytest.raises(StorageError, match="MiB of 0 bytes"):
        read_lf_toolbox(tmp_path / "huge.mat")


def _plain(top: float = 1.0, channels: int = 3) -> np.ndarray:
    """Stored as (c, u, v, s, t), reaching `top`."""
    stored = rng.random((channels, 20, 16, 5, 4))
    return stored * (top / stored.max())


@pytest.mark.parametrize(
    ("top", "white"), [(255.0, 255), (131.0, 255), (1020.0, 1023), (4000.0, 4095), (65535.0, 65535)]
)
def test_doubles_that_hold_codes_are_not_taken_for_light(
    tmp_path: Path, top: float, white: float
) -> None:
    stored = _plain(top)
    field = read_lf_toolbox(_file(tmp_path / "a.mat", stored))
    np.testing.assert_allclose(field.view(1, 2)[3, 4], stored[:, 4, 3, 2, 1] / white, rtol=1e-5)
    assert field.warnings == (f"light reaches {top:g}: taken for codes up to {white}",)


@pytest.mark.parametrize("top", [1.0, 0.01, 1.7])
def test_light_up_to_one_may_overshoot(tmp_path: Path, top: float) -> None:
    field = read_lf_toolbox(_file(tmp_path / "a.mat", _plain(top)))
    assert field.scale == 1
    assert field.warnings == ()


@pytest.mark.parametrize("top", [2.5, 40.0, 9000.0, 1e6, np.inf])
def test_light_of_which_white_cannot_be_told_is_refused(tmp_path: Path, top: float) -> None:
    stored = _plain(1.0)
    stored[0, 0, 0, 0, 0] = top
    with pytest.raises(StorageError, match=r"neither up to 1 nor codes .*; divide it by its white"):
        read_lf_toolbox(_file(tmp_path / "a.mat", stored))


def test_weights_of_doubles_that_hold_codes_reach_one(tmp_path: Path) -> None:
    stored = _plain(255.0, channels=4)
    field = read_lf_toolbox(_file(tmp_path / "a.mat", stored))
    np.testing.assert_allclose(field.weight(1, 2)[3, 4], stored[3, 4, 3, 2, 1] / 255, atol=0.01)


def test_axes_as_python_writes_them_are_told_by_their_extents(tmp_path: Path) -> None:
    stored = rng.integers(0, 255, (5, 6, 20, 16, 3), np.uint8)
    field = read_lf_toolbox(_file(tmp_path / "a.h5", stored, matlab=False))
    np.testing.assert_array_equal(field.views, stored)
    assert "axes as in Python" in field.history[-1]
    with pytest.raises(StorageError, match="the order of its axes cannot be told"):
        read_lf_toolbox(_file(tmp_path / "b.h5", stored[:3], matlab=False))
    with pytest.raises(StorageError, match="the order of its axes cannot be told"):
        read_lf_toolbox(_file(tmp_path / "c.h5", np.zeros((5, 6, 7, 8, 9), np.uint8), matlab=False))


def test_more_views_than_pixels_are_axes_in_another_order(tmp_path: Path) -> None:
    stored = np.ones((3, 5, 6, 20, 16), np.uint8)
    with pytest.raises(
        StorageError, match="16 x 20 views of 5 x 6 pixels: its axes are in another"
    ):
        read_lf_toolbox(_file(tmp_path / "a.mat", stored))


def test_samples_that_are_declared_but_not_stored_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        shape = (3, 1000, 1000, 18, 18)
        file.create_dataset("LF", shape, np.uint8, chunks=(1, 100, 100, 18, 18))
        file["LF"].attrs["MATLAB_class"] = np.bytes_("uint8")
    with pytest.raises(StorageError, match="926 MiB of 0 bytes"):
        read_lf_toolbox(tmp_path / "a.mat")


@pytest.mark.slow
def test_no_other_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(240)) * 4)
    shape = (3, 8, 8, 5, 1)
    with h5py.File(tmp_path / "external.mat", "w") as file:
        file.create_dataset("LF", shape, np.uint8, external=[(str(secret), 0, 960)])
    with h5py.File(tmp_path / "virtual.mat", "w") as file:
        layout = h5py.VirtualLayout(shape, np.uint8)
        layout[...] = h5py.VirtualSource(str(tmp_path / "external.mat"), "LF", shape)
        file.create_virtual_dataset("LF", layout)
    with h5py.File(tmp_path / "link.mat", "w") as file:
        file["LF"] = h5py.ExternalLink(str(tmp_path / "external.mat"), "LF")
    with h5py.File(tmp_path / "soft.mat", "w") as file:
        file["LF"] = h5py.SoftLink("/nowhere")
    for name in ("external", "virtual", "link", "soft"):
        with pytest.raises(StorageError, match=rf"{name}\.mat: is refused"):
            read_lf_toolbox(tmp_path / f"{name}.mat")
