"""Other programs that fuse a focal stack, run where they are installed.

Each gets what an owner would give it, one 16-bit PNG a slice, encoded for display, and its own
defaults; what it writes is read back as linear light.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import LfdfpError
from lfdfp.imaging.display import decode_srgb, encode_srgb

PeerFusion = Callable[[FloatArray], FloatArray]
"""Slices (K, Y, X, 3) to one picture (Y, X, 3), both linear light."""

_TIMEOUT_S = 1800

_ARGUMENTS: Final[Mapping[str, Sequence[str]]] = {
    "enfuse": (
        "--hard-mask", "--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1",
        "--depth=16", "--output={output}",
    ),
    "focus-stack": ("--output={output}", "--no-align", "--no-whitebalance", "--no-contrast"),
}  # fmt: skip
"""Contrast alone decides (enfuse's manual, focus stacks), and slices that fit are not moved."""


def installed_peers() -> dict[str, PeerFusion]:
    """The programs that are found on the path, by name."""
    return {name: partial(_fused, name) for name in _ARGUMENTS if shutil.which(name)}


def peer_command(name: str, files: Sequence[str], output: Path) -> list[str]:
    """How a program is called that fuses `files` into `output`."""
    return [name, *(part.format(output=output) for part in _ARGUMENTS[name]), *files]


def _fused(name: str, slices: FloatArray) -> FloatArray:
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        files, output = [], Path(folder) / "fused.png"
        for number, one in enumerate(slices):
            files.append(str(Path(folder) / f"slice_{number:03d}.png"))
            cv2.imwrite(files[-1], np.rint(65535 * encode_srgb(one[..., ::-1])).astype(np.uint16))
        run = subprocess.run(
            peer_command(name, files, output), capture_output=True, check=False, timeout=_TIMEOUT_S
        )
        codes = cv2.imread(str(output), cv2.IMREAD_UNCHANGED)
    if codes is None:
        last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise LfdfpError(f"{name} made no picture (exit {run.returncode}): {' '.join(last)}")
    white = np.float32(np.iinfo(codes.dtype).max)
    return decode_srgb(codes[..., 2::-1].astype(np.float32) / white)
