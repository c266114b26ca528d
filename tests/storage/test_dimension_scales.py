"""xarray opens the stored files by their coordinates, and finds the light that was written."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.storage.dimension_scales import attach_scales
from lfdfp.storage.hdf5 import (
    contents_of,
    load_focal_stack,
    save_focal_stack,
    save_focal_stack_parts,
    save_light_field,
    save_sharp_picture,
)
from tests.report.test_nouns import FIELD, PICTURE, STACK

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")


def test_a_light_field_is_decoded_to_linear_light(tmp_path: Path) -> None:
    path = tmp_path / "field.h5"
    save_light_field(path, FIELD, {})
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        view: FloatArray = found.views.sel(v=-1, u=2).values
        np.testing.assert_allclose(view, FIELD[0, 4], atol=1e-6)
        assert float(found.weights.min()) == pytest.approx(1)
        assert list(found.v.values) == [-1, 0, 1]


def test_slices_are_found_by_their_slopes(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, STACK, {})
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        np.testing.assert_array_equal(found.slices.sel(n=0.1, method="nearest"), STACK.slices[2])
        assert found.n.attrs["units"] == "pixels per angular step"


def test_both_grids_of_a_picture_have_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "fusion.h5"
    save_sharp_picture(path, PICTURE, {})
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        np.testing.assert_array_equal(found.super_resolved, PICTURE.super_resolved)
        assert found.fine_disparity.dims == ("t_fine", "s_fine")
        np.testing.assert_allclose(found.t_fine[:2], [-0.25, 0.25])
        in_memory = PICTURE.to_xarray()
        assert set(in_memory.data_vars) == set(found.data_vars)
        np.testing.assert_allclose(found.s_fine, in_memory.s_fine)


def test_a_stack_in_parts_has_as_many_coordinates_as_slices(tmp_path: Path) -> None:
    from dataclasses import replace

    assert STACK.slopes is not None
    halves = [
        replace(STACK, slices=STACK.slices[k], slopes=STACK.slopes[k], focus_curves=None)
        for k in (slice(0, 2), slice(2, 4))
    ]
    path = tmp_path / "parts.h5"
    save_focal_stack_parts(path, halves, {})
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        np.testing.assert_array_equal(found.n, STACK.slopes)
    np.testing.assert_array_equal(load_focal_stack(path).slices, STACK.slices)


def test_coordinates_are_not_told_as_contents(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, STACK, {})
    assert set(contents_of(path)[0]) == {"slices", "slopes", "focus_curves"}


def test_three_grids_of_one_label_have_three_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "three.h5", "w") as file:
        for size in (2, 4, 8):
            file.create_dataset(f"a{size}", data=np.zeros(size)).dims[0].label = "t"
        attach_scales(file)
        assert {"t", "t_fine", "t_fine2"} <= set(file)
        assert file["a8"].dims[0][0].name == "/t_fine2"
