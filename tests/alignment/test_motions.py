"""Motions: matrices, models, and how pictures move with them."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.alignment.motions import (
    PARAMETERS,
    MotionModel,
    corner_motion,
    corners,
    covered,
    motion_basis,
    motion_matrix,
    moved_points,
    on_level,
    warped,
    within_model,
)
from tests.factories import textured_picture

_SHAPE = (90, 130)


def test_matrices_are_the_basis_to_first_order() -> None:
    rng = np.random.default_rng(0)
    parameters = 1e-4 * rng.standard_normal(8)
    points = rng.uniform(0, 90, (20, 2))
    moved = moved_points(motion_matrix(parameters, _SHAPE), points) - points
    np.testing.assert_allclose(moved, motion_basis(points, _SHAPE) @ parameters, atol=1e-8)


@pytest.mark.parametrize("model", ["shift", "similarity", "affine", "perspective"])
def test_a_motion_of_a_model_stays_as_it_is_within_it(model: MotionModel) -> None:
    parameters = np.random.default_rng(1).uniform(-3, 3, PARAMETERS[model])
    matrix = motion_matrix(parameters, _SHAPE)
    np.testing.assert_allclose(within_model(matrix, model, _SHAPE), matrix, atol=1e-9)


def test_a_half_turn_is_a_similarity_and_no_motion_is_none() -> None:
    turn = np.array([[-1.0, 0, _SHAPE[1] - 1], [0, -1, _SHAPE[0] - 1], [0, 0, 1]])
    np.testing.assert_allclose(within_model(turn, "similarity", _SHAPE), turn, atol=1e-9)
    np.testing.assert_array_equal(within_model(turn, "none", _SHAPE), np.eye(3))


def test_a_motion_is_the_same_at_any_size() -> None:
    matrix = motion_matrix(np.array([4.0, -2.0, 1.0, 3.0]), _SHAPE)
    half = on_level(matrix, _SHAPE, (45, 65))
    # Corners of the area, not of the pixels, are what both have in common.
    area = corners((91, 131)) - 0.5
    np.testing.assert_allclose(
        moved_points(matrix, area), 2 * moved_points(half, (area + 0.5) / 2 - 0.5) + 0.5, atol=1e-9
    )


def test_a_picture_moved_back_is_the_picture_where_it_was_covered() -> None:
    picture = textured_picture(_SHAPE)
    matrix = motion_matrix(np.array([2.5, -1.2, 0.6, 0.4]), _SHAPE)
    back = np.linalg.inv(matrix)
    again = warped(warped(picture, matrix), back)
    seen = covered(_SHAPE, back) & (warped(covered(_SHAPE, matrix).astype(np.float32), back) > 0.99)
    inner = seen[6:-6, 6:-6]
    assert 0.8 < inner.mean() <= 1.0
    assert np.abs(again - picture)[6:-6, 6:-6][inner].mean() < 0.01
    assert not covered(_SHAPE, matrix).all()
    assert corner_motion(np.eye(3), _SHAPE) == 0.0
