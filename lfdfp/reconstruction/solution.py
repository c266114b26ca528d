"""The solution of the rays on its finest grid, and the pictures and maps made from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import (
    Depth,
    FloatArray,
    LightField,
    NoiseModel,
    Provenance,
    RayEvidence,
    SharpPicture,
)
from lfdfp.imaging.color import display_matrix, oriented
from lfdfp.reconstruction.fine_grid import FINEST, FineGrid
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.settings import FusionSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnedPart:
    """What a learned correction did to a solution.

    Attributes
    ----------
    coarse_share, fine_share
        Of both parts of the correction that were used, 0 to 1: means over the picture.
    measured
        The shares of both parts that held-out rays contain.
    from_prior
        Shape (Y, X): by how much the encoded luma was moved, at least 0.
    """

    coarse_share: float
    fine_share: float
    measured: tuple[float, float]
    from_prior: FloatArray


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
    radius_pitch
        How far from their lenslets' centers rays were used, in the end.
    observability
        Shape (Y, X), in [0, 1]: how much the rays determine detail of the settings' scale.
    standard_error
        Shape (Y, X): what the noise of the rays leaves in the display's luma, linear light, over a
        pixel of the settings' scale.
    warnings
        What a person should know.
    learned
        What was added to total variation's picture; None where nothing was.
    """

    picture: FloatArray
    slope_map: FloatArray
    confidence: FloatArray
    grid: FineGrid
    noise: NoiseModel
    strength: float
    radius_pitch: float
    observability: FloatArray
    standard_error: FloatArray
    warnings: tuple[str, ...] = ()
    learned: LearnedPart | None = None


def sharp_picture(
    solution: RaySolution, field: LightField, settings: FusionSettings
) -> SharpPicture:
    """The solution in display colors, turned upright, at the sizes of a view and of the scale.

    Parameters
    ----------
    field
        With its rays and their sampling.
    """
    rays, sampling = rays_of(field)
    grid, scale, shape = solution.grid, settings.scale, sampling.shape
    learned = solution.learned
    colors = np.tensordot(
        display_matrix(rays.capture.color).astype(np.float32), solution.picture, 1
    )
    finest = np.ascontiguousarray(grid.inner(np.moveaxis(colors, 0, -1)))
    slope = grid.inner(solution.slope_map) / np.float32(grid.slope_scale)

    def upright(picture: FloatArray) -> FloatArray:
        return np.ascontiguousarray(oriented(picture, sampling.orientation))

    def averaged(fine_map: FloatArray) -> FloatArray:
        return upright(area_average(grid.inner(fine_map)[..., None], shape, scale)[..., 0])

    return SharpPicture(
        all_in_focus=upright(area_average(finest, shape, 1)),
        super_resolved=upright(area_average(finest, shape, scale)),
        scale=scale,
        depth=Depth(
            disparity=upright(_middle(slope)),
            confidence=upright(_middle(grid.inner(solution.confidence))),
            fine_disparity=upright(_picked(slope, shape, scale)),
            angular_shape=field.angular_shape,
        ),
        evidence=RayEvidence(
            observability=averaged(solution.observability),
            standard_error=averaged(solution.standard_error),
            from_prior=None if learned is None else averaged(learned.from_prior),
        ),
        provenance=_provenance(solution, rays.capture.history, settings),
    )


def _provenance(
    solution: RaySolution, history: tuple[str, ...], settings: FusionSettings
) -> Provenance:
    noise, learned = solution.noise, solution.learned
    judged = {} if learned is None else _judged(learned)
    corrected = learned is not None and max(learned.coarse_share, learned.fine_share) > 0
    return Provenance(
        data_term="rays",
        prior="total variation and learned correction" if corrected else "total variation",
        losses={
            "prior_strength": solution.strength,
            "ray_radius_pitch": solution.radius_pitch,
            "noise_read_variance": noise.read_variance,
            "noise_shot_gain": noise.shot_gain,
            "noise_relative": noise.relative,
            **judged,
        },
        settings=dataclasses.asdict(settings),
        seed=settings.seed,
        device="cpu" if settings.device == "auto" else settings.device,
        warnings=solution.warnings,
        history=(*history, f"reconstructed from rays at scale {settings.scale}"),
    )


def _judged(learned: LearnedPart) -> dict[str, float]:
    return {
        "learned_coarse_share": learned.coarse_share,
        "learned_fine_share": learned.fine_share,
        "learned_coarse_in_held_out_rays": learned.measured[0],
        "learned_fine_in_held_out_rays": learned.measured[1],
    }


def area_average(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """Average of `finest` (4T, 4S, C) over pixels of a grid `scale` times finer than (T, S).

    The result has the shape (kT, kS, C) for `shape` (T, S) and `scale` k.
    """
    import cv2

    size = (scale * shape[1], scale * shape[0])
    if scale == FINEST:
        return finest
    average = cv2.resize(finest, size, interpolation=cv2.INTER_AREA)
    return np.asarray(average.reshape(*size[::-1], finest.shape[2]), np.float32)


def _picked(finest: FloatArray, shape: tuple[int, int], scale: int) -> FloatArray:
    """One of the values (4T, 4S) under every pixel of a grid `scale` times finer than `shape`.

    Not their mean: at a border it would lie on neither surface.
    """
    rows, columns = (
        ((np.arange(scale * n) + 0.5) * FINEST / scale).astype(np.int64) for n in shape
    )
    return np.ascontiguousarray(finest[np.ix_(rows, columns)])


def _middle(fine: FloatArray) -> FloatArray:
    """Median of every block of 4 x 4, shape (T, S)."""
    t, s = fine.shape[0] // FINEST, fine.shape[1] // FINEST
    blocks = fine.reshape(t, FINEST, s, FINEST).swapaxes(1, 2).reshape(t, s, -1)
    return np.asarray(np.median(blocks, axis=-1), np.float32)
