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
from lfdfp.interchange.coded_light import check_size, encoded_weight, rgb_or_gray
from lfdfp.version import __version__

VARIABLE: Final = "LF"
_MAXIMUM: Final = 65535
_USER_BLOCK: Final = 512
_SLAB_SAMPLES: Final = 1 << 23
_OLD_MAT: Final = b"MATLAB 5.0 MAT-file"
_REVERSED: Final = (4, 3, 2, 1, 0)


def read_lf_toolbox(path: Path) -> LightField:
    """Read the light field of a decoded ``.mat`` file (v7.3; uint8, uint16 or floating point).

    Raises
    ------
    StorageError
        If the file is no v7.3 MAT-file or has no variable LF of five axes.
    ImageError
        If the field is too large.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(len(_OLD_MAT)) == _OLD_MAT:
                raise StorageError(f"{path}: an old MAT-file; save it in MATLAB with -v7.3")
        with h5py.File(path, "r") as file:
            dataset = _field_dataset(path, file)
            light, weights = _read_reversed(dataset)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise StorageError(f"{path}: cannot be read as a MAT-file of v7.3: {error}") from error
    integer = light.dtype.kind == "u"
    scale = 1.0 / float(np.iinfo(light.dtype).max) if integer else 1.0
    stored: dict[str, Any] = {
        "views": light if light.dtype != np.uint8 else light.astype(np.uint16)
    }
    stored |= _weights(weights, light.shape[:4])
    note = f"LF Toolbox file read, {dataset_text(light)} as stored"
    return LightField(**stored, scale=scale, history=(note,))


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
        with h5py.File(temporary, "w", userblock_size=_USER_BLOCK) as file:
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
    """Size and type of an array in words."""
    return f"{' x '.join(map(str, light.shape))} of {light.dtype}"


def _field_dataset(path: Path, file: h5py.File) -> h5py.Dataset:
    dataset = file.get(VARIABLE)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 5:
        raise StorageError(f"{path}: no variable LF of five axes (t, s, v, u, c) in this file")
    if dataset.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise StorageError(f"{path}: LF holds {dataset.dtype}; uint8, uint16, single or double")
    if not 1 <= dataset.shape[0] <= 4:
        raise StorageError(f"{path}: LF has {dataset.shape[0]} channels; 1 to 4 can be read")
    check_size(path, dataset.shape)
    return dataset


def _read_reversed(dataset: h5py.Dataset) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Light, shape (V, U, T, S, C), and weight, shape (V, U, T, S), by slabs of columns."""
    channels, width, height, columns, rows = dataset.shape
    colors = 3 if channels >= 3 else 1
    dtype = np.float32 if dataset.dtype.kind == "f" else dataset.dtype
    light = np.empty((rows, columns, height, width, colors), dtype)
    weighted = channels in (2, 4)
    weights = np.empty((rows, columns, height, width), dtype) if weighted else None
    step = max(1, _SLAB_SAMPLES // (channels * height * columns * rows))
    for start in range(0, width, step):
        slab = dataset[:, start : start + step].transpose(_REVERSED)
        light[:, :, :, start : start + step] = slab[..., :colors]
        if weights is not None:
            weights[:, :, :, start : start + step] = slab[..., -1]
    return light, weights


def _weights(stored: NDArray[Any] | None, shape: tuple[int, ...]) -> dict[str, Any]:
    """Weights as the field keeps them: 8 bits where the file has integers."""
    if stored is None:
        return {"weights": np.ones(shape, np.uint8)}
    if stored.dtype.kind == "f":
        return {"weights": np.clip(stored, 0.0, 1.0)}
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
