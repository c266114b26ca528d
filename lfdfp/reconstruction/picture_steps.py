"""Steps of the reconstruction that follow the rays and solve for the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lfdfp.datatypes import FloatArray, NoiseModel
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.held_out import held_out_rays, rim_is_clean
from lfdfp.reconstruction.observation import RayObservation
from lfdfp.reconstruction.parameters import SolverRound
from lfdfp.reconstruction.ray_light import RayLight
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED
from lfdfp.reconstruction.solver.system import RaySystem, Variation, opponent_matrix
from lfdfp.reconstruction.state import RaySetup, RayState

_TRUST = 1e12
"""Robustness so large that no ray is doubted: the first picture has nothing to doubt it by."""

_LEAST_WEIGHT_SHARE = np.float32(1e-3)
_BRIGHTEST_SHARE = 2.0
_DIVERGED_SHARE = 4.0

_UNEXPLAINED_SHARE = 0.003
"""Of the light, from which on a person is told that the picture lacks something.

On simulated captures whose small bright things vanished it was 0.009 and 0.022, on all others
(drawn, photographic, noisy, with all imperfections) at most 0.0011.
"""

_UNEXPLAINED_FLOOR = 0.02
"""Of the white level: less is not counted."""


def begin(setup: RaySetup, slope_map: FloatArray) -> RayState:
    """Follow every ray to `slope_map` (Y, X), and take the rays' weighted mean for a picture."""
    radius_px = setup.radius_px(setup.parameters.radius_pitch)
    observation = _follow(setup, slope_map, radius_px, setup.all_light.noise)
    observation = observation.with_light(setup.seen_light)
    shape = setup.grid.shape
    return RayState(
        observation=observation,
        picture=_weighted_mean(setup, observation),
        slope_map=slope_map,
        confidence=np.zeros(shape, np.float32),
        disagreement=np.ones(shape, np.float32),
    )


def _follow(
    setup: RaySetup, slope_map: FloatArray, radius_px: float, noise: NoiseModel
) -> RayObservation:
    """Every ray, held-out ones too, at the surface that it sees."""
    bundle = RayBundle(
        light=replace(setup.all_light, noise=noise),
        lenslets=setup.lenslets,
        grid=setup.grid,
        radius_px=radius_px,
        runner=setup.runner,
    )
    return RayObservation.following(
        bundle,
        slope_map,
        step_pitch=setup.parameters.visibility_step,
        footprint_pitch=setup.parameters.footprint_pitch,
    )


def _weighted_mean(setup: RaySetup, observation: RayObservation) -> FloatArray:
    """The rays' weighted mean around every pixel, shape (3, Y, X)."""
    dark = np.zeros((3, *setup.grid.shape), np.float32)
    trusting = replace(setup.parameters.weighting, robustness=_TRUST)
    equations = observation.normal_equations(dark, trusting)
    amount = observation.blur(equations.moment)
    weight = observation.normal(equations, np.ones_like(dark))
    return np.asarray(amount / (weight + _LEAST_WEIGHT_SHARE * weight.mean()), np.float32)


def follow_rays(setup: RaySetup, state: RayState) -> RayState:
    """Follow every ray anew to the surface of the slope map that it sees."""
    observation = _follow(setup, state.slope_map, state.bundle.radius_px, state.noise)
    return replace(state, observation=observation.with_light(state.observation.light))


def follow_rays_of_clean_rims(setup: RaySetup, state: RayState) -> RayState:
    """As `follow_rays`, but with the rims of lens images from now on, if they are clean."""
    parameters = setup.parameters
    narrow_px = setup.radius_px(parameters.radius_pitch)
    wide_px = setup.radius_px(parameters.clean_radius_pitch)
    everything = _follow(setup, state.slope_map, wide_px, state.noise)
    clean = rim_is_clean(
        everything,
        state.picture,
        setup.held_out,
        inner_px=narrow_px,
        outer_px=wide_px,
        tolerance=parameters.rim_tolerance,
    )
    observation = everything.within(wide_px if clean else narrow_px)
    return replace(state, observation=observation.with_light(state.observation.light))


