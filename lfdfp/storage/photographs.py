"""Ordinary photographs of one scene, read together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.storage.images import PICTURE_SUFFIXES, Picture, picture_size, read_picture

MAX_TOTAL_PIXELS: Final = 240_000_000
"""Most pixels of all photographs together: 2.9 GB of linear light."""


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, in the order of their names.

    Raises
    ------
    ImageError
        If there are fewer than two.
    """
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if len(found) < 2:
        raise ImageError(f"{folder}: {len(found)} pictures found, and at least 2 are needed")
    return found


def read_photographs(paths: Sequence[Path]) -> tuple[FloatArray, Picture]:
    """Photographs of the same size, and the first one's file properties.

    Sizes are compared from the headers, before any picture is read whole.

    Returns
    -------
    photographs
        Shape (N, T, S, C), in the order of `paths`, linear light, gray or RGB.
    template
        The first picture, for the output's color profile, orientation, depth and alpha.

    Raises
    ------
    ImageError
        For fewer than two pictures, different sizes, too many pixels, or an unreadable file.
    """
    if len(paths) < 2:
        raise ImageError(f"{paths[0]}: one picture alone cannot be fused; give two or more")
    sizes = [picture_size(path) for path in paths]
    for path, size in zip(paths, sizes, strict=True):
        if size != sizes[0]:
            raise ImageError(
                f"{path}: {size[1]} x {size[0]} pixels, but {paths[0].name} has "
                f"{sizes[0][1]} x {sizes[0][0]}; pictures of one size are needed"
            )
    total = len(paths) * sizes[0][0] * sizes[0][1]
    if total > MAX_TOTAL_PIXELS:
        raise ImageError(
            f"{len(paths)} pictures of {sizes[0][1]} x {sizes[0][0]} are {total // 1_000_000} "
            f"megapixels, more than the {MAX_TOTAL_PIXELS // 1_000_000} that fit; reduce them first"
        )
    first = read_picture(paths[0])
    slices = first.light[None]
    alpha, bits = first.alpha, first.bits
    for number, path in enumerate(paths[1:], 1):
        picture = read_picture(path)
        slices = _with_room(slices, len(paths), picture.light.shape[2])
        slices[number] = picture.light
        if picture.alpha is not None:
            alpha = picture.alpha if alpha is None else np.maximum(alpha, picture.alpha)
        bits = max(bits, picture.bits)
    return slices, replace(first, light=slices[0], alpha=alpha, bits=bits)


def _with_room(slices: FloatArray, number: int, channels: int) -> FloatArray:
    """`slices` (n, T, S, C) in an array for `number` of them with at least `channels`."""
    needed = (number, *slices.shape[1:3], max(slices.shape[3], channels))
    if slices.shape == needed:
        return slices
    roomy = np.empty(needed, np.float32)
    roomy[: len(slices)] = slices
    return roomy
