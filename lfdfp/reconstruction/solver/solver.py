"""Solve the normal equations of the rays under total variation in display colors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lfdfp.datatypes import ColorData, FloatArray
from lfdfp.imaging.color import exposure_gain
from lfdfp.reconstruction.footprint_kernels import blur_band, stencil_band
from lfdfp.reconstruction.observation import NormalEquations, RayObservation
from lfdfp.reconstruction.solver import kernels

if TYPE_CHECKING:
    import torch

_OPPONENT = np.array([[1, 1, 1], [1.5**0.5, 0, -(1.5**0.5)], [0.5**0.5, -(2**0.5), 0.5**0.5]]) / 3
"""Luma and two chroma axes, orthogonal, scaled so that a gray step has its own size in luma."""


def opponent_matrix(color: ColorData) -> FloatArray:
    """Shape (3, 3): from white-balanced camera colors to opponent colors of the display."""
    display = exposure_gain(color) * np.asarray(color.camera_to_srgb, np.float64)
    return (_OPPONENT @ display).astype(np.float32)


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


class RaySolver:
    """Jacobi-preconditioned conjugate gradients on ``Bᵀ N B + λ ∇ᵀ Q ∇``.

    Parameters
    ----------
    observation
        Gives the footprint and the threads.
    opponent
        From the picture's colors to luma and chroma (`opponent_matrix`).
    device
        A device of torch to solve on; None solves by the compiled kernels.
    """

    def __init__(
        self,
        observation: RayObservation,
        opponent: FloatArray,
        device: torch.device | None = None,
    ) -> None:
        self._observation = observation
        self._opponent = opponent
        self._device = device

    def solve(
        self,
        equations: NormalEquations,
        start: FloatArray,
        variation: Variation,
        *,
        iterations: int,
    ) -> FloatArray:
        """Improve `start` (3, Y, X) by a number of iterations; the result is not negative."""
        weights = self._variation_weights(start, variation)
        pull = self._observation.blur(equations.moment)
        picture = self._descended(equations, weights, pull, start.copy(), iterations)
        return np.maximum(picture, 0.0, out=picture)

    def resolved(
        self,
        equations: NormalEquations,
        picture: FloatArray,
        variation: Variation,
        probe: FloatArray,
        *,
        iterations: int,
    ) -> FloatArray:
        """What solving makes of the rays' image of `probe` (3, Y, X), the prior at `picture`."""
        pull = self.by_data(equations, probe)
        return self.answered(equations, picture, variation, pull, iterations=iterations)

    def answered(
        self,
        equations: NormalEquations,
        picture: FloatArray,
        variation: Variation,
        pull: FloatArray,
        *,
        iterations: int,
    ) -> FloatArray:
        """Solve for `pull` (3, Y, X), which is used up; the prior at `picture`."""
        weights = self._variation_weights(picture, variation)
        return self._descended(equations, weights, pull, np.zeros_like(pull), iterations)

    def _descended(
        self,
        equations: NormalEquations,
        weights: FloatArray,
        pull: FloatArray,
        picture: FloatArray,
        iterations: int,
    ) -> FloatArray:
        """Conjugate gradients from `picture`, which may be written to; `pull` is used up."""
        diagonal = self._diagonal(equations, weights)
        if self._device is not None:
            from lfdfp.reconstruction.solver.on_torch import RayOperator, descended

            taps = self._observation.taps
            operator = RayOperator(equations, weights, taps, self._opponent, self._device)
            return descended(operator, pull, picture, diagonal, iterations, self._device)
        residual = pull
        image = np.empty_like(picture)
        self._apply(equations, weights, picture, image)
        residual -= image
        direction = np.zeros_like(picture)
        power = self._power(residual, diagonal)
        ratio = 0.0
        for _ in range(iterations):
            if power <= 0.0:
                break
            self._turn(direction, ratio, residual, diagonal)
            curvature = self._apply(equations, weights, direction, image)
            if curvature <= 0.0:
                break
            before = power
            power = self._step(picture, residual, power / curvature, direction, image, diagonal)
            ratio = power / before
        return picture

    def _sum(self, part: Callable[[int, int], float], rows: int) -> float:
        """Sum of what a kernel returns, band by band."""
        return float(sum(self._observation.runner.map(part, rows)))

    def _power(self, residual: FloatArray, diagonal: FloatArray) -> float:
        """Sum of residual² / diagonal."""

        def part(first: int, last: int) -> float:
            return float(kernels.preconditioned_dot_band(residual, diagonal, first, last))

        return self._sum(part, residual.shape[1])

    def _apply(
        self,
        equations: NormalEquations,
        weights: FloatArray,
        picture: FloatArray,
        image: FloatArray,
    ) -> float:
        """Write what the whole operator makes of `picture` into `image`; their dot product."""
        taps = self._observation.taps

        def part(first: int, last: int) -> float:
            return float(
                kernels.operator_band(
                    picture, equations.stencil, taps, self._opponent, weights, first, last, image
                )
            )

        return self._sum(part, picture.shape[1])

    def _step(
        self,
        picture: FloatArray,
        residual: FloatArray,
        length: float,
        direction: FloatArray,
        image: FloatArray,
        diagonal: FloatArray,
    ) -> float:
        """Take a step of that length; the residual's power afterwards."""

        def part(first: int, last: int) -> float:
            return float(
                kernels.step_band(
                    picture, residual, np.float32(length), direction, image, diagonal, first, last
                )
            )

        return self._sum(part, picture.shape[1])

    def _turn(
        self, direction: FloatArray, ratio: float, residual: FloatArray, diagonal: FloatArray
    ) -> None:
        def work(first: int, last: int) -> None:
            kernels.direction_band(direction, np.float32(ratio), residual, diagonal, first, last)

        self._observation.runner.map(work, direction.shape[1])

    def images(
        self,
        equations: NormalEquations,
        picture: FloatArray,
        variation: Variation,
        probe: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """What the data's and the prior's part of the operator at `picture` make of `probe`."""
        weights = self._variation_weights(picture, variation)
        mixed = self._mixed(probe)
        by_prior = np.zeros_like(probe)
        self._observation.runner.map(
            lambda a, b: kernels.variation_band(mixed, weights, self._opponent, a, b, by_prior),
            probe.shape[1],
        )
        return self.by_data(equations, probe), by_prior

    def by_data(self, equations: NormalEquations, probe: FloatArray) -> FloatArray:
        """What the data's part of the operator makes of `probe` (3, Y, X)."""
        return self._observation.normal(equations, probe)

    def _variation_weights(self, picture: FloatArray, variation: Variation) -> FloatArray:
        mixed = self._mixed(picture)
        weights = np.empty((2, *picture.shape[1:]), np.float32)
        strengths = np.array([1.0, variation.chroma], np.float32) * np.float32(variation.strength)
        softening, dark = np.float32(variation.softening), np.float32(variation.dark)
        self._observation.runner.map(
            lambda a, b: kernels.variation_weights_band(
                mixed, strengths, softening, dark, a, b, weights
            ),
            picture.shape[1],
        )
        return weights

    def _mixed(self, picture: FloatArray) -> FloatArray:
        mixed = np.empty_like(picture)
        self._observation.runner.map(
            lambda a, b: kernels.mix_band(picture, self._opponent, a, b, mixed), picture.shape[1]
        )
        return mixed

    def _diagonal(self, equations: NormalEquations, weights: FloatArray) -> FloatArray:
        """Approximate diagonal: the stencil's row sums through the squared footprint."""
        taps = self._observation.taps
        ones = np.ones_like(equations.moment)
        rows = ones.shape[1]
        coupled = np.empty_like(ones)
        map_rows = self._observation.runner.map
        map_rows(lambda a, b: stencil_band(equations.stencil, ones, a, b, coupled), rows)
        diagonal = np.empty_like(ones)
        map_rows(lambda a, b: blur_band(coupled, taps * taps, a, b, diagonal), rows)
        square = self._opponent**2
        around = 2 * weights
        around[:, :, 1:] += weights[:, :, :-1]
        around[:, 1:] += weights[:, :-1]
        for c in range(3):
            diagonal[c] += square[0, c] * around[0] + (square[1, c] + square[2, c]) * around[1]
        return np.maximum(diagonal, np.float32(1e-6), out=diagonal)
