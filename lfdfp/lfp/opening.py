"""Files that a person names: what they are at first sight, and errors that name them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lfdfp.errors import LfdfpError, LfpFormatError, NotRawError
from lfdfp.lfp.document import printable
from lfdfp.lfp.signature import is_changed_as_text, signature

CAPTURE_SUFFIXES: Final = frozenset({".lfp", ".lfr", ".lfx"})
"""Of Lytro's containers; a bare raw image is called ``.raw``."""


def is_capture_name(path: Path) -> bool:
    """Whether a file is called like a raw capture."""
    return path.suffix.lower() in CAPTURE_SUFFIXES | {".raw"} and not path.is_dir()


def read_head(path: Path) -> bytes:
    """The first bytes of a file.

    Raises
    ------
    LfpFormatError
        If it is missing, empty, a folder, or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise LfpFormatError(
                "this is a folder; give a file (.lfp, .lfr, or .raw with its .txt)"
            )
        if not stat.S_ISREG(mode):
            raise LfpFormatError("this is no regular file; give a file (.lfp, .lfr)")
        with path.open("rb") as stream:
            head = stream.read(16)
    except FileNotFoundError as error:
        raise LfpFormatError("there is no such file; check the path") from error
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise LfpFormatError(f"cannot be read: {reason or error}") from error
    if not head:
        raise LfpFormatError("the file is empty; copy it again from its source")
    return head


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before the text of every error of this project."""
    try:
        yield
    except LfdfpError as error:
        named_error = type(error)(f"{printable(str(path), 4096)}: {error}")
        if isinstance(error, LfpFormatError) and isinstance(named_error, LfpFormatError):
            named_error.offset = error.offset
        raise named_error from error


def not_a_capture(head: bytes) -> LfdfpError:
    """The error for a file that begins with these bytes and is none of Lytro's."""
    if is_changed_as_text(head):
        return LfpFormatError(
            "this was a Lytro file before a transfer in text mode changed its line ends or "
            "characters: copy it again from its source, in binary mode"
        )
    known = signature(head)
    what = known or f"unknown data ({head[:8]!r})"
    if known == "JSON text":
        return NotRawError(f"this is {what}; give the .RAW file that it belongs to")
    return LfpFormatError(
        f"this is {what}, not a Lytro capture; give the camera's original file (.lfp, .lfr)"
    )
