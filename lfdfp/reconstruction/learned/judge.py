"""Held-out rays decide how much of a learned correction a capture gets, and where.

The picture is solved once more without the rays that were held out, corrected as the whole one is,
and the held-out rays predicted with the correction and without it. Were the correction right, their
residuals would contain it once; were it invented, not at all. That share is estimated, for what is
coarse in the correction and what is fine in it apart: over the whole picture, and then around every
pixel, weighed against the whole picture's. Rays see the coarse part well; the fine part only in
part, behind the lenslets' footprints, so of that more is used: as much as does not make the
prediction of rays worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np

from lfdfp.datatypes import BoolArray, FloatArray, NoiseModel
from lfdfp.reconstruction.held_out import HeldOutRays, held_out_rays
from lfdfp.reconstruction.learned.correction import corrected, correction, inner_light, parts_of
from lfdfp.reconstruction.learned.features import Hints, loose_picture
from lfdfp.reconstruction.learned.network import Committee
from lfdfp.reconstruction.observation import RayObservation
from lfdfp.reconstruction.picture_steps import solve_rounds
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED
from lfdfp.reconstruction.state import RaySetup, SolvedRays

_EXPECTED = (0.3, 0.3)
"""Shares of the coarse and the fine part that rays contain, as far as is known beforehand."""

_EXPECTED_SPREAD = 0.3
"""Standard deviation of these over captures, and within captures over places."""

_FINE_FACTOR = 2.0
"""How much of the fine part is used by what rays contain of it: with 2, their squared residuals
stay the same; below, they fall."""

_WINDOW_PX = 65
"""Of the finest grid, in which rays decide together."""

_ROBUST_SQUARE = 9.0

Evidence: TypeAlias = tuple[Any, Any, Any, Any, Any]
"""Sums over rays, in units of the noise's variance, of coarse², coarse x fine, fine², and of the
residual times either: numbers, or arrays of one shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgment:
    """What held-out rays say of a correction.

    Attributes
    ----------
    coarse_share, fine_share
        Shape (Y, X), inside the grid's margins: of both parts that are used, 0 to 1.
    measured
        The shares that are in the rays' residuals over the whole picture.
    rays
        How many were asked.
    """

    coarse_share: FloatArray
    fine_share: FloatArray
    measured: tuple[float, float]
    rays: int

    def applied(self, added: FloatArray) -> FloatArray:
        """What is used of a correction, both of shape (3, Y, X)."""
        coarse, fine = parts_of(added)
        return self.coarse_share * coarse + self.fine_share * fine


def judged(setup: RaySetup, solved: SolvedRays, hints: Hints, network: Committee) -> Judgment:
    """How much of the network's correction held-out rays support, and where.

    Parameters
    ----------
    hints
        Of the picture inside its margins.
    """
    state = solved.state
    light = replace(setup.all_light, noise=state.noise)
    everything = state.observation.with_light(light)
    plain, added = _without_held_out(setup, solved, hints, network)
    before = everything.forward(plain)
    asked = setup.held_out & (light.light > LEAST_MEASURED) & (before != 0)
    rays = held_out_rays(light, asked, np.where(asked, np.maximum(before, np.float32(1e-9)), 0))
    weight = robust_weights(rays, state.noise)

    def change(correction: FloatArray) -> FloatArray:
        after = everything.forward(corrected(setup, plain, correction))
        return np.asarray(after[asked] - before[asked], np.float32)

    residual = light.light[asked] - before[asked]
    coarse, fine = (change(part) for part in parts_of(added))
    products = (coarse**2, coarse * fine, fine**2, residual * coarse, residual * fine)
    evidence = [weight * one for one in products]
    sums = cast(Evidence, tuple(float(one.sum()) for one in evidence))
    whole = contained_shares(sums, _EXPECTED)
    local = contained_shares(_around(everything, asked, evidence), whole)
    shares = [
        np.clip(factor * setup.grid.inner(one), 0, 1).astype(np.float32)
        for factor, one in zip((1.0, _FINE_FACTOR), local, strict=True)
    ]
    first = Judgment(
        coarse_share=shares[0],
        fine_share=shares[1],
        measured=(float(whole[0]), float(whole[1])),
        rays=len(residual),
    )
    # Unweighted squares, too, must not grow: bright rays count more there.
    factor = _harmless_factor(residual, change(first.applied(added)))
    return replace(first, coarse_share=factor * shares[0], fine_share=factor * shares[1])


def _harmless_factor(residual: FloatArray, change: FloatArray) -> np.float32:
    """The largest factor up to 1 on a change (n,) that does not make residuals (n,) larger."""
    power = float((change * change).sum(dtype=np.float64))
    product = float((residual * change).sum(dtype=np.float64))
    return np.float32(np.clip(2 * product / power, 0, 1) if power > 0 else 0)


def _without_held_out(
    setup: RaySetup, solved: SolvedRays, hints: Hints, network: Committee
) -> tuple[FloatArray, FloatArray]:
    """The picture (3, Y, X) of the rays that were not held out, and its correction (3, y, x)."""
    state, strength = solved.state, solved.strength
    seen = state.observation.with_light(replace(setup.seen_light, noise=state.noise))
    rounds = setup.parameters.final_rounds(strength)
    plain = solve_rounds(setup, seen, solved.before, rounds, state.disagreement)
    loose = loose_picture(setup, seen, plain, strength, state.disagreement)
    added = correction(
        network, inner_light(setup, plain), inner_light(setup, loose), hints, device=setup.device
    )
    return plain, added


def robust_weights(rays: HeldOutRays, noise: NoiseModel) -> FloatArray:
    """Shape (n,): inverse variances, less for rays that the picture does not explain."""
    variance = rays.variance(noise)
    square = (rays.measured - rays.predicted) ** 2 / variance
    return np.asarray(1 / (variance * (1 + square / _ROBUST_SQUARE) ** 2), np.float32)


def contained_shares(evidence: Evidence, before: tuple[Any, Any]) -> tuple[Any, Any]:
    """The shares of both parts by rays and by what was known `before`: numbers or arrays."""
    known = 1 / _EXPECTED_SPREAD**2
    cc, cf, ff, rc, rf = evidence
    cc, ff = cc + known, ff + known
    rc, rf = rc + known * before[0], rf + known * before[1]
    determinant = np.maximum(cc * ff - cf * cf, known * known)
    return (rc * ff - rf * cf) / determinant, (rf * cc - rc * cf) / determinant


def _around(
    observation: RayObservation, asked: BoolArray, evidence: Sequence[FloatArray]
) -> Evidence:
    """Sums around every pixel of the grid, shape (Y, X), of what is known per ray `asked`."""
    import cv2

    sums = []
    for values in evidence:
        on_sensor = np.zeros(asked.shape, np.float32)
        on_sensor[asked] = values
        spread = observation.adjoint(on_sensor).sum(axis=0)
        sums.append(cv2.boxFilter(spread, -1, (_WINDOW_PX, _WINDOW_PX), normalize=False))
    return (sums[0], sums[1], sums[2], sums[3], sums[4])
