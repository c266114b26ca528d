"""Each type comes back from its file as it was; foreign and newer files are refused."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lfdfp.datatypes import (
    Depth,
    FocalStack,
    LightField,
    Provenance,
    RayEvidence,
    SharpPicture,
    StackEvidence,
    ViewSampling,
)
from lfdfp.errors import StorageError
from lfdfp.storage.hdf5 import (
    is_sound,
    kind_of,
    load_focal_stack,
    load_light_field,
    load_sharp_picture,
    provenance_of,
    save_focal_stack,
    save_focal_stack_parts,
    save_light_field,
    save_sharp_picture,
)

GOLDEN = Path(__file__).parents[1] / "golden"
_AXES = {"DIMENSION_LABELS", "DIMENSION_LIST"}
rng = np.random.default_rng(0)


def _random(*shape: int) -> np.ndarray:
    return rng.random(shape, np.float32)


def _light_field() -> LightField:
    return LightField(
        views=rng.integers(0, 65535, (3, 5, 8, 9, 3), np.uint16),
        weights=rng.integers(0, 255, (3, 5, 8, 9), np.uint8),
        scale=1e-4,
        offset=4096.0,
        weight_scale=1 / 255,
        sampling=ViewSampling(origin_pitch=(-3.5, 2.25), shape=(8, 9), orientation=6),
        warnings=("a warning",),
        history=("made by a test",),
    )


def test_a_light_field_comes_back(tmp_path: Path) -> None:
    path, field = tmp_path / "field.h5", _light_field()
    save_light_field(path, field, {"input_sha256": "abc"})
    again = load_light_field(path)
    np.testing.assert_array_equal(again.views, field.views)
    np.testing.assert_array_equal(again.weight(1, 2), field.weight(1, 2))
    np.testing.assert_array_equal(again.view(2, 4), field.view(2, 4))
    assert again.sampling == field.sampling
    assert (again.history, again.warnings) == (field.history, field.warnings)
    assert provenance_of(path) == {"input_sha256": "abc"}


@pytest.mark.parametrize("slopes", [None, np.array([-1.0, 0.0, 1.0])])
def test_a_focal_stack_comes_back(tmp_path: Path, slopes: np.ndarray | None) -> None:
    path = tmp_path / "stack.h5"
    stack = FocalStack(
        slices=_random(3, 6, 7, 3),
        slopes=slopes,
        coverage=_random(3, 6, 7),
        focus_curves=_random(3, 1, 2),
        scale=2,
    )
    save_focal_stack(path, stack, {})
    again = load_focal_stack(path)
    np.testing.assert_array_equal(again.slices, stack.slices)
    np.testing.assert_array_equal(again.coverage, stack.coverage)
    np.testing.assert_array_equal(again.focus_curves, stack.focus_curves)
    assert again.scale == 2
    if slopes is None:
        assert again.slopes is None
    else:
        np.testing.assert_array_equal(again.slopes, slopes)
    assert again.reference_view is None


def test_a_stack_comes_back_from_parts(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    whole = FocalStack(
        slices=_random(5, 6, 7, 3),
        slopes=np.linspace(-1, 1, 5),
        coverage=_random(5, 6, 7),
        focus_curves=_random(5, 1, 2),
    )
    save_focal_stack_parts(path, (_part(whole, n) for n in (slice(0, 2), slice(2, 5))), {})
    again = load_focal_stack(path)
    for name in ("slices", "slopes", "coverage", "focus_curves"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_parts_that_do_not_fit_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    one = FocalStack(slices=_random(1, 4, 4, 1), coverage=_random(1, 4, 4))
    with pytest.raises(ValueError, match="some parts of a focal stack have coverage"):
        save_focal_stack_parts(path, [one, replace(one, coverage=None)], {})
    with pytest.raises(ValueError, match="at least one part"):
        save_focal_stack_parts(path, [], {})
    assert not list(tmp_path.iterdir())


def _part(stack: FocalStack, some: slice) -> FocalStack:
    names = ("slices", "slopes", "coverage", "focus_curves")
    return FocalStack(**{name: getattr(stack, name)[some] for name in names})


def test_a_stack_without_curves_comes_back_as_from_older_programs(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, FocalStack(slices=_random(2, 4, 4, 1)), {})
    with h5py.File(path, "r+") as file:
        del file.attrs["scale"]
    again = load_focal_stack(path)
    assert again.focus_curves is None
    assert again.scale == 1


def _picture(depth: Depth | None, evidence: StackEvidence | RayEvidence | None) -> SharpPicture:
    return SharpPicture(
        all_in_focus=_random(6, 7, 3),
        super_resolved=_random(12, 14, 3),
        scale=2,
        depth=depth,
        evidence=evidence,
        provenance=Provenance(
            data_term="rays",
            prior="total variation",
            losses={"content": 0.5},
            settings={"scale": 2},
            seed=7,
            device="cuda:0",
            warnings=("a warning",),
            history=("made by a test",),
        ),
    )


_DEPTH = Depth(
    disparity=_random(6, 7),
    confidence=_random(6, 7),
    fine_disparity=_random(12, 14),
    angular_shape=(9, 7),
)
_RAYS = RayEvidence(observability=_random(12, 14), standard_error=_random(12, 14))
_STACK = StackEvidence(decision_map=_random(3, 6, 7))


@pytest.mark.parametrize(
    ("depth", "evidence"),
    [(_DEPTH, _RAYS), (Depth(disparity=_random(6, 7)), _STACK), (None, _STACK), (None, None)],
)
def test_a_sharp_picture_comes_back(
    tmp_path: Path, depth: Depth | None, evidence: StackEvidence | RayEvidence | None
) -> None:
    path, picture = tmp_path / "fusion.h5", _picture(depth, evidence)
    save_sharp_picture(path, picture, {})
    again = load_sharp_picture(path)
    _assert_same(again, picture)


def _assert_same(one: object, other: object) -> None:
    """Two values of the same type hold the same, arrays and nested values included."""
    assert type(one) is type(other)
    if is_dataclass(one):
        for entry in fields(one):
            _assert_same(getattr(one, entry.name), getattr(other, entry.name))
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_the_names_in_a_file_are_those_that_earlier_versions_read(tmp_path: Path) -> None:
    path = tmp_path / "fusion.h5"
    save_sharp_picture(path, _picture(_DEPTH, _RAYS), {})
    with h5py.File(path) as file, h5py.File(GOLDEN / "fusion_result_2.h5") as earlier:
        arrays = {name for name, held in file.items() if not held.is_scale}
        assert arrays == {*earlier, "standard_error"}
        assert set(file.attrs) == {*earlier.attrs, "datasets"}
        for name in earlier:
            kept = {key: value for key, value in file[name].attrs.items() if key not in _AXES}
            assert kept == dict(earlier[name].attrs)


def _ramp(*shape: int) -> np.ndarray:
    return np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize("version", [1, 2])
def test_fusion_results_of_every_version_are_read(version: int) -> None:
    picture = load_sharp_picture(GOLDEN / f"fusion_result_{version}.h5")
    made, depth, evidence = picture.provenance, picture.depth, picture.evidence
    np.testing.assert_array_equal(picture.super_resolved, _ramp(4, 6, 3))
    assert (picture.scale, made.data_term, made.seed) == (2, "rays", 3)
    assert made.losses == {"prior_strength": 7.0}
    assert made.history == (f"made by version {version}",)
    assert made.warnings == ("a warning",)
    assert depth is not None
    np.testing.assert_array_equal(depth.disparity, _ramp(2, 3) - np.float32(0.5))
    assert depth.confidence is not None
    assert isinstance(evidence, RayEvidence)
    np.testing.assert_array_equal(evidence.observability, _ramp(4, 6))
    assert evidence.standard_error is None
    if version == 1:
        assert depth.fine_disparity is None
        assert depth.angular_shape is None
    else:
        np.testing.assert_array_equal(depth.fine_disparity, _ramp(4, 6) - np.float32(0.5))
        assert depth.angular_shape == (9, 7)


@pytest.mark.slow
def test_stacks_and_fields_of_version_1_are_read() -> None:
    stack = load_focal_stack(GOLDEN / "focal_stack_1.h5")
    np.testing.assert_array_equal(stack.slices, _ramp(2, 2, 3, 3))
    np.testing.assert_array_equal(stack.slopes, [-0.5, 0.5])
    np.testing.assert_array_equal(stack.reference_view, _ramp(2, 3, 3))
    field = load_light_field(GOLDEN / "light_field_1.h5")
    assert field.views.shape == (3, 3, 2, 3, 3)
    assert field.view(0, 0)[0, 0, 0] == pytest.approx(-0.01)
    assert field.sampling == ViewSampling(origin_pitch=(-3.5, 2.25), shape=(2, 3), orientation=6)


def test_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, FocalStack(slices=_random(2, 4, 4, 1)), {})
    with pytest.raises(StorageError, match="is a focal_stack, where a light_field is needed"):
        load_light_field(path)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, FocalStack(slices=_random(2, 4, 4, 1)), {})
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(StorageError, match="version 99; this program reads up to 1"):
        load_focal_stack(path)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + b"\0" * 50, b"not HDF5 at all"])
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.h5"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"damaged\.h5: cannot be read as"):
        load_focal_stack(path)


def test_a_declared_size_that_is_impossible_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.h5"
    save_focal_stack(path, FocalStack(slices=_random(2, 4, 4, 1)), {})
    with h5py.File(path, "r+") as file:
        del file["slices"]
        file.create_dataset(
            "slices", shape=(10**6, 10**4, 10**4, 3), chunks=(1, 64, 64, 3), dtype="f4"
        )
    with pytest.raises(StorageError, match="MiB of 0 bytes"):
        load_focal_stack(path)


def test_foreign_provenance_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["provenance"] = np.arange(5)
    assert provenance_of(path) == {}


def test_kind_of_tells_own_files_from_others(tmp_path: Path) -> None:
    path = tmp_path / "stack.h5"
    save_focal_stack(path, FocalStack(slices=_random(2, 4, 4, 1)), {})
    other = tmp_path / "other.txt"
    other.write_text("hello")
    assert kind_of(path) == "focal_stack"
    assert kind_of(other) is None


@pytest.mark.slow
def test_an_array_with_other_bytes_or_none_is_not_sound(tmp_path: Path) -> None:
    light = np.random.default_rng(0).random((1, 40, 50, 3), np.float32)
    save_focal_stack(tmp_path / "whole.h5", FocalStack(slices=light, reference_view=light[0]), {})
    assert is_sound(tmp_path / "whole.h5")
    content = (tmp_path / "whole.h5").read_bytes()
    at = content.index(light[0, 20].tobytes()[:64])  # in the reference view, which is not packed
    (tmp_path / "changed.h5").write_bytes(content[:at] + b"\x01" + content[at + 1 :])
    assert not is_sound(tmp_path / "changed.h5")
    with pytest.raises(StorageError, match=r"changed\.h5"):
        load_focal_stack(tmp_path / "changed.h5")
    with h5py.File(tmp_path / "whole.h5", "a") as file:
        del file["reference_view"]
    assert not is_sound(tmp_path / "whole.h5")
    (tmp_path / "short.h5").write_bytes(content[: len(content) // 2])
    assert not is_sound(tmp_path / "short.h5")
    assert not is_sound(tmp_path / "missing.h5")


def test_the_same_contents_are_the_same_bytes(tmp_path: Path) -> None:
    field = _light_field()
    for name in ("one.h5", "other.h5"):
        save_light_field(tmp_path / name, field, {"key": "k"})
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()


def test_the_bytes_do_not_depend_on_who_holds_an_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profiler's thread holds frames, and with them arrays, for a moment."""
    stack = FocalStack(slices=_random(3, 20, 30, 3), reference_view=_random(20, 30, 3))
    save_focal_stack(tmp_path / "free.h5", stack, {})
    held: list[h5py.Dataset] = []
    create = h5py.Group.create_dataset

    def create_and_hold(*arguments: Any, **options: Any) -> h5py.Dataset:
        held.append(create(*arguments, **options))
        return held[-1]

    monkeypatch.setattr(h5py.Group, "create_dataset", create_and_hold)
    save_focal_stack(tmp_path / "held.h5", stack, {})
    assert len(held) > 1
    assert (tmp_path / "free.h5").read_bytes() == (tmp_path / "held.h5").read_bytes()


def test_dimensions_are_labeled_as_other_programs_read_them(tmp_path: Path) -> None:
    stack = FocalStack(slices=np.zeros((2, 4, 5, 3), np.float32), slopes=np.array([0.0, 1.0]))
    save_focal_stack(tmp_path / "s.h5", stack, {})
    with h5py.File(tmp_path / "s.h5") as file:
        for dataset in (file["slices"], file["slopes"]):
            labels = [dimension.label for dimension in dataset.dims]
            assert labels == dataset.attrs["axes"].split()
            assert len(labels) == dataset.ndim
