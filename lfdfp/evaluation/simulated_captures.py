"""A simulated capture through the product, judged against its truth beside what must be beaten.

Nothing in the chain sees the truth; without the white image the calibration comes from the capture
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from lfdfp.datatypes import FloatArray, FocalStack, LightField
from lfdfp.evaluation.peers import PeerFusion
from lfdfp.evaluation.protocol import Score, score
from lfdfp.fusion.baselines import back_projection, laplacian_pyramid
from lfdfp.imaging.resampling import bicubic
from lfdfp.pipeline import stages
from lfdfp.pipeline.record import StageTime, timed
from lfdfp.progress import StageProgress, silent_stage, stages_of
from lfdfp.settings import Data, FusionSettings
from lfdfp.simulation import SimulatedCapture


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureResult:
    """Scores of one capture, and the times of its stages."""

    scene: str
    seed: int
    scores: tuple[Score, ...]
    times: tuple[StageTime, ...]


def run_scene(
    capture: SimulatedCapture,
    *,
    scales: tuple[int, ...] = (2,),
    data: tuple[Data, ...] = ("rays",),
    white_image: bool = False,
    peers: Mapping[str, PeerFusion] = MappingProxyType({}),
    stage: StageProgress = silent_stage,
) -> CaptureResult:
    """One simulated capture through the chain, every result scored against the truth.

    Parameters
    ----------
    data
        What the product makes its picture from; each is scored.
    white_image
        Give the program the camera's white image too.
    peers
        Other programs that fuse the same focal stack (`installed_peers`).

    Raises
    ------
    LfdfpError
        As the stages; also if a peer makes no picture.
    """
    from lfdfp.calibration import calibrate

    raw, white = capture.raw_capture(), capture.white_capture() if white_image else None
    times: list[StageTime] = []
    stage = timed(stage, times)
    with stage("calibrate") as progress:
        calibration = calibrate(raw, white, progress=progress)
    field = stages.light_field(raw, calibration, stage=stage)
    stack = stages.focal_stack(field, stage=stage)
    truth = aligned_truth(capture, field)
    with stage("baselines"):
        scores = list(_baseline_scores(truth, field, stack, scales, peers))
    for term in data:
        for scale in scales:
            settings = FusionSettings(scale=scale, data=term)
            own = stages_of(f"x{scale}", stage)
            result = stages.sharp_picture(field, stack, settings, stage=own)
            name = f"lfdfp, {term}"
            picture = result.super_resolved
            scores.append(score(name, truth.all_in_focus(scale), picture, scale=scale))
            if scale == scales[0]:
                scores.append(score(name, truth.all_in_focus(1), result.all_in_focus))
    return CaptureResult(
        scene=capture.scene.name, seed=capture.seed, scores=tuple(scores), times=tuple(times)
    )


def aligned_truth(capture: SimulatedCapture, field: LightField) -> SimulatedCapture:
    """The same capture with its truth on the samples that decoding chose.

    The fitted grid may call another lenslet (0, 0) than the true one; positions are carried over
    through the sensor, and only by whole lenslets, so that a grid error still counts.
    """
    assert field.sampling is not None
    assert field.rays is not None
    fitted = field.rays.calibration.grid.origin_px
    q, r = np.rint(
        capture.camera.grid.lattice_coordinates(np.array(fitted[0]), np.array(fitted[1]))
    )
    moved = replace(
        field.sampling,
        origin_pitch=(
            field.sampling.origin_pitch[0] + float(r) * np.sqrt(3) / 2,
            field.sampling.origin_pitch[1] + float(q) + float(r) / 2,
        ),
    )
    return replace(capture, sampling=moved, _pictures={})


def _baseline_scores(
    truth: SimulatedCapture,
    field: LightField,
    stack: FocalStack,
    scales: tuple[int, ...],
    peers: Mapping[str, PeerFusion],
) -> Iterator[Score]:
    center, perfect = field.view(*field.center), truth.view(0.0, 0.0)
    fused = {"Laplacian pyramid": laplacian_pyramid(stack.slices)}
    for name, program in peers.items():
        fused[name] = program(stack.slices)
    yield score("center view against the true view", perfect, center)
    sharpest = _nearest_slice(stack, truth.disparity())
    yield score("slice at the true disparity", truth.all_in_focus(1), sharpest)
    for scale in (1, *scales):
        target = truth.all_in_focus(scale)
        pictures = {"perfect noise-free view": perfect, "center view": center}
        pictures |= {f"stack, {name}": picture for name, picture in fused.items()}
        for name, picture in pictures.items():
            enlarged = picture if scale == 1 else bicubic(picture, scale)
            suffix = "" if scale == 1 else " + bicubic"
            yield score(name + suffix, target, np.asarray(enlarged, np.float32), scale=scale)
        if scale > 1:
            for name, picture in fused.items():
                projected = back_projection(picture, scale)
                yield score(f"stack, {name} + back-projection", target, projected, scale=scale)


def _nearest_slice(stack: FocalStack, disparity: FloatArray) -> FloatArray:
    """Every pixel from the slice nearest to its true disparity: what a perfect decision gives."""
    assert stack.slopes is not None
    index = np.abs(stack.slopes[:, None, None] - disparity).argmin(axis=0)
    chosen: FloatArray = np.take_along_axis(stack.slices, index[None, ..., None], axis=0)[0]
    return chosen
