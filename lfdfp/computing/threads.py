"""How many threads every library uses, set while the program runs."""

from __future__ import annotations

import sys


def use_threads(count: int, *, load_torch: bool) -> None:
    """Let OpenCV, numba and PyTorch use this many threads; numba no more than it started with.

    numba's number counts for the calling thread alone.

    Parameters
    ----------
    load_torch
        PyTorch takes 200 MB: where it will not be used, its number is set only if it is there.
    """
    import cv2
    import numba

    if load_torch or "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)
    cv2.setNumThreads(count)
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
