"""A small picture of a result for a page of many: sharp, then refocused from near to far."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import FocalStack, SharpPicture
from lfdfp.report.maps import ByteImage, screen_image

_SIDE = 192
_SLICES = 6
_QUALITY = 78


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """Frames of one size, side by side in one WebP file.

    Attributes
    ----------
    frames
        How many; the first one is the sharp picture.
    size
        (columns, rows) of a frame.
    """

    content: bytes
    frames: int
    size: tuple[int, int]


def thumbnail(picture: SharpPicture, stack: FocalStack) -> Thumbnail:
    """The sharp picture and up to six slices of its stack, evenly spread, each in a small frame."""
    from PIL import Image

    count = len(stack.slices)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SLICES)).round().astype(int))
    frames = [_reduced(screen_image(picture.all_in_focus))]
    size = (frames[0].shape[1], frames[0].shape[0])
    frames += [_reduced(screen_image(stack.slices[n]), size) for n in chosen]
    strip = np.concatenate(
        [frame if frame.ndim == 3 else np.dstack([frame] * 3) for frame in frames], axis=1
    )
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, "WEBP", quality=_QUALITY, method=4)
    return Thumbnail(content=buffer.getvalue(), frames=len(frames), size=size)


def _reduced(picture: ByteImage, size: tuple[int, int] | None = None) -> ByteImage:
    import cv2

    rows, columns = picture.shape[:2]
    if size is None:
        factor = min(1.0, _SIDE / max(rows, columns))
        size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
