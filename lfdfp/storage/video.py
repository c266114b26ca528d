"""Frames of the H.264 streams in which Lytro's software kept refocused pictures.

Streams are decoded in a process of their own: the decoder is large, writes to the terminal what it
thinks of a damaged stream, and must not take this process with it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.imaging.display import decode_srgb

_LONGEST_S: Final = 120
_ADVICE: Final = (
    "`lfdfp split` writes the stream as a file; a program such as ffmpeg makes pictures of it, "
    "which `lfdfp fuse` takes"
)


def decoded_video(stream: bytes, count: int, *, most_pixels: int) -> FloatArray:
    """The first `count` frames of an H.264 stream, shape (N, T, S, 3), linear light.

    Parameters
    ----------
    most_pixels
        That all frames together may have.

    Raises
    ------
    ImageError
        If the stream holds fewer frames, frames that are too large, or cannot be decoded here.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "stream.h264", Path(folder) / "frames.npy"
        source.write_bytes(stream)
        numbers = str(count), str(most_pixels)
        command = [sys.executable, "-m", __name__, str(source), str(target), *numbers]
        try:
            quiet = subprocess.DEVNULL
            subprocess.run(command, timeout=_LONGEST_S, check=True, stdout=quiet, stderr=quiet)
            codes: NDArray[np.uint8] = np.load(target, allow_pickle=False)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise ImageError(f"its H.264 stream cannot be decoded here; {_ADVICE}") from error
    if len(codes) < count:
        raise ImageError(
            f"of {count} frames, {len(codes)} of up to {most_pixels // count} pixels can be "
            f"decoded from its H.264 stream; {_ADVICE}"
        )
    light = np.empty(codes.shape, np.float32)
    for number, frame in enumerate(codes):
        light[number] = decode_srgb(frame[..., ::-1].astype(np.float32) / np.float32(255))
    return light


def _write_frames(source: Path, target: Path, count: int, most_pixels: int) -> None:
    """Decode up to `count` frames of one size, as uint8 in OpenCV's order of channels."""
    import cv2

    video = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)
    frames: list[NDArray[np.uint8]] = []
    while len(frames) < count:
        found, frame = video.read()
        if not found or frame is None or count * frame.shape[0] * frame.shape[1] > most_pixels:
            break
        if frames and frame.shape != frames[0].shape:
            break
        frames.append(np.asarray(frame, np.uint8))
    video.release()
    np.save(target, np.stack(frames) if frames else np.empty((0, 1, 1, 3), np.uint8))


if __name__ == "__main__":
    _write_frames(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
