"""Folders of the HCI 4-D light field benchmark [1]_: views, ``parameters.cfg`` and disparity.

Views are ``input_Cam000.png`` onwards, row by row, encoded with the sRGB curve. The benchmark's
disparity has the opposite sign of ours: there near is positive, and an object of disparity d is
seen at ``s_view = s_center - d (u - u_center)``.

References
----------
.. [1] K. Honauer et al., "A Dataset and Evaluation Methodology for Depth Estimation on 4D Light
   Fields", ACCV 2016.
"""

from __future__ import annotations

import configparser
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.errors import ImageError
from lfdfp.files import replacing_folder, write_text
from lfdfp.interchange.integer_codes import rgb_or_gray
from lfdfp.interchange.netpbm import read_pfm, write_pfm
from lfdfp.interchange.view_pictures import read_view_pictures
from lfdfp.storage.images import Bits, Picture, write_picture

PARAMETERS: Final = "parameters.cfg"
VIEW_NAME: Final = re.compile(r"input_Cam(\d{3,5})\.png")

_LONGEST_PARAMETERS: Final = 1 << 20
_MOST_CAMERAS: Final = 100
_UNKNOWN: Final = {
    "intrinsics": ("focal_length_mm", "sensor_size_mm", "fstop"),
    "extrinsics": (
        "baseline_mm",
        "focus_distance_m",
        "center_cam_x_m",
        "center_cam_y_m",
        "center_cam_z_m",
        "center_cam_rx_rad",
        "center_cam_ry_rad",
        "center_cam_rz_rad",
    ),
    "meta": ("frustum_disp_min", "frustum_disp_max"),
}
"""What the benchmark's own tools look for and a light field here does not know: written as nan."""


def read_hci(folder: Path) -> LightField:
    """Read a folder of the HCI benchmark.

    The number of views per row is that of ``parameters.cfg``; without that file, the grid must be
    square.

    Raises
    ------
    ImageError
        For missing views, a broken ``parameters.cfg``, mixed sizes, or unreadable files.
    """
    found = {
        int(match[1]): path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := VIEW_NAME.fullmatch(path.name))
    }
    if not found:
        raise ImageError(f"{folder}: no views found; input_Cam000.png onwards are needed")
    rows, columns = _grid_shape(folder, len(found))
    missing = [k for k in range(rows * columns) if k not in found]
    if missing or len(found) != rows * columns:
        name = f"input_Cam{missing[0]:03d}.png is missing" if missing else "there are more"
        raise ImageError(f"{folder}: {name}, where {rows} x {columns} views are expected")
    grid = [[found[v * columns + u] for u in range(columns)] for v in range(rows)]
    note = f"HCI folder of {rows} x {columns} views read"
    return replace(read_view_pictures(grid), history=(note,))


def write_hci(
    folder: Path, field: LightField, *, disparity: FloatArray | None = None, bits: Bits = 8
) -> None:
    """Write views, ``parameters.cfg`` and, where given, the center view's disparity.

    Weights have no place in this format. Facts about the camera that are not known are written
    as nan.

    Parameters
    ----------
    disparity
        Shape (T, S), with this project's sign; written negated as ``gt_disp_lowres.pfm``.

    Raises
    ------
    StorageError
        If `folder` exists already and is not empty.
    ImageError
        If the field is neither gray nor RGB.
    """
    colors = rgb_or_gray(folder, field)
    columns = field.angular_shape[1]
    with replacing_folder(folder) as target:
        for v, u in np.ndindex(field.angular_shape):
            light = np.repeat(field.view(v, u), 3 // colors, axis=2)
            name = f"input_Cam{v * columns + u:03d}.png"
            write_picture(target / name, Picture(light=light, bits=bits), {})
        write_text(target / PARAMETERS, _parameters(folder.name, field, disparity))
        if disparity is not None:
            write_pfm(target / _disparity_name("lowres"), -disparity)


def read_hci_disparity(
    folder: Path, resolution: Literal["lowres", "highres"] = "lowres"
) -> FloatArray:
    """The center view's true disparity, shape (T, S), with this project's sign (near negative)."""
    disparity = -read_pfm(folder / _disparity_name(resolution))
    if disparity.ndim != 2:
        raise ImageError(f"{folder}: the disparity is in color, where gray is needed")
    return disparity


def _disparity_name(resolution: str) -> str:
    return f"gt_disp_{resolution}.pfm"


def _grid_shape(folder: Path, views: int) -> tuple[int, int]:
    """(rows, columns) of the grid of views."""
    path = folder / PARAMETERS
    if not path.is_file():
        side = math.isqrt(views)
        if side * side != views:
            raise ImageError(f"{folder}: {views} views and no {PARAMETERS}: not a square grid")
        return side, side
    try:
        if path.stat().st_size > _LONGEST_PARAMETERS:
            raise ImageError(f"{path}: larger than any {PARAMETERS}")
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(path.read_text(encoding="utf-8-sig"))
        shape = tuple(parser.getint("extrinsics", f"num_cams_{axis}") for axis in ("y", "x"))
    except (configparser.Error, UnicodeError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ImageError(f"{path}: cannot be read: {reason}") from error
    if not all(1 <= cameras <= _MOST_CAMERAS for cameras in shape):
        raise ImageError(f"{path}: {shape[1]} x {shape[0]} cameras; 1 to {_MOST_CAMERAS} each")
    return shape[0], shape[1]


def _parameters(scene: str, field: LightField, disparity: FloatArray | None) -> str:
    (rows, columns), (height, width) = field.angular_shape, field.spatial_shape
    lowest, highest = (
        (math.nan, math.nan)
        if disparity is None
        else (-float(np.nanmax(disparity)), -float(np.nanmin(disparity)))
    )
    known: dict[str, dict[str, object]] = {
        "intrinsics": {"image_resolution_x_px": width, "image_resolution_y_px": height},
        "extrinsics": {"num_cams_x": columns, "num_cams_y": rows},
        "meta": {
            "scene": scene,
            "category": "other",
            "date": "",
            "version": "v0",
            "authors": "",
            "contact": "",
            "disp_min": lowest,
            "disp_max": highest,
            "depth_map_scale": 1.0,
        },
    }
    lines = []
    for section, values in known.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in values.items()]
        lines += [f"{key} = nan" for key in _UNKNOWN[section]]
        lines.append("")
    return "\n".join(lines)
