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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.downsampling import resample, resampling_matrix
from lfdfp.fusion.presets import InternalLearningSettings
from lfdfp.fusion.scale_network import HALO_PX, ScaleNetwork, learn, load_weights
from lfdfp.fusion.tiling import even_starts, tiles

PRIOR = Path(__file__).with_name("scale_prior.npz")
"""What the network learned from random shapes (`lfdfp.fusion.prior_training`)."""

_WINDOW_PX = 384
_MOST_WINDOWS = 9
_LEAST_SIDE_PX = 32
_CHECKED_SHARE = 0.25
"""Side of the square in the middle of each pair that is kept for checking, relative to it."""

_HARMED = 1.1
"""Squared error in the kept squares, relative to the start's, beyond which learning did harm."""


@dataclass(frozen=True)
class ScalePair:
    """A picture (kT, kS) and its version (T, S) shrunk by k with the noise it lost."""

    coarse: FloatArray
    fine: FloatArray
    lost_sigma: float


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
    checking say that learning did harm. They are small: where both do alike, chance would decide.

    Parameters
    ----------
    sigma
        Standard deviation of the white noise in `luma`.
    """
    pairs = scale_pairs(luma, factor, sigma, settings)
    if not pairs:
        return Lesson(upscaler=None)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    network = starting_network(factor, settings).to(device)
    before = copy.deepcopy(network)
    gain = checked_gain(network, pairs, factor, np.random.default_rng(seed), device)
    source = batches(pairs, factor, settings, rng, device)
    converged = learn(network, source, settings.steps, settings.learning_rate, on_step)
    reached = checked_gain(network, pairs, factor, np.random.default_rng(seed), device)
    if converged and 1 - reached <= _HARMED * (1 - gain):
        gain = reached
    else:
        network = before
    upscaler = InternalUpscaler(network.eval(), gain, ensemble=settings.ensemble)
    return Lesson(upscaler=upscaler if gain > 0 else None, diverged=not converged)


def starting_network(factor: int, settings: InternalLearningSettings) -> ScaleNetwork:
    """A network that knows random shapes, or nothing (`settings.start`)."""
    network = ScaleNetwork(factor, settings.channels, settings.blocks)
    if settings.start == "prior":
        load_weights(PRIOR, network)
    return network


def scale_pairs(
    luma: FloatArray, factor: int, sigma: float, settings: InternalLearningSettings
) -> list[ScalePair]:
    """Windows of the picture at the scales of `settings`, each with its version shrunk by k."""
    side = settings.patch_px * factor
    pairs = []
    for window in _windows(luma):
        for scale in settings.scales:
            shape = tuple(int(n * scale) // factor * factor for n in window.shape)
            if min(shape) < max(side, _LEAST_SIDE_PX):
                continue
            fine = resample(window[..., None], (shape[0], shape[1]))
            coarse = resample(fine, (shape[0] // factor, shape[1] // factor))
            kept = _noise_kept(window.shape[0], shape[0]) * _noise_kept(factor * side, side)
            lost = sigma * float(np.sqrt(max(1.0 - kept**2, 0.0)))
            pairs.append(ScalePair(coarse[..., 0], fine[..., 0], lost))
    return pairs


def _windows(luma: FloatArray) -> list[FloatArray]:
    """The whole of a small picture; windows evenly spread over a large one."""
    cuts = list(tiles((luma.shape[0], luma.shape[1]), _WINDOW_PX, 0))
    chosen = np.linspace(0, len(cuts) - 1, min(len(cuts), _MOST_WINDOWS)).round().astype(int)
    return [luma[cuts[n]] for n in chosen]


def _noise_kept(n_in: int, n_out: int) -> float:
    """Factor on the deviation of white noise when both axes go from n_in to n_out pixels."""
    if n_in == n_out:
        return 1.0
    row = resampling_matrix(n_in, n_out)[[n_out // 2]]
    return float((row.multiply(row)).sum())


def _checked_square(coarse: FloatArray) -> tuple[slice, slice]:
    rows, columns = (
        slice(int(n * (1 - _CHECKED_SHARE) / 2), int(n * (1 + _CHECKED_SHARE) / 2))
        for n in coarse.shape
    )
    return rows, columns


def batches(
    pairs: list[ScalePair],
    factor: int,
    settings: InternalLearningSettings,
    rng: np.random.Generator,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Patches of `pairs`, turned and mirrored, for ever.

    Patches cover every pair evenly before any place comes again, and the eight turned and mirrored
    versions take equal shares. What is learned then depends little on the seed: drawn freely,
    patches leave some places out and repeat others in the few steps that there are.
    """
    places, versions = _covering(pairs, settings.patch_px, rng), _versions(rng)
    while True:
        drawn = [
            _patch(pairs[number], factor, settings.patch_px, corner, next(versions), rng)
            for number, corner in islice(places, settings.batch)
        ]
        coarse, fine = (
            torch.from_numpy(np.stack(p)[:, None]).to(device) for p in zip(*drawn, strict=True)
        )
        yield coarse, fine


