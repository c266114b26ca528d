"""Light fields of the first HCI benchmark [1]_: ``lf.h5`` with an array LF and attributes.

LF is ``[v, u, t, s, c]`` of sRGB codes, the same order of axes as ours. In the benchmark's files
the columns of views run from right to left: content moves along the two axes with opposite signs.
They are turned round here, so that near is negative as everywhere.

References
----------
.. [1] S. Wanner, S. Meister, B. Goldluecke, "Datasets and Benchmarks for Densely Sampled 4D Light
   Fields", VMV 2013.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import StorageError
from lfdfp.interchange.damage import damage_named
from lfdfp.interchange.foreign_hdf5 import light_field_dataset
from lfdfp.interchange.integer_codes import Codes, field_of_codes
from lfdfp.interchange.view_folder import ONE_AXIS_RUNS_BACKWARDS
from lfdfp.interchange.view_order import observed_parallax

_ATTRIBUTES: Final = frozenset(
    {"camDistance", "dH", "dV", "focalLength", "hRes", "vRes", "xRes", "yRes", "shift"}
)
_TRUTH: Final = "GT_DEPTH"
_FEWEST_ATTRIBUTES: Final = 2


def is_hci_2013(file: h5py.File) -> bool:
    """Whether an HDF5 file carries the attributes, or the truth, of that benchmark."""
    return _TRUTH in file or len(_ATTRIBUTES & set(file.attrs)) >= _FEWEST_ATTRIBUTES


def read_hci_2013(path: Path) -> LightField:
    """Read the light field of an ``lf.h5``.

    Raises
    ------
    StorageError
        If the file has no LF of five axes, of 8 or 16 bits and one or three colors.
    ImageError
        If the field is too large.
    """
    with damage_named(path), light_field_dataset(path) as dataset:
        if dataset.dtype.kind != "u" or dataset.shape[4] not in (1, 3):
            raise StorageError(
                f"{path}: LF is {dataset.dtype} with {dataset.shape[4]} channels; codes of 8 or 16 "
                "bits with 1 or 3 are expected of this benchmark"
            )
        rows, columns = dataset.shape[:2]
        maximum = int(np.iinfo(dataset.dtype).max)
        codes = (Codes(values=dataset[v, u], maximum=maximum) for v, u in np.ndindex(rows, columns))
        field = field_of_codes(codes, (rows, columns))
    return _turned_round(replace(field, history=(f"HCI file of {rows} x {columns} views read",)))


def _turned_round(field: LightField) -> LightField:
    """Columns of views from left to right, where the parallax shows that they run the other way."""
    if not observed_parallax(field).opposite_signs:
        return field
    turned: dict[str, Any] = {
        "views": np.ascontiguousarray(field.views[:, ::-1]),
        "weights": np.ascontiguousarray(field.weights[:, ::-1]),
    }
    line = "its columns of views ran from right to left: turned round"
    made = replace(field, **turned, history=(*field.history, line))
    if observed_parallax(made).opposite_signs:
        return replace(made, warnings=(*made.warnings, ONE_AXIS_RUNS_BACKWARDS))
    return made
