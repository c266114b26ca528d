"""How a process comes by memory and gives it back, and how much it has had."""

from __future__ import annotations

import contextlib
import ctypes
import math
import sys
from pathlib import Path

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


def return_freed_memory() -> None:
    """Give memory that was freed back to the system, where `keep_freed_memory` has kept it."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def forget_peak_memory() -> None:
    """Let `peak_memory_mib` count from now on; without effect where the system cannot."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB; NaN where the system won't say."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        kib = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return float(kib) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def available_memory_mib() -> float:
    """Memory that can still be had without taking it from others, in MiB; NaN where unknown.

    The limit of a control group (a container, a job of a scheduler) counts too.
    """
    found = [_free_of_the_system(), _free_of_the_group()]
    return min((mib for mib in found if not math.isnan(mib)), default=math.nan)


def _free_of_the_system() -> float:
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        kib = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return float(kib) / 2**10
    return float("nan")


def _free_of_the_group() -> float:
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):  # ValueError: "max", no limit
        most = float((group / "memory.max").read_text())
        used = float((group / "memory.current").read_text())
        return (most - used) / 2**20
    return float("nan")
