"""Tiles cover a picture, and what is blended from them has no seam."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.imaging.tiles import blending_window, even_starts, tiles


@pytest.mark.parametrize("shape", [(10, 10), (37, 90), (64, 33)])
@pytest.mark.parametrize(("side", "overlap"), [(16, 0), (16, 6), (100, 6)])
def test_tiles_cover_the_picture_and_stay_inside(
    shape: tuple[int, int], side: int, overlap: int
) -> None:
    seen = np.zeros(shape, int)
    for rows, columns in tiles(shape, side, overlap):
        assert 0 <= rows.start < rows.stop <= shape[0]
        assert 0 <= columns.start < columns.stop <= shape[1]
        assert rows.stop - rows.start == min(side, shape[0])
        seen[rows, columns] += 1
    assert seen.min() >= 1


@pytest.mark.parametrize("length", [17, 40, 41, 97])
def test_neighbors_share_at_least_the_overlap(length: int) -> None:
    starts = even_starts(length, 16, 6).round().astype(int)
    assert starts[0] == 0
    assert starts[-1] == length - 16
    assert np.all(np.diff(starts) <= 10)


def test_what_all_tiles_agree_on_is_blended_without_a_seam() -> None:
    picture = np.random.default_rng(0).random((45, 61), np.float32)
    total, weight = np.zeros_like(picture), np.zeros_like(picture)
    for tile in tiles(picture.shape, 20, 8):
        window = blending_window(tile, picture.shape, 8)
        total[tile] += window * picture[tile]
        weight[tile] += window
    assert weight.min() > 0
    np.testing.assert_allclose(total / weight, picture, atol=1e-6)


def test_a_tile_falls_towards_its_neighbors_and_not_towards_the_border() -> None:
    window = blending_window((slice(0, 20), slice(5, 25)), (40, 40), 8)
    assert window[0, 10] == 1
    assert window[-1, 10] < 0.2
    assert window[5, 0] < 0.2
    assert np.all(np.diff(window[5, :8]) >= 0)
