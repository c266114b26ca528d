"""What a run can be made of: a capture, a light field of another program, photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["capture", "light field", "photographs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The input of one run.

    Attributes
    ----------
    path
        A capture or processed file; a light field in a format that `lfdfp convert` reads, a file
        or a folder; or what a stack of photographs is called: their folder.
    photographs
        The files of a stack, in order.
    """

    path: Path
    kind: Kind = "capture"
    photographs: tuple[Path, ...] = ()

    def files(self) -> tuple[Path, ...]:
        """All files that are read, in a fixed order."""
        from lfdfp.lfp import source_files

        if self.kind == "capture":
            return source_files(self.path)
        if self.kind == "photographs":
            return self.photographs
        if self.path.is_dir():
            return tuple(sorted(path for path in self.path.rglob("*") if path.is_file()))
        return (self.path,)
