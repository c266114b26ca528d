"""One sharp, super-resolved picture from the raw rays of a light field.

Disparity and picture take turns: planes on which the rays agree give a first disparity; every ray
is followed to the surface that it sees; the normal equations of all rays are solved under total
variation, with weights that doubt rays which contradict their neighbors; the sharp picture gives
a better disparity, and so on. No parameter is chosen with a true picture in sight.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import cv2
import numpy as np

from lfdfp.color import LUMA_WEIGHTS, exposure_gain, oriented
from lfdfp.datatypes import (
    ColorData,
    DoubleArray,
    FloatArray,
    FusionResult,
    NoiseModel,
    Rays,
    ViewSampling,
)
from lfdfp.disparity.guided_filter import GuidedFilter
from lfdfp.disparity.ray_bundle import RayBundle
from lfdfp.disparity.ray_plane_sweep import (
    Smoothness,
    SweptDisparity,
    best_planes,
    consensus_costs,
    median_filtered,
    plane_picture,
    residual_costs,
)
from lfdfp.disparity.ray_range import slope_range
from lfdfp.disparity.ray_refinement import fitted_slopes, slope_steps
from lfdfp.disparity.ray_visibility import visible_slopes
from lfdfp.errors import CaptureError, SettingsError
from lfdfp.fusion.observation import NormalEquations, RayObservation, RayWeighting, footprint_taps
from lfdfp.fusion.ray_noise import (
    held_out_mask,
    held_out_rays,
    strongest_within,
    without,
)
from lfdfp.fusion.ray_observability import curvature_ratio, detail_probe, observability
from lfdfp.fusion.ray_solver import RaySolver, Variation, opponent_matrix
from lfdfp.progress import Progress, ignore_progress
from lfdfp.ray_geometry import FineGrid, lenslet_table, measured_light
from lfdfp.row_bands import BandRunner
from lfdfp.settings import FusionSettings

_FINEST = 4
_MARGIN = 8
_TILE = 128
_MISFIT_WINDOW = 5
_TILE_RANKS = (1.0, 0.8, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayParameters:
    """What the reconstruction is made with; the same for every capture.

    Attributes
    ----------
    least_response
        Pixels below this share of full response are missing.
    radius_pitch
        Pixels farther than this from their lenslet's center are left out: crosstalk.
    footprint_pitch
        Side of the square that stands for a lenslet's area.
    plane_step, fine_plane_step
        Between planes of the first and of later sweeps: shift in pitches at the aperture's rim.
    widening
        Of a given range of disparity, at both ends, in view pixels per angular step.
    first_rounds, rounds
        (λ, ε, iterations) before the first sweep against the picture, and after every one.
    strengths
        λ to choose from for the last rounds.
    misfit_tolerance
        The strongest λ is taken whose misfit is within this share of the least,
    detail_ratio
        but at least so strong that the prior holds detail finer than the views this many times
        as tightly as the rays do (the median over the picture). Held-out rays see the picture
        behind the lenslets' footprint: what a weak prior lets through beyond it, errors of
        disparity and calibration most of all, they do not notice.
    held_out_share
        Of the rays, kept from the solution until noise and λ are known.
    """

    least_response: float = 0.25
    radius_pitch: float = 0.42
    footprint_pitch: float = 0.93
    plane_step: float = 0.25
    fine_plane_step: float = 0.2
    widening: float = 0.1
    outlier_error: float = 0.02
    truncation: float = 9.0
    visibility_step: float = 0.06
    smoothness: Smoothness = field(default_factory=Smoothness)
    weighting: RayWeighting = field(default_factory=RayWeighting)
    first_rounds: tuple[tuple[float, float, int], ...] = (
        (100.0, 0.06, 12),
        (15.0, 0.06, 12),
        (15.0, 0.06, 12),
    )
    rounds: tuple[tuple[float, float, int], ...] = ((15.0, 0.06, 12), (15.0, 0.06, 12))
    strengths: tuple[float, ...] = (3.5, 5.0, 7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 64.0)
    misfit_tolerance: float = 0.006
    detail_ratio: float = 14.0
    sweeps: int = 2
    held_out_share: float = 0.04

    def final_rounds(self, strength: float) -> tuple[tuple[float, float, int], ...]:
        """(λ, ε, iterations) of the last rounds."""
        return ((strength, 0.03, 15), (strength, 0.015, 20), (strength, 0.015, 20))


def reconstruct(
    rays: Rays,
    settings: FusionSettings,
    *,
    scale: int,
    sampling: ViewSampling,
    disparity_range: tuple[float, float] | None = None,
    parameters: RayParameters | None = None,
    progress: Progress = ignore_progress,
) -> FusionResult:
    """Fuse and super-resolve the raw rays themselves.

    Parameters
    ----------
    rays
        Raw capture and calibration.
    settings
        The seed is recorded; nothing here is random.
    scale
        1, 2, 3 or 4. All are averages of one solution on a grid four times finer than the views.
    sampling
        Of the views: the picture's grid.
    disparity_range
        First and last disparity of the scene in view pixels per angular step, near negative;
        None finds it from the rays.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    FusionResult
        Linear sRGB as the decoder's, turned upright.

    Raises
    ------
    SettingsError
        For a scale that is not offered.
    CaptureError
        When no pixel carries light.
    """
    if scale not in (1, 2, 3, 4):
        raise SettingsError(f"scale must be 1, 2, 3 or 4, got {scale!r}")
    solution = solve_rays(
        rays,
        dataclasses.replace(settings, scale=scale),
        sampling=sampling,
        disparity_range=disparity_range,
        parameters=parameters,
        progress=progress,
    )
    return _result(solution, rays, settings, scale=scale, sampling=sampling)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaySolution:
    """The reconstruction on its finest grid, before colors and orientation.

    Attributes
    ----------
    picture
        Shape (3, Y, X): white-balanced camera colors.
    slope_map
        Shape (Y, X): fine pixels per raw pixel.
    confidence
        Shape (Y, X), in [0, 1].
    grid
        The grid of all three.
    noise
        Learned from held-out rays, errors of the model included.
    strength
        λ of total variation, chosen by held-out rays.
    observability
        Shape (Y, X), in [0, 1]: how much the rays determine detail of the settings' scale.
    network_gain
        How much better a network predicts the held-out rays, relative; 0 where none was used.
    """

    picture: FloatArray
    slope_map: FloatArray
    confidence: FloatArray
    grid: FineGrid
    noise: NoiseModel
    strength: float
    observability: FloatArray
    network_gain: float = 0.0
    warnings: tuple[str, ...] = ()


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


def display_matrix(color: ColorData) -> FloatArray:
    """Shape (3, 3): linear sRGB of white-balanced camera colors, exposure included."""
    return (exposure_gain(color) * np.asarray(color.camera_to_srgb, np.float64)).astype(np.float32)


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
        self.prior, self.device = settings.prior, settings.device
        self.network_gain = 0.0
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
        self.grid = FineGrid(sampling=sampling, k=_FINEST, margin=_MARGIN)
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
            observation = self.learn_noise(self.observe(slope_map), picture)
        strength = self.choose_strength(observation, picture)
        if self.prior == "network":
            picture, warnings = self.with_network(observation, picture, strength)
            observation = observation.with_light(self.all_light)
        else:
            observation = observation.with_light(self.all_light)
            final = self.solve(observation, picture, parameters.final_rounds(strength), self.doubt)
            picture, warnings = self.checked(final, picture)
        self.step()
        confidence = _confidence(swept, slope_map, parameters.truncation)
        return RaySolution(
            picture=picture,
            slope_map=slope_map,
            confidence=confidence,
            grid=self.grid,
            noise=self.light.noise,
            strength=strength,
            network_gain=self.network_gain,
            warnings=warnings,
            observability=self.observability(observation, picture, strength),
        )

    def checked(self, final: FloatArray, before: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
        """The last solution, or the one before if the last rounds diverged."""
        brightest = 2 * float(np.abs(self.all_light.light[self.all_light.light > -1.5]).max())
        if np.isfinite(final).all() and float(final.max()) < 4 * brightest:
            return np.minimum(final, np.float32(brightest), out=final), ()
        return before, ("the last rounds diverged: the picture before them is given",)

    def with_network(
        self, observation: RayObservation, picture: FloatArray, strength: float
    ) -> tuple[FloatArray, tuple[str, ...]]:
        """The solution of the rays that are not held out, and what a network adds to it."""
        from lfdfp.fusion.deep_fusion_prior import pick_device
        from lfdfp.fusion.ray_network import RayNetworkSettings, add_network

        rounds = self.parameters.final_rounds(strength)
        final = self.solve(observation, picture, rounds, self.doubt)
        picture, warnings = self.checked(final, picture)
        everything = observation.with_light(self.all_light)

        def misfit(candidate: FloatArray) -> float:
            rays = held_out_rays(self.all_light, self.held, everything.forward(candidate))
            return rays.misfit(self.light.noise)

        _, softening, _ = rounds[-1]
        picture, self.network_gain = add_network(
            observation,
            observation.normal_equations(picture, self.parameters.weighting, self.doubt),
            picture,
            Variation(strength=strength, softening=softening),
            self.opponent,
            misfit,
            RayNetworkSettings(),
            seed=self.seed,
            device=pick_device(self.device),
        )
        return picture, warnings

    def observability(
        self, observation: RayObservation, picture: FloatArray, strength: float
    ) -> FloatArray:
        """How much the rays determine detail of the settings' scale, shape (Y, X)."""
        return observability(*self.probed(observation, picture, strength, self.scale))

    def probed(
        self, observation: RayObservation, picture: FloatArray, strength: float, scale: int
    ) -> tuple[RaySolver, NormalEquations, FloatArray, Variation, FloatArray]:
        """The solver and the equations at a picture, and a probe of a scale's detail."""
        _, softening, _ = self.parameters.final_rounds(strength)[-1]
        probe = detail_probe(
            self.grid.shape,
            np.random.default_rng(self.seed),
            pixels_per_view_pixel=_FINEST,
            pixels_per_cell=round(_FINEST / scale),
        )
        equations = observation.normal_equations(picture, self.parameters.weighting, self.doubt)
        prior = Variation(strength=strength, softening=softening)
        return RaySolver(observation, self.opponent), equations, picture, prior, probe

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
        half = dataclasses.replace(self.grid, k=_FINEST // 2, margin=_MARGIN // 2)
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
        swept = best_planes(costs, slopes, guide, parameters.smoothness)
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
        smooth = GuidedFilter(guide, radius_px=2, regularization=0.02**2)
        costs = residual_costs(
            self.bundle(self.grid),
            slopes,
            observation.blur(picture),
            outlier_error=parameters.outlier_error,
            truncation=parameters.truncation,
        )
        swept = best_planes(map(smooth, costs), slopes, guide, parameters.smoothness)
        self.step()
        return swept

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
        ratio = curvature_ratio(*self.probed(observation, picture, 1.0, _FINEST))
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
        """Follow every ray to the surface that it sees."""
        parameters = self.parameters
        step = parameters.visibility_step * self.grid.pixels_per_pitch
        width = parameters.footprint_pitch * self.grid.pixels_per_pitch
        bundle = dataclasses.replace(self.bundle(self.grid), light=self.all_light)
        return RayObservation(
            self.light,
            self.lenslets,
            self.grid,
            slopes=visible_slopes(bundle, slope_map, step=step),
            taps=footprint_taps(width**2 / 12),
            radius_px=self.radius_px,
            runner=self.runner,
        )

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
        solver = RaySolver(observation, self.opponent)
        for strength, softening, iterations in rounds:
            equations = observation.normal_equations(picture, self.parameters.weighting, doubt)
            prior = Variation(strength=strength, softening=softening)
            picture = solver.solve(equations, picture, prior, iterations=iterations)
        return picture


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


def _result(
    solution: RaySolution,
    rays: Rays,
    settings: FusionSettings,
    *,
    scale: int,
    sampling: ViewSampling,
) -> FusionResult:
    grid = solution.grid
    colors = np.moveaxis(
        np.tensordot(display_matrix(rays.capture.color), solution.picture, 1), 0, -1
    )
    finest = np.ascontiguousarray(grid.inner(colors))
    slope = grid.inner(solution.slope_map) / np.float32(grid.slope_scale)

    def upright(picture: FloatArray) -> FloatArray:
        return np.ascontiguousarray(oriented(picture, sampling.orientation))

    return FusionResult(
        all_in_focus=upright(area_average(finest, sampling.shape, 1)),
        super_resolved=upright(area_average(finest, sampling.shape, scale)),
        scale=scale,
        disparity=upright(_middle(slope)),
        disparity_confidence=upright(_middle(grid.inner(solution.confidence))),
        fine_disparity=upright(_picked(slope, sampling.shape, scale)),
        observability=upright(
            area_average(grid.inner(solution.observability)[..., None], sampling.shape, scale)[
                ..., 0
            ]
        ),
        data_term="rays",
        losses={
            "prior_strength": solution.strength,
            "noise_read_variance": solution.noise.read_variance,
            "noise_shot_gain": solution.noise.shot_gain,
            "noise_relative": solution.noise.relative,
            "network_gain": solution.network_gain,
        },
        prior="total variation" + (" and SKIPnet residual" if solution.network_gain > 0 else ""),
        seed=settings.seed,
        warnings=solution.warnings,
        settings=dataclasses.asdict(settings),
        history=(*rays.capture.history, f"reconstructed from rays at scale {scale}"),
    )


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
    side = min(_TILE, *(n - n % _FINEST for n in grid.shape))
    detail = cv2.Laplacian(guide, cv2.CV_32F) ** 2
    tops = np.arange(grid.margin, grid.shape[0] - side - grid.margin + 1, side)
    lefts = np.arange(grid.margin, grid.shape[1] - side - grid.margin + 1, side)
    corners = [(int(i), int(j)) for i in tops for j in lefts] or [(0, 0)]
    energy = [detail[i : i + side, j : j + side].mean() for i, j in corners]
    order = np.argsort(energy, kind="stable")
    ranks = sorted({round(q * (len(order) - 1)) for q in _TILE_RANKS})
    chosen = [corners[order[rank]] for rank in ranks]
    return [(slice(i, i + side), slice(j, j + side)) for i, j in chosen]


def area_average(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """Average (4T, 4S, C) over the pixels of a grid `scale` times finer than `shape`."""
    size = (scale * shape[1], scale * shape[0])
    if scale == _FINEST:
        return finest
    average = cv2.resize(finest, size, interpolation=cv2.INTER_AREA)
    return np.asarray(average.reshape(*size[::-1], finest.shape[2]), np.float32)


def _picked(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """One of the values (4T, 4S) under every pixel of a grid `scale` times finer than `shape`.

    Not their mean: at a border it would lie on neither surface.
    """
    rows, columns = (
        ((np.arange(scale * n) + 0.5) * _FINEST / scale).astype(np.int64) for n in shape
    )
    return np.ascontiguousarray(finest[np.ix_(rows, columns)])


def _middle(fine: FloatArray) -> FloatArray:
    """Median of every block of 4 x 4, shape (T, S)."""
    t, s = fine.shape[0] // _FINEST, fine.shape[1] // _FINEST
    blocks = fine.reshape(t, _FINEST, s, _FINEST).swapaxes(1, 2).reshape(t, s, -1)
    return np.asarray(np.median(blocks, axis=-1), np.float32)
