"""The rays' normal equations under total variation in display colors, and their solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import ColorData, FloatArray
from lfdfp.imaging.color import display_matrix
from lfdfp.reconstruction.footprint_kernels import blur_band, stencil_band
from lfdfp.reconstruction.observation import NormalEquations, RayObservation
from lfdfp.reconstruction.solver import operator_kernels as kernels
from lfdfp.reconstruction.solver.conjugate_gradients import conjugate_gradients

if TYPE_CHECKING:
    import torch

_OPPONENT = np.array([[1, 1, 1], [1.5**0.5, 0, -(1.5**0.5)], [0.5**0.5, -(2**0.5), 0.5**0.5]]) / 3
"""Luma and two chroma axes, orthogonal, scaled so that a gray step has its own size in luma."""


def opponent_matrix(color: ColorData) -> FloatArray:
    """Shape (3, 3): from white-balanced camera colors to opponent colors of the display."""
    return (_OPPONENT @ display_matrix(color)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """Strength of the prior: λ Σ sqrt(|γ' ∇x|² + ε²), luma and chroma apart.

    Attributes
    ----------
    strength
        λ of the luma, in units of the negative log-likelihood per unit of display signal.
    chroma
        Factor on λ for the chroma.
    softening
        ε: differences below it, in display signal, are smoothed evenly.
    dark
        Display luma below which the gamma curve is straight.
    """

    strength: float
    chroma: float = 1.0
    softening: float = 0.06
    dark: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaySystem:
    """The linear system ``(D + P) x = Bᵀ Sᵀ W y`` whose solution is the next picture.

    ``D = Bᵀ N B`` is what the rays say, ``P = λ ∇ᵀ Q ∇`` what the prior says: total variation is
    not linear, so Q makes it so at one picture (iteratively reweighted least squares).

    Attributes
    ----------
    observation
        Gives the footprint B and the threads.
    equations
        N and ``Sᵀ W y``.
    weights
        Shape (2, Y, X): λ Q, of the luma's and of the chroma's forward differences.
    opponent
        Shape (3, 3): from the picture's colors to luma and chroma (`opponent_matrix`).
    device
        A device of torch to solve on; None solves by the compiled kernels.
    """

    observation: RayObservation
    equations: NormalEquations
    weights: FloatArray
    opponent: FloatArray
    device: torch.device | None = None

    @classmethod
    def at(
        cls,
        picture: FloatArray,
        observation: RayObservation,
        equations: NormalEquations,
        prior: Variation,
        opponent: FloatArray,
        *,
        device: torch.device | None = None,
    ) -> RaySystem:
        """The system with the prior made linear at `picture` (3, Y, X); `opponent` (3, 3)."""
        return cls(
            observation=observation,
            equations=equations,
            weights=_variation_weights(picture, prior, opponent, observation.runner),
            opponent=opponent,
            device=device,
        )

    def improved(self, start: FloatArray, iterations: int) -> FloatArray:
        """The picture that solves the system, not negative, from `start`; both (3, Y, X)."""
        pull = self.observation.blur(self.equations.moment)
        picture = self._solved(pull, start.copy(), iterations)
        return np.maximum(picture, 0.0, out=picture)

    def answer(self, pull: FloatArray, iterations: int) -> FloatArray:
        """``(D + P)⁻¹ pull``, shape (3, Y, X); `pull` is used up."""
        return self._solved(pull, np.zeros_like(pull), iterations)

    def by_data(self, probe: FloatArray) -> FloatArray:
        """``D probe``, shape (3, Y, X)."""
        return self.observation.normal(self.equations, probe)

    def by_prior(self, probe: FloatArray) -> FloatArray:
        """``P probe``, shape (3, Y, X)."""
        runner = self.observation.runner
        mixed = _mixed(probe, self.opponent, runner)
        image = np.zeros_like(probe)
        runner.map(
            lambda a, b: kernels.variation_band(mixed, self.weights, self.opponent, a, b, image),
            probe.shape[1],
        )
        return image

    def _solved(self, pull: FloatArray, start: FloatArray, iterations: int) -> FloatArray:
        """From `start`; both are used up."""
        diagonal = self._diagonal()
        if self.device is not None:
            from lfdfp.reconstruction.solver.on_torch import solved_on_device

            return solved_on_device(
                self.operator_arrays(), pull, start, diagonal, iterations, self.device
            )
        system = BandSystem(self.operator_arrays(), diagonal, self.observation.runner)
        return conjugate_gradients(system, pull, start, iterations)

    def operator_arrays(self) -> kernels.OperatorArrays:
        """``D + P`` as kernels take it."""
        return kernels.OperatorArrays(
            stencil=self.equations.stencil,
            taps=self.observation.taps,
            matrix=self.opponent,
            weights=self.weights,
        )

    def _diagonal(self) -> FloatArray:
        """Approximate diagonal: the stencil's row sums through the squared footprint."""
        taps, stencil = self.observation.taps, self.equations.stencil
        ones = np.ones_like(self.equations.moment)
        rows = ones.shape[1]
        coupled = np.empty_like(ones)
        map_rows = self.observation.runner.map
        map_rows(lambda a, b: stencil_band(stencil, ones, a, b, coupled), rows)
        diagonal = np.empty_like(ones)
        map_rows(lambda a, b: blur_band(coupled, taps * taps, a, b, diagonal), rows)
        square = self.opponent**2
        around = 2 * self.weights
        around[:, :, 1:] += self.weights[:, :, :-1]
        around[:, 1:] += self.weights[:, :-1]
        for c in range(3):
            diagonal[c] += square[0, c] * around[0] + (square[1, c] + square[2, c]) * around[1]
        return np.maximum(diagonal, np.float32(1e-6), out=diagonal)


class BandSystem:
    """A `LinearSystem` whose operations are compiled, band by band.

    All its vectors have the shape (3, Y, X).

    Parameters
    ----------
    operator
        As the kernels take it.
    diagonal
        Shape (3, Y, X): approximate, positive.
    runner
        The threads that bands are spread over.
    """

    def __init__(
        self, operator: kernels.OperatorArrays, diagonal: FloatArray, runner: BandRunner
    ) -> None:
        self._operator, self._diagonal, self._runner = operator, diagonal, runner
        self._image = np.empty_like(diagonal)

    def _sum(self, part: Callable[[int, int], float]) -> float:
        """Sum of what a kernel gives back, band by band."""
        return float(sum(self._runner.map(part, self._diagonal.shape[1])))

    def residual(self, pull: FloatArray, x: FloatArray) -> FloatArray:
        """As `LinearSystem.residual`."""
        pull -= self.image(x)[0]
        return pull

    def power(self, residual: FloatArray) -> float:
        """As `LinearSystem.power`."""

        def part(first: int, last: int) -> float:
            return float(kernels.preconditioned_dot_band(residual, self._diagonal, first, last))

        return self._sum(part)

    def turned(
        self, direction: FloatArray | None, ratio: float, residual: FloatArray
    ) -> FloatArray:
        """As `LinearSystem.turned`."""
        turned = np.zeros_like(residual) if direction is None else direction
        factor = np.float32(ratio)

        def work(first: int, last: int) -> None:
            kernels.direction_band(turned, factor, residual, self._diagonal, first, last)

        self._runner.map(work, turned.shape[1])
        return turned

    def image(self, direction: FloatArray) -> tuple[FloatArray, float]:
        """As `LinearSystem.image`."""

        def part(first: int, last: int) -> float:
            return float(kernels.operator_band(direction, self._operator, first, last, self._image))

        return self._image, self._sum(part)

    def step(
        self,
        x: FloatArray,
        residual: FloatArray,
        length: float,
        direction: FloatArray,
        image: FloatArray,
    ) -> float:
        """As `LinearSystem.step`."""
        factor = np.float32(length)

        def part(first: int, last: int) -> float:
            return float(
                kernels.step_band(
                    x, residual, factor, direction, image, self._diagonal, first, last
                )
            )

        return self._sum(part)


def _variation_weights(
    picture: FloatArray, prior: Variation, opponent: FloatArray, runner: BandRunner
) -> FloatArray:
    """λ Q (2, Y, X) at a picture (3, Y, X)."""
    mixed = _mixed(picture, opponent, runner)
    weights = np.empty((2, *picture.shape[1:]), np.float32)
    strengths = np.array([1.0, prior.chroma], np.float32) * np.float32(prior.strength)
    softening, dark = np.float32(prior.softening), np.float32(prior.dark)
    runner.map(
        lambda a, b: kernels.variation_weights_band(
            mixed, strengths, softening, dark, a, b, weights
        ),
        picture.shape[1],
    )
    return weights


def _mixed(picture: FloatArray, opponent: FloatArray, runner: BandRunner) -> FloatArray:
    """A picture (3, Y, X) in luma and chroma."""
    mixed = np.empty_like(picture)
    runner.map(lambda a, b: kernels.mix_band(picture, opponent, a, b, mixed), picture.shape[1])
    return mixed
