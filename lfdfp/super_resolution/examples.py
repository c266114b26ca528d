"""Pairs of a coarse and a fine picture to learn enlarging from, and patches of them.

The picture's own scales give pairs; so do drawn random shapes, which hold no one's picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
import torch

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.resampling import resample, resampling_matrix
from lfdfp.imaging.tiles import even_starts, tiles
from lfdfp.super_resolution.random_shapes import picture_of_shapes
from lfdfp.super_resolution.scale_network import Batch

_WINDOW_PX = 384
_MOST_WINDOWS = 9
_LEAST_SIDE_PX = 32
_CHECKED_SHARE = 0.25
"""Side of the square in the middle of each pair that is kept for checking, relative to it."""


@dataclass(frozen=True)
class ScalePair:
    """A picture (kT, kS) and its version (T, S) shrunk by k with the noise it lost."""

    coarse: FloatArray
    fine: FloatArray
    lost_sigma: float


def scale_pairs(
    luma: FloatArray, factor: int, sigma: float, *, scales: Sequence[float], patch_px: int
) -> list[ScalePair]:
    """Windows of the picture (Y, X), resized by `scales`, each with its version shrunk by k.

    Parameters
    ----------
    sigma
        Standard deviation of the white noise in `luma`.
    patch_px
        Coarse side of the patches that are to come; smaller versions are left out.
    """
    side = patch_px * factor
    pairs = []
    for window in _windows(luma):
        for scale in scales:
            shape = tuple(int(n * scale) // factor * factor for n in window.shape)
            if min(shape) < max(side, _LEAST_SIDE_PX):
                continue
            fine = resample(window[..., None], (shape[0], shape[1]))
            coarse = resample(fine, (shape[0] // factor, shape[1] // factor))
            kept = _noise_kept(window.shape[0], shape[0]) * _noise_kept(factor * side, side)
            lost = sigma * float(np.sqrt(max(1.0 - kept**2, 0.0)))
            pairs.append(ScalePair(coarse[..., 0], fine[..., 0], lost))
    return pairs


def shape_pairs(
    number: int, side: int, factor: int, sigma: float, rng: np.random.Generator
) -> list[ScalePair]:
    """Pictures of random shapes (side, side), each with its version shrunk by k.

    `side` is a multiple of k; `sigma` is the noise of the pictures that are to be enlarged.
    """
    small = (side // factor, side // factor)
    drawn = (picture_of_shapes(side, rng) for _ in range(number))
    return [ScalePair(resample(fine[..., None], small)[..., 0], fine, sigma) for fine in drawn]


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


def checked_square(coarse: FloatArray) -> tuple[slice, slice]:
    """Rows and columns in the middle of `coarse` (Y, X) that are kept for checking."""
    rows, columns = (
        slice(int(n * (1 - _CHECKED_SHARE) / 2), int(n * (1 + _CHECKED_SHARE) / 2))
        for n in coarse.shape
    )
    return rows, columns


def batches(
    pairs: Sequence[ScalePair],
    factor: int,
    *,
    number: int,
    side: int,
    rng: np.random.Generator,
    device: torch.device,
) -> Iterator[Batch]:
    """Patches of `pairs` to learn from, turned and mirrored, for ever.

    Patches cover every pair evenly before any place comes again, and the eight turned and mirrored
    versions take equal shares. What is learned then depends little on the seed: drawn freely,
    patches leave some places out and repeat others in the few steps that there are.

    Yields
    ------
    coarse, fine
        Shapes (number, 1, side, side) and (number, 1, k side, k side).
    share
        As `fine`: 0 in the squares that are kept for checking, 1 elsewhere.
    """
    places, versions = _covering(pairs, side, rng), _versions(rng)
    while True:
        drawn = [
            _patch(pairs[index], factor, side, corner, next(versions), rng)
            for index, corner in islice(places, number)
        ]
        coarse, fine, share = (
            torch.from_numpy(np.stack(p)[:, None]).to(device) for p in zip(*drawn, strict=True)
        )
        yield coarse, fine, share


def _covering(
    pairs: Sequence[ScalePair], side: int, rng: np.random.Generator
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Pair and corner (row, column) of patches, in random order, round after round.

    Patches within the square that is kept for checking would teach nothing and are left out.
    """
    squares = [checked_square(pair.coarse) for pair in pairs]
    while True:
        places = [
            (number, corner)
            for number, pair in enumerate(pairs)
            for corner in product(*(_starts(n, side, rng) for n in pair.coarse.shape))
            if not _within(corner, side, squares[number])
        ]
        for index in rng.permutation(len(places)):
            yield places[index]


def _within(corner: tuple[int, ...], side: int, square: tuple[slice, slice]) -> bool:
    """Whether the patch at a corner lies in the square."""
    return all(
        kept.start <= start and start + side <= kept.stop
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
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One coarse patch, with the noise that shrinking took away; its fine version; its share."""
    coarse, fine = (
        picture[tuple(slice(zoom * n, zoom * (n + side)) for n in corner)]
        for picture, zoom in ((pair.coarse, 1), (pair.fine, factor))
    )
    share = np.ones_like(fine)
    share[
        tuple(
            slice(*(factor * max(edge - start, 0) for edge in (kept.start, kept.stop)))
            for start, kept in zip(corner, checked_square(pair.coarse), strict=True)
        )
    ] = 0.0
    coarse, fine, share = (_turned(picture, version) for picture in (coarse, fine, share))
    if pair.lost_sigma > 0:
        noise = rng.standard_normal((side, side), np.float32)
        coarse = coarse + np.float32(pair.lost_sigma) * noise
    return coarse, fine, share


def _turned(picture: FloatArray, version: int) -> FloatArray:
    turned = np.rot90(picture, version % 4)
    return np.ascontiguousarray(turned[:, ::-1] if version >= 4 else turned)
