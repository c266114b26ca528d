"""The types of the chain as HDF5 files; ``docs/storage.md`` is the contract.

Every file names its kind and version in the root attributes, labels its axes, and is written
beside its target and then renamed. Unknown kinds and newer versions are refused by name.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import (
    Depth,
    FloatArray,
    FocalStack,
    LightField,
    Provenance,
    RayEvidence,
    SharpPicture,
    StackEvidence,
    ViewSampling,
)
from lfdfp.errors import StorageError
from lfdfp.files import replacing, require_room
from lfdfp.storage.dimension_scales import attach_scales
from lfdfp.storage.sound_hdf5 import UNREADABLE, opened_hdf5, trust
from lfdfp.storage.whole_hdf5 import whole_hdf5
from lfdfp.version import __version__

VERSIONS: Final = {"light_field": 1, "focal_stack": 1, "fusion_result": 2}
"""Newest version of each kind; older ones are read too."""

_MOST_SCALE: Final = 16
_MOST_VIEWS: Final = 99
_MAY_BE_UNKNOWN: Final = ("disparity", "fine_disparity")

MAX_BYTES: Final = 1 << 32
"""Largest array that is read from a file (an Illum field of float32 has 0.7e9 bytes)."""

FileProvenance = Mapping[str, object]
"""What is recorded of the run that made a file: program, input, settings, key."""


def save_light_field(path: Path, field: LightField, provenance: FileProvenance) -> None:
    """Write views, weights and sampling; the rays stay in the capture and are not stored."""
    story = field.history, field.warnings
    size = field.views.nbytes + field.weights.nbytes
    with _created(path, "light_field", provenance, story, size=size) as file:
        views = _dataset(file, "views", field.views, "v u t s c", chunks=(1, 1))
        views.attrs.update(scale=field.scale, offset=field.offset, transfer="linear")
        if field.scale != 1.0 or field.offset:  # as the CF conventions name it, for xarray
            views.attrs.update(scale_factor=field.scale, add_offset=-field.scale * field.offset)
        weights = _dataset(file, "weights", field.weights, "v u t s", chunks=(1, 1))
        weights.attrs["scale"] = field.weight_scale
        if field.weight_scale != 1.0:
            weights.attrs["scale_factor"] = field.weight_scale
        file.attrs["disparity"] = "s_view = s_center + d (u - u_center)"
        if field.sampling is not None:
            file.attrs["sampling"] = json.dumps(asdict(field.sampling))


def load_light_field(path: Path) -> LightField:
    """Read what `save_light_field` wrote; `rays` is None."""
    with _opened(path, "light_field") as file:
        views = _pictures(path, file, "views", axes=5)
        weights = _array(path, file, "weights")
        sampling = file.attrs.get("sampling")
        return LightField(
            views=views,
            weights=weights,
            scale=_number(path, file["views"], "scale", above=0.0),
            offset=_number(path, file["views"], "offset"),
            weight_scale=_number(path, file["weights"], "scale", above=0.0),
            sampling=None if sampling is None else _sampling(json.loads(sampling)),
            **_story(file),
        )


def save_focal_stack(path: Path, stack: FocalStack, provenance: FileProvenance) -> None:
    """Write a focal stack, one chunk per slice."""
    save_focal_stack_parts(path, [stack], provenance)


def save_focal_stack_parts(
    path: Path, parts: Iterable[FocalStack], provenance: FileProvenance
) -> None:
    """Write a focal stack that comes in parts of neighboring planes, each as soon as it is there.

    Scale, reference view, history and warnings are those of the first part.

    Raises
    ------
    ValueError
        For no part at all, or parts that do not hold the same arrays.
    """
    stream = iter(parts)
    first = next(stream, None)
    if first is None:
        raise ValueError(f"{path}: a focal stack has at least one part")
    second = next(stream, None)
    size = _stack_bytes(first) if second is None else None
    story = first.history, first.warnings
    with _created(path, "focal_stack", provenance, story, size=size) as file:
        _write_stack(file, first)
        for part in () if second is None else itertools.chain([second], stream):
            require_room(path, _stack_bytes(part))
            _append_planes(file, part)


def _stack_bytes(stack: FocalStack) -> int:
    arrays = (getattr(stack, name) for name in (*_BY_PLANE, "reference_view"))
    return sum(values.nbytes for values in arrays if values is not None)


_BY_PLANE: Final = {
    "slices": ("n t s c", (1,)),
    "slopes": ("n", (64,)),
    "coverage": ("n t s", (1,)),
    "focus_curves": ("n y x", (1,)),
    "focus_prior": ("n y x", (1,)),
}
"""Arrays of a stack that have an entry for every plane: axes, and planes per chunk."""


def _write_stack(file: h5py.File, stack: FocalStack) -> None:
    for name, (axes, chunks) in _BY_PLANE.items():
        values = getattr(stack, name)
        if values is not None:
            _dataset(file, name, values, axes, chunks=chunks, growing=True)
    if stack.slopes is not None:
        file["slopes"].attrs["unit"] = "pixels per angular step"
    if stack.focus_curves is not None:
        file["focus_curves"].attrs["unit"] = "linear light per pixel squared; larger is sharper"
    if stack.reference_view is not None:
        _dataset(file, "reference_view", stack.reference_view, "t s c")
    file.attrs["scale"] = stack.scale


def _append_planes(file: h5py.File, part: FocalStack) -> None:
    for name in _BY_PLANE:
        values = getattr(part, name)
        if (values is None) != (name not in file):
            raise ValueError(f"some parts of a focal stack have {name}, some have not")
        if values is not None:
            dataset = file[name]
            dataset.resize(len(dataset) + len(values), axis=0)
            dataset[-len(values) :] = values
            dataset.flush()


def load_focal_stack(path: Path) -> FocalStack:
    """Read what `save_focal_stack` wrote."""
    with _opened(path, "focal_stack") as file:
        return FocalStack(
            slices=_pictures(path, file, "slices", axes=4),
            slopes=_optional(path, file, "slopes"),
            coverage=_optional(path, file, "coverage"),
            reference_view=_optional(path, file, "reference_view"),
            focus_curves=_optional(path, file, "focus_curves"),
            focus_prior=_optional(path, file, "focus_prior"),
            scale=_scale(path, file.attrs.get("scale", 1)),
            **_story(file),
        )


_MAP_AXES: Final = {
    "decision_map": "n t s",
    "disparity": "t s",
    "disparity_confidence": "t s",
    "fine_disparity": "t s",
    "observability": "t s",
    "standard_error": "t s",
    "from_prior": "t s",
}
"""Every map that a picture may come with, by its name in the file."""


def save_sharp_picture(path: Path, picture: SharpPicture, provenance: FileProvenance) -> None:
    """Write the pictures in linear light, with the maps that came with them."""
    made = picture.provenance
    pictures = (picture.all_in_focus, picture.super_resolved, *_maps_of(picture).values())
    size = sum(values.nbytes for values in pictures)
    story = made.history, made.warnings
    with _created(path, "fusion_result", provenance, story, size=size) as file:
        _dataset(file, "all_in_focus", picture.all_in_focus, "t s c")
        _dataset(file, "super_resolved", picture.super_resolved, "t s c")
        for name, values in _maps_of(picture).items():
            _dataset(file, name, values, _MAP_AXES[name])
        for name in ("disparity", "fine_disparity"):
            if name in file:
                file[name].attrs["unit"] = "pixels of a view per angular step"
                file[name].attrs["sign"] = "s_view = s_center + d (u - u_center)"
        if picture.depth is not None and picture.depth.angular_shape is not None:
            file.attrs["angular_shape"] = picture.depth.angular_shape
        file.attrs.update(
            scale=picture.scale,
            data_term=made.data_term,
            prior=made.prior,
            seed=made.seed,
            device=made.device,
            losses=json.dumps(dict(made.losses)),
            settings=json.dumps(dict(made.settings), default=str),
        )


def load_sharp_picture(path: Path) -> SharpPicture:
    """Read what `save_sharp_picture` wrote, in this version of the program or an earlier one."""
    with _opened(path, "fusion_result") as file:
        attributes = file.attrs
        maps = {name: _array(path, file, name) for name in _MAP_AXES if name in file}
        return SharpPicture(
            all_in_focus=_pictures(path, file, "all_in_focus", axes=3),
            super_resolved=_pictures(path, file, "super_resolved", axes=3),
            scale=_scale(path, attributes["scale"]),
            depth=_depth(maps, _pair(attributes.get("angular_shape"))),
            evidence=_evidence(maps),
            provenance=Provenance(
                data_term=attributes["data_term"],
                prior=attributes["prior"],
                losses=json.loads(attributes["losses"]),
                settings=json.loads(attributes["settings"]),
                seed=int(attributes["seed"]),
                device=attributes["device"],
                **_story(file),
            ),
        )


def _maps_of(picture: SharpPicture) -> dict[str, FloatArray]:
    """The maps that a picture has, by their names in the file and in its order."""
    depth, evidence = picture.depth, picture.evidence
    maps: dict[str, FloatArray | None] = {}
    if isinstance(evidence, StackEvidence):
        maps["decision_map"] = evidence.decision_map
    if depth is not None:
        maps["disparity"] = depth.disparity
        maps["disparity_confidence"] = depth.confidence
        maps["fine_disparity"] = depth.fine_disparity
    if isinstance(evidence, RayEvidence):
        maps["observability"] = evidence.observability
        maps["standard_error"] = evidence.standard_error
        maps["from_prior"] = evidence.from_prior
    return {name: values for name, values in maps.items() if values is not None}


def _depth(maps: Mapping[str, FloatArray], angular_shape: tuple[int, int] | None) -> Depth | None:
    if "disparity" not in maps:
        return None
    return Depth(
        disparity=maps["disparity"],
        confidence=maps.get("disparity_confidence"),
        fine_disparity=maps.get("fine_disparity"),
        angular_shape=angular_shape,
    )


def _evidence(maps: Mapping[str, FloatArray]) -> StackEvidence | RayEvidence | None:
    if "decision_map" in maps:
        return StackEvidence(decision_map=maps["decision_map"])
    if "observability" in maps:
        return RayEvidence(
            observability=maps["observability"],
            standard_error=maps.get("standard_error"),
            from_prior=maps.get("from_prior"),
        )
    return None


def kind_of(path: Path) -> str | None:
    """Kind of one of this project's HDF5 files; None for any other file.

    Raises
    ------
    StorageError
        If the file is a damaged HDF5 file.
    """
    if not h5py.is_hdf5(path):
        return None
    try:
        with opened_hdf5(path) as file:
            kind = file.attrs.get("kind")
            return kind if isinstance(kind, str) else None
    except UNREADABLE as error:
        raise StorageError(f"{path}: a damaged HDF5 file: {error}") from error


def provenance_of(path: Path) -> dict[str, Any]:
    """What was recorded on how the file was made; empty where the file cannot be read."""
    try:
        with opened_hdf5(path) as file:
            recorded = json.loads(file.attrs.get("provenance", "{}"))
            return recorded if isinstance(recorded, dict) else {}
    except (StorageError, *UNREADABLE):
        return {}


def contents_of(path: Path) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Arrays of one of this project's files, as text by name, and its history and warnings.

    Raises
    ------
    StorageError
        If the file is damaged.
    """
    try:
        with opened_hdf5(path) as file:
            arrays = {
                name: f"{' x '.join(map(str, held.shape))}, {held.dtype}"
                for name, held in file.items()
                if isinstance(held, h5py.Dataset) and not held.is_scale
            }
            return arrays, _story(file) if "history" in file.attrs else {}
    except UNREADABLE as error:
        raise StorageError(f"{path}: a damaged HDF5 file: {error}") from error


