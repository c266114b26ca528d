"""A simulated capture on disk: the camera's own files, and the truth beside them.

Beside ``NAME.lfp`` (F01) or ``NAME.lfr`` (Illum) stand the white image, as
``NAME_MOD_0000.RAW`` with ``NAME_MOD_0000.TXT``, and ``NAME_truth.h5``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from lfdfp.datatypes import FloatArray, ViewSampling
from lfdfp.errors import StorageError
from lfdfp.files import write_bytes
from lfdfp.lfp import container_of, write_container, write_pair
from lfdfp.simulation.capture import SimulatedCapture

SUFFIXES: Mapping[str, str] = {"f01": ".lfp", "illum": ".lfr"}
SCALES = (1, 2, 4)

_KIND = "simulation_truth"
_VERSION = 1


class SimulatedNames(NamedTuple):
    """The files of one simulated capture."""

    capture: Path
    white_image: Path
    truth: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFiles:
    """What was written; None for what was not asked for."""

    capture: Path
    white_image: Path | None = None
    truth: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """The truth of a simulated capture, as its file keeps it.

    Attributes
    ----------
    pictures
        By scale (1, 2, 4): all-in-focus, shape (k T, k S, 3), linear sRGB.
    disparity
        Shape (T, S), view pixels per angular step (near negative).
    center_view
        Shape (T, S, 3): what lenslets at the samples' places see, without noise.
    sampling
        Of all of them.
    """

    pictures: Mapping[int, FloatArray]
    disparity: FloatArray
    center_view: FloatArray
    sampling: ViewSampling


def simulated_files(target: Path, camera: str) -> SimulatedNames:
    """The names of the capture, its white image and its truth; a bare name gets the suffix."""
    path = target if target.suffix else target.with_suffix(SUFFIXES[camera])
    return SimulatedNames(
        capture=path,
        white_image=path.with_name(f"{path.stem}_MOD_0000.RAW"),
        truth=path.with_name(f"{path.stem}_truth.h5"),
    )


def write_simulated_capture(
    target: Path,
    capture: SimulatedCapture,
    *,
    white_image: bool = True,
    truth: bool = True,
    embed_white_image: bool = False,
) -> SimulatedFiles:
    """Write a capture as its camera would have, with its white image and its truth.

    Parameters
    ----------
    target
        The file to create; a path without suffix gets the camera's.
    white_image
        Whether to write the white image beside it.
    truth
        Whether to write the truth beside it.
    embed_white_image
        Whether the capture's file itself shall carry the white image.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    name = capture.camera.name
    names = simulated_files(target, name)
    raw = capture.raw_capture(with_white_image=embed_white_image)
    write_container(names.capture, container_of(raw, layout=name))
    if white_image:
        write_pair(names.white_image, capture.white_capture(), layout=name)
    if truth:
        _write_truth(names.truth, capture)
    return SimulatedFiles(
        capture=names.capture,
        white_image=names.white_image if white_image else None,
        truth=names.truth if truth else None,
    )


def load_truth(path: Path) -> Truth:
    """Read the truth that `write_simulated_capture` wrote.

    Raises
    ------
    StorageError
        If the file is not of this kind, or of a newer version.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            kind, version = file.attrs.get("kind"), int(file.attrs.get("version", 0))
            if kind != _KIND or version > _VERSION:
                raise StorageError(
                    f"{path}: expected {_KIND} up to version {_VERSION}, found {kind} {version}"
                )
            sampling = json.loads(file.attrs["sampling"])
            return Truth(
                pictures={k: file[f"all_in_focus_x{k}"][()] for k in SCALES},
                disparity=file["disparity"][()],
                center_view=file["center_view"][()],
                sampling=ViewSampling(
                    **sampling | {key: tuple(sampling[key]) for key in ("origin_pitch", "shape")}
                ),
            )
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise StorageError(f"{path}: is not a truth file: {error}") from error


def _write_truth(path: Path, capture: SimulatedCapture) -> None:
    import h5py

    content = io.BytesIO()  # where the disk is full, HDF5's library would end the program
    with h5py.File(content, "w") as file:
        file.attrs.update(
            kind=_KIND,
            version=_VERSION,
            transfer="linear",
            scene=capture.scene.name,
            seed=capture.seed,
            sampling=json.dumps(asdict(capture.sampling)),
        )
        pictures = {f"all_in_focus_x{k}": capture.all_in_focus(k) for k in SCALES}
        for name, picture in pictures.items():
            file.create_dataset(name, data=picture).attrs["axes"] = "t s c"
        file.create_dataset("center_view", data=capture.view(0, 0)).attrs["axes"] = "t s c"
        disparity = file.create_dataset("disparity", data=capture.disparity())
        disparity.attrs.update(axes="t s", unit="view pixels per angular step, near negative")
    write_bytes(path, content.getvalue())
