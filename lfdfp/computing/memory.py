"""How the C library hands out memory, for programs that make large arrays again and again."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of returning it to the system.

    By default, glibc maps every large array anew and unmaps it when it is freed, so that each of
    its pages is fetched and cleared at first touch: a sixth of the processor time of a run.
    One pool for all threads lets any of them use what another has freed. Elsewhere than on
    Linux with glibc, nothing happens. Call it once, early in a program; libraries should not.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_MMAP_THRESHOLD, _LARGEST)
        set_option(_M_TRIM_THRESHOLD, _LARGEST)
        set_option(_M_ARENA_MAX, 1)
