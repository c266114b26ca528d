"""Super-resolution learned from nothing but the picture itself.

Small structures recur across the scales of one picture. Shrinking the picture by k gives pairs of
a coarse and a fine version; a small network learns to undo the shrinking and is then applied to
the picture itself ("zero-shot" super-resolution [1]_). Under noise the shrunk versions get back
the noise that shrinking averaged away, so that the network learns to remove it as well.

References
----------
.. [1] A. Shocher, N. Cohen and M. Irani, "Zero-shot super-resolution using deep internal
   learning", CVPR 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.resampling import resample
from lfdfp.imaging.tiles import tiles
from lfdfp.super_resolution.examples import (
    ScalePair,
    batches,
    checked_square,
    scale_pairs,
    shape_pairs,
)
from lfdfp.super_resolution.scale_network import HALO_PX, Batch, ScaleNetwork, learn, load_weights
from lfdfp.super_resolution.settings import InternalLearningSettings, Start

PRIORS: Mapping[Start, Path] = {
    "prior": Path(__file__).with_name("scale_prior.npz"),
    "large prior": Path(__file__).with_name("large_scale_prior.npz"),
}
"""What networks learned from random shapes (`lfdfp.super_resolution.train_prior`)."""

_WINDOW_PX = 384
_SHAPE_PICTURES, _SHAPE_SIDE_PX = 12, 64
_SHAPE_SEED = 1000
"""Pictures of random shapes to go on learning from: how many, their coarse side, and their seed.

They are the same for every picture and every seed of the settings: nothing is gained by chance.
"""

_HARMED = 1.25
"""Squared error in the kept squares, relative to the start's, beyond which learning did harm."""


class InternalUpscaler:
    """Enlarges the luma of one picture by what its own scales taught.

    Parameters
    ----------
    network
        Trained for the factor that `factors` repeats.
    gain
        1 - (squared error / that of bicubic interpolation) on pairs kept for checking.
    """

    def __init__(self, network: ScaleNetwork, gain: float, *, ensemble: bool) -> None:
        self.network, self.gain, self.ensemble = network, gain, ensemble

    def __call__(self, luma: FloatArray) -> FloatArray:
        """Luma (T, S) to (kT, kS), tile by tile; the result does not depend on the tiles."""
        factor = self.network.factor
        made = np.empty((factor * luma.shape[0], factor * luma.shape[1]), np.float32)
        padded = np.pad(luma, HALO_PX, mode="symmetric")
        for rows, columns in tiles((luma.shape[0], luma.shape[1]), _WINDOW_PX, 0):
            window = padded[
                rows.start : rows.stop + 2 * HALO_PX, columns.start : columns.stop + 2 * HALO_PX
            ]
            enlarged = self._apply(window)
            halo = factor * HALO_PX
            made[
                factor * rows.start : factor * rows.stop,
                factor * columns.start : factor * columns.stop,
            ] = enlarged[halo:-halo, halo:-halo]
        return made

    def _apply(self, window: FloatArray) -> FloatArray:
        device = next(self.network.parameters()).device
        coarse = torch.from_numpy(np.ascontiguousarray(window))[None, None].to(device)
        with torch.no_grad():
            made = self.network(coarse)
            if self.ensemble:
                made = (made + sum(self._turned(coarse, n) for n in range(1, 8))) / 8
        return np.asarray(made[0, 0].cpu().numpy())

    def _turned(self, coarse: Tensor, number: int) -> Tensor:
        """The network's answer to a turned or mirrored question, turned back."""
        turns, mirror = number % 4, number >= 4
        asked = torch.rot90(coarse, turns, (2, 3))
        answer = self.network(asked.flip(3) if mirror else asked)
        return torch.rot90(answer.flip(3) if mirror else answer, -turns, (2, 3))


@dataclass(frozen=True)
class Lesson:
    """What a picture taught: None where it is too small or nothing is gained over bicubic.

    `diverged` when the loss was no longer finite.
    """

    upscaler: InternalUpscaler | None
    diverged: bool = False


