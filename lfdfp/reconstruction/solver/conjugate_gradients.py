"""Conjugate gradients: one algorithm for arrays, for compiled passes, and for other devices.

What the algorithm does with vectors is a `LinearSystem`: `ArraySystem` works on whole arrays, of
NumPy or of torch, and `BandSystem` of `lfdfp.reconstruction.solver.system` by compiled passes over
bands of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

V = TypeVar("V")


class LinearSystem(Protocol[V]):
    """A symmetric positive operator A, its approximate diagonal D, and operations on vectors.

    Methods may write to the vectors that they give back, and to those only.
    """

    def residual(self, pull: V, x: V) -> V:
        """``pull - A x``; `pull` is used up."""

    def power(self, residual: V) -> float:
        """``residualᵀ D⁻¹ residual``."""

    def turned(self, direction: V | None, ratio: float, residual: V) -> V:
        """``D⁻¹ residual + ratio direction``; `direction` (None: zero) is used up."""

    def image(self, direction: V) -> tuple[V, float]:
        """``A direction``, valid until the next call, and its product with `direction`."""

    def step(self, x: V, residual: V, length: float, direction: V, image: V) -> float:
        """Add ``length direction`` to x, take ``length image`` from `residual`; its power then."""


def conjugate_gradients(system: LinearSystem[V], pull: V, start: V, iterations: int) -> V:
    """Solve ``A x = pull`` by conjugate gradients, preconditioned by the diagonal [1]_.

    Parameters
    ----------
    pull, start
        Right-hand side and first guess, vectors of the system; both are used up.
    iterations
        Fewer are made where nothing is left to do.

    Returns
    -------
    vector of the system
        After the iterations.

    References
    ----------
    .. [1] M. R. Hestenes and E. Stiefel, "Methods of Conjugate Gradients for Solving Linear
       Systems", J. Research NBS 49(6), 1952.
    """
    x, residual = start, system.residual(pull, start)
    direction: V | None = None
    power, ratio = system.power(residual), 0.0
    for _ in range(iterations):
        if power <= 0.0:
            break
        direction = system.turned(direction, ratio, residual)
        image, curvature = system.image(direction)
        if curvature <= 0.0:
            break
        before = power
        power = system.step(x, residual, power / curvature, direction, image)
        ratio = power / before
    return x


class ArraySystem:
    """A linear system on whole arrays, of NumPy or of torch.

    Parameters
    ----------
    operator
        From an array to one of the same shape.
    diagonal
        Approximate diagonal of the operator, an array of that shape.
    dot
        Sum of the products of two arrays.
    """

    def __init__(
        self, operator: Callable[[Any], Any], diagonal: Any, dot: Callable[[Any, Any], float]
    ) -> None:
        self._operator, self._diagonal, self._dot = operator, diagonal, dot

    def residual(self, pull: Any, x: Any) -> Any:
        """As `LinearSystem.residual`."""
        return pull - self._operator(x)

    def power(self, residual: Any) -> float:
        """As `LinearSystem.power`."""
        return self._dot(residual, residual / self._diagonal)

    def turned(self, direction: Any | None, ratio: float, residual: Any) -> Any:
        """As `LinearSystem.turned`."""
        scaled = residual / self._diagonal
        return scaled if direction is None else scaled + ratio * direction

    def image(self, direction: Any) -> tuple[Any, float]:
        """As `LinearSystem.image`."""
        image = self._operator(direction)
        return image, self._dot(direction, image)

    def step(self, x: Any, residual: Any, length: float, direction: Any, image: Any) -> float:
        """As `LinearSystem.step`."""
        x += length * direction
        residual -= length * image
        return self.power(residual)
