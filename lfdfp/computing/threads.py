"""How many threads every library uses, set while the program runs."""

from __future__ import annotations


def use_threads(count: int) -> None:
    """Let PyTorch, OpenCV and numba use this many threads; numba no more than it started with.

    numba's number counts for the calling thread alone.
    """
    import cv2
    import numba
    import torch

    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
