"""Coordinates of stored arrays, as netCDF keeps them: ``xarray.open_dataset`` reads the files."""

from __future__ import annotations

from collections import defaultdict

import h5py
import numpy as np

from lfdfp.datatypes import DoubleArray

_ANGULAR = frozenset("vu")
_UNITS = {
    "v": "angular steps from the center view, downwards",
    "u": "angular steps from the center view, to the right",
    "t": "pixels of a view, downwards",
    "s": "pixels of a view, to the right",
    "t_fine": "pixels of a view, downwards",
    "s_fine": "pixels of a view, to the right",
}


def attach_scales(file: h5py.File) -> None:
    """Give every labeled dimension of the arrays in a file its coordinates.

    Coordinates bear the dimension's label. Where arrays have two grids of one label, that of the
    finer one is called ``t_fine``, ``s_fine``. Slices have their slopes as coordinates, where they
    have any, colors and photographs their numbers.
    """
    arrays = [held for held in file.values() if isinstance(held, h5py.Dataset)]
    sizes: dict[str, set[int]] = defaultdict(set)
    for held in arrays:
        for dimension, size in zip(held.dims, held.shape, strict=True):
            sizes[dimension.label].add(size)
    slopes = file["slopes"][()] if "slopes" in file else None
    scales = {
        (label, size): _scale(file, _name(label, size, found), label, size, min(found), slopes)
        for label, found in sorted(sizes.items())
        if label
        for size in sorted(found)
    }
    for held in arrays:
        for dimension, size in zip(held.dims, held.shape, strict=True):
            if dimension.label:
                dimension.attach_scale(scales[dimension.label, size])
        held.flush()


def _name(label: str, size: int, sizes: set[int]) -> str:
    rank = sorted(sizes).index(size)
    return label if rank == 0 else f"{label}_fine{rank if rank > 1 else ''}"


def _scale(
    file: h5py.File, name: str, label: str, size: int, least: int, slopes: DoubleArray | None
) -> h5py.Dataset:
    place = np.arange(size, dtype=np.float64)
    if label in _ANGULAR:
        place -= size // 2
    elif size != least:
        place = (place + 0.5) * least / size - 0.5
    elif label == "n" and slopes is not None:
        place = slopes
    growing = (None,) if label == "n" else (size,)
    scale = file.create_dataset(name, data=place, chunks=(size,), maxshape=growing, fletcher32=True)
    scale.make_scale(name)
    if label == "n":
        scale.attrs["units"] = "number" if slopes is None else "pixels per angular step"
    elif name in _UNITS:
        scale.attrs["units"] = _UNITS[name]
    scale.flush()
    return scale
