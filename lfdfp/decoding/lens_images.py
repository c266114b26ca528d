"""What a lens image looks like: polynomials on the disk, and how likely each is.

The light under one lenslet is a smooth function of direction for each color. It is a Gaussian
process: its scale (in pixels) depends on the disparity of what the lenslet sees, its amplitude on
the texture, and its three colors vary together. Restricted to polynomials on the disk, estimating
it from the Bayer pixels under the lenslet is a small linear regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import DoubleArray

_GRID_SIDE = 31
_JITTER = 1e-6

COLOR_CORRELATION = 0.97
"""Between the white-balanced colors of a scene's textures, as in natural pictures."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiskPolynomials:
    """Polynomials in (v, u) up to a degree, orthonormal over a disk.

    Attributes
    ----------
    radius_px
        Of the disk; positions outside are drawn in to its rim before evaluating.
    mixing
        Shape (n, n): monomials to orthonormal polynomials.
    """

    radius_px: float
    exponents: tuple[tuple[int, int], ...]
    mixing: DoubleArray

    @property
    def count(self) -> int:
        """Number of polynomials."""
        return len(self.exponents)

    def at(self, position_px: DoubleArray) -> DoubleArray:
        """Values, shape (..., n), at positions (row, column), shape (..., 2)."""
        y, x = np.moveaxis(position_px / self.radius_px, -1, 0)
        shrink = 1 / np.maximum(1.0, np.hypot(y, x))
        return _monomials(y * shrink, x * shrink, self.exponents) @ self.mixing

    def derivatives(self) -> tuple[DoubleArray, DoubleArray]:
        """Matrices, (n, n): coefficients of f to those of df/d(row) and df/d(column)."""
        place = {exponent: k for k, exponent in enumerate(self.exponents)}
        matrices = []
        for axis in (0, 1):
            matrix = np.zeros((self.count, self.count))
            for k, exponent in enumerate(self.exponents):
                if exponent[axis]:
                    lower = list(exponent)
                    lower[axis] -= 1
                    matrix[place[lower[0], lower[1]], k] = exponent[axis] / self.radius_px
            matrices.append(np.linalg.solve(self.mixing, matrix @ self.mixing))
        return np.asarray(matrices[0]), np.asarray(matrices[1])


def disk_polynomials(degree: int, radius_px: float) -> DiskPolynomials:
    """Orthonormal polynomials up to `degree`, lowest degrees first; the first one is 1."""
    exponents = tuple((n - k, k) for n in range(degree + 1) for k in range(n + 1))
    y, x = _disk_points()
    monomials = _monomials(y, x, exponents)
    _, triangle = np.linalg.qr(monomials / np.sqrt(len(y)))
    positive = triangle * np.sign(np.diag(triangle))[:, None]
    return DiskPolynomials(radius_px=radius_px, exponents=exponents, mixing=np.linalg.inv(positive))


def texture_covariance(polynomials: DiskPolynomials, scale_px: float) -> DoubleArray:
    """Covariance, (n, n), of the coefficients of a unit Gaussian process of length `scale_px`."""
    y, x = _disk_points()
    positions = polynomials.radius_px * np.stack([y, x], axis=-1)
    squares = (positions**2).sum(-1)
    apart = squares[:, None] + squares[None, :] - 2 * positions @ positions.T
    values = polynomials.at(positions) / len(y)
    return np.asarray(values.T @ np.exp(-apart / (2 * scale_px**2)) @ values, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensImageModel:
    """Coefficients of a lens image in color: green, then red − green and blue − green.

    Attributes
    ----------
    polynomials
        Of green; the color differences use the first `chroma_count` of them.
    """

    polynomials: DiskPolynomials
    chroma_count: int

    @property
    def count(self) -> int:
        """Number of coefficients."""
        return self.polynomials.count + 2 * self.chroma_count

    @property
    def constants(self) -> list[int]:
        """Indices of the three coefficients that are the mean colors."""
        n = self.polynomials.count
        return [0, n, n + self.chroma_count]

    def design(self, position_px: DoubleArray, color: int) -> DoubleArray:
        """Matrix, shape (..., count): coefficients to one color at `position_px` (..., 2)."""
        values = self.polynomials.at(position_px)
        difference = values[..., : self.chroma_count]
        nothing = np.zeros_like(difference)
        red, blue = (difference if color == c else nothing for c in (0, 2))
        return np.concatenate([values, red, blue], axis=-1)

    def precision(self, scale_px: float) -> DoubleArray:
        """Inverse covariance, (count, count), for amplitude 1; nothing is assumed of the means."""
        texture = texture_covariance(self.polynomials, scale_px)
        chroma = slice(0, self.chroma_count)
        parts = (slice(None), chroma, chroma)
        apart = 1 - COLOR_CORRELATION
        colors = np.array(
            [[1, -apart, -apart], [-apart, 2 * apart, apart], [-apart, apart, 2 * apart]]
        )
        blocks = [[colors[i, j] * texture[parts[i], parts[j]] for j in range(3)] for i in range(3)]
        covariance = np.block(blocks)
        free = np.setdiff1d(np.arange(self.count), self.constants)
        inner = covariance[np.ix_(free, free)]
        inner += _JITTER * np.trace(inner) / len(inner) * np.eye(len(inner))
        precision = np.zeros((self.count, self.count))
        precision[np.ix_(free, free)] = np.linalg.inv(inner)
        return precision


def _disk_points() -> tuple[DoubleArray, DoubleArray]:
    line = np.linspace(-1, 1, _GRID_SIDE)
    grid = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    inside: DoubleArray = grid[(grid**2).sum(axis=-1) <= 1]
    return inside[:, 0], inside[:, 1]


def _monomials(
    y: DoubleArray, x: DoubleArray, exponents: tuple[tuple[int, int], ...]
) -> DoubleArray:
    return np.stack([y**a * x**b for a, b in exponents], axis=-1)
