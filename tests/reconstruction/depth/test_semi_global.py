"""Semi-global matching: sums of paths, planes from them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.depth.semi_global import (
    PlaneCosts,
    Smoothness,
    semi_global_costs,
    semi_global_disparity,
)


def plane_costs(volume: FloatArray) -> PlaneCosts:
    """Costs of shape (Y, X, N)."""
    costs = PlaneCosts.empty(volume.shape[:2], volume.shape[2], most=float(volume.max()))
    for k in range(volume.shape[2]):
        costs.set_rows(0, k, volume[..., k])
    return costs


def summed_along_paths(volume: FloatArray, guide: FloatArray, smoothness: Smoothness) -> FloatArray:
    """As Hirschmüller's equation (13), pixel by pixel; without the paths' common offset (12)."""
    height, width, planes = volume.shape
    total = np.zeros(volume.shape)
    index = np.arange(planes)
    price = np.minimum(np.abs(index[:, None] - index) * smoothness.step, np.inf)
    price[np.abs(index[:, None] - index) > 1] = np.inf

    def edge(i: int, j: int, di: int, dj: int) -> float:
        """Price of a jump between (i - di, j - dj) and (i, j)."""
        row, column = min(i, i - di), min(j, j - dj)
        prices = []
        if di:
            prices.append(abs(guide[row + 1, j] - guide[row, j]))
        if dj:
            prices.append(abs(guide[i, column + 1] - guide[i, column]))
        jumps = [smoothness.jump / (1 + change / smoothness.edge) for change in prices]
        return max(min(jumps), smoothness.step)

    for di, dj in itertools.product((-1, 0, 1), repeat=2):
        if (di, dj) == (0, 0):
            continue
        path = np.zeros(volume.shape)
        rows = range(height) if di >= 0 else range(height - 1, -1, -1)
        columns = range(width) if dj >= 0 else range(width - 1, -1, -1)
        for i, j in itertools.product(rows, columns):
            path[i, j] = volume[i, j]
            if 0 <= i - di < height and 0 <= j - dj < width:
                before = path[i - di, j - dj]
                aside = (before[None] + price).min(axis=1)
                jump = before.min() + edge(i, j, di, dj)
                path[i, j] += np.minimum(aside, jump) - before.min()
        total += path
    return total


@pytest.mark.parametrize("shape", [(9, 12, 5), (1, 6, 3), (7, 1, 4), (2, 2, 3)])
def test_costs_are_the_sum_of_eight_paths(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(1)
    volume = rng.uniform(0, 9, shape).astype(np.float32)
    guide = rng.uniform(0, 0.05, shape[:2]).astype(np.float32)
    smoothness = Smoothness()
    total = semi_global_costs(plane_costs(volume), guide, smoothness, BandRunner())
    expected = summed_along_paths(volume, guide, smoothness)
    np.testing.assert_allclose(np.moveaxis(total, 1, 2), expected, atol=8e-3)


def test_one_surface_is_preferred_to_noise() -> None:
    rng = np.random.default_rng(0)
    truth = np.full((40, 60), 2)
    truth[:, 30:] = 5
    volume = np.maximum(1 + rng.normal(0, 0.5, (40, 60, 8)), 0).astype(np.float32)
    np.put_along_axis(volume, truth[..., None], 0.3, axis=-1)
    guide = (truth > 3).astype(np.float32)
    slopes = np.linspace(-0.4, 1.0, 8)
    swept = semi_global_disparity(plane_costs(volume), slopes, guide, Smoothness(), BandRunner())
    alone = (volume.argmin(axis=-1) != truth).mean()
    together = (np.abs(swept.slope - slopes[truth]) > 0.1).mean()
    assert alone > 0.2
    assert together < 0.3 * alone
    np.testing.assert_allclose(swept.cost[swept.slope == slopes[2]], 0.3, atol=1e-3)
    assert swept.contrast.mean() > 0.5


def test_the_plane_between_planes_is_found() -> None:
    slopes = np.linspace(-1.0, 1.0, 9)
    truth = 0.33
    volume = np.broadcast_to((slopes - truth) ** 2, (8, 10, 9)).astype(np.float32)
    swept = semi_global_disparity(
        plane_costs(volume), slopes, np.zeros((8, 10), np.float32), Smoothness(step=0.0),
        BandRunner(),
    )  # fmt: skip
    np.testing.assert_allclose(swept.slope, truth, atol=0.03)


def test_threads_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    costs = plane_costs(rng.uniform(0, 9, (31, 40, 6)).astype(np.float32))
    guide = rng.uniform(0, 0.05, (31, 40)).astype(np.float32)
    several = semi_global_costs(costs, guide, Smoothness(), BandRunner())
    monkeypatch.setattr("numba.get_num_threads", lambda: 1)
    one = semi_global_costs(costs, guide, Smoothness(), BandRunner())
    np.testing.assert_array_equal(one, several)
