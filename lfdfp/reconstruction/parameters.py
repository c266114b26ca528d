"""What the reconstruction from rays is made with: chosen once, for every capture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lfdfp.reconstruction.depth.semi_global import Smoothness
from lfdfp.reconstruction.observation import RayWeighting
from lfdfp.reconstruction.solver.system import Variation


class SolverRound(NamedTuple):
    """One time that the rays are weighed by the picture, and the picture solved for.

    Attributes
    ----------
    strength, softening
        λ and ε of the prior (`Variation`).
    iterations
        Of conjugate gradients.
    """

    strength: float
    softening: float
    iterations: int

    @property
    def prior(self) -> Variation:
        """Of this round."""
        return Variation(strength=self.strength, softening=self.softening)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayParameters:
    """What the reconstruction is made with; the same for every capture.

    Attributes
    ----------
    least_response
        Pixels below this share of full response are missing.
    radius_pitch
        Pixels farther than this from their lenslet's center are left out: crosstalk;
    clean_radius_pitch, rim_tolerance
        but in the end those within this distance are used if the picture predicts the held-out
        ones between both radii nearly as well as those within the first: this many times the
        misfit.
    footprint_pitch
        Side of the square that stands for a lenslet's area.
    plane_step, fine_plane_step
        Between planes of the first and of later sweeps: shift in pitches at the aperture's rim.
    widening
        Of a given range of disparity, at both ends, in view pixels per angular step.
    outlier_error, truncation
        Share of the signal that counts as noise where planes are compared, and squared residual,
        in units of the variance, that the cost of a ray approaches.
    visibility_step
        Slopes closer than this, in pitches per raw pixel, belong to one surface.
    smoothness, weighting
        Of disparity, and of the rays in the equations.
    first_rounds, rounds
        Before the first sweep against the picture, and after every one.
    strengths
        λ to choose from for the last rounds.
    strengths_in_the_dark
        More of them, which are tried where the largest of those is still the best.
    misfit_tolerance
        The strongest λ is taken whose misfit is within this share of the least,
    detail_ratio
        but at least so strong that the prior holds detail finer than the views this many times
        as tightly as the rays do (the median over the picture). Held-out rays see the picture
        behind the lenslets' footprint: what a weak prior lets through beyond it, errors of
        disparity and calibration most of all, they do not notice.
    sweeps
        How often disparity is found against the picture.
    held_out_share
        Of the rays, kept from the solution until noise and λ are known.
    """

    least_response: float = 0.25
    radius_pitch: float = 0.42
    clean_radius_pitch: float = 0.5
    rim_tolerance: float = 1.1
    footprint_pitch: float = 0.93
    plane_step: float = 0.25
    fine_plane_step: float = 0.2
    widening: float = 0.1
    outlier_error: float = 0.04
    truncation: float = 9.0
    visibility_step: float = 0.06
    smoothness: Smoothness = field(default_factory=Smoothness)
    weighting: RayWeighting = field(default_factory=RayWeighting)
    first_rounds: tuple[SolverRound, ...] = (
        SolverRound(100.0, 0.06, 12),
        SolverRound(15.0, 0.06, 12),
        SolverRound(15.0, 0.06, 12),
    )
    rounds: tuple[SolverRound, ...] = (SolverRound(15.0, 0.06, 14),)
    strengths: tuple[float, ...] = (3.5, 5.0, 7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 64.0)
    strengths_in_the_dark: tuple[float, ...] = (
        90.0,
        128.0,
        180.0,
        256.0,
        360.0,
        512.0,
        720.0,
        1024.0,
    )
    misfit_tolerance: float = 0.006
    detail_ratio: float = 14.0
    sweeps: int = 2
    held_out_share: float = 0.04

    def final_rounds(self, strength: float) -> tuple[SolverRound, ...]:
        """The last rounds, for a strength of the prior."""
        return (
            SolverRound(strength, 0.03, 15),
            SolverRound(strength, 0.015, 20),
            SolverRound(strength, 0.015, 20),
        )

    def final_variation(self, strength: float) -> Variation:
        """The prior of the last round."""
        return self.final_rounds(strength)[-1].prior
