"""Run the network over a picture, in tiles, and add what it says."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lfdfp.computing.torch_devices import deliberate_threads
from lfdfp.datatypes import FloatArray
from lfdfp.imaging.color import display_matrix
from lfdfp.reconstruction.fine_grid import FINEST
from lfdfp.reconstruction.learned.features import (
    Hints,
    cut_planes,
    decoded,
    display_light,
    encoded,
    inside,
)
from lfdfp.reconstruction.learned.network import HALO_PX, Committee, load_weights
from lfdfp.reconstruction.state import RaySetup

WEIGHTS = Path(__file__).with_name("weights.npz")

COARSE_SIGMA_PX = 4.0
"""Gaussian that tells the coarse part of a correction from the fine one, in pixels of the finest
grid: lenslets' footprints are 4.3 wide."""

_TILE_PX = 512
"""Of the finest grid, without the halo."""


@lru_cache(maxsize=1)
def shipped_network() -> Committee:
    """The networks with the weights that come with the package."""
    return load_weights(WEIGHTS)


def correction(
    network: Committee,
    light: FloatArray,
    loose: FloatArray,
    hints: Hints,
    *,
    tile_px: int = _TILE_PX,
    device: torch.device | None = None,
) -> FloatArray:
    """What is to be added to the encoded picture, shape (3, Y, X).

    Parameters
    ----------
    light, loose
        Shape (3, Y, X), Y and X multiples of 4: linear display light.
    tile_px
        Side of what the network sees at once, without a halo; a multiple of 4. It changes the
        result by rounding only.
    device
        None for the processor.
    """
    target = torch.device("cpu") if device is None else device
    network = network.to(target)
    added = np.empty_like(light)
    shape = light.shape[1:]
    with torch.inference_mode(), deliberate_threads():
        for top in range(0, shape[0], tile_px):
            for left in range(0, shape[1], tile_px):
                (rows, inner_rows), (columns, inner_columns) = (
                    _with_halo(first, tile_px, length)
                    for first, length in zip((top, left), shape, strict=True)
                )
                planes = torch.from_numpy(cut_planes(light, loose, hints, (rows, columns)))
                planes = planes[None].to(target, memory_format=torch.channels_last)
                found = network(planes)[0].float().cpu().numpy()
                added[:, top : top + tile_px, left : left + tile_px] = found[
                    :, inner_rows, inner_columns
                ]
    return added


def parts_of(added: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is coarse in a correction (3, Y, X), and the rest, which rays hardly see."""
    import cv2

    coarse = np.stack([cv2.GaussianBlur(one, (0, 0), COARSE_SIGMA_PX) for one in added])
    return coarse, added - coarse


def _with_halo(first: int, side: int, length: int) -> tuple[slice, slice]:
    """The pixels that a span's result depends on, and the span itself within those."""
    halo = HALO_PX - HALO_PX % FINEST
    start, last = max(first - halo, 0), min(first + side, length)
    return slice(start, min(last + halo, length)), slice(first - start, last - start)


def corrected(setup: RaySetup, picture: FloatArray, added: FloatArray) -> FloatArray:
    """The picture (3, Y, X) with a correction, in camera colors.

    Parameters
    ----------
    picture
        Shape (3, Y, X): camera colors, with the grid's margin or without it.
    added
        Shape (3, y, x): of the encoded display light inside the margin.
    """
    margin = (picture.shape[1] - added.shape[1]) // 2
    rows = slice(margin, margin + added.shape[1])
    columns = slice(margin, margin + added.shape[2])
    light = display_light(setup, picture[:, rows, columns])
    change = decoded(encoded(light) + added) - np.maximum(light, 0)
    to_camera = np.linalg.inv(display_matrix(setup.color)).astype(np.float32)
    result = picture.copy()
    result[:, rows, columns] += np.tensordot(to_camera, change, 1)
    return result


def inner_light(setup: RaySetup, picture: FloatArray) -> FloatArray:
    """Display light (3, y, x) of a picture (3, Y, X) on the whole grid, without its margin."""
    return display_light(setup, inside(setup.grid, picture))
