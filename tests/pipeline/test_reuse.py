"""What an earlier run left is used again when, and only when, it is what this run would make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lfdfp.datatypes import FocalStack, LightField, SharpPicture
from lfdfp.pipeline.record import RunOptions
from lfdfp.pipeline.reuse import (
    FOCAL_STACK,
    FUSION,
    LIGHT_FIELD,
    FileKeys,
    Reuse,
    file_keys,
    reusable,
)
from lfdfp.settings import (
    DecodeSettings,
    DisplaySettings,
    FusionSettings,
    RefocusSettings,
    Settings,
)
from lfdfp.storage.hdf5 import save_focal_stack, save_light_field, save_sharp_picture

RESUME = RunOptions(resume=True)
RAYS = Settings()
STACK = Settings(fusion=FusionSettings(data="stack"))
KEYS = FileKeys(light_field="f", focal_stack="s", fusion="p", pictures="q")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All three files, with the keys of `KEYS`."""
    light = np.zeros((1, 1, 2, 2, 3), np.float32)
    field = LightField(views=light, weights=light[..., 0])
    save_light_field(tmp_path / LIGHT_FIELD, field, {"key": KEYS.light_field})
    save_focal_stack(tmp_path / FOCAL_STACK, FocalStack(slices=light[0]), {"key": "s"})
    picture = SharpPicture(all_in_focus=light[0, 0], super_resolved=light[0, 0], scale=1)
    save_sharp_picture(tmp_path / FUSION, picture, {"key": KEYS.fusion})
    return tmp_path


def test_everything_is_used_again_on_resuming_and_nothing_else(folder: Path) -> None:
    everything = Reuse(light_field=True, focal_stack=True, fusion=True)
    assert reusable(folder, KEYS, RAYS, RESUME) == everything
    assert reusable(folder, KEYS, RAYS, RunOptions()) == Reuse()
    assert reusable(folder / "empty", KEYS, RAYS, RESUME) == Reuse()


def test_another_picture_needs_the_rays_but_not_for_a_stack(folder: Path) -> None:
    other = replace(KEYS, fusion="other")
    assert reusable(folder, other, RAYS, RESUME) == Reuse(focal_stack=True)
    assert reusable(folder, other, STACK, RESUME) == Reuse(light_field=True, focal_stack=True)


def test_another_stack_needs_the_light_field(folder: Path) -> None:
    other = replace(KEYS, focal_stack="other")
    assert reusable(folder, other, STACK, RESUME) == Reuse(fusion=True)


def test_a_light_field_to_keep_is_made_where_it_is_not_there(folder: Path) -> None:
    keep = replace(RESUME, keep_light_field=True)
    assert reusable(folder, KEYS, RAYS, keep).light_field
    (folder / LIGHT_FIELD).unlink()
    assert reusable(folder, KEYS, RAYS, keep) == Reuse(fusion=True)
    assert reusable(folder, KEYS, RAYS, RESUME).light_field


def test_a_damaged_file_is_made_again(folder: Path) -> None:
    (folder / FUSION).write_bytes(b"damaged")
    assert not reusable(folder, KEYS, RAYS, RESUME).fusion


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        (
            Settings(decode=DecodeSettings(angular_size=5)),
            {"light_field", "focal_stack", "fusion", "pictures"},
        ),
        (Settings(refocus=RefocusSettings(planes=5)), {"focal_stack", "fusion", "pictures"}),
        (Settings(fusion=FusionSettings(scale=4)), {"fusion", "pictures"}),
        (Settings(display=DisplaySettings(exposure_ev=1)), {"pictures"}),
    ],
)
def test_settings_change_the_keys_of_their_stage_and_of_those_after(
    settings: Settings, changed: set[str]
) -> None:
    before, after = (file_keys("abc", [], one) for one in (Settings(), settings))
    names = {"light_field", "focal_stack", "fusion", "pictures"}
    assert {name for name in names if getattr(before, name) != getattr(after, name)} == changed


def test_another_input_or_calibration_changes_every_key(tmp_path: Path) -> None:
    used = tmp_path / "white.raw"
    used.write_bytes(b"1")
    first = file_keys("abc", [used], Settings())
    assert file_keys("abc", [used, tmp_path / "missing"], Settings()) == first
    used.write_bytes(b"2")
    for other in (
        file_keys("abd", [], Settings()),
        file_keys("abc", [], Settings()),
        file_keys("abc", [used], Settings()),
    ):
        assert other.light_field != first.light_field
        assert other.fusion != first.fusion
