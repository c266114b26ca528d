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
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.gaussian import gaussian
from lfdfp.imaging.modified_laplacian import modified_laplacian

REBLUR_SIGMAS_PX: Final = (0.4, 0.7, 1.0, 1.5, 2.5, 4.0)
"""Blurs by which a sharp slice may differ from a defocused one."""

_LEAST_VARIANCE: Final = 1e-6
_ROWS_AT_ONCE: Final = 512


def detail(luma: FloatArray, noise_sigma: float, window_px: float) -> FloatArray:
    """Logarithm of the energy of fine detail in a window, shape (T, S).

    The noise's own share is added as a floor, so that flat areas differ little between slices.
    """
    floor = np.float32(3 * np.sqrt(_variance(noise_sigma)))

    def of_band(band: slice) -> FloatArray:
        energy = gaussian(modified_laplacian(luma[band]), window_px)
        return np.asarray(np.log(energy + floor))

    return in_bands(of_band, len(luma), luma.shape[1], halo=_reach(window_px) + 1)


def flat_score(noise_sigma: float) -> float:
    """The score of a flat area of a picture with noise.

    A second difference of white noise has the standard deviation √6 σ; its magnitude is √(2/π)
    of that in the mean, and two of them are added.
    """
    sigma = float(np.sqrt(_variance(noise_sigma)))
    return float(np.log((2 * np.sqrt(6) * np.sqrt(2 / np.pi) + 3) * sigma))


def sharper(
    first: FloatArray, second: FloatArray, noise_sigma: float, window_px: float
) -> FloatArray:
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

    halo = _reach(max(REBLUR_SIGMAS_PX)) + _reach(window_px)
    return in_bands(of_band, len(first), first.shape[1], halo=halo)


def in_bands(
    work: Callable[[slice], FloatArray], rows: int, columns: int, *, halo: int
) -> FloatArray:
    """`work` of all rows (T, S), done for bands of rows and `halo` more on either side.

    What it needs on the way is as large as a band, not as the picture.
    """
    made = np.empty((rows, columns), np.float32)
    for start in range(0, rows, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, rows)
        top, bottom = max(start - halo, 0), min(stop + halo, rows)
        made[start:stop] = work(slice(top, bottom))[start - top : stop - top]
    return made


def focus_scores(
    lumas: Iterable[FloatArray], noise_sigma: float, window_px: float
) -> Iterator[FloatArray]:
    """Log evidence (T, S) that a slice is the sharp one, for each in turn; larger is sharper.

    Parameters
    ----------
    lumas
        Shape (T, S) each, in the order of focus; a slice is asked for only when the score of the
        one before has to be known.
    noise_sigma
        Standard deviation of the noise.
    window_px
        Standard deviation of the window in which focus is measured.
    """
    before: FloatArray | None = None
    waiting: FloatArray | None = None
    for luma in lumas:
        if waiting is not None:
            after = sharper(waiting, luma, noise_sigma, window_px)
            yield _score(waiting, before, after, noise_sigma, window_px)
            before = np.negative(after)
        waiting = luma
    if waiting is not None:
        yield _score(waiting, before, None, noise_sigma, window_px)


def _score(
    luma: FloatArray,
    against_before: FloatArray | None,
    against_after: FloatArray | None,
    noise_sigma: float,
    window_px: float,
) -> FloatArray:
    """Detail, and half of the evidence against the stronger neighbor.

    Against the stronger one alone: far from focus, neighbors differ little, and what they seem to
    differ by is chance; only the sharp slice is sharper than both.
    """
    score = detail(luma, noise_sigma, window_px)
    found = [one for one in (against_before, against_after) if one is not None]
    if found:
        score += np.float32(0.5) * np.minimum(found[0], found[-1])
    return score


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
