"""JPEG Pleno light fields: a folder of ``RRR_CCC.ppm``, 10-bit codes in 16-bit files.

Codes are taken to be encoded with the sRGB curve. Weights have no place in this format.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.files import replacing_folder
from lfdfp.interchange.integer_codes import Codes, encoded_view, rgb_or_gray
from lfdfp.interchange.netpbm import ppm_size, read_ppm, write_ppm
from lfdfp.interchange.view_folder import OrderChoice, in_order
from lfdfp.interchange.view_names import arrange
from lfdfp.interchange.view_pictures import read_view_pictures

TEN_BITS: Final = 1023


def read_jpeg_pleno(folder: Path, *, order: OrderChoice = "auto") -> LightField:
    """Read a folder of PPM views named by row and column (see `read_view_folder` for `order`).

    Files that hold 10-bit codes but allow 65535 in their header are read as 10 bits.

    Raises
    ------
    ImageError
        For missing views, mixed sizes or depths, damaged files, or no views at all.
    """
    pictures = sorted(folder.glob("*.ppm")) if folder.is_dir() else []
    if not pictures:
        raise ImageError(f"{folder}: no .ppm files found; a folder of RRR_CCC.ppm is needed")
    grid = arrange(folder, pictures)
    center = grid[len(grid) // 2][len(grid[0]) // 2]
    codes_of = _read_as_ten_bits if _holds_ten_bits(read_ppm(center)) else read_ppm
    field = read_view_pictures(grid, size_of=ppm_size, codes_of=codes_of)
    bits = " as 10 bits" if codes_of is _read_as_ten_bits else ""
    note = f"{len(pictures)} PPM views read{bits}, {grid[0][0].name} to {grid[-1][-1].name}"
    return in_order(replace(field, history=(note,)), order)


def write_jpeg_pleno(folder: Path, field: LightField) -> None:
    """Write ``RRR_CCC.ppm``, counted from 0, 10-bit codes with 1023 as the greatest.

    Raises
    ------
    StorageError
        If `folder` exists already and is not empty.
    ImageError
        If the field is neither gray nor RGB.
    """
    colors = rgb_or_gray(folder, field)
    with replacing_folder(folder) as target:
        for v, u in np.ndindex(field.angular_shape):
            codes = encoded_view(field, v, u, TEN_BITS)
            rgb = codes if colors == 3 else np.repeat(codes, 3, axis=2)
            write_ppm(target / f"{v:03d}_{u:03d}.ppm", Codes(values=rgb, maximum=TEN_BITS))


def _holds_ten_bits(codes: Codes) -> bool:
    return codes.maximum == 65535 and int(codes.values.max()) <= TEN_BITS


def _read_as_ten_bits(path: Path) -> Codes:
    codes = read_ppm(path)
    if int(codes.values.max()) > TEN_BITS:
        raise ImageError(f"{path}: code {codes.values.max()} among views of 10-bit codes")
    return Codes(values=codes.values, maximum=TEN_BITS)
