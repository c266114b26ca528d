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
