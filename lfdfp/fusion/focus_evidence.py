"""How sharp each slice is at each pixel, robust against noise, halos and flat areas.

Two kinds of evidence, both on encoded luma:

- the *sum-modified Laplacian* [1]_: energy of fine detail in a window;
- *reblurring*: a sharp slice, blurred a little, explains a defocused one, while no blur of a
  defocused slice gives a sharp one. Unlike energy this is not drawn to the halo that a
  defocused edge spreads over a flat neighbor, and it adds up weak evidence under noise. It is the
  idea of DoubleReblur without the division of spectra.

References
----------
.. [1] S. K. Nayar and Y. Nakagawa, "Shape from focus", IEEE TPAMI 16, 1994.
"""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.modified_laplacian import modified_laplacian

REBLUR_SIGMAS_PX = (0.7, 1.0, 1.5, 2.0, 3.0, 4.5)
"""Blurs by which a sharp slice may differ from a defocused one."""

_LEAST_VARIANCE = 1e-6


def gaussian(channel: FloatArray, sigma_px: float) -> FloatArray:
    """Gaussian blur of (T, S), mirrored at the border."""
    import cv2

    return np.asarray(
        cv2.GaussianBlur(channel, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101)
    )


def reblur_misfit(lumas: FloatArray, window_px: float) -> FloatArray:
    """What is left when slice k, blurred as suits best, must explain the others.

    Parameters
    ----------
    lumas
        Shape (N, T, S), N >= 2.
    window_px
        Standard deviation of the window in which squares are averaged.

    Returns
    -------
    ndarray of shape (N, T, S)
        Mean over the other slices of the windowed squared residual: small where slice k is sharp.
    """
    misfit = np.zeros_like(lumas)
    for k, sharp in enumerate(lumas):
        blurred = [gaussian(sharp, sigma) for sigma in REBLUR_SIGMAS_PX]
        for other in (lumas[n] for n in range(len(lumas)) if n != k):
            residuals = [gaussian(np.square(b - other), window_px) for b in (sharp, *blurred)]
            misfit[k] += np.min(residuals, axis=0)
    return misfit / np.float32(len(lumas) - 1)


def focus_scores(lumas: FloatArray, noise_sigma: float, window_px: float = 4.0) -> FloatArray:
    """Log evidence, shape (N, T, S), that slice k is the sharp one; larger is sharper.

    The noise's own share of both measures is added to them as a floor, so that scores of flat
    areas go to zero instead of to chance.
    """
    if len(lumas) == 1:
        return np.zeros_like(lumas)
    variance = np.float32(max(noise_sigma**2, _LEAST_VARIANCE))
    energy = np.stack([gaussian(modified_laplacian(y), window_px) for y in lumas])
    evidence = np.log(energy + 3 * np.sqrt(variance))
    evidence -= np.log(reblur_misfit(lumas, window_px) + variance)
    return np.asarray(evidence - evidence.mean(axis=0), np.float32)