def learn_noise(setup: RaySetup, state: RayState) -> RayState:
    """Take the noise from the held-out rays' residuals, errors of the model included."""
    prediction = state.observation.with_light(setup.all_light).forward(state.picture)
    rays = held_out_rays(setup.all_light, setup.held_out, prediction)
    noise = rays.fitted_noise(setup.all_light.noise)
    light = replace(state.observation.light, noise=noise)
    return replace(state, observation=state.observation.with_light(light))


def solve_picture(setup: RaySetup, state: RayState, rounds: tuple[SolverRound, ...]) -> RayState:
    """Weigh the rays by the picture and solve for a better one, once per round."""
    return replace(state, picture=solve_rounds(setup, state.observation, state.picture, rounds))


def solve_rounds(
    setup: RaySetup,
    observation: RayObservation,
    picture: FloatArray,
    rounds: tuple[SolverRound, ...],
    disagreement: FloatArray | None = None,
) -> FloatArray:
    """Weigh the rays of an observation and solve, once per round.

    Parameters
    ----------
    picture
        Shape (3, Y, X): where the first round starts from.
    disagreement
        Shape (Y, X): factor on the variance of the rays that see a pixel; None for 1.

    Returns
    -------
    ndarray of shape (3, Y, X)
    """
    for one in rounds:
        system = system_at(setup, observation, picture, one.prior, disagreement)
        picture = system.improved(picture, one.iterations)
    return picture


def system_at(
    setup: RaySetup,
    observation: RayObservation,
    picture: FloatArray,
    prior: Variation,
    disagreement: FloatArray | None,
) -> RaySystem:
    """The rays' linear system at a picture (3, Y, X); `disagreement` as in `solve_rounds`."""
    equations = observation.normal_equations(picture, setup.parameters.weighting, disagreement)
    opponent = opponent_matrix(setup.color)
    return RaySystem.at(picture, observation, equations, prior, opponent, device=setup.device)


def finish(setup: RaySetup, state: RayState, strength: float) -> tuple[RayState, tuple[str, ...]]:
    """Solve once more with all rays, held-out ones too, and the prior's final strength.

    Returns
    -------
    state
        With the observation of all rays. Where the last rounds diverged, with the picture from
        before them.
    warnings
        Empty, or one that says so.
    """
    light = replace(setup.all_light, noise=state.noise)
    observation = state.observation.with_light(light)
    rounds = setup.parameters.final_rounds(strength)
    final = solve_rounds(setup, observation, state.picture, rounds, state.disagreement)
    brightest = _BRIGHTEST_SHARE * _brightest_light(light)
    finished = replace(state, observation=observation)
    if not np.isfinite(final).all() or float(final.max()) >= _DIVERGED_SHARE * brightest:
        return finished, ("the last rounds diverged: the picture before them is given",)
    return replace(finished, picture=np.minimum(final, np.float32(brightest), out=final)), ()


def lacking_light(setup: RaySetup, state: RayState) -> tuple[str, ...]:
    """A warning where rays are far brighter than the picture says: something bright is missing.

    Small bright things on black, such as stars, are lost where their disparity is wrong: no other
    ray contradicts the dark.
    """
    light = setup.all_light.light
    predicted = state.observation.with_light(setup.all_light).forward(state.picture)
    seen = (light >= LEAST_MEASURED) & (predicted != 0)
    excess = light - 2 * np.maximum(predicted, 0) - np.float32(_UNEXPLAINED_FLOOR)
    lacking = float(np.maximum(excess, 0)[seen].sum(dtype=np.float64))
    whole = float(np.maximum(light, 0)[light >= LEAST_MEASURED].sum(dtype=np.float64))
    if lacking <= _UNEXPLAINED_SHARE * whole:
        return ()
    return (
        f"{100 * lacking / whole:.1f} % of the light is missing from the picture: small bright "
        "things on a dark ground may have vanished; compare it with center_view",
    )


def _brightest_light(light: RayLight) -> float:
    """Largest absolute light that was measured."""
    return float(np.abs(light.light[light.light > LEAST_MEASURED]).max())
