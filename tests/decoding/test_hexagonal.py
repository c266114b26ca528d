"""Prediction between lenslets: exact where there is a lenslet, fair to planes, mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import ROW_STEP_PITCHES
from lfdfp.decoding.hexagonal import PHASES, REACH_ROWS, interpolation_table


def positions(phase: int) -> tuple[np.ndarray, np.ndarray]:
    """(y, x) of the neighbors from the sample, in pitches, from the definition of the lattice."""
    row, place = interpolation_table().neighbors[phase].T
    right = phase / PHASES
    # Odd rows stand half a pitch to the side; places count from the last lenslet on the left.
    left = np.where(row % 2 == 0, -right, -((right + 0.5) % 1))
    return row * ROW_STEP_PITCHES, place + left


def test_weights_add_up_to_one() -> None:
    np.testing.assert_allclose(interpolation_table().weights.sum(axis=1), 1, atol=1e-5)


def test_on_a_lenslet_its_own_value_is_taken() -> None:
    table = interpolation_table()
    own = np.all(table.neighbors[0] == 0, axis=1)
    assert own.sum() == 1
    assert table.weights[0][own] > 0.98
    assert np.abs(table.weights[0][~own]).max() < 0.01


@pytest.mark.parametrize("phase", range(0, PHASES, 7))
def test_a_slanted_plane_is_predicted_exactly(phase: int) -> None:
    y, x = positions(phase)
    weights = interpolation_table().weights[phase]
    assert abs(weights @ y) < 0.01
    assert abs(weights @ x) < 0.03


@pytest.mark.parametrize("phase", range(1, PHASES // 2, 5))
def test_left_and_right_are_alike(phase: int) -> None:
    one, other = (
        sorted(zip(np.round(y, 4), np.round(sign * x, 4), table, strict=True))
        for sign, (y, x), table in (
            (1, positions(phase), interpolation_table().weights[phase]),
            (-1, positions(PHASES - phase), interpolation_table().weights[PHASES - phase]),
        )
    )
    near = [(a, b) for a, b in zip(one, other, strict=True) if abs(a[2]) > 0.02]
    assert near
    for a, b in near:
        assert a == pytest.approx(b, abs=2e-3)


def test_neighbors_lie_within_reach() -> None:
    assert np.abs(interpolation_table().neighbors[..., 0]).max() <= REACH_ROWS
