"""How well a capture's pictures predict rays that none of their stages has seen.

The chain of `lfdfp.pipeline.stages` with a part of the pixels dead from the noise model on.
The calibration alone may have seen them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from lfdfp.datatypes import BoolArray, Calibration, FloatArray, LightField, RawCapture, Rays
from lfdfp.errors import CalibrationError, SettingsError
from lfdfp.evaluation.held_out_rays import (
    HeldOutScore,
    HoldOut,
    comparable_rays,
    detail_around,
    detail_regression,
    detailed_rays,
    held_out_mask,
    held_out_score,
    without,
)
from lfdfp.evaluation.plain_decode import PlainDecode
from lfdfp.evaluation.protocol import BORDER_VIEW_PX
from lfdfp.pipeline import stages
from lfdfp.progress import StageProgress, silent_stage, stages_of
from lfdfp.settings import FusionSettings, Prior, RefocusSettings

if TYPE_CHECKING:
    from lfdfp.reconstruction.solution import RaySolution

RAYS: Final = "rays"
BAND_LIMITED: Final = "rays, band-limited"
CENTER_VIEW: Final = "center view"
STACK: Final = "fused stack"
PLAIN_CENTER_VIEW: Final = "plain center view"
PLAIN_STACK: Final = "plain fused stack"

HOLD_OUTS: Final[tuple[HoldOut, ...]] = get_args(HoldOut)
_LEAST_SIDE = 4 * BORDER_VIEW_PX


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a view, in pixels, before the capture's orientation is applied."""

    rows: int
    columns: int
    top: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutReport:
    """What came out for one way of leaving out rays.

    Attributes
    ----------
    score
        Errors of the six pictures, named as the constants of this module, in white-balanced
        light, 1 at the sensor's white level; the noise of the held-out rays is part of them.
    regression, detailed_regression
        Slope and standard error of `detail_regression`, over all rays and in detailed areas.
    """

    kind: HoldOut
    held_share: float
    score: HeldOutScore
    regression: tuple[float, float]
    detailed_regression: tuple[float, float]


def predict_held_out_rays(
    capture: RawCapture,
    calibration: Calibration,
    *,
    kinds: Sequence[HoldOut] = HOLD_OUTS,
    area: Area | None = None,
    share: float = 0.1,
    seed: int = 0,
    prior: Prior = "variation",
    stage_progress: StageProgress = silent_stage,
) -> Iterator[HeldOutReport]:
    """Leave out rays, make all pictures from the rest, and predict those left out.

    Compared are the solution from the rays; the same without the detail that the views' grid
    cannot hold; the decoded center view and the fused focal stack, enlarged bicubically; and
    these two after a plain decode. All are read at the places where the solution's disparity,
    itself made from the rest, lets each ray look.

    Parameters
    ----------
    calibration
        Of the whole capture; its noise is measured anew on the rest.
    kinds
        Ways of leaving out, one report each.
    area
        Part of the views that is looked at; None for everything.
    share
        Of the pixels, or of the lenslets.
    seed
        Of what is left out.
    prior
        Of the solution from the rays.

    Raises
    ------
    SettingsError
        For an area outside the views or too small.
    LfdfpError
        As the stages.
    """
    upright = replace(capture, orientation=1)  # maps and masks then share the sensor's axes
    for kind in kinds:
        stage = stages_of(kind, stage_progress)
        held = held_out_mask(calibration.grid, kind, share=share, seed=seed)
        field = _field_of_rest(upright, calibration, held, area, stage)
        views = _views_of_rest(field, stage)
        assert field.rays is not None
        assert field.sampling is not None
        with stage("reconstruct") as progress:
            from lfdfp.reconstruction.reconstruct import solve_rays

            settings = FusionSettings(prior=prior)
            solution = solve_rays(field.rays, settings, sampling=field.sampling, progress=progress)
        everything = Rays(capture=upright, calibration=calibration)
        yield _report(kind, everything, held, solution, views)


def _field_of_rest(
    capture: RawCapture,
    calibration: Calibration,
    held: BoolArray,
    area: Area | None,
    stage: StageProgress,
) -> LightField:
    """Decoded from what is not held out, with its rays.

    Decoding makes up dead pixels, so its views weigh as if there were none: a stack has no holes.
    """
    from lfdfp.decoding.views import ray_weights, view_offsets_px

    rest = _with_noise(capture, without(calibration, held))
    field = stages.light_field(capture, rest, stage=stage)
    assert field.sampling is not None
    offsets = view_offsets_px(calibration.grid, field.sampling, len(field.views))
    weights = ray_weights(calibration.response, calibration.grid, field.sampling, offsets)
    return cropped(replace(field, weights=weights), area)


