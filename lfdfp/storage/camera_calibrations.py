"""Camera calibrations as files, one per serial number, and how the right one is found."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lfdfp.calibration.camera import CameraCalibration, Match, distance
from lfdfp.calibration.response.from_white_image import LensletResponse
from lfdfp.datatypes import LensletGrid, RawCapture
from lfdfp.errors import CalibrationError, StorageError
from lfdfp.files import replacing
from lfdfp.storage.sound_hdf5 import UNREADABLE, opened_hdf5

KIND = "camera_calibration"
VERSION = 1
ENVIRONMENT_VARIABLE = "LFDFP_CALIBRATION"

_LEAST_GAIN_STEP = 1e-3
_LARGEST_GAIN_STEP = 0.02
_PROFILE_DIGITS = 4
_GAIN_DIGITS = 3
"""Decimal digits that profiles and gains of lenslets are kept to."""

_DEAD = -128
_LARGEST_SIDE = 20_000
_MOST_RESPONSES = 1 << 26
"""Most numbers in one table of a file; the gains of an Illum's lenslets are 7e5."""


def search_folders(explicit: Path | None = None, *, usual: bool = True) -> list[Path]:
    """Where calibrations are looked for, first to last.

    A folder named explicitly, then, if the `usual` ones count too, ``$LFDFP_CALIBRATION``,
    ``./calibration``, and the user's data folder.
    """
    if not usual:
        return [] if explicit is None else [explicit]
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    data = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_DATA_HOME")
    home = Path(data) if data else Path.home() / ".local" / "share"
    folders = [explicit, Path(named) if named else None, Path("calibration")]
    return [folder for folder in (*folders, home / "lfdfp" / "calibration") if folder is not None]


def find_calibration(capture: RawCapture, folders: Sequence[Path]) -> Match | None:
    """The calibration of the capture's camera: first folder that has its serial number.

    Returns
    -------
    Match or None
        None where the capture names no serial number, or no file fits.

    Raises
    ------
    StorageError
        For a file of that serial number that cannot be read.
    """
    if not capture.camera.serial:
        return None
    for folder in folders:
        path = folder / file_name(capture.camera.serial)
        if path.is_file():
            camera = load_camera_calibration(path)
            if camera.serial == capture.camera.serial and camera.fits(capture):
                entry = camera.nearest(capture)
                return Match(
                    path=path,
                    camera=camera,
                    entry=entry,
                    zoom_off=distance(entry.zoom_step, capture.lens.zoom_step),
                    focus_off=distance(entry.focus_step, capture.lens.focus_step),
                )
    return None


