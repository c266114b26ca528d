"""The dot test passes what belongs together, tells what does not, and knows its scale."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.evaluation.adjoint import dot_test, operator_norm

MATRIX = np.random.default_rng(5).standard_normal((7, 11))


def mismatch(forward: np.ndarray, adjoint: np.ndarray, dtype: type = np.float64) -> float:
    rng = np.random.default_rng(0)
    one, other = forward.astype(dtype), adjoint.astype(dtype)
    return dot_test(lambda x: one @ x, lambda y: other @ y, (11,), (7,), rng, dtype=dtype)


def test_a_matrix_and_its_transpose_belong_together() -> None:
    assert mismatch(MATRIX, MATRIX.T) < 1e-15
    assert mismatch(MATRIX, MATRIX.T, np.float32) < 1e-6


def test_one_wrong_entry_is_told() -> None:
    wrong = MATRIX.T.copy()
    wrong[3, 2] *= -1
    assert mismatch(MATRIX, wrong) > 1e-3


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_operator_does_not_matter(scale: float) -> None:
    wrong = 1.1 * MATRIX.T
    assert mismatch(scale * MATRIX, scale * wrong) == pytest.approx(
        mismatch(MATRIX, wrong), rel=1e-6
    )
    assert mismatch(scale * MATRIX, scale * MATRIX.T) < 1e-15


def test_the_norm_is_the_largest_singular_value() -> None:
    rng = np.random.default_rng(1)
    found = operator_norm(
        lambda x: MATRIX @ x, lambda y: MATRIX.T @ y, (11,), rng, dtype=np.float64, steps=60
    )
    assert found == pytest.approx(np.linalg.norm(MATRIX, 2), rel=1e-3)
    assert found <= np.linalg.norm(MATRIX, 2) * (1 + 1e-12)


def test_what_says_nothing_is_refused() -> None:
    rng = np.random.default_rng(2)
    with pytest.raises(ValueError, match="gives 0 for everything"):
        dot_test(lambda x: 0 * x, lambda y: 0 * y, (5,), (5,), rng)
    with pytest.raises(ValueError, match=r"\(4,\) became \(4,\), not \(5,\)"):
        dot_test(lambda x: x, lambda y: y, (4,), (5,), rng)
