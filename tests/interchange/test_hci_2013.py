"""The first HCI benchmark's files: recognized, and their columns of views turned round."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.errors import StorageError
from lfdfp.imaging.display import decode_srgb
from lfdfp.interchange.formats import read_light_field, recognized_format
from tests.interchange.asymmetric_scene import (
    ANGULAR,
    assert_axes_and_signs,
    asymmetric_field,
)

ATTRIBUTES = {"dH": 0.03, "dV": 0.03, "focalLength": 9.3, "shift": 0.2, "hRes": 5, "vRes": 3}


def _file(path: Path, codes: np.ndarray, attributes: dict[str, float]) -> Path:
    with h5py.File(path, "w") as file:
        file["LF"] = codes
        file.attrs.update(attributes)
    return path


def _codes(field: LightField) -> np.ndarray:
    from lfdfp.imaging.display import encode_srgb

    light = np.stack([[field.view(v, u) for u in range(ANGULAR[1])] for v in range(ANGULAR[0])])
    return np.rint(255 * encode_srgb(light)).astype(np.uint8)


def test_columns_of_views_that_run_from_the_right_are_turned_round(tmp_path: Path) -> None:
    stored = _codes(asymmetric_field())[:, ::-1]
    path = _file(tmp_path / "lf.h5", stored, ATTRIBUTES)
    assert recognized_format(path) == "hci-2013"
    field = read_light_field(path)
    assert_axes_and_signs(field)
    assert "turned round" in field.history[-1]
    np.testing.assert_allclose(
        field.view(0, 0), decode_srgb(stored[0, -1].astype(np.float32) / 255), atol=2e-5
    )


def test_columns_that_run_from_the_left_stay(tmp_path: Path) -> None:
    field = read_light_field(_file(tmp_path / "lf.h5", _codes(asymmetric_field()), ATTRIBUTES))
    assert_axes_and_signs(field)
    assert len(field.history) == 1


def test_a_file_is_known_by_its_truth_too(tmp_path: Path) -> None:
    path = _file(tmp_path / "lf.h5", _codes(asymmetric_field()), {})
    with h5py.File(path, "a") as file:
        file["GT_DEPTH"] = np.ones((24, 37), np.float32)
    assert recognized_format(path) == "hci-2013"


@pytest.mark.parametrize("shape", [(3, 5, 24, 37, 4), (3, 5, 24, 37, 2)])
def test_other_channels_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = _file(tmp_path / "lf.h5", np.zeros(shape, np.uint8), ATTRIBUTES)
    with pytest.raises(StorageError, match=r"lf\.h5: LF is uint8 with . channels"):
        read_light_field(path)


def test_a_matlab_file_is_still_one(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["LF"] = np.zeros((3, 9, 8, 5, 3), np.uint8)
    assert recognized_format(tmp_path / "a.mat") == "lf-toolbox"
