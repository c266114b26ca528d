"""Maps of a fused stack for other programs: which slice each pixel comes from, and its depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.errors import ImageError
from lfdfp.interchange.netpbm import write_pfm
from lfdfp.interchange.value_maps import write_value_map

INDEX_SUFFIXES: Final = (".png", ".tif", ".tiff")
DEPTH_SUFFIXES: Final = (".png", ".tif", ".tiff", ".pfm")
_LAST_CODE: Final = 65535
_BYTE_CODES: Final = 256


def write_slice_index(
    path: Path, index: NDArray[np.uint16], count: int, provenance: Mapping[str, object]
) -> None:
    """Write the number of the slice, from 0, that each pixel (T, S) comes from.

    Gray values are the numbers themselves: 8 bits for up to 256 slices, else 16.

    Raises
    ------
    ImageError
        For another suffix than `INDEX_SUFFIXES`.
    """
    if path.suffix.lower() not in INDEX_SUFFIXES:
        raise ImageError(f"{path}: decision maps are written as .png or .tif, not {path.suffix!r}")
    codes = index.astype(np.uint8 if count <= _BYTE_CODES else np.uint16)
    meaning = {"formula": "slice = code, counted from 0", "slices": count, **provenance}
    write_value_map(path, codes, meaning)


def write_slice_depth(
    path: Path, position: FloatArray, count: int, provenance: Mapping[str, object]
) -> None:
    """Write depth in slices (T, S), from 0 for the first slice to `count` - 1 for the last.

    A PNG holds 16-bit codes from 0 (first slice) to 65535 (last slice); TIFF and PFM hold the
    numbers of slices in floating point.

    Raises
    ------
    ImageError
        For another suffix than `DEPTH_SUFFIXES`.
    """
    suffix = path.suffix.lower()
    if suffix not in DEPTH_SUFFIXES:
        raise ImageError(f"{path}: depth is written as .png, .tif or .pfm, not {path.suffix!r}")
    last = max(count - 1, 1)
    if suffix == ".pfm":
        write_pfm(path, position)
    elif suffix == ".png":
        codes = np.rint(np.clip(position / last, 0, 1) * _LAST_CODE).astype(np.uint16)
        formula = f"slice = {last} * code / {_LAST_CODE}, counted from 0"
        write_value_map(path, codes, {"formula": formula, "slices": count, **provenance})
    else:
        formula = "slice = value, counted from 0"
        write_value_map(
            path, position.astype(np.float32), {"formula": formula, "slices": count, **provenance}
        )
