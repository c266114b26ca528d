"""Where PyTorch computes: devices by name, and how many threads it may use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

from lfdfp.errors import SettingsError


def torch_device(name: str) -> torch.device:
    """The device of this name; `auto` takes CUDA where there is a device.

    Raises
    ------
    SettingsError
        For a name that PyTorch does not know or a device that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"device {name!r} cannot be used: {error}; try auto or cpu") from error
    return device


@contextlib.contextmanager
def deliberate_threads() -> Iterator[None]:
    """Run PyTorch on the processors that this process may use, not on all that exist."""
    before = torch.get_num_threads()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else before
    torch.set_num_threads(max(min(before, allowed), 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)
