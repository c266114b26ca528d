from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from lfdfp.calibration import fit_lenslet_grid, grid_from_metadata
from lfdfp.datatypes import LensletGrid, RawCapture
from lfdfp.lfp import read_capture
from tests.factories.lattices import center_error_px


def grid_of_white_image(capture: RawCapture, centers_px: np.ndarray) -> LensletGrid:
    """Affine lattice through centers that are rounded to whole pixels."""
    seed = grid_from_metadata(capture)
    basis = seed.basis_px
    middle = (np.array(capture.mosaic.shape) - 1) / 2
    origin = centers_px[np.argmin(((centers_px - middle) ** 2).sum(axis=1))]
    for reach in (100, 200, 400, 800, 1700):
        near = np.abs(centers_px - middle).max(axis=1) < reach
        for _ in range(3):
            lattice = np.rint((centers_px[near] - origin) @ np.linalg.inv(basis).T)
            design = np.column_stack([np.ones(near.sum()), lattice])
            solution, *_ = np.linalg.lstsq(design, centers_px[near], rcond=None)
            origin, basis = solution[0], solution[1:].T
    return dataclasses.replace(
        seed,
        origin_px=(float(origin[0]), float(origin[1])),
        right_px=(float(basis[0, 0]), float(basis[1, 0])),
        down_px=(float(basis[0, 1]), float(basis[1, 1])),
    )


@pytest.mark.data
@pytest.mark.parametrize("falsified", [0.97, 0.99, 1.01, 1.03])
def test_the_grid_of_a_real_capture_is_that_of_its_white_image(
    falsified: float, data_dir: Path
) -> None:
    capture = read_capture(data_dir / "lytro" / "guitar.lfp")
    cords = scipy.io.loadmat(data_dir / "lytro" / "grids" / "f01_tao_image_cords.mat")
    true = grid_of_white_image(capture, cords["image_cords"].reshape(-1, 2) - 1.0)
    array = capture.microlens_array
    wrong = dataclasses.replace(
        array,
        pitch_m=array.pitch_m * falsified,
        rotation_rad=0.0,
        sensor_offset_m=(0.0, 0.0, array.sensor_offset_m[2]),
    )
    found = fit_lenslet_grid(dataclasses.replace(capture, microlens_array=wrong))
    error = center_error_px(found, true)
    mean = error.mean(axis=1)
    assert np.hypot(*mean) <= 0.1
    assert np.sqrt(((error - mean[:, None]) ** 2).sum(axis=0).mean()) <= 0.15
