"""What the rays determine of a picture, and how noisy it is."""

from __future__ import annotations

import numpy as np

from lfdfp.reconstruction.certainty import (
    curvature_ratio,
    detail_probe,
    observability,
    standard_error,
)
from lfdfp.reconstruction.observation import RayWeighting
from lfdfp.reconstruction.solver.system import RaySystem, Variation
from tests.factories.rays import observation, picture

READOUT = np.array([0.2, 0.7, 0.1], np.float32)


def system(strength: float) -> RaySystem:
    rays = observation()
    x = picture(rays)
    equations = rays.normal_equations(x, RayWeighting())
    prior = Variation(strength=strength)
    return RaySystem.at(x, rays, equations, prior, np.eye(3, dtype=np.float32))


def probe(cell: int) -> np.ndarray:
    shape = observation().grid.shape
    rng = np.random.default_rng(0)
    return detail_probe(shape, rng, pixels_per_view_pixel=4, pixels_per_cell=cell)


def test_a_probe_of_fine_detail_holds_nothing_that_the_views_show() -> None:
    fine, coarse = probe(1)[0], probe(4)[0]
    rows, columns = (n - n % 4 for n in fine.shape)
    blocks = [
        p[:rows, :columns].reshape(rows // 4, 4, columns // 4, 4).mean(axis=(1, 3))
        for p in (fine, coarse)
    ]
    assert blocks[0].std() < 0.3 * fine.std()
    np.testing.assert_allclose(np.abs(blocks[1]), 1.0)


def test_a_stronger_prior_determines_more_and_lets_less_noise_through() -> None:
    weak, strong = system(1.0), system(1000.0)
    seen = [observability(one, probe(2)) for one in (weak, strong)]
    assert all(0 <= one.min() <= one.max() <= 1 for one in seen)
    assert np.median(seen[0]) > np.median(seen[1])
    errors = [
        standard_error(one, READOUT, np.random.default_rng(1), pixels_per_cell=2)
        for one in (weak, strong)
    ]
    assert np.median(errors[0]) > np.median(errors[1]) > 0


def test_the_ratio_of_curvatures_falls_as_the_prior_grows() -> None:
    ratios = [curvature_ratio(system(strength), probe(1)) for strength in (1.0, 10.0)]
    assert np.isclose(ratios[0], 10 * ratios[1], rtol=1e-3)
