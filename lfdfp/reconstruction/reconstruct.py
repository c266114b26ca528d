"""One sharp, super-resolved picture from the raw rays of a light field.

Disparity and picture take turns: planes on which the rays agree give a first disparity; every ray
is followed to the surface that it sees; the normal equations of all rays are solved under total
variation, with weights that doubt rays which contradict their neighbors; the sharp picture gives
a better disparity, and so on. No parameter is chosen with a true picture in sight.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import LightField, Rays, SharpPicture, ViewSampling
from lfdfp.progress import Progress, UnevenSteps, ignore_progress
from lfdfp.reconstruction.certainty import certainty
from lfdfp.reconstruction.disparity_steps import first_disparity, fit_surfaces, sweep_planes
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.picture_steps import (
    begin,
    finish,
    follow_rays,
    follow_rays_of_clean_rims,
    lacking_light,
    learn_noise,
    solve_picture,
)
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.reconstruction.solution import RaySolution, sharp_picture
from lfdfp.reconstruction.state import RaySetup, SolvedRays, set_up
from lfdfp.reconstruction.strength import choose_strength
from lfdfp.settings import FusionSettings

_FIRST: Final = 4
_PLANES: Final = 5
_SOLVE: Final = 1
_FINISH: Final = 4
"""How long the steps take, compared with each other: guitar.lfp and two F01 scenes at ×2."""


@with_one_blas_thread
def reconstruct(
    field: LightField,
    settings: FusionSettings | None = None,
    *,
    scale: int | None = None,
    disparity_range: tuple[float, float] | None = None,
    parameters: RayParameters | None = None,
    progress: Progress = ignore_progress,
) -> SharpPicture:
    """Reconstruct and super-resolve the picture from the raw rays of a light field.

    Parameters
    ----------
    field
        With its rays, as `lfdfp.decode` gives it; the views themselves are not used, but for the
        grid that they lie on.
    settings
        Scale, seed and device. All scales are averages of one solution on a grid four times finer
        than the views. The seed draws the rays that are kept back to check on, and the probes.
    scale
        In place of the settings'.
    disparity_range
        First and last disparity of the scene in view pixels per angular step, near negative;
        None finds it from the rays.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    SharpPicture
        Linear sRGB as the decoder's, turned upright; its evidence is observability and standard
        error, its depth as fine as the picture.

    Raises
    ------
    ImageError
        For a field without rays.
    SettingsError
        For a device that is not there.
    CaptureError
        When no pixel carries light.
    """
    settings = FusionSettings() if settings is None else settings
    if scale is not None:
        settings = dataclasses.replace(settings, scale=scale)
    rays, sampling = rays_of(field)
    solution = solve_rays(
        rays,
        settings,
        sampling=sampling,
        disparity_range=disparity_range,
        parameters=parameters,
        progress=progress,
    )
    return sharp_picture(solution, field, settings)


def solve_rays(
    rays: Rays,
    settings: FusionSettings | None = None,
    *,
    sampling: ViewSampling,
    disparity_range: tuple[float, float] | None = None,
    parameters: RayParameters | None = None,
    progress: Progress = ignore_progress,
) -> RaySolution:
    """As `reconstruct`, but give the solution itself, in camera colors and with its margins.

    Its grid divides the pixels of the views that `sampling` describes.
    """
    chosen = RayParameters() if parameters is None else parameters
    setup = set_up(rays, sampling, settings or FusionSettings(), chosen)
    solved = solved_state(setup, disparity_range, progress)
    solution = solution_of(setup, solved)
    if settings is None or settings.prior == "variation":
        return solution
    from lfdfp.reconstruction.learned.apply import with_correction

    return with_correction(setup, solved, solution)


def solution_of(setup: RaySetup, solved: SolvedRays) -> RaySolution:
    """The solution under total variation, with how certain it is."""
    state = solved.state
    seen, error = certainty(setup, state, solved.strength)
    return RaySolution(
        picture=state.picture,
        slope_map=state.slope_map,
        confidence=state.confidence,
        grid=setup.grid,
        noise=state.noise,
        strength=solved.strength,
        radius_pitch=state.bundle.radius_px / setup.lenslets.pitch_px,
        warnings=solved.warnings,
        observability=seen,
        standard_error=error,
    )


def solved_state(
    setup: RaySetup,
    disparity_range: tuple[float, float] | None = None,
    progress: Progress = ignore_progress,
) -> SolvedRays:
    """Disparity and picture under total variation.

    Parameters
    ----------
    disparity_range
        As in `reconstruct`.

    Raises
    ------
    CaptureError
        When no pixel carries light.
    """
    chosen = setup.parameters
    told = UnevenSteps(progress, _FIRST + chosen.sweeps * (_PLANES + _SOLVE) + _FINISH)

    slope_map = first_disparity(setup, disparity_range)
    told.passed(_FIRST)
    state = begin(setup, slope_map)
    state = solve_picture(setup, state, chosen.first_rounds[:1])
    state = learn_noise(setup, state)
    state = solve_picture(setup, state, chosen.first_rounds[1:])
    for _ in range(chosen.sweeps):
        state = sweep_planes(setup, state)
        told.passed(_PLANES)
        state = follow_rays(setup, state)
        state = solve_picture(setup, state, chosen.rounds)
        told.passed(_SOLVE)
        state = fit_surfaces(setup, state)
        state = follow_rays_of_clean_rims(setup, state)
        state = learn_noise(setup, state)
    strength = choose_strength(setup, state)
    finished, warnings = finish(setup, state, strength)
    told.passed(_FINISH)
    warnings += lacking_light(setup, finished)
    return SolvedRays(state=finished, before=state.picture, strength=strength, warnings=warnings)
