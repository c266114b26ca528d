"""How a picture is judged against the truth: one rule for every method.

A method is judged on what it returns; it never sees the truth. Pictures in linear light are
clipped to [0, 1] and encoded with a gamma of 1/2.2; a border is left out on all sides, since
methods differ in what they do where rays are missing; PSNR is over all channels, SSIM of luma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.metrics import psnr, ssim

GAMMA: Final = 2.2
BORDER_VIEW_PX: Final = 8
"""Border that is left out, in pixels of a view; k times as many at scale k."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How near a picture comes to the truth.

    Attributes
    ----------
    name
        Of the method.
    scale
        Of the picture, in pixels per view pixel along an axis.
    psnr_db, ssim
        Larger is nearer.
    """

    name: str
    scale: int
    psnr_db: float
    ssim: float


def encoded(light: FloatArray) -> FloatArray:
    """Linear light of any shape as it is compared: clipped to [0, 1], with the gamma of `GAMMA`."""
    return np.power(np.clip(light, 0, 1), np.float32(1 / GAMMA), dtype=np.float32)


def score(name: str, truth: FloatArray, picture: FloatArray, *, scale: int = 1) -> Score:
    """Judge `picture` against `truth`, both linear light of shape (scale T, scale S, 3)."""
    if truth.shape != picture.shape:
        raise ValueError(f"{name}: {picture.shape} where the truth has {truth.shape}")
    inner = slice(BORDER_VIEW_PX * scale, -BORDER_VIEW_PX * scale)
    a, b = encoded(truth)[inner, inner], encoded(picture)[inner, inner]
    return Score(name=name, scale=scale, psnr_db=psnr(a, b), ssim=ssim(a, b))
