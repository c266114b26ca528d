"""Which files of an earlier run can be used again: the one place where this is decided.

A file is used again when it was made from the same input with the same settings by the same
version - its key is a hash over all of that, kept in its provenance - and still holds what was
written: its checksums match, and so does the hash in ``run.json`` where the run came to its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lfdfp.files import sha256_of
from lfdfp.pipeline.record import OutputFile, RunOptions, RunRecord, read_record
from lfdfp.settings import Settings
from lfdfp.version import __version__

LIGHT_FIELD: Final = "light_field.h5"
FOCAL_STACK: Final = "focal_stack.h5"
FUSION: Final = "fusion.h5"
RECORD: Final = "run.json"
THUMBNAIL: Final = "thumbnail.webp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKeys:
    """The key that each file of a run carries: the same key, the same contents."""

    light_field: str
    focal_stack: str
    fusion: str
    pictures: str

    def of_the_run(self, options: RunOptions) -> str:
        """Key of everything that a run writes."""
        written = options.picture_format, options.bits, options.keep, options.keep_light_field
        return _key(self.pictures, *written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """What a run need not make again.

    Attributes
    ----------
    focal_stack, fusion
        The file is there and as this run would make it.
    light_field
        No stage of this run needs the light field, so nothing has to be calibrated and decoded.
    """

    light_field: bool = False
    focal_stack: bool = False
    fusion: bool = False


def input_digest(files: Sequence[Path]) -> str:
    """SHA-256 of a file; of several, over those of each, so that none can change unnoticed."""
    hashes = [sha256_of(path) for path in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def file_keys(
    input_sha256: str, used: Sequence[Path], settings: Settings, *others: object
) -> FileKeys:
    """Keys of a run on this input.

    Parameters
    ----------
    used
        Files that the calibration depends on beside the capture; their contents count.
    others
        What else the first file depends on.
    """
    from lfdfp.storage.hdf5 import VERSIONS

    hashes = [sha256_of(path) for path in used if path.is_file()]
    light_field = _key(input_sha256, *hashes, settings.decode, *others)
    focal_stack = _key(light_field, settings.refocus)
    fusion = _key(focal_stack, settings.fusion, VERSIONS["fusion_result"])
    pictures = _key(fusion, settings.display)
    return FileKeys(
        light_field=light_field, focal_stack=focal_stack, fusion=fusion, pictures=pictures
    )


def finished_record(folder: Path, key: str, options: RunOptions) -> RunRecord | None:
    """The record of an earlier run that made all that this one would; None if there is none."""
    record = read_record(folder / RECORD) if options.resume else None
    if record is None or record.key != key:
        return None
    sound = all(_holds(folder / name, about) for name, about in record.outputs.items())
    return record if sound else None


def reusable(folder: Path, keys: FileKeys, settings: Settings, options: RunOptions) -> Reuse:
    """What in `folder` this run can use again; nothing unless it is to resume."""
    if not options.resume:
        return Reuse()
    record = read_record(folder / RECORD)

    def carries(name: str, key: str) -> bool:
        about = None if record is None else record.outputs.get(name)
        return _carries(folder / name, key) and (about is None or _holds(folder / name, about))

    field_is_kept = not options.keep_light_field or carries(LIGHT_FIELD, keys.light_field)
    stack = field_is_kept and carries(FOCAL_STACK, keys.focal_stack)
    fusion = carries(FUSION, keys.fusion)
    needs_rays = settings.fusion.data == "rays" and not fusion
    return Reuse(light_field=stack and not needs_rays, focal_stack=stack, fusion=fusion)


def _holds(path: Path, about: OutputFile) -> bool:
    try:
        return path.stat().st_size == about.size and sha256_of(path) == about.sha256
    except OSError:
        return False


def _carries(path: Path, key: str) -> bool:
    from lfdfp.storage.hdf5 import is_sound, provenance_of

    return path.is_file() and provenance_of(path).get("key") == key and is_sound(path)


def _key(upstream: str, *settings: object) -> str:
    """Hash of a stage's input and settings."""
    parts = [__version__, upstream, *(repr(value) for value in settings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
