"""Whether an operator and its adjoint belong together.

``<A x, y> = <x, A* y>`` holds for every x and y. In floating point the two sides differ; how much
they may is judged on the scale of ``‖A‖ ‖x‖ ‖y‖``, which is what rounding grows with, and not on
that of the products themselves, which may be small by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lfdfp.datatypes import DoubleArray

Operator = Callable[[NDArray[Any]], NDArray[Any]]
"""Takes an array of one shape and gives an array of another; linear, leaves its input alone."""

Shape = tuple[int, ...]


def dot_test(
    forward: Operator,
    adjoint: Operator,
    shape_in: Shape,
    shape_out: Shape,
    rng: np.random.Generator,
    *,
    dtype: DTypeLike = np.float32,
    pairs: int = 3,
    norm_steps: int = 8,
) -> float:
    """How far `adjoint` is from being the adjoint of `forward`.

    Parameters
    ----------
    forward, adjoint
        Linear: arrays of `shape_in` to arrays of `shape_out`, and back. The same function twice
        tests whether an operator is symmetric.
    shape_in, shape_out
        Of what `forward` takes and gives.
    rng
        Draws x and y, normally distributed.
    dtype
        Of x and y; products are added in double precision.
    pairs
        How many x and y are drawn.
    norm_steps
        Power iterations that ``‖A‖`` is estimated by. The estimate never exceeds the norm, so
        that too few make the test stricter.

    Returns
    -------
    float
        The largest ``|<A x, y> − <x, A* y>| / (‖A‖ ‖x‖ ‖y‖)``, from 0 (exact) to 2. Below about
        1e-6 in single precision, 1e-14 in double, where the two belong together.

    Raises
    ------
    ValueError
        `forward` or `adjoint` gives another shape than is said, or ``A x`` is 0 for all that was
        drawn: such a test would say nothing.
    """
    norm = operator_norm(forward, adjoint, shape_in, rng, dtype=dtype, steps=norm_steps)
    if norm == 0:
        raise ValueError("the operator gives 0 for everything that was drawn")
    largest = 0.0
    for _ in range(pairs):
        x, y = (rng.standard_normal(shape).astype(dtype) for shape in (shape_in, shape_out))
        image, back = _shaped(forward, x, shape_out), _shaped(adjoint, y, shape_in)
        difference = abs(np.vdot(image, y) - np.vdot(x.astype(np.float64), back))
        largest = max(largest, float(difference / (norm * np.linalg.norm(x) * np.linalg.norm(y))))
    return largest


def operator_norm(
    forward: Operator,
    adjoint: Operator,
    shape_in: Shape,
    rng: np.random.Generator,
    *,
    dtype: DTypeLike = np.float32,
    steps: int = 8,
) -> float:
    """The largest singular value of `forward`, from below, by power iterations on ``A* A``."""
    x = rng.standard_normal(shape_in)
    largest = 0.0
    for _ in range(steps):
        image = np.asarray(forward((x / np.linalg.norm(x)).astype(dtype)))
        largest = max(largest, float(np.linalg.norm(image.astype(np.float64))))
        x = _shaped(adjoint, image, shape_in)
        if not x.any():
            break
    return largest


def _shaped(operator: Operator, array: NDArray[Any], expected: Shape) -> DoubleArray:
    """What an operator gives, in double precision, if it has the expected shape."""
    given = np.asarray(operator(array), np.float64)
    if given.shape != expected:
        raise ValueError(f"{array.shape} became {given.shape}, not {expected}")
    return given
