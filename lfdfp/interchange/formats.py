"""Any known light field by its path: the format is recognized by content and names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import h5py

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError, StorageError
from lfdfp.interchange.eslf import read_eslf, write_eslf
from lfdfp.interchange.hci import PARAMETERS, VIEW_NAME, read_hci, write_hci
from lfdfp.interchange.jpeg_pleno import read_jpeg_pleno, write_jpeg_pleno
from lfdfp.interchange.lf_toolbox import VARIABLE, read_lf_toolbox, write_lf_toolbox
from lfdfp.interchange.view_folder import OrderChoice, read_view_folder, write_view_folder
from lfdfp.storage.hdf5 import kind_of, load_light_field, save_light_field
from lfdfp.storage.images import PICTURE_SUFFIXES, Bits

Format = Literal["eslf", "lf-toolbox", "hci", "jpeg-pleno", "views", "hdf5"]

_FORMAT_OF_SUFFIX: Final[Mapping[str, Format]] = {
    ".png": "eslf",
    ".mat": "lf-toolbox",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    "": "views",
}
_OLD_MAT_SUFFIX: Final = ".mat"


def recognized_format(path: Path) -> Format:
    """The format of a file or folder, by its content and names.

    Raises
    ------
    ImageError
        If there is nothing at `path`, or nothing that is known.
    """
    if path.is_dir():
        return _format_of_folder(path)
    if not path.is_file():
        raise ImageError(f"{path}: no such file or folder")
    if h5py.is_hdf5(path):
        return "lf-toolbox" if kind_of(path) is None and _has_variable(path) else "hdf5"
    suffix = path.suffix.lower()
    if suffix == _OLD_MAT_SUFFIX:
        return "lf-toolbox"
    if suffix in PICTURE_SUFFIXES:
        return "eslf"
    raise ImageError(
        f"{path}: no known light field; an HDF5 file, an LF Toolbox .mat, an ESLF picture or a "
        "folder of views can be read (a raw capture has to be decoded first)"
    )


def read_light_field(
    path: Path, *, angular_size: int | None = None, order: OrderChoice = "auto"
) -> LightField:
    """Read a light field in any known format.

    Parameters
    ----------
    angular_size
        Pixels per lenslet of an ESLF picture, where the size does not tell.
    order
        For folders of views named with two numbers: what the first number counts.

    Raises
    ------
    ImageError, StorageError
        If the path is no light field, or a damaged one.
    """
    match recognized_format(path):
        case "eslf":
            size = None if angular_size is None else (angular_size, angular_size)
            return read_eslf(path, angular_size=size)
        case "lf-toolbox":
            return read_lf_toolbox(path)
        case "hci":
            return read_hci(path)
        case "jpeg-pleno":
            return read_jpeg_pleno(path, order=order)
        case "views":
            return read_view_folder(path, order=order)
        case "hdf5":
            return load_light_field(path)


def write_light_field(
    path: Path,
    field: LightField,
    format: Format,
    *,
    bits: Bits | None = None,
    provenance: Mapping[str, object] | None = None,
) -> None:
    """Write a light field; what the format has no place for is left out (``docs/interchange.md``).

    Parameters
    ----------
    bits
        Depth of ESLF, HCI and view pictures; None for the usual one of each.
    provenance
        Kept where the format is ``hdf5``.

    Raises
    ------
    ImageError, StorageError
        If the field does not fit the format, or the path cannot be written.
    """
    match format:
        case "eslf":
            write_eslf(path, field, bits=bits or 16)
        case "lf-toolbox":
            write_lf_toolbox(path, field)
        case "hci":
            write_hci(path, field, bits=bits or 8)
        case "jpeg-pleno":
            write_jpeg_pleno(path, field)
        case "views":
            write_view_folder(path, field, bits=bits or 16)
        case "hdf5":
            save_light_field(path, field, provenance or {})


def format_of_target(path: Path) -> Format:
    """The format that the name of a file or folder to be written asks for.

    Raises
    ------
    StorageError
        If the suffix names none.
    """
    suffix = path.suffix.lower()
    if suffix not in _FORMAT_OF_SUFFIX:
        raise StorageError(
            f"{path}: {suffix!r} names no format; use .h5, .mat, .png, a folder, or --format"
        )
    return _FORMAT_OF_SUFFIX[suffix]


def _format_of_folder(folder: Path) -> Format:
    names = [path.name for path in folder.iterdir()]
    if PARAMETERS in names or any(VIEW_NAME.fullmatch(name) for name in names):
        return "hci"
    if any(name.lower().endswith(".ppm") for name in names):
        return "jpeg-pleno"
    return "views"


def _has_variable(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return VARIABLE in file
    except (OSError, RuntimeError) as error:
        raise StorageError(f"{path}: a damaged HDF5 file: {error}") from error