def _with_noise(capture: RawCapture, rest: Calibration) -> Calibration:
    """The noise of the pixels that are left; none where they do not show it."""
    from lfdfp.calibration.noise import noise_from_capture

    try:
        return replace(rest, noise=noise_from_capture(capture, rest.grid, rest.response))
    except CalibrationError:
        return rest


def cropped(field: LightField, area: Area | None) -> LightField:
    """A part of a field that is not turned, with its sampling."""
    if area is None or field.sampling is None:
        return field
    t, s = field.spatial_shape
    if min(area.rows, area.columns) < _LEAST_SIDE:
        raise SettingsError(f"an area of at least {_LEAST_SIDE} view pixels a side is needed")
    if area.top < 0 or area.left < 0 or area.top + area.rows > t or area.left + area.columns > s:
        raise SettingsError(
            f"an area of {area.rows} x {area.columns} pixels at {area.top}, {area.left} reaches "
            f"out of the views, which have {t} x {s}"
        )
    rows, columns = (
        slice(start, start + size)
        for start, size in ((area.top, area.rows), (area.left, area.columns))
    )
    y, x = field.sampling.origin_pitch
    step = field.sampling.step_pitch
    sampling = replace(
        field.sampling,
        origin_pitch=(y + step * area.top, x + step * area.left),
        shape=(area.rows, area.columns),
    )
    return replace(
        field,
        views=field.views[:, :, rows, columns],
        weights=field.weights[:, :, rows, columns],
        sampling=sampling,
    )


def _views_of_rest(field: LightField, stage: StageProgress) -> dict[str, FloatArray]:
    """The pictures (T, S, 3) to beat: views, and stacks fused by their Laplacian pyramids.

    The plain ones demosaic the whole sensor bilinearly and shift views linearly.
    """
    from lfdfp.fusion.baselines import laplacian_pyramid

    stack = stages.focal_stack(field, stage=stage)
    assert stack.slopes is not None
    slopes = float(stack.slopes[0]), float(stack.slopes[-1]), len(stack.slopes)
    settings = RefocusSettings(slopes=slopes, kernel="linear")
    plain = _plainly_decoded(field)
    plain_stack = stages.focal_stack(plain, settings, stage=stages_of("plain", stage))
    return {
        CENTER_VIEW: field.view(*field.center),
        STACK: laplacian_pyramid(stack.slices),
        PLAIN_CENTER_VIEW: plain.view(*plain.center),
        PLAIN_STACK: laplacian_pyramid(plain_stack.slices),
    }


def _plainly_decoded(field: LightField) -> LightField:
    """The same views as the first decoders of lenslet cameras made them."""
    assert field.rays is not None
    assert field.sampling is not None
    decoder = PlainDecode(field.rays.capture, field.rays.calibration)
    step = field.sampling.angular_step_px
    views = np.empty(field.views.shape, np.float32)
    for v, u in np.ndindex(*field.angular_shape):
        direction = step * (v - field.center[0]), step * (u - field.center[1])
        views[v, u] = decoder.view(field.sampling, *direction)
    return replace(field, views=views, scale=1.0, offset=0.0)


def _report(
    kind: HoldOut,
    rays: Rays,
    held: BoolArray,
    solution: RaySolution,
    views: Mapping[str, FloatArray],
) -> HeldOutReport:
    from lfdfp.reconstruction.prediction import RayPredictor, band_limited

    predictor = RayPredictor(rays, solution, border_view_px=BORDER_VIEW_PX)
    coarse = band_limited(solution.picture, solution.grid.k)
    predictions = {
        RAYS: predictor.of_solution(solution.picture),
        BAND_LIMITED: predictor.of_solution(coarse),
        **{name: predictor.of_view(view) for name, view in views.items()},
    }
    measured = predictor.measured
    used = comparable_rays(measured, predictions, held)
    detailed = detailed_rays(used, predictor.of_map(detail_around(views[CENTER_VIEW])))
    fine, smooth = predictions[RAYS], predictions[BAND_LIMITED]
    return HeldOutReport(
        kind=kind,
        held_share=float(held.mean()),
        score=held_out_score(measured, predictions, used, detailed),
        regression=detail_regression(measured, fine, smooth, used),
        detailed_regression=detail_regression(measured, fine, smooth, detailed),
    )
