"""How a capture was taken: kept in the provenance of every file that is made of it.

So a picture says what camera took it, even where it is made from a focal stack or a solution that
an earlier command wrote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from lfdfp.datatypes import RawCapture
from lfdfp.storage.pictures.exif import (
    EXIF_POINTER,
    Directory,
    Entry,
    Exif,
    ratio_entry,
    short_entry,
    text_entry,
)

SHOT: Final = "shot"
"""Its key in a file's provenance."""

_ORDER: Final = "<"
_ISO, _TAKEN, _TIME_ZONE = 0x8827, 0x9003, 0x9011
_TEXTS: Final = {"make": 0x010F, "model": 0x0110}
_INNER_TEXTS: Final = {"serial": 0xA431}
_RATIOS: Final = {"exposure_s": 0x829A, "f_number": 0x829D, "focal_length_mm": 0x920A}
_LARGEST_SHORT: Final = 0xFFFF


def shot_of(capture: RawCapture) -> dict[str, str | float]:
    """Camera, time (universal), exposure and lens of a capture; what is not known is left out."""
    lens, camera = capture.lens, capture.camera
    known = {
        "make": camera.make,
        "model": camera.model,
        "serial": camera.serial,
        "taken": capture.taken,
        "exposure_s": capture.exposure_s,
        "iso": capture.iso,
        "f_number": lens.f_number,
        "focal_length_mm": None if lens.focal_length_m is None else 1000 * lens.focal_length_m,
    }
    return {name: value for name, value in known.items() if value}


def shot_in_words(shot: object) -> dict[str, str]:
    """Camera, exposure and time of what `shot_of` gave, for people; what is not known is absent."""
    if not isinstance(shot, Mapping):
        return {}
    exposure, f_number = _positive(shot.get("exposure_s")), _positive(shot.get("f_number"))
    iso, focal_length = _positive(shot.get("iso")), _positive(shot.get("focal_length_mm"))
    parts = [
        "" if exposure is None else _duration(exposure),
        "" if f_number is None else f"f/{f_number:.1f}",
        "" if iso is None else f"ISO {iso:.0f}",
        "" if focal_length is None else f"{focal_length:.0f} mm",
    ]
    lines = {
        "Camera": " ".join(str(shot[name]) for name in ("make", "model") if shot.get(name)),
        "Exposure": ", ".join(part for part in parts if part),
        "Taken": str(shot.get("taken", "")).replace("T", " ").removesuffix("Z"),
    }
    return {name: text for name, text in lines.items() if text}


def _duration(seconds: float) -> str:
    return f"1/{1 / seconds:.0f} s" if seconds < 0.3 else f"{seconds:.1f} s"


def exif_of_shot(shot: object) -> Exif | None:
    """What `shot_of` found as EXIF data; None for anything else."""
    if not isinstance(shot, Mapping):
        return None
    inner: dict[int, Entry] = _texts(shot, _INNER_TEXTS)
    taken, iso = shot.get("taken"), _positive(shot.get("iso"))
    if isinstance(taken, str) and taken:
        inner[_TAKEN] = text_entry(taken.rstrip("Z").replace("-", ":").replace("T", " "))
        inner[_TIME_ZONE] = text_entry("+00:00")
    if iso is not None:
        inner[_ISO] = short_entry(_ORDER, min(round(iso), _LARGEST_SHORT))
    for name, tag in _RATIOS.items():
        value = _positive(shot.get(name))
        if value is not None:
            inner[tag] = ratio_entry(_ORDER, value)
    below = {EXIF_POINTER: Directory(entries=inner)}
    return Exif(order=_ORDER, root=Directory(entries=_texts(shot, _TEXTS), below=below))


def _texts(shot: Mapping[str, object], tags: Mapping[str, int]) -> dict[int, Entry]:
    return {tag: text_entry(str(shot[name])) for name, tag in tags.items() if shot.get(name)}


def _positive(value: object) -> float | None:
    """A number that a file may hold; files may have been written by others."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 1e-9 < value < 1e9 else None
