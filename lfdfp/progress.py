"""How a long stage tells how far it is: a callback that takes (done, total)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """Tell nobody."""
