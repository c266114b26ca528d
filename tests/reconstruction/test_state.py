"""A reconstruction is a chain of pure steps: nothing changes behind the caller's back."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lfdfp.datatypes import Rays
from lfdfp.errors import SettingsError
from lfdfp.reconstruction.certainty import certainty
from lfdfp.reconstruction.disparity_steps import first_disparity, fit_surfaces, sweep_planes
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.picture_steps import (
    begin,
    finish,
    follow_rays,
    follow_rays_of_clean_rims,
    learn_noise,
    solve_picture,
)
from lfdfp.reconstruction.state import RaySetup, RayState, set_up, solver_device
from lfdfp.reconstruction.strength import choose_strength
from lfdfp.settings import FusionSettings
from tests.factories import tiny_capture

PARAMETERS = RayParameters(strengths=(10.0, 20.0))

STEPS: dict[str, Callable[[RaySetup, RayState], object]] = {
    "follow_rays": follow_rays,
    "follow_rays_of_clean_rims": follow_rays_of_clean_rims,
    "learn_noise": learn_noise,
    "solve_picture": lambda setup, state: solve_picture(setup, state, PARAMETERS.rounds[:1]),
    "sweep_planes": sweep_planes,
    "fit_surfaces": fit_surfaces,
    "choose_strength": choose_strength,
    "finish": lambda setup, state: finish(setup, state, 10.0)[0],
    "certainty": lambda setup, state: certainty(setup, state, 10.0),
}


@pytest.fixture(scope="module")
def setup() -> RaySetup:
    capture = tiny_capture("f01", scene="curved", size=256, seed=5)
    rays = Rays(capture=capture.raw_capture(), calibration=capture.true_calibration())
    return set_up(rays, capture.sampling, FusionSettings(), PARAMETERS)


@pytest.fixture(scope="module")
def state(setup: RaySetup) -> RayState:
    begun = begin(setup, first_disparity(setup, (-0.5, 0.5)))
    return fit_surfaces(setup, solve_picture(setup, begun, PARAMETERS.first_rounds[:1]))


def digest(value: object) -> str:
    """Of all arrays and numbers in nested dataclasses."""
    found = hashlib.sha256()
    for part in parts(value):
        found.update(part)
    return found.hexdigest()


def parts(value: object) -> Iterator[bytes]:
    if isinstance(value, np.ndarray):
        yield np.ascontiguousarray(value).tobytes()
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from parts(one)
    elif isinstance(value, int | float | str | np.number):
        yield repr(value).encode()


@pytest.mark.parametrize("name", STEPS)
def test_a_step_changes_nothing_that_it_is_given_and_repeats_itself(
    setup: RaySetup, state: RayState, name: str
) -> None:
    before = digest(setup), digest(state)
    first, second = (digest(STEPS[name](setup, state)) for _ in range(2))
    assert first == second
    assert (digest(setup), digest(state)) == before
    assert first != before[1]


def test_held_out_rays_are_missing_until_the_end(setup: RaySetup, state: RayState) -> None:
    from lfdfp.reconstruction.ray_marks import MISSING

    assert 0.03 < setup.held_out.mean() < 0.05
    for one in (state, follow_rays(setup, state), follow_rays_of_clean_rims(setup, state)):
        assert (one.observation.light.light[setup.held_out] == MISSING).all()
    finished, warnings = finish(setup, state, 10.0)
    np.testing.assert_array_equal(finished.observation.light.light, setup.all_light.light)
    assert warnings == ()


def test_a_solution_that_diverges_is_not_given(
    setup: RaySetup, state: RayState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lfdfp.reconstruction.picture_steps.solve_rounds",
        lambda *_: np.full_like(state.picture, np.nan),
    )
    finished, warnings = finish(setup, state, 10.0)
    np.testing.assert_array_equal(finished.picture, state.picture)
    assert warnings == ("the last rounds diverged: the picture before them is given",)


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_compiled_kernels_solve_where_no_device_is_named(name: str) -> None:
    assert solver_device(name) is None


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="abacus"):
        solver_device("abacus")