def file_name(serial: str) -> str:
    """Name of a camera's calibration file; only letters, digits, dash and underscore survive."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", serial)[:64]
    return f"{safe or 'unknown'}.h5"


def save_camera_calibration(folder: Path, camera: CameraCalibration) -> Path:
    """Write a camera's calibration into a folder, under its serial number.

    Pixel gains are stored as signed bytes, in steps as large as their own error (at least 0.1 %),
    profiles to four and gains of lenslets to three decimal digits.

    Raises
    ------
    CalibrationError
        Without a serial number: nothing could find it again.
    StorageError
        If the file cannot be written.
    """
    from lfdfp.storage.whole_hdf5 import whole_hdf5

    if not camera.serial:
        raise CalibrationError(
            "the images name no serial number, so their calibration could not be found again; "
            "pass one of them as the white image instead"
        )
    path = folder / file_name(camera.serial)
    with replacing(path) as temporary, whole_hdf5(temporary, size=0) as file:
        file.attrs.update(
            kind=KIND,
            version=VERSION,
            serial=camera.serial,
            model=camera.model,
            bayer=json.dumps(camera.bayer),
            origin=camera.origin,
            notes=json.dumps(camera.notes),
        )
        step = float(np.clip(camera.pixel_gain_error, _LEAST_GAIN_STEP, _LARGEST_GAIN_STEP))
        steps = np.rint((camera.pixel_gain - 1) / np.float32(step)).clip(-127, 127)
        codes = np.where(camera.pixel_gain > 0, steps, _DEAD).astype(np.int8)
        gain = file.create_dataset(
            "pixel_gain", data=codes, chunks=True, compression="gzip", compression_opts=6
        )
        gain.attrs.update(axes="row column", step=step, dead=_DEAD, error=camera.pixel_gain_error)
        for index, entry in enumerate(camera.lenslets):
            _write_entry(file.create_group(f"lenslets/{index:03d}"), entry)
    return path


def _write_entry(group: Any, entry: LensletResponse) -> None:
    grid = entry.grid
    group.attrs.update(
        origin_px=grid.origin_px,
        right_px=grid.right_px,
        down_px=grid.down_px,
        sensor_shape=grid.sensor_shape,
        residual_px=grid.residual_px,
        standard_error_px=grid.standard_error_px,
        source=grid.source,
        first=entry.first,
    )
    for name, step in (("zoom_step", entry.zoom_step), ("focus_step", entry.focus_step)):
        if step is not None:
            group.attrs[name] = step
    group.create_dataset("distortion_px", data=grid.distortion_px)
    for name, array, digits in (
        ("profiles", entry.profiles, _PROFILE_DIGITS),
        ("gains", entry.gains, _GAIN_DIGITS),
    ):
        smaller = {"compression": "gzip", "shuffle": True, "scaleoffset": digits}
        data = array.astype(np.float32)
        group.create_dataset(name, data=data, **(smaller if array.size else {}))
    group["profiles"].attrs["axes"] = "zone_row zone_column color down right"
    group["gains"].attrs["axes"] = "color lattice_row lattice_column"


def load_camera_calibration(path: Path) -> CameraCalibration:
    """Read what `save_camera_calibration` wrote.

    Raises
    ------
    StorageError
        For a file that is damaged, of another kind, or of a newer version.
    """

    try:
        with opened_hdf5(path) as file:
            return _read_camera(path, file)
    except UNREADABLE as error:
        raise StorageError(f"{path}: not a readable camera calibration: {error}") from error


def _read_camera(path: Path, file: Any) -> CameraCalibration:
    kind, version = file.attrs.get("kind"), int(file.attrs.get("version", 0))
    if kind != KIND:
        raise StorageError(f"{path}: holds {kind!r}, not a camera calibration")
    if version > VERSION:
        raise StorageError(f"{path}: version {version} is newer than {VERSION}: update lfdfp")
    stored = file["pixel_gain"]
    if len(stored.shape) != 2 or max(stored.shape) > _LARGEST_SIDE:
        raise StorageError(f"{path}: a sensor of {stored.shape} pixels is impossible")
    if stored.dtype.kind not in "iu":
        raise StorageError(f"{path}: gains of pixels are whole numbers, found {stored.dtype}")
    codes = stored[...].astype(np.int8)
    step = float(stored.attrs["step"])
    if not 0 < step < 1:
        raise StorageError(f"{path}: steps of {step} in the pixels' gains are impossible")
    gain = (1 + np.arange(-128, 128) * step).astype(np.float32)
    gain[0] = 0.0  # dead or hot
    shape = (int(codes.shape[0]), int(codes.shape[1]))
    return CameraCalibration(
        serial=str(file.attrs["serial"]),
        model=str(file.attrs["model"]),
        bayer=tuple(json.loads(file.attrs["bayer"])),
        sensor_shape=shape,
        lenslets=tuple(_read_entry(group) for _, group in sorted(file["lenslets"].items())),
        pixel_gain=np.roll(gain, 128)[codes.view(np.uint8)],
        pixel_gain_error=float(stored.attrs.get("error", stored.attrs["step"])),
        origin=str(file.attrs["origin"]),
        notes=tuple(json.loads(file.attrs["notes"])),
    )


def _table(group: Any, name: str, axes: int) -> NDArray[Any]:
    """An array of a file, after its declared size was found possible."""
    dataset = group[name]
    if len(dataset.shape) != axes or dataset.size > _MOST_RESPONSES:
        raise ValueError(f"{name} has the impossible shape {dataset.shape}")
    if dataset.dtype.kind not in "fiu":
        raise ValueError(f"{name} holds {dataset.dtype}, where real numbers are needed")
    values: NDArray[Any] = dataset[...]
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite")
    return values


def _read_entry(group: Any) -> LensletResponse:
    attrs = group.attrs

    def pair(name: str) -> tuple[float, float]:
        return float(attrs[name][0]), float(attrs[name][1])

    return LensletResponse(
        grid=LensletGrid(
            origin_px=pair("origin_px"),
            right_px=pair("right_px"),
            down_px=pair("down_px"),
            sensor_shape=(int(attrs["sensor_shape"][0]), int(attrs["sensor_shape"][1])),
            distortion_px=_table(group, "distortion_px", 2).astype(np.float64),
            residual_px=float(attrs["residual_px"]),
            standard_error_px=float(attrs.get("standard_error_px", np.nan)),
            source=str(attrs["source"]),
        ),
        profiles=_table(group, "profiles", 5).astype(np.float32),
        gains=_table(group, "gains", 3).astype(np.float32),
        first=(int(attrs["first"][0]), int(attrs["first"][1])),
        zoom_step=int(attrs["zoom_step"]) if "zoom_step" in attrs else None,
        focus_step=int(attrs["focus_step"]) if "focus_step" in attrs else None,
    )
