"""Focal stack to one sharp, super-resolved picture."""

from __future__ import annotations

from lfdfp.fusion.fuse import fuse

__all__ = ["fuse"]