def learn_from_scales(
    luma: FloatArray,
    factor: int,
    sigma: float,
    settings: InternalLearningSettings,
    *,
    seed: int,
    device: torch.device,
    on_step: Callable[[int], None],
) -> Lesson:
    """Learn to enlarge `luma` (T, S) by `factor`.

    What the network knew at the start stays where the squares of the picture that were kept for
    checking say that learning did harm, or led to less than bicubic interpolation. They are small:
    where both do alike, chance would decide.

    Parameters
    ----------
    sigma
        Standard deviation of the white noise in `luma`.
    """
    pairs = scale_pairs(luma, factor, sigma, scales=settings.scales, patch_px=settings.patch_px)
    if not pairs:
        return Lesson(upscaler=None)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    network = starting_network(factor, settings).to(device)
    gain = checked_gain(network, pairs, factor, np.random.default_rng(seed), device)
    converged = True
    if settings.steps:
        learned = copy.deepcopy(network)
        source = _examples(pairs, factor, sigma, settings, rng, device)
        converged = learn(learned, source, settings.steps, settings.learning_rate, on_step)
        reached = checked_gain(learned, pairs, factor, np.random.default_rng(seed), device)
        if converged and reached > 0 and 1 - reached <= _HARMED * (1 - gain):
            network, gain = learned, reached
    upscaler = InternalUpscaler(network.eval(), gain, ensemble=settings.ensemble)
    return Lesson(upscaler=upscaler if gain > 0 else None, diverged=not converged)


def starting_network(factor: int, settings: InternalLearningSettings) -> ScaleNetwork:
    """A network that knows random shapes, or nothing (`settings.start`)."""
    network = ScaleNetwork(factor, settings.channels, settings.blocks)
    if settings.start in PRIORS:
        load_weights(PRIORS[settings.start], network)
    return network


def _examples(
    pairs: list[ScalePair],
    factor: int,
    sigma: float,
    settings: InternalLearningSettings,
    rng: np.random.Generator,
    device: torch.device,
) -> Iterator[Batch]:
    """Batches of patches of the picture, and of random shapes that keep alive what was known.

    Without them a network forgets much of its start for what one picture's coarse versions show.
    """
    drawn = partial(batches, factor=factor, side=settings.patch_px, rng=rng, device=device)
    own = drawn(pairs, number=settings.batch)
    if not settings.shapes:
        return own
    fixed = np.random.default_rng(_SHAPE_SEED)
    shapes = shape_pairs(_SHAPE_PICTURES, _SHAPE_SIDE_PX * factor, factor, sigma, fixed)
    beside = drawn(shapes, number=settings.shapes)
    return map(_joined, own, beside)


def _joined(first: Batch, second: Batch) -> Batch:
    coarse, fine, share = (torch.cat(both) for both in zip(first, second, strict=True))
    return coarse, fine, share


def checked_gain(
    network: ScaleNetwork,
    pairs: list[ScalePair],
    factor: int,
    rng: np.random.Generator,
    device: torch.device,
) -> float:
    """1 - squared error / bicubic's, in the squares that were kept for checking."""
    ours = bicubics = 0.0
    for pair in pairs:
        square = checked_square(pair.coarse)
        noise = pair.lost_sigma * rng.standard_normal(pair.coarse.shape, np.float32)
        noisy = np.asarray(pair.coarse + noise, np.float32)[square]
        fine = pair.fine[tuple(slice(factor * s.start, factor * s.stop) for s in square)]
        plain = resample(noisy[..., None], (fine.shape[0], fine.shape[1]))[..., 0]
        with torch.no_grad():
            made = network(torch.from_numpy(np.ascontiguousarray(noisy))[None, None].to(device))
        ours += float(np.square(made[0, 0].cpu().numpy() - fine).sum())
        bicubics += float(np.square(plain - fine).sum())
    return 1.0 - ours / max(bicubics, 1e-12)