def is_sound(path: Path) -> bool:
    """Whether a file holds all arrays that were written, with their checksums.

    Every array is read. Files of versions that wrote no checksums cannot be checked: False.
    """
    try:
        with opened_hdf5(path) as file:
            names = json.loads(file.attrs["datasets"])
            return all(_is_checked(file[name]) for name in names)
    except (StorageError, *UNREADABLE):
        return False


def _is_checked(dataset: h5py.Dataset) -> bool:
    """Read an array by parts, which checks it: a wrong checksum is an `OSError`."""
    for part in dataset.iter_chunks():
        dataset[part]
    return bool(dataset.fletcher32)


@contextmanager
def _created(
    path: Path,
    kind: str,
    provenance: FileProvenance,
    story: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    size: int | None,
) -> Iterator[h5py.File]:
    """A new file with (history, warnings) as its story, for arrays of so many bytes."""
    history, warnings = story
    with replacing(path) as temporary, whole_hdf5(temporary, size=size) as file:
        file.attrs.update(kind=kind, version=VERSIONS[kind], program=f"lfdfp {__version__}")
        file.attrs["provenance"] = json.dumps(dict(provenance), default=str)
        file.attrs["history"] = json.dumps(history)
        file.attrs["warnings"] = json.dumps(warnings)
        yield file
        attach_scales(file)
        file.attrs["datasets"] = json.dumps(list(file))
    trust(path)


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[h5py.File]:
    if not path.is_file():
        raise StorageError(f"{path}: no such file")
    try:
        with opened_hdf5(path) as file:
            found, version = file.attrs.get("kind"), file.attrs.get("version")
            if found != kind:
                held = f"a {found}" if isinstance(found, str) else "no file of lfdfp's"
                raise StorageError(f"{path}: is {held}, where a {kind} is needed")
            if version is None or int(version) > VERSIONS[kind]:
                raise StorageError(
                    f"{path}: {kind} version {version}; this program reads up to "
                    f"{VERSIONS[kind]}: update lfdfp"
                )
            yield file
    except UNREADABLE as error:
        raise StorageError(f"{path}: cannot be read as a {kind}: {error}") from error


