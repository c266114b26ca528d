"""What can go wrong with input, as one tree.

::

    LfdfpError                 catch this one
    ├── LfpFormatError         bytes that are not a well-formed LFP file
    │   └── ChecksumError      a section whose SHA-1 does not match its payload
    ├── NotRawError            a sound file, but there is no raw capture in it
    ├── MetadataError          metadata that is missing, of the wrong type or out of range
    ├── CalibrationError       calibration data that cannot be used with this capture
    ├── CaptureError           a raw capture whose pixels cannot be decoded (black, empty)
    ├── ImageError             a picture that cannot be read, or pictures that do not fit together
    ├── StorageError           a file of this project's own kinds that cannot be read or written
    └── SettingsError          a setting that does not exist or has an impossible value

Library code raises these for bad *input*, with the offending value in the text, and built-in
exceptions for misuse of a function. Only the command line turns them into one line and exit code 1.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from lfdfp.version import __version__


class LfdfpError(Exception):
    """Input that cannot be processed; the text says what, where and what to do."""


class LfpFormatError(LfdfpError):
    """Bytes that are not a well-formed LFP file."""

    def __init__(self, message: str, *, offset: int | None = None) -> None:
        where = "" if offset is None else f" (at byte {offset})"
        super().__init__(message + where)
        self.offset = offset


class ChecksumError(LfpFormatError):
    """A section whose SHA-1 does not match its payload."""


class NotRawError(LfdfpError):
    """A sound file, but there is no raw capture in it."""


class MetadataError(LfdfpError):
    """Metadata that is missing, of the wrong type or out of range."""


class CalibrationError(LfdfpError):
    """Calibration data that cannot be used with this capture."""


class CaptureError(LfdfpError):
    """A raw capture whose pixels cannot be decoded."""


class ImageError(LfdfpError):
    """A picture that cannot be read, or pictures that do not fit together."""


class StorageError(LfdfpError):
    """A file of this project's own kinds that cannot be read or written."""


class SettingsError(LfdfpError):
    """A setting that does not exist or has an impossible value."""


def about(path: Path, error: LfdfpError) -> str:
    """What went wrong, with the file named: a stage that sees only pixels does not know it."""
    text = str(error)
    return text if path.name in text else f"{path}: {text}"


def of_the_system(error: OSError) -> str:
    """What the system refused, in one line with the file that it is about."""
    reason = error.strerror or str(error) or type(error).__name__
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' and '.join(names)}: {reason}" if names else reason


def defect(error: Exception, *, traceback_at: str = "--debug shows the traceback") -> str:
    """One line on an exception that nobody expected: where it came from, and what to report."""
    package = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(package)]
    place = ""
    if own:
        place = f"{Path(own[-1].filename).relative_to(package).as_posix()}:{own[-1].lineno}, "
    text = " ".join(str(error).split())[:200]
    return (
        f"unexpected {type(error).__name__}: {text} ({place}lfdfp {__version__}); this is a defect "
        "of the program: please report it as an issue with this line, the command, and what "
        f"`lfdfp info --json FILE` says of its input ({traceback_at})"
    )
