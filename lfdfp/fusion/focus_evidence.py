"""How sharp each slice is at each pixel, robust against noise, halos and flat areas.

Two kinds of evidence, both on encoded luma:

- the *sum-modified Laplacian* [1]_: energy of fine detail in a window;
- *reblurring*: a sharp slice, blurred a little, explains a defocused one, while no blur of a
  defocused slice gives a sharp one. Unlike energy this is not drawn to the halo that a
  defocused edge spreads over a flat neighbor, and it adds up weak evidence under noise. It is the
  idea of DoubleReblur without the division of spectra.

Slices are compared with their neighbors in the order of focus alone: those tell most about where a
slice is sharp, and the work grows with the number of slices, not with its square.

References
----------
.. [1] S. K. Nayar and Y. Nakagawa, "Shape from focus", IEEE TPAMI 16, 1994.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.seen_slices import Rows
from lfdfp.imaging.gaussian import gaussian
from lfdfp.imaging.modified_laplacian import modified_laplacian

Values = TypeVar("Values", bound=np.generic)

REBLUR_SIGMAS_PX: Final = (0.4, 0.7, 1.0, 1.5, 2.5, 4.0)
"""Blurs by which a sharp slice may differ from a defocused one."""

_LEAST_VARIANCE: Final = 1e-6
_ROWS_AT_ONCE: Final = 512


def detail(luma: FloatArray, noise_sigma: float, window_px: float) -> FloatArray:
    """Logarithm of the energy of fine detail in a window, shape (T, S).

    The noise's own share is added as a floor, so that flat areas differ little between slices.
    """
    floor = np.float32(3 * np.sqrt(_variance(noise_sigma)))
    energy = gaussian(modified_laplacian(luma), window_px)
    return np.asarray(np.log(energy + floor))


def detail_reach(window_px: float) -> int:
    """Rows on either side that `detail` of a row looks at."""
    return _reach(window_px) + 1


def flat_score(noise_sigma: float) -> float:
    """The score of a flat area of a picture with noise.

    A second difference of white noise has the standard deviation √6 σ; its magnitude is √(2/π)
    of that in the mean, and two of them are added.
    """
    sigma = float(np.sqrt(_variance(noise_sigma)))
    return float(np.log((2 * np.sqrt(6) * np.sqrt(2 / np.pi) + 3) * sigma))


def sharper(
    first: Rows,
    second: Rows,
    noise_sigma: float,
    window_px: float,
    dtype: type[np.floating[Any]] = np.float32,
) -> NDArray[Any]:
    """Log evidence that `first` is sharper than `second`, lumas (T, S) of one scene.

    Each, blurred as suits best, has to explain the other; the logarithm of the ratio of what is
    left, shape (T, S). Positive where the first explains the second better; swapping them changes
    the sign.
    """
    variance = _variance(noise_sigma)

    def of_band(band: slice) -> FloatArray:
        one, other = first[band], second[band]
        ratio = np.log(_misfit(other, one, window_px) + variance)
        ratio -= np.log(_misfit(one, other, window_px) + variance)
        return np.asarray(ratio, np.float32)

    rows, columns = first.shape
    made = np.empty((rows, columns), dtype)
    for band in bands_of(rows):
        made[band] = with_halo(of_band, band, rows, sharper_reach(window_px))
    return made


def sharper_reach(window_px: float) -> int:
    """Rows on either side that `sharper` of a row looks at."""
    return _reach(max(REBLUR_SIGMAS_PX)) + _reach(window_px)


def bands_of(rows: int) -> Iterator[slice]:
    """Bands of rows that are worked on one after the other: memory is as large as one needs."""
    for start in range(0, rows, _ROWS_AT_ONCE):
        yield slice(start, min(start + _ROWS_AT_ONCE, rows))


def with_halo(
    work: Callable[[slice], NDArray[Values]], band: slice, rows: int, halo: int
) -> NDArray[Values]:
    """`work` of a band of rows, shape (B, ...), with up to `halo` more rows at either side."""
    top, bottom = max(band.start - halo, 0), min(band.stop + halo, rows)
    return work(slice(top, bottom))[band.start - top : band.stop - top]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FocusScore:
    """Log evidence that a slice is the sharp one, band by band; larger is sharper.

    Detail, and half of the evidence against the stronger neighbor. Against the stronger one alone:
    far from focus, neighbors differ little, and what they seem to differ by is chance; only the
    sharp slice is sharper than both.

    Attributes
    ----------
    luma
        Shape (T, S).
    against
        Shape (T, S) each: that it is sharper than a neighbor.
    """

    luma: Rows
    against: tuple[NDArray[Any], ...]
    noise_sigma: float
    window_px: float

    def of(self, band: slice) -> FloatArray:
        """The score of rows, shape (t, S)."""
        score = with_halo(
            lambda rows: detail(self.luma[rows], self.noise_sigma, self.window_px),
            band,
            self.luma.shape[0],
            detail_reach(self.window_px),
        )
        if self.against:
            weaker = np.minimum(self.against[0][band], self.against[-1][band])
            score += np.float32(0.5) * weaker
        return score


def focus_scores(
    lumas: Iterable[Rows],
    noise_sigma: float,
    window_px: float,
    dtype: type[np.floating[Any]] = np.float32,
) -> Iterator[FocusScore]:
    """The score of each slice in turn.

    Parameters
    ----------
    lumas
        Shape (T, S) each, in the order of focus; a slice is asked for only when the score of the
        one before has to be known.
    noise_sigma
        Standard deviation of the noise.
    window_px
        Standard deviation of the window in which focus is measured.
    dtype
        In which evidence between neighbors is held.
    """
    before: tuple[NDArray[Any], ...] = ()
    waiting: Rows | None = None
    for luma in lumas:
        if waiting is not None:
            after = sharper(waiting, luma, noise_sigma, window_px, dtype)
            yield FocusScore(
                luma=waiting,
                against=(*before, after),
                noise_sigma=noise_sigma,
                window_px=window_px,
            )
            before = (np.negative(after),)
            del after
        waiting = luma
        del luma
    if waiting is not None:
        yield FocusScore(luma=waiting, against=before, noise_sigma=noise_sigma, window_px=window_px)


def _reach(sigma_px: float) -> int:
    """Pixels that OpenCV's Gaussian looks at on either side, for values in floating point."""
    return int(np.ceil(4 * sigma_px)) + 1


def _variance(noise_sigma: float) -> np.float32:
    return np.float32(max(noise_sigma**2, _LEAST_VARIANCE))


def _misfit(sharp: FloatArray, other: FloatArray, window_px: float) -> FloatArray:
    """Least windowed square of what blurs of `sharp` leave of `other`, shape (T, S)."""
    least = gaussian(np.square(sharp - other), window_px)
    for sigma in REBLUR_SIGMAS_PX:
        left = gaussian(np.square(gaussian(sharp, sigma) - other), window_px)
        np.minimum(least, left, out=least)
    return least
