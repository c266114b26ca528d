"""One sharp, super-resolved picture from the raw rays of a light field.

Disparity and picture take turns: planes on which the rays agree give a first disparity; every ray
is followed to the surface that it sees; the normal equations of all rays are solved under total
variation, with weights that doubt rays which contradict their neighbors; the sharp picture gives
a better disparity, and so on. No parameter is chosen with a true picture in sight.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import (
    DoubleArray,
    FloatArray,
    LightField,
    NoiseModel,
    Rays,
    SharpPicture,
    ViewSampling,
)
from lfdfp.errors import CaptureError
from lfdfp.imaging.color import LUMA_WEIGHTS, display_matrix
from lfdfp.lenslets.table import lenslet_table
from lfdfp.progress import Progress, ignore_progress
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.certainty import (
    curvature_ratio,
    detail_probe,
    observability,
    standard_error,
)
from lfdfp.reconstruction.depth.plane_sweep import (
    consensus_costs,
    median_filtered,
    plane_picture,
    residual_costs,
)
from lfdfp.reconstruction.depth.range import slope_range
from lfdfp.reconstruction.depth.refinement import fitted_slopes, slope_steps
from lfdfp.reconstruction.depth.semi_global import SweptDisparity, best_planes
from lfdfp.reconstruction.depth.visibility import visible_slopes
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.held_out import (
    held_out_mask,
    held_out_rays,
    strongest_within,
    without,
)
from lfdfp.reconstruction.observation import NormalEquations, RayObservation
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_following import observed
from lfdfp.reconstruction.ray_light import measured_light
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED
from lfdfp.reconstruction.ray_rim import rim_is_clean
from lfdfp.reconstruction.solution import FINEST, RaySolution, rays_of, sharp_picture
from lfdfp.reconstruction.solver.solver import RaySolver, Variation, opponent_matrix
from lfdfp.settings import FusionSettings

if TYPE_CHECKING:
    import torch

_MARGIN = 8
_TILE = 128
_MISFIT_WINDOW = 5
_TILE_RANKS = (1.0, 0.8, 0.5)


def reconstruct(
    field: LightField,
    settings: FusionSettings | None = None,
    *,
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
    """As `reconstruct`, but give the solution itself, in camera colors and with its margins."""
    chosen = RayParameters() if parameters is None else parameters
    work = _Reconstruction(rays, sampling, chosen, settings or FusionSettings(), progress)
    return work.run(disparity_range)


class _Reconstruction:
    """State of one reconstruction: light, lenslets, grids, threads."""

    def __init__(
        self,
        rays: Rays,
        sampling: ViewSampling,
        parameters: RayParameters,
        settings: FusionSettings,
        progress: Progress,
    ) -> None:
        self.parameters = parameters
        self.seed, self.scale = settings.seed, settings.scale
        self.solver_device = _solver_device(settings.device)
        self.runner = BandRunner()
        noise = rays.calibration.noise or _usual_noise(rays)
        self.all_light = measured_light(rays, least_response=parameters.least_response, noise=noise)
        if not np.any(self.all_light.light > 0):
            raise CaptureError("no pixel of the capture carries light above the black level")
        shape = self.all_light.light.shape
        self.held = held_out_mask(shape, share=parameters.held_out_share, seed=self.seed)
        self.light = dataclasses.replace(self.all_light, light=without(self.all_light, self.held))
        self._stated_noise = noise
        self.lenslets = lenslet_table(rays.calibration.grid)
        self.radius_px = parameters.radius_pitch * self.lenslets.pitch_px
        self.grid = FineGrid(sampling=sampling, k=FINEST, margin=_MARGIN)
        self.display = display_matrix(rays.capture.color)
        self.opponent = opponent_matrix(rays.capture.color)
        self.doubt = np.ones(self.grid.shape, np.float32)
        self._progress = progress
        self._done = 0

    def run(self, disparity_range: tuple[float, float] | None) -> RaySolution:
        """Disparity from the rays alone, picture, then both in turn."""
        parameters = self.parameters
        slope_map = self.first_disparity(disparity_range)
        self.step()
        observation = self.observe(slope_map)
        picture = self.solve(observation, self.start(observation), parameters.first_rounds[:1])
        observation = self.learn_noise(observation, picture)
        picture = self.solve(observation, picture, parameters.first_rounds[1:])
        swept: SweptDisparity | None = None
        for _ in range(parameters.sweeps):
            swept = self.next_disparity(slope_map, observation, picture)
            slope_map = median_filtered(swept.slope)
            observation = self.observe(slope_map)
            picture = self.solve(observation, picture, parameters.rounds)
            self.step()
            slope_map = self.refine(slope_map, observation, picture)
            observation = self.learn_noise(self.observe_rims(slope_map, picture), picture)
        strength = self.choose_strength(observation, picture)
        observation = observation.with_light(self.all_light)
        final = self.solve(observation, picture, parameters.final_rounds(strength), self.doubt)
        picture, warnings = self.checked(final, picture)
        self.step()
        confidence = _confidence(swept, slope_map, parameters.truncation)
        seen, error = self.certainty(observation, picture, strength)
        return RaySolution(
            picture=picture,
            slope_map=slope_map,
            confidence=confidence,
            grid=self.grid,
            noise=self.light.noise,
            strength=strength,
            radius_pitch=self.radius_px / self.lenslets.pitch_px,
            warnings=warnings,
            observability=seen,
            standard_error=error,
        )

    def checked(self, final: FloatArray, before: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
        """The last solution, or the one before if the last rounds diverged."""
        brightest = 2 * float(
            np.abs(self.all_light.light[self.all_light.light > LEAST_MEASURED]).max()
        )
        if np.isfinite(final).all() and float(final.max()) < 4 * brightest:
            return np.minimum(final, np.float32(brightest), out=final), ()
        return before, ("the last rounds diverged: the picture before them is given",)

    def certainty(
        self, observation: RayObservation, picture: FloatArray, strength: float
    ) -> tuple[FloatArray, FloatArray]:
        """How much the rays determine detail, and the standard error of the display's luma.

        Both of shape (Y, X), for pixels of the settings' scale.
        """
        solver, equations, _, prior, probe = self.probed(observation, picture, strength, self.scale)
        seen = observability(solver, equations, picture, prior, probe)
        del probe  # before memory is taken for the next one
        error = standard_error(
            solver,
            equations,
            picture,
            prior,
            self.display.T @ LUMA_WEIGHTS,
            np.random.default_rng(self.seed),
            pixels_per_cell=round(FINEST / self.scale),
        )
        return seen, error

    def probed(
        self, observation: RayObservation, picture: FloatArray, strength: float, scale: int
    ) -> tuple[RaySolver, NormalEquations, FloatArray, Variation, FloatArray]:
        """The solver and the equations at a picture, and a probe of a scale's detail."""
        probe = detail_probe(
            self.grid.shape,
            np.random.default_rng(self.seed),
            pixels_per_view_pixel=FINEST,
            pixels_per_cell=round(FINEST / scale),
        )
        equations = observation.normal_equations(picture, self.parameters.weighting, self.doubt)
        prior = self.parameters.final_variation(strength)
        solver = RaySolver(observation, self.opponent, self.solver_device)
        return solver, equations, picture, prior, probe

    def step(self) -> None:
        """Report one more step done."""
        parameters = self.parameters
        steps = 2 + parameters.sweeps * 2
        self._done += 1
        self._progress(min(self._done, steps), steps)

    def bundle(self, grid: FineGrid) -> RayBundle:
        """The rays on a grid."""
        return RayBundle(
            light=self.light,
            lenslets=self.lenslets,
            grid=grid,
            radius_px=self.radius_px,
            runner=self.runner,
        )

    def guide(self, picture: FloatArray) -> FloatArray:
        """Display luma, shape (Y, X), of a picture in camera colors."""
        luma = np.tensordot(self.display.T @ LUMA_WEIGHTS, picture, 1)
        return np.asarray(np.maximum(luma, 0) ** np.float32(1 / 2.2), np.float32)

    def first_disparity(self, disparity_range: tuple[float, float] | None) -> FloatArray:
        """Slope map (Y, X) on the finest grid, from the rays' agreement on planes."""
        parameters = self.parameters
        half = dataclasses.replace(self.grid, k=FINEST // 2, margin=_MARGIN // 2)
        bundle = self.bundle(half)
        if disparity_range is None:
            low, high = slope_range(
                bundle,
                outlier_error=parameters.outlier_error,
                truncation=parameters.truncation,
            )
        else:
            widen = parameters.widening
            low = (disparity_range[0] - widen) * half.slope_scale
            high = (disparity_range[1] + widen) * half.slope_scale
        limits = (low, high)
        slopes = self.planes(half, limits, parameters.plane_step)
        inner = dataclasses.replace(bundle, radius_px=0.6 * self.radius_px)
        guide = self.guide(plane_picture(inner, 0.0))
        costs = consensus_costs(
            bundle,
            slopes,
            outlier_error=parameters.outlier_error,
            truncation=parameters.truncation,
            half_apertures=True,
        )
        swept = best_planes(costs, slopes, guide, parameters.smoothness, self.runner)
        slope = 2 * median_filtered(swept.slope)
        size = (self.grid.shape[1], self.grid.shape[0])
        return np.asarray(cv2.resize(slope, size, interpolation=cv2.INTER_NEAREST), np.float32)

    def planes(
        self, grid: FineGrid, limits: tuple[float, float], shift_pitch: float
    ) -> DoubleArray:
        """Slopes from one limit to the other, a shift at the aperture's rim apart."""
        step = shift_pitch * grid.pixels_per_pitch / self.radius_px
        return np.linspace(*limits, max(3, int(np.ceil((limits[1] - limits[0]) / step)) + 1))

    def next_disparity(
        self, slope_map: FloatArray, observation: RayObservation, picture: FloatArray
    ) -> SweptDisparity:
        """Sweep again, against the sharp picture, over the range found so far."""
        parameters = self.parameters
        widen = 0.02 * self.grid.pixels_per_pitch
        low, high = np.percentile(slope_map, (0.2, 99.8))
        limits = float(low) - widen, float(high) + widen
        slopes = self.planes(self.grid, limits, parameters.fine_plane_step)
        guide = self.guide(picture)
        costs = residual_costs(
            self.bundle(self.grid),
            slopes,
            observation.blur(picture),
            self.reached(slope_map),
            guide,
            outlier_error=parameters.outlier_error,
            truncation=parameters.truncation,
        )
        swept = best_planes(costs, slopes, guide, parameters.smoothness, self.runner)
        self.step()
        return swept

    def reached(self, slope_map: FloatArray) -> FloatArray:
        """Slope of the last plane that every ray can see, shape (H, W).

        Surfaces block rays only where a pixel's neighbors belong to them too: their borders have
        yet to be found.
        """
        bundle = self.bundle(self.grid)
        step = self.parameters.visibility_step * self.grid.pixels_per_pitch
        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        inner = np.asarray(cv2.dilate(slope_map, cross), np.float32)
        slopes = visible_slopes(bundle, inner, step=step)
        return np.add(slopes, np.float32(step), out=slopes)

    def refine(
        self, slope_map: FloatArray, observation: RayObservation, picture: FloatArray
    ) -> FloatArray:
        """Fit the slopes of each surface to the rays' residuals."""
        parameters = self.parameters
        bundle = self.bundle(self.grid)
        steps = slope_steps(
            bundle, observation.slopes, observation.blur(picture),
            outlier_error=parameters.weighting.model_error,
            robustness=parameters.weighting.robustness,
        )  # fmt: skip
        self.doubt = local_misfit(steps)
        return fitted_slopes(slope_map, steps, bundle)

    def learn_noise(self, observation: RayObservation, picture: FloatArray) -> RayObservation:
        """Take the noise from the held-out rays' residuals, errors of the model included."""
        prediction = observation.with_light(self.all_light).forward(picture)
        rays = held_out_rays(self.all_light, self.held, prediction)
        noise = rays.fitted_noise(self._stated_noise)
        self.all_light = dataclasses.replace(self.all_light, noise=noise)
        self.light = dataclasses.replace(self.light, noise=noise)
        return observation.with_light(self.light)

    def choose_strength(self, observation: RayObservation, picture: FloatArray) -> float:
        """λ by which tiles of the picture predict the held-out rays best, but not too weak."""
        ratio = curvature_ratio(*self.probed(observation, picture, 1.0, FINEST))
        return max(
            self.parameters.detail_ratio * ratio, self.predicting_strength(observation, picture)
        )

    def predicting_strength(self, observation: RayObservation, picture: FloatArray) -> float:
        """λ by which tiles of the picture predict the held-out rays best, or nearly."""
        parameters = self.parameters
        misfits = np.zeros(len(parameters.strengths))
        for rows, columns in detailed_tiles(self.guide(picture), self.grid):
            tile = observation.on_grid(self.grid.tile(rows, columns))
            everything = tile.with_light(self.all_light)
            solution = picture[:, rows, columns].copy()
            doubt = np.ascontiguousarray(self.doubt[rows, columns])
            for k in np.argsort(parameters.strengths)[::-1]:
                rounds = parameters.final_rounds(float(parameters.strengths[k]))
                solution = self.solve(tile, solution, rounds, doubt)
                prediction = everything.forward(solution)
                rays = held_out_rays(self.all_light, self.held, prediction)
                misfits[k] += rays.misfit(self.light.noise)
        return strongest_within(
            np.array(parameters.strengths), misfits, parameters.misfit_tolerance
        )

    def observe(self, slope_map: FloatArray) -> RayObservation:
        """Follow every ray, held-out ones too, to the surface that it sees."""
        bundle = dataclasses.replace(self.bundle(self.grid), light=self.all_light)
        return observed(bundle, slope_map, self.parameters).with_light(self.light)

    def observe_rims(self, slope_map: FloatArray, picture: FloatArray) -> RayObservation:
        """As `observe`, but with the lenslets' rims from now on, if they are clean."""
        narrow_px, wide_px = (
            pitch * self.lenslets.pitch_px
            for pitch in (self.parameters.radius_pitch, self.parameters.clean_radius_pitch)
        )
        self.radius_px = wide_px
        everything = self.observe(slope_map).with_light(self.all_light)
        clean = rim_is_clean(
            everything,
            picture,
            self.held,
            inner_px=narrow_px,
            outer_px=wide_px,
            tolerance=self.parameters.rim_tolerance,
        )
        self.radius_px = wide_px if clean else narrow_px
        return everything.within(self.radius_px).with_light(self.light)

    def start(self, observation: RayObservation) -> FloatArray:
        """The rays' weighted mean around every pixel."""
        dark = np.zeros((3, *self.grid.shape), np.float32)
        trusting = dataclasses.replace(self.parameters.weighting, robustness=1e12)
        equations = observation.normal_equations(dark, trusting)
        amount = observation.blur(equations.moment)
        weight = observation.normal(equations, np.ones_like(dark))
        return np.asarray(amount / (weight + np.float32(1e-3) * weight.mean()), np.float32)

    def solve(
        self,
        observation: RayObservation,
        picture: FloatArray,
        rounds: tuple[tuple[float, float, int], ...],
        doubt: FloatArray | None = None,
    ) -> FloatArray:
        """Reweight the rays and solve, once per round."""
        solver = RaySolver(observation, self.opponent, self.solver_device)
        for strength, softening, iterations in rounds:
            equations = observation.normal_equations(picture, self.parameters.weighting, doubt)
            prior = Variation(strength=strength, softening=softening)
            picture = solver.solve(equations, picture, prior, iterations=iterations)
        return picture


def _solver_device(name: str) -> torch.device | None:
    """The device of torch that is named to solve on; None, the compiled kernels, for auto and cpu.

    `auto` does not look for a device: loading PyTorch would cost a laptop more than it is worth.
    """
    if name in ("auto", "cpu"):
        return None
    from lfdfp.computing.torch_devices import torch_device

    return torch_device(name)


def _usual_noise(rays: Rays) -> NoiseModel:
    """Noise of a 12-bit sensor of small pixels, for captures whose noise is not known."""
    codes = float(rays.capture.white_codes[0] - rays.capture.black_codes[0])
    return NoiseModel(read_variance=(1e-3 * codes) ** 2, shot_gain=2e-4 * codes, relative=0.01)


def _confidence(
    swept: SweptDisparity | None, slope_map: FloatArray, truncation: float
) -> FloatArray:
    """How much better the best plane is than the average one, 0 to 1."""
    if swept is None:
        return np.zeros_like(slope_map)
    contrast = np.maximum(swept.contrast, 0.0)
    return np.asarray(contrast / (contrast + np.float32(0.05 * truncation)), np.float32)


def local_misfit(steps: FloatArray) -> FloatArray:
    """Mean e²/σ² of the rays around every pixel, at least 1, shape (Y, X).

    Where the model does not hold (a wrong disparity, the border of an occluder), rays contradict
    each other by far more than noise; there they count less against the prior.

    Parameters
    ----------
    steps
        From `slope_steps`.
    """
    misfit, count = (cv2.blur(s, (_MISFIT_WINDOW, _MISFIT_WINDOW)) for s in steps[2:])
    doubt = 0.5 * misfit / (count + np.float32(0.05))
    return np.asarray(np.maximum(doubt, 1.0), np.float32)


def detailed_tiles(guide: FloatArray, grid: FineGrid) -> list[tuple[slice, slice]]:
    """Rows and columns of three tiles: much, some and average detail."""
    side = min(_TILE, *(n - n % FINEST for n in grid.shape))
    detail = cv2.Laplacian(guide, cv2.CV_32F) ** 2
    tops = np.arange(grid.margin, grid.shape[0] - side - grid.margin + 1, side)
    lefts = np.arange(grid.margin, grid.shape[1] - side - grid.margin + 1, side)
    corners = [(int(i), int(j)) for i in tops for j in lefts] or [(0, 0)]
    energy = [detail[i : i + side, j : j + side].mean() for i, j in corners]
    order = np.argsort(energy, kind="stable")
    ranks = sorted({round(q * (len(order) - 1)) for q in _TILE_RANKS})
    chosen = [corners[order[rank]] for rank in ranks]
    return [(slice(i, i + side), slice(j, j + side)) for i, j in chosen]
