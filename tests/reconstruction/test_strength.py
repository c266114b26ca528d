"""How strong the prior is chosen to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lfdfp.datatypes import ViewSampling
from lfdfp.decoding import decode
from lfdfp.evaluation.protocol import score
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.reconstruction.strength import detailed_tiles
from lfdfp.settings import FusionSettings
from tests.factories import tiny_capture


def test_tiles_of_much_some_and_average_detail_are_taken() -> None:
    grid = FineGrid(sampling=ViewSampling(origin_pitch=(0.0, 0.0), shape=(100, 130)), k=4, margin=8)
    rng = np.random.default_rng(0)
    guide = np.zeros(grid.shape, np.float32)
    columns = np.arange(grid.shape[1]) / grid.shape[1]
    guide += (columns * rng.standard_normal(grid.shape)).astype(np.float32)
    tiles = detailed_tiles(guide, grid)
    assert len(tiles) == 3
    amount = [guide[rows, columns].std() for rows, columns in tiles]
    assert amount[0] < 0.8 * amount[-1]
    assert max(columns.start for _, columns in tiles) == grid.margin + 3 * 128
    for rows, columns in tiles:
        assert rows.stop - rows.start == columns.stop - columns.start == 128
        assert (rows.start - grid.margin) % grid.k == 0


def test_a_small_grid_is_one_tile() -> None:
    grid = FineGrid(sampling=ViewSampling(origin_pitch=(0.0, 0.0), shape=(10, 12)), k=4, margin=8)
    guide = np.zeros(grid.shape, np.float32)
    ((rows, columns),) = detailed_tiles(guide, grid)
    assert (rows.start, columns.start) == (0, 0)


@pytest.mark.slow
def test_where_noise_decides_the_prior_grows_beyond_its_usual_strengths() -> None:
    capture = tiny_capture(scene="nearly-flat", size=400, seed=2)
    field = decode(capture.raw_capture(), capture.true_calibration())
    usual = RayParameters()
    bounded = replace(usual, strengths_in_the_dark=(max(usual.strengths),))
    errors = []
    for parameters in (bounded, usual):
        picture = reconstruct(field, FusionSettings(scale=1), parameters=parameters)
        wanted = capture.all_in_focus(1)
        errors.append(score("", wanted, picture.super_resolved).psnr_db)
    assert picture.provenance.losses["prior_strength"] > max(usual.strengths)
    assert errors[1] > errors[0] + 1
