"""Photographs of one scene made to fit together: motion and exposure."""

from __future__ import annotations

from lfdfp.alignment.photographs import stack_of_photographs

__all__ = ["stack_of_photographs"]
