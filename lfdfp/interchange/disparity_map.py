"""Disparity maps for other programs: PFM, 16-bit PNG, and a JSON that says what they mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.files import write_text
from lfdfp.interchange.netpbm import write_pfm
from lfdfp.interchange.value_maps import write_value_map

SIGN: Final = "s_view = s_center + d (u - u_center), t_view = t_center + d (v - v_center)"
UNIT: Final = "pixels per angular step"
_LAST_CODE: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFiles:
    """The files of one disparity map."""

    pfm: Path
    png: Path
    confidence: Path
    facts: Path

    @classmethod
    def beside(cls, pfm: Path) -> MapFiles:
        """Names from that of the PFM file: NAME.png, NAME_confidence.png, NAME.json.

        Raises
        ------
        ImageError
            If the name does not end in .pfm.
        """
        if pfm.suffix.lower() != ".pfm":
            raise ImageError(f"{pfm}: disparity is written as .pfm, not {pfm.suffix!r}")
        return cls(
            pfm=pfm,
            png=pfm.with_suffix(".png"),
            confidence=pfm.with_name(f"{pfm.stem}_confidence.png"),
            facts=pfm.with_suffix(".json"),
        )


def write_disparity_map(
    files: MapFiles,
    disparity: FloatArray,
    confidence: FloatArray,
    provenance: Mapping[str, object],
) -> dict[str, object]:
    """Write a disparity map (T, S) and its confidence in [0, 1].

    The PFM holds the values as they are, little-endian, bottom row first as the format has it. In
    the 16-bit PNG, ``disparity = scale * code + offset``; both numbers, unit and sign are in the
    PNG's text chunk "Comment" and in the JSON. The confidence is code / 65535.

    Returns
    -------
    dict
        What the JSON holds.

    Raises
    ------
    ImageError
        For values that are not finite.
    StorageError
        Where a file cannot be written.
    """
    if not np.all(np.isfinite(disparity)):
        raise ImageError(f"{files.pfm}: a disparity map has finite values")
    offset, last = float(disparity.min()), float(disparity.max())
    scale = (last - offset) / _LAST_CODE if last > offset else 1.0
    meaning: dict[str, object] = {
        "unit": UNIT,
        "sign": f"{SIGN}; near is negative on lenslet cameras; HCI's disparity is -d",
        "formula": "disparity = scale * code + offset",
        "scale": scale,
        "offset": offset,
    }
    codes = np.rint((disparity.astype(np.float64) - offset) / scale)
    write_pfm(files.pfm, disparity)
    write_value_map(files.png, codes.astype(np.uint16), meaning)
    surety = {"formula": "confidence = code / 65535"}
    sure = np.rint(np.clip(confidence, 0, 1) * _LAST_CODE).astype(np.uint16)
    write_value_map(files.confidence, sure, surety)
    facts = {
        "kind": "disparity_map",
        "version": 1,
        "png": meaning,
        "pfm": {"unit": UNIT, "sign": SIGN, "layout": "float32 little-endian, bottom row first"},
        "confidence": surety,
        "least": offset,
        "greatest": last,
        "provenance": dict(provenance),
    }
    write_text(files.facts, json.dumps(facts, indent=2, default=str) + "\n")
    return facts
