"""The rays' linear system solved through torch."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.adjoint import dot_test
from lfdfp.reconstruction.observation import RayWeighting
from lfdfp.reconstruction.solver.system import RaySystem, Variation
from tests.factories.rays import observation, picture


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_torch_solves_as_the_compiled_kernels(name: str) -> None:
    torch = pytest.importorskip("torch")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    rays = observation()
    opponent = np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32)
    x, prior = picture(rays), Variation(strength=50.0)
    equations = rays.normal_equations(x, RayWeighting())
    compiled, by_torch = (
        RaySystem.at(x, rays, equations, prior, opponent, device=device).improved(x, 12)
        for device in (None, torch.device(name))
    )
    assert np.abs(compiled - x).max() > 0.05
    np.testing.assert_allclose(by_torch, compiled, atol=2e-4)


def test_the_operator_is_symmetric() -> None:
    torch = pytest.importorskip("torch")
    from lfdfp.reconstruction.solver.on_torch import RayOperator

    rays = observation()
    opponent = np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32)
    x = picture(rays)
    equations = rays.normal_equations(x, RayWeighting())
    system = RaySystem.at(x, rays, equations, Variation(strength=50.0), opponent)
    operator = RayOperator(system.operator_arrays(), torch.device("cpu"))

    def applied(direction: FloatArray) -> FloatArray:
        return np.asarray(operator(torch.from_numpy(direction)))

    assert dot_test(applied, applied, x.shape, x.shape, np.random.default_rng(5)) < 1e-6
