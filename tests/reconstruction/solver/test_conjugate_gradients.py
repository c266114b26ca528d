"""Conjugate gradients on small systems whose solution is known."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import DoubleArray
from lfdfp.reconstruction.solver.conjugate_gradients import ArraySystem, conjugate_gradients


def system(seed: int, size: int = 12) -> tuple[DoubleArray, DoubleArray, ArraySystem]:
    """A positive matrix, the solution of its system, and the system."""
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((size, size))
    matrix = half @ half.T + size * np.eye(size)
    made = ArraySystem(lambda x: matrix @ x, np.diag(matrix), lambda a, b: float(a @ b))
    return matrix, rng.standard_normal(size), made


@pytest.mark.parametrize("seed", range(3))
def test_it_solves_in_as_many_steps_as_there_are_unknowns(seed: int) -> None:
    matrix, truth, made = system(seed)
    found = conjugate_gradients(made, matrix @ truth, np.zeros(12), 12)
    np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-9)


def test_the_energy_falls_with_every_step() -> None:
    matrix, truth, made = system(7)
    energies = []
    for steps in range(6):
        error = conjugate_gradients(made, matrix @ truth, np.zeros(12), steps) - truth
        energies.append(error @ matrix @ error)
    assert np.all(np.diff(energies) < 0)


def test_the_solution_is_left_as_it_is() -> None:
    matrix, truth, made = system(8)
    found = conjugate_gradients(made, matrix @ truth, truth.copy(), 5)
    np.testing.assert_allclose(found, truth, rtol=1e-12)
    nothing = conjugate_gradients(made, np.zeros(12), np.zeros(12), 5)
    np.testing.assert_array_equal(nothing, 0)
