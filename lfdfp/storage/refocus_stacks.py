"""Focal stacks of pictures that Lytro's software had refocused: decoded, in order, with depth."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray, FocalStack
from lfdfp.errors import ImageError, LfdfpError
from lfdfp.lfp.refocus_stack import RefocusStack, read_refocus_stack
from lfdfp.storage.photographs import MAX_TOTAL_PIXELS, list_frames, read_photographs
from lfdfp.storage.video import decoded_video

_NOT_RAW: Final = (
    "made of pictures that Lytro's software had refocused, not of a raw capture: detail, noise "
    "and color are those of its pictures"
)
_PRIOR_PER_STEP: Final = 0.5
_FARTHEST_STEPS: Final = 2.0


def load_refocus_stack(path: Path, *, verify: bool = True) -> FocalStack:
    """The focal stack of a processed file, its slices in the order of their lambdas.

    The depth table becomes the stack's `focus_prior`: what is known before the pictures are
    looked at. The pictures show one perspective, so nothing has to be aligned.

    Raises
    ------
    NotRawError, LfpFormatError, ChecksumError, MetadataError
        As `read_refocus_stack`.
    ImageError
        If the pictures cannot be read, or are not of one size.
    """
    found = read_refocus_stack(path, verify=verify)
    order = np.argsort([frame.focus_lambda for frame in found.frames], kind="stable")
    if found.video:
        try:
            count = len(found.frames)
            slices = decoded_video(found.video, count, most_pixels=MAX_TOTAL_PIXELS)[order]
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from error
    else:
        frames = tuple(found.frames[k] for k in order)
        slices = _decoded_pictures(path, replace(found, frames=frames))
    lambdas = np.array([found.frames[k].focus_lambda for k in order])
    return FocalStack(
        slices=slices,
        focus_prior=focus_prior(lambdas, found.depth_lambda),
        warnings=(_NOT_RAW,),
        history=found.history,
    )


def focus_prior(lambdas: DoubleArray, depth_lambda: FloatArray | None) -> FloatArray | None:
    """Log evidence (N, Y, X) that a slice is the sharp one, of a depth table (Y, X).

    It falls by 0.5 for every typical step between neighboring slices, up to two of them: that
    decides where the pictures show nothing, and gives way to any edge. In three real files, cells
    of the table agree with the slice that has the most detail there in 47 to 58 %, to one slice
    in 73 to 99 %.
    """
    if depth_lambda is None:
        return None
    step = float(np.median(np.diff(np.unique(lambdas))))
    steps = np.abs(lambdas[:, None, None] - depth_lambda) / step
    return np.asarray(-_PRIOR_PER_STEP * np.minimum(steps, _FARTHEST_STEPS), np.float32)


def _decoded_pictures(path: Path, found: RefocusStack) -> FloatArray:
    """Slices (N, T, S, C) of encoded pictures, in the file or beside it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, frame in enumerate(found.frames):
            place = path.parent / frame.file_name
            if not frame.file_name:
                place = Path(folder) / f"picture {number + 1} of {len(found.frames)}"
                place.write_bytes(frame.content)
            paths.append(place)
        try:
            return read_photographs(list_frames(paths))[0]
        except LfdfpError as error:
            raise ImageError(f"{path}: {str(error).replace(f'{folder}/', '')}") from error
