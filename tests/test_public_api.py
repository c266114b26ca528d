"""Every name that `lfdfp` offers is there, light to import, and works whatever was imported."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import lfdfp
from lfdfp.simulation import write_simulated_capture
from tests.api_changes import changes, last_recorded
from tests.factories import tiny_capture

SETTINGS = lfdfp.Settings(
    refocus=lfdfp.RefocusSettings(planes=3),
    fusion=lfdfp.FusionSettings(scale=1, preset="fast", data="stack"),
)


def _functions() -> set[str]:
    return {name for name in lfdfp.__all__ if inspect.isfunction(getattr(lfdfp, name))}


@pytest.fixture(scope="module")
def every_submodule() -> list[str]:
    """Names of all submodules, each imported."""
    names = [module.name for module in pkgutil.walk_packages(lfdfp.__path__, "lfdfp.")]
    for name in names:
        importlib.import_module(name)
    return names


def test_every_name_is_there_and_shown(every_submodule: list[str]) -> None:
    assert set(lfdfp.__all__) <= set(dir(lfdfp))
    for name in lfdfp.__all__:
        assert not inspect.ismodule(getattr(lfdfp, name)), name
    assert len(every_submodule) > 200
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lfdfp.nothing


def test_no_submodule_bears_the_name_of_what_is_offered() -> None:
    modules = {module.name for module in pkgutil.iter_modules(lfdfp.__path__)}
    assert not modules & set(lfdfp.__all__)


@pytest.mark.slow
def test_every_function_works_after_every_submodule_was_imported(
    every_submodule: list[str], tmp_path: Path
) -> None:
    path = write_simulated_capture(tmp_path / "tiny.lfp", tiny_capture(), truth=False).capture
    called: set[str] = set()

    def call(function: Callable[..., object], *given: object, **named: object) -> object:
        called.add(function.__name__)
        return function(*given, **named)

    capture = call(lfdfp.read_capture, path)
    assert isinstance(capture, lfdfp.RawCapture)
    calibration = call(lfdfp.calibrate, capture)
    assert isinstance(calibration, lfdfp.Calibration)
    field = call(lfdfp.decode, capture, calibration, lfdfp.DecodeSettings(angular_size=5))
    assert isinstance(field, lfdfp.LightField)
    light = call(lfdfp.refocus, field, 0.1)
    assert light.shape == (*field.spatial_shape, 3)
    stack = call(lfdfp.focal_stack, field, SETTINGS.refocus)
    assert isinstance(stack, lfdfp.FocalStack)
    fused = call(lfdfp.fuse, stack, SETTINGS.fusion)
    picture = call(lfdfp.reconstruct, field)
    for one in (fused, picture):
        assert isinstance(one, lfdfp.SharpPicture)
    view = call(lfdfp.render, picture, aperture="round:0")
    np.testing.assert_array_equal(view, picture.super_resolved)
    estimate = call(lfdfp.estimate_disparity, field)
    assert estimate.disparity.shape == field.spatial_shape
    call(lfdfp.save, picture, tmp_path / "picture.h5")
    assert isinstance(call(lfdfp.open, tmp_path / "picture.h5"), lfdfp.SharpPicture)
    record = call(lfdfp.run_capture, path, tmp_path / "out", SETTINGS)
    assert Path(record.pictures[0]).is_file()
    call(lfdfp.run, path, tmp_path / "out", SETTINGS, resume=True)
    call(lfdfp.save, field, tmp_path / "field.h5")
    call(lfdfp.convert, tmp_path / "field.h5", tmp_path / "views")
    assert called == _functions()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "numba", "h5py", "cv2", "scipy", "skimage", "typer", "PIL")
    code = f"import sys, lfdfp; dir(lfdfp); print([n for n in {heavy} if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_changes_of_names_and_signatures_are_in_the_changelog() -> None:
    told = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    told = told.split(f"\n## {last_recorded()[0]}")[0]
    missing = [change.name for change in changes() if f"{change.name}`" not in told]
    assert not missing, "python -m tests.api_changes shows what has to be told"
