"""Frames as a looping GIF or WebP, or as a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from lfdfp.errors import ImageError
from lfdfp.files import replacing
from lfdfp.report.maps import ByteImage

ANIMATION_SUFFIXES: Final = (".gif", ".webp", ".mp4")
_QUALITY = 85


def write_animation(path: Path, frames: Sequence[ByteImage], *, frames_per_second: float) -> None:
    """Write frames, each (Y, X, 3) sRGB, as an endless loop; a video is played once by most.

    Raises
    ------
    ImageError
        For an ending that is none of `ANIMATION_SUFFIXES`, or an MP4 file without PyAV.
    StorageError
        If the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in ANIMATION_SUFFIXES:
        endings = ", ".join(ANIMATION_SUFFIXES)
        raise ImageError(f"{path}: an animation is written as {endings}, not {path.suffix!r}")
    if suffix == ".mp4":
        _write_video(path, frames, frames_per_second)
        return
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    how: dict[str, Any] = {"quality": _QUALITY, "method": 4} if suffix == ".webp" else {}
    with replacing(path) as temporary:
        pictures[0].save(
            temporary,
            format=suffix[1:].upper(),
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / frames_per_second),
            loop=0,
            **how,
        )


def _write_video(path: Path, frames: Sequence[ByteImage], frames_per_second: float) -> None:
    try:
        import av
    except ImportError:
        raise ImageError(
            f"{path}: MP4 files are written by PyAV; install it (pip install 'lfdfp[video]') or "
            "ask for .webp or .gif"
        ) from None
    rows, columns = (n - n % 2 for n in frames[0].shape[:2])  # H.264 halves the colors' grid
    with replacing(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(frames_per_second))
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        for frame in frames:
            cut = np.ascontiguousarray(frame[:rows, :columns])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        container.mux(stream.encode())
