"""Any known light field by its path: the format is recognized by content and names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError, StorageError
from lfdfp.files import path_kind
from lfdfp.interchange.damage import damage_named, refuse_not_finite
from lfdfp.interchange.eslf import read_eslf, write_eslf
from lfdfp.interchange.foreign_hdf5 import VARIABLE
from lfdfp.interchange.hci import PARAMETERS, VIEW_NAME, read_hci, write_hci
from lfdfp.interchange.hci_2013 import is_hci_2013, read_hci_2013
from lfdfp.interchange.jpeg_pleno import read_jpeg_pleno, write_jpeg_pleno
from lfdfp.interchange.lf_toolbox import read_lf_toolbox, write_lf_toolbox
from lfdfp.interchange.view_folder import (
    Grid,
    OrderChoice,
    read_view_folder,
    write_view_folder,
)
from lfdfp.interchange.view_mosaic import read_view_mosaic
from lfdfp.storage.hdf5 import kind_of, load_light_field, save_light_field
from lfdfp.storage.images import PICTURE_SUFFIXES, Bits
from lfdfp.storage.sound_hdf5 import opened_hdf5

Format = Literal["eslf", "lf-toolbox", "hci", "jpeg-pleno", "views", "hdf5"]
ReadFormat = Literal[Format, "hci-2013", "mosaic"]
"""Two formats are read only: the first HCI benchmark's, and one picture of all views."""

_FORMAT_OF_SUFFIX: Final[Mapping[str, Format]] = {
    ".png": "eslf",
    ".mat": "lf-toolbox",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    "": "views",
}
_OLD_MAT_SUFFIX: Final = ".mat"


def recognized_format(path: Path, *, is_mosaic: bool = False) -> ReadFormat:
    """The format of a file or folder, by its content and names.

    Parameters
    ----------
    is_mosaic
        A picture is a mosaic of views, not an ESLF picture.

    Raises
    ------
    ImageError, StorageError
        If there is nothing at `path`, or nothing that is known.
    """
    import h5py

    kind = path_kind(path)
    if kind == "folder":
        return _format_of_folder(path)
    if kind != "file":
        what = "no such file or folder" if kind == "missing" else "this is no regular file"
        raise ImageError(f"{path}: {what}")
    suffix = path.suffix.lower()
    with damage_named(path):
        if h5py.is_hdf5(path):
            return "hdf5" if kind_of(path) is not None else _format_of_hdf5(path)
    if suffix == _OLD_MAT_SUFFIX:
        return "lf-toolbox"
    if suffix in PICTURE_SUFFIXES:
        return "mosaic" if is_mosaic else "eslf"
    raise ImageError(
        f"{path}: no known light field; an HDF5 file, an LF Toolbox .mat, an ESLF picture or a "
        "folder of views can be read (a raw capture has to be decoded first)"
    )


def read_light_field(
    path: Path,
    *,
    angular_size: int | None = None,
    grid: Grid | None = None,
    order: OrderChoice = "auto",
) -> LightField:
    """Read a light field in any known format.

    Parameters
    ----------
    angular_size
        Pixels per lenslet of an ESLF picture, where the picture does not tell.
    grid
        (rows, columns) of views: a picture is a mosaic of so many; of a folder of views whose
        names have one running number, how many make a row.
    order
        For mosaics, and folders of views named with numbers: what the first number counts.

    Raises
    ------
    ImageError, StorageError
        If the path is no light field, a damaged one, or one with values that are not finite.
    """
    field = _read(path, angular_size=angular_size, grid=grid, order=order)
    refuse_not_finite(path, field)
    return field


def _read(
    path: Path, *, angular_size: int | None, grid: Grid | None, order: OrderChoice
) -> LightField:
    format = recognized_format(path, is_mosaic=grid is not None)
    if grid is not None and format not in ("mosaic", "views"):
        raise ImageError(f"{path}: read as {format}, where a grid of views cannot be given")
    match format:
        case "eslf":
            size = None if angular_size is None else (angular_size, angular_size)
            return read_eslf(path, angular_size=size)
        case "mosaic":
            assert grid is not None  # nothing else is taken for a mosaic
            return read_view_mosaic(path, grid, order=order)
        case "lf-toolbox":
            return read_lf_toolbox(path)
        case "hci":
            return read_hci(path)
        case "hci-2013":
            return read_hci_2013(path)
        case "jpeg-pleno":
            return read_jpeg_pleno(path, order=order)
        case "views":
            return read_view_folder(path, order=order, grid=grid)
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
        If the field does not fit the format or holds values that are not finite, or the path
        cannot be written.
    """
    refuse_not_finite(path, field)
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


def _format_of_folder(folder: Path) -> Literal["hci", "jpeg-pleno", "views"]:
    with damage_named(folder):
        names = [path.name for path in folder.iterdir()]
    if PARAMETERS in names or any(VIEW_NAME.fullmatch(name) for name in names):
        return "hci"
    if any(name.lower().endswith(".ppm") for name in names):
        return "jpeg-pleno"
    return "views"


def _format_of_hdf5(path: Path) -> Literal["hci-2013", "lf-toolbox", "hdf5"]:

    with opened_hdf5(path) as file:
        if VARIABLE not in file:
            return "lf-toolbox" if path.suffix.lower() == _OLD_MAT_SUFFIX else "hdf5"
        return "hci-2013" if is_hci_2013(file) else "lf-toolbox"
