"""Which files of an earlier run can be used again: the one place where this is decided.

A file is used again when it was made from the same input with the same settings by the same
version; its key is a hash over all of that, kept in its provenance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lfdfp.files import sha256_of
from lfdfp.pipeline.record import RunOptions
from lfdfp.settings import Settings
from lfdfp.version import __version__

LIGHT_FIELD: Final = "light_field.h5"
FOCAL_STACK: Final = "focal_stack.h5"
FUSION: Final = "fusion.h5"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKeys:
    """The key that each file of a run carries: the same key, the same contents."""

    light_field: str
    focal_stack: str
    fusion: str


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


def file_keys(input_sha256: str, used: Sequence[Path], settings: Settings) -> FileKeys:
    """Keys of a run on this input.

    Parameters
    ----------
    used
        Files that the calibration depends on beside the capture; their contents count.
    """
    from lfdfp.storage.hdf5 import VERSIONS

    hashes = [sha256_of(path) for path in used if path.is_file()]
    light_field = _key(input_sha256, *hashes, settings.decode)
    focal_stack = _key(light_field, settings.refocus)
    fusion = _key(focal_stack, settings.fusion, VERSIONS["fusion_result"])
    return FileKeys(light_field=light_field, focal_stack=focal_stack, fusion=fusion)


def reusable(folder: Path, keys: FileKeys, settings: Settings, options: RunOptions) -> Reuse:
    """What in `folder` this run can use again; nothing unless it is to resume."""
    if not options.resume:
        return Reuse()
    field_is_kept = not options.keep_light_field or _carries(folder / LIGHT_FIELD, keys.light_field)
    stack = field_is_kept and _carries(folder / FOCAL_STACK, keys.focal_stack)
    fusion = _carries(folder / FUSION, keys.fusion)
    needs_rays = settings.fusion.data == "rays" and not fusion
    return Reuse(light_field=stack and not needs_rays, focal_stack=stack, fusion=fusion)


def _carries(path: Path, key: str) -> bool:
    from lfdfp.storage.hdf5 import provenance_of

    return path.is_file() and provenance_of(path).get("key") == key


def _key(upstream: str, *settings: object) -> str:
    """Hash of a stage's input and settings."""
    parts = [__version__, upstream, *(repr(value) for value in settings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
