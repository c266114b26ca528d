"""HDF5 files of other programs: opened with their links looked at and their sizes believed late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import h5py
import numpy as np

from lfdfp.errors import StorageError
from lfdfp.interchange.integer_codes import check_size
from lfdfp.storage.sound_hdf5 import opened_hdf5

VARIABLE: Final = "LF"
_DTYPES: Final = (np.uint8, np.uint16, np.float32, np.float64)
_BELIEVED_BYTES: Final = 1 << 26
_MOST_SQUEEZED: Final = 200
"""How many times smaller than its samples a large array may be stored; light fields reach 20."""


@contextmanager
def light_field_dataset(path: Path) -> Iterator[h5py.Dataset]:
    """The array ``LF`` of five axes in an HDF5 file, found to be stored in the file itself.

    Raises
    ------
    StorageError
        If there is none, it is of another type, its samples are in other files, or it declares far
        more of them than are stored.
    ImageError
        If it is too large.
    """
    with opened_hdf5(path) as file:
        link = file.get(VARIABLE, getlink=True)
        if link is not None and not isinstance(link, h5py.HardLink):
            raise StorageError(f"{path}: LF is a link to something else; that is not followed")
        dataset = file.get(VARIABLE)
        if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 5:
            raise StorageError(f"{path}: no variable LF of five axes (t, s, v, u, c) in this file")
        if dataset.dtype not in _DTYPES:
            raise StorageError(f"{path}: LF holds {dataset.dtype}; uint8, uint16, single or double")
        if dataset.is_virtual or dataset.external:
            raise StorageError(
                f"{path}: the samples of LF are in other files; that is not followed"
            )
        check_size(path, dataset.shape)
        _check_stored(path, dataset)
        yield dataset


def _check_stored(path: Path, dataset: h5py.Dataset) -> None:
    declared, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if declared > _BELIEVED_BYTES and declared > _MOST_SQUEEZED * stored:
        raise StorageError(
            f"{path}: LF declares {declared} bytes of samples, but only {stored} are stored"
        )


def colors_of(channels: int) -> tuple[int, bool]:
    """Colors among 1 to 4 channels, and whether the last one is a weight."""
    return (3 if channels >= 3 else 1), channels in (2, 4)
