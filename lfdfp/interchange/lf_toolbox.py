"""``NAME__Decoded.mat`` of the Light Field Toolbox for MATLAB: variable LF in a v7.3 file.

MATLAB's ``LF(t, s, v, u, c)`` counts views by (t, s) and pixels by (v, u), which is this project's
``[v, u, t, s, c]`` with the letters exchanged; HDF5 shows its axes reversed, (c, u, v, s, t). The
fourth channel is the weight. Values are kept as stored: the toolbox writes linear light unless
its color correction was asked for, which applies a gamma of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import LightField
from lfdfp.errors import StorageError
from lfdfp.files import replacing
from lfdfp.interchange.damage import damage_named
from lfdfp.interchange.foreign_hdf5 import VARIABLE, colors_of, light_field_dataset
from lfdfp.interchange.integer_codes import encoded_weight, rgb_or_gray
from lfdfp.storage.whole_hdf5 import whole_hdf5
from lfdfp.version import __version__

_MOST_CHANNELS: Final = 4
_OVERSHOOT: Final = 2.0
"""What light up to 1 may reach: interpolation and color correction overshoot."""

_WHITES: Final = (255.0, 1023.0, 4095.0, 65535.0)
_MAXIMUM: Final = 65535
_USER_BLOCK: Final = 512
_SLAB_SAMPLES: Final = 1 << 23
_OLD_MAT: Final = b"MATLAB 5.0 MAT-file"
_REVERSED: Final = (4, 3, 2, 1, 0)


def read_lf_toolbox(path: Path) -> LightField:
    """Read the light field of a decoded ``.mat`` file (v7.3; uint8, uint16 or floating point).

    Floating point reaches 1 as the toolbox writes it. Where it reaches far more, it is taken for
    codes up to 255, 1023, 4095 or 65535, if it reaches a quarter of one of these; the result's
    warnings say so.

    Raises
    ------
    StorageError
        If the file is no v7.3 MAT-file or has no variable LF of five axes, if the order of its axes
        or its white cannot be told.
    ImageError
        If the field is too large, or the file is damaged.
    """
    with damage_named(path):
        with path.open("rb") as stream:
            head = stream.read(len(_OLD_MAT))
        if head == _OLD_MAT:
            raise StorageError(f"{path}: an old MAT-file; save it in MATLAB with -v7.3")
        with light_field_dataset(path) as dataset:
            is_reversed = _is_reversed(path, dataset, from_matlab=head.startswith(b"MATLAB"))
            light, weights = _read_slabs(dataset, is_reversed=is_reversed)
    _check_extents(path, light)
    warnings: tuple[str, ...] = ()
    if light.dtype.kind == "u":
        scale = 1.0 / float(np.iinfo(light.dtype).max)
        light = light.astype(np.uint16) if light.dtype == np.uint8 else light
    else:
        white, warnings = _white_of(path, float(light.max()))
        scale = 1.0 / white
    stored = {"views": light} | _weights(path, weights, light.shape[:4])
    order = "" if is_reversed else ", axes as in Python"
    note = f"LF Toolbox file read, {dataset_text(light)} as stored{order}"
    return LightField(**stored, scale=scale, history=(note,), warnings=warnings)


def write_lf_toolbox(path: Path, field: LightField) -> None:
    """Write linear light as uint16, clipped to [0, 1], with the weight as fourth channel.

    Raises
    ------
    ImageError
        If the field is neither gray nor RGB.
    """
    rgb_or_gray(path, field)
    rows, columns = field.angular_shape
    height, width = field.spatial_shape
    with replacing(path) as temporary:
        size = 8 * rows * columns * height * width
        with whole_hdf5(temporary, size=size, userblock_size=_USER_BLOCK) as file:
            dataset = file.create_dataset(
                VARIABLE,
                (4, width, height, columns, rows),
                np.uint16,
                chunks=(1, min(8, width), height, columns, rows),
                compression="gzip",
                compression_opts=3,
            )
            dataset.attrs["MATLAB_class"] = np.bytes_("uint16")
            step = max(1, _SLAB_SAMPLES // (4 * height * rows * columns))
            for start in range(0, width, step):
                slab = _slab(field, slice(start, start + step))
                dataset[:, start : start + step] = slab.transpose(_REVERSED)
            _note_origin(file)
        _write_user_block(temporary)


def dataset_text(light: NDArray[Any]) -> str:
    """Size and type of an array of any shape in words."""
    return f"{' x '.join(map(str, light.shape))} of {light.dtype}"


def _is_reversed(path: Path, dataset: h5py.Dataset, *, from_matlab: bool) -> bool:
    """Whether HDF5 shows the axes as (c, u, v, s, t), as for MATLAB, and not as (t, s, v, u, c).

    Python programs write arrays as they are. Without MATLAB's marks, the axis of up to four
    channels tells, if only one of the two outer axes can be it.
    """
    if from_matlab or "MATLAB_class" in dataset.attrs:
        first, last = True, False
    else:
        first, last = (1 <= dataset.shape[axis] <= _MOST_CHANNELS for axis in (0, 4))
    if first and not 1 <= dataset.shape[0] <= _MOST_CHANNELS:
        raise StorageError(f"{path}: LF has {dataset.shape[0]} channels; 1 to 4 can be read")
    if first == last:
        raise StorageError(
            f"{path}: LF has the shape {dataset.shape} and no mark of MATLAB, so the order of its "
            "axes cannot be told"
        )
    return first


def _check_extents(path: Path, light: NDArray[Any]) -> None:
    rows, columns, height, width = light.shape[:4]
    if rows > height and columns > width:
        raise StorageError(
            f"{path}: LF would have {rows} x {columns} views of {width} x {height} pixels: its "
            "axes are in another order than (t, s, v, u, c)"
        )


def _white_of(path: Path, largest: float) -> tuple[float, tuple[str, ...]]:
    """The value of white of floating-point light, and what to say of it."""
    if largest <= _OVERSHOOT:
        return 1.0, ()
    white = next((code for code in _WHITES if code / 4 <= largest <= 1.05 * code), None)
    if white is None:
        raise StorageError(
            f"{path}: light up to {largest:g}: neither up to 1 nor codes up to 255, 1023, 4095 or "
            "65535; divide it by its white first"
        )
    return white, (f"light reaches {largest:g}: taken for codes up to {white:g}",)


def _read_slabs(
    dataset: h5py.Dataset, *, is_reversed: bool
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Light, shape (V, U, T, S, C), and weight, shape (V, U, T, S), by slabs of columns."""
    shape = dataset.shape[::-1] if is_reversed else dataset.shape
    rows, columns, height, width, channels = shape
    colors, weighted = colors_of(channels)
    dtype = np.float32 if dataset.dtype.kind == "f" else dataset.dtype.newbyteorder("=")
    light = np.empty((rows, columns, height, width, colors), dtype)
    weights = np.empty((rows, columns, height, width), dtype) if weighted else None
    step = max(1, _SLAB_SAMPLES // (channels * height * columns * rows))
    for start in range(0, width, step):
        part = slice(start, start + step)
        slab = dataset[:, part].transpose(_REVERSED) if is_reversed else dataset[:, :, :, part]
        light[:, :, :, part] = slab[..., :colors]
        if weights is not None:
            weights[:, :, :, part] = slab[..., -1]
    return light, weights


def _weights(path: Path, stored: NDArray[Any] | None, shape: tuple[int, ...]) -> dict[str, Any]:
    """Weights as the field keeps them: 8 bits where the file has integers."""
    if stored is None:
        return {"weights": np.ones(shape, np.uint8)}
    if stored.dtype.kind == "f":
        white = _white_of(path, float(stored.max()))[0]
        return {"weights": np.clip(stored / np.float32(white), 0.0, 1.0)}
    if stored.dtype == np.uint16:
        stored = ((stored.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return {"weights": stored, "weight_scale": 1.0 / 255.0}


def _slab(field: LightField, columns_px: slice) -> NDArray[np.uint16]:
    """Codes of some columns of every view, shape (V, U, T, k, 4); gray becomes RGB."""
    width = len(range(*columns_px.indices(field.spatial_shape[1])))
    shape = (*field.angular_shape, field.spatial_shape[0], width, 4)
    slab = np.empty(shape, np.uint16)
    part = replace(
        field, views=field.views[:, :, :, columns_px], weights=field.weights[:, :, :, columns_px]
    )
    for v, u in np.ndindex(field.angular_shape):
        light = np.clip(part.view(v, u), 0.0, 1.0)
        slab[v, u, ..., :3] = np.rint(light * np.float32(_MAXIMUM))
        slab[v, u, ..., 3] = encoded_weight(part, v, u, _MAXIMUM)
    return slab


def _note_origin(file: h5py.File) -> None:
    """The toolbox's record of what made a file, as a MATLAB structure of texts."""
    group = file.create_group("GeneratedByInfo")
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    for name, text in (("mfilename", "lfdfp"), ("VersionStr", __version__)):
        codes = np.frombuffer(text.encode("utf-16-le"), np.uint16)[:, None]
        dataset = group.create_dataset(name, data=codes)
        dataset.attrs["MATLAB_class"] = np.bytes_("char")
        dataset.attrs["MATLAB_int_decode"] = np.int32(2)


def _write_user_block(path: Path) -> None:
    """What MATLAB looks for at the start of a v7.3 file: text, version 2.0, byte order."""
    text = f"MATLAB 7.3 MAT-file, written by lfdfp {__version__}, HDF5 schema 1.00 ."
    block = text.encode().ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(block.ljust(_USER_BLOCK, b"\0"))