def _dataset(
    file: h5py.File,
    name: str,
    values: NDArray[Any],
    axes: str,
    *,
    chunks: tuple[int, ...] = (),
    growing: bool = False,
) -> h5py.Dataset:
    shape = chunks + values.shape[len(chunks) :]
    options: dict[str, Any] = {"chunks": shape, "fletcher32": True}
    if chunks:
        # Not LZF: its bytes depend on what was in memory before.
        options |= {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    if growing:
        options["maxshape"] = (None, *values.shape[1:])
    dataset = file.create_dataset(name, data=values, **options)
    dataset.attrs["axes"] = axes
    for dimension, label in zip(dataset.dims, axes.split(), strict=True):
        dimension.label = label  # what other programs read them by
    # Else its place in the file depends on when Python lets go of it: a profiler, or the garbage
    # collector, would change the file's bytes.
    dataset.flush()
    return dataset


def _array(path: Path, file: h5py.File, name: str) -> NDArray[Any]:
    """A dataset's values, after its declared size was found possible."""
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.nbytes > MAX_BYTES:
        raise StorageError(f"{path}: {name} is not an array of at most {MAX_BYTES >> 30} GiB")
    if dataset.dtype.kind not in "fu":
        raise StorageError(f"{path}: {name} holds {dataset.dtype}, where numbers are needed")
    values: NDArray[Any] = dataset[()]
    if dataset.dtype.kind != "f":
        return values
    if not all(np.isfinite(part).all() for part in values) and name not in _MAY_BE_UNKNOWN:
        raise StorageError(f"{path}: {name} holds values that are not finite")
    return values.astype(np.float32) if dataset.dtype.itemsize < 4 else values


def _pictures(path: Path, file: h5py.File, name: str, *, axes: int) -> NDArray[Any]:
    """As `_array`, for arrays whose last axis is color, gray or RGB, and the two before a size."""
    values = _array(path, file, name)
    if values.ndim != axes or 0 in values.shape or values.shape[-1] not in (1, 3):
        raise StorageError(
            f"{path}: {name} of shape {values.shape}, where {axes} axes are needed, the last of 1 "
            "or 3 colors"
        )
    return values


def _number(path: Path, dataset: h5py.Dataset, name: str, above: float = -np.inf) -> float:
    value = float(dataset.attrs[name])
    if not (np.isfinite(value) and value > above):
        raise StorageError(f"{path}: {dataset.name[1:]} has the impossible {name} {value}")
    return value


def _scale(path: Path, value: Any) -> int:
    if not 1 <= float(value) <= _MOST_SCALE or float(value) != int(value):
        raise StorageError(f"{path}: the impossible scale {value}; 1 to {_MOST_SCALE} are known")
    return int(value)


def _optional(path: Path, file: h5py.File, name: str) -> Any:
    return _array(path, file, name) if name in file else None


def _pair(values: Any) -> tuple[int, int] | None:
    if values is None:
        return None
    first, second = (int(value) for value in values)
    if not (1 <= first <= _MOST_VIEWS and 1 <= second <= _MOST_VIEWS):
        raise ValueError(f"{first} x {second} views are impossible")
    return first, second


def _story(file: h5py.File) -> dict[str, Any]:
    return {
        key: tuple(str(line) for line in json.loads(file.attrs[key]))
        for key in ("history", "warnings")
    }


def _sampling(facts: dict[str, Any]) -> ViewSampling:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()
    }
    return ViewSampling(**values)