def _covering(
    pairs: list[ScalePair], side: int, rng: np.random.Generator
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Pair and corner (row, column) of patches, in random order, round after round.

    Patches that touch the square which is kept for checking are left out; where all do, none is.
    """
    squares = [_checked_square(pair.coarse) for pair in pairs]
    while True:
        places = [
            (number, corner)
            for number, pair in enumerate(pairs)
            for corner in product(*(_starts(n, side, rng) for n in pair.coarse.shape))
        ]
        kept_off = [(n, corner) for n, corner in places if not _touches(corner, side, squares[n])]
        chosen = kept_off or places
        for index in rng.permutation(len(chosen)):
            yield chosen[index]


def _touches(corner: tuple[int, ...], side: int, square: tuple[slice, slice]) -> bool:
    """Whether the patch at a corner shares a pixel with the square."""
    return all(
        start < kept.stop and start + side > kept.start
        for start, kept in zip(corner, square, strict=True)
    )


def _starts(length: int, side: int, rng: np.random.Generator) -> list[int]:
    """Even starts of patches over `length` pixels, all moved by one random part of a step."""
    even = even_starts(length, side)
    step = even[1] if even.size > 1 else 0.0
    moved = even + rng.uniform(-0.5, 0.5) * step
    return [int(n) for n in np.clip(np.round(moved), 0, length - side)]


def _versions(rng: np.random.Generator) -> Iterator[int]:
    """Numbers 0 to 7 of turned (and, from 4 on, mirrored) versions, each as often as the others."""
    while True:
        yield from rng.permutation(8).tolist()


def _patch(
    pair: ScalePair,
    factor: int,
    side: int,
    corner: tuple[int, int],
    version: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """One coarse patch, with the noise that shrinking took away, and its fine version."""
    top, left = corner
    made = []
    for picture, zoom in ((pair.coarse, 1), (pair.fine, factor)):
        cut = picture[zoom * top : zoom * (top + side), zoom * left : zoom * (left + side)]
        cut = np.rot90(cut, version % 4)
        made.append(np.ascontiguousarray(cut[:, ::-1] if version >= 4 else cut))
    if pair.lost_sigma > 0:
        noise = rng.standard_normal((side, side), np.float32)
        made[0] = made[0] + np.float32(pair.lost_sigma) * noise
    return made[0], made[1]


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
        square = _checked_square(pair.coarse)
        noise = pair.lost_sigma * rng.standard_normal(pair.coarse.shape, np.float32)
        noisy = np.asarray(pair.coarse + noise, np.float32)[square]
        fine = pair.fine[tuple(slice(factor * s.start, factor * s.stop) for s in square)]
        plain = resample(noisy[..., None], (fine.shape[0], fine.shape[1]))[..., 0]
        with torch.no_grad():
            made = network(torch.from_numpy(np.ascontiguousarray(noisy))[None, None].to(device))
        ours += float(np.square(made[0, 0].cpu().numpy() - fine).sum())
        bicubics += float(np.square(plain - fine).sum())
    return 1.0 - ours / max(bicubics, 1e-12)
