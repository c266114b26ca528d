"""What held-out rays tell."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import NoiseModel
from lfdfp.reconstruction.held_out import (
    HeldOutRays,
    held_out_mask,
    held_out_rays,
    strongest_within,
    without,
)
from lfdfp.reconstruction.ray_marks import MISSING
from tests.factories.rays import observation, picture

TRUE = NoiseModel(read_variance=30.0, shot_gain=1.2, relative=0.02)
STATED = NoiseModel(read_variance=20.0, shot_gain=0.7, relative=0.01)


def drawn(number: int = 40_000) -> HeldOutRays:
    rng = np.random.default_rng(0)
    exact = HeldOutRays(
        measured=np.zeros(number, np.float32),
        predicted=rng.uniform(0.01, 0.9, number).astype(np.float32),
        response=rng.uniform(0.3, 1, number).astype(np.float32),
        gain=np.full(number, 1 / 4000, np.float32),
    )
    noise = np.sqrt(exact.variance(TRUE)) * rng.standard_normal(number)
    return HeldOutRays(
        measured=(exact.predicted + noise).astype(np.float32),
        predicted=exact.predicted,
        response=exact.response,
        gain=exact.gain,
    )


def test_the_noise_of_the_rays_is_found_from_their_residuals() -> None:
    rays = drawn()
    found = rays.fitted_noise(STATED)
    ratio = rays.variance(found) / rays.variance(TRUE)
    assert np.percentile(np.abs(ratio - 1), 95) < 0.15


def test_too_few_rays_leave_the_stated_noise() -> None:
    assert drawn(200).fitted_noise(STATED) == STATED


def test_a_wrong_prediction_has_the_larger_misfit() -> None:
    rays = drawn()
    wrong = HeldOutRays(
        measured=rays.measured,
        predicted=np.float32(1.1) * rays.predicted,
        response=rays.response,
        gain=rays.gain,
    )
    assert wrong.misfit(TRUE) > rays.misfit(TRUE)


def test_the_strongest_of_equals_is_taken() -> None:
    strengths = np.array([1.0, 2.0, 4.0, 8.0])
    misfits = np.array([1.0, 0.9, 0.904, 1.2])
    assert strongest_within(strengths, misfits, 0.0) == 2.0
    assert strongest_within(strengths, misfits, 0.01) == 4.0


def test_what_is_held_out_is_missing_and_is_what_is_predicted() -> None:
    rays = observation()
    held_out = held_out_mask(rays.light.light.shape, share=0.2, seed=3)
    assert held_out.mean() == pytest.approx(0.2, abs=0.02)
    kept = without(rays.light, held_out)
    assert (kept[held_out] == MISSING).all()
    np.testing.assert_array_equal(kept[~held_out], rays.light.light[~held_out])
    prediction = rays.forward(picture(rays))
    found = held_out_rays(rays.light, held_out, prediction)
    assert len(found.measured) == (held_out & (prediction > 0)).sum()
