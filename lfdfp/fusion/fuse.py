"""Focal stack to one sharp picture."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import (
    Depth,
    FloatArray,
    FocalStack,
    Provenance,
    SharpPicture,
    StackEvidence,
)
from lfdfp.errors import ImageError
from lfdfp.fusion.center_view import with_reference_view
from lfdfp.fusion.decision_map import disparity_from_maps, usable_slices
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.fusion.presets import PRESETS, EngineSettings
from lfdfp.fusion.running_fusion import fused_with_maps
from lfdfp.fusion.seen_slices import slices_at_hand
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.imaging.noise_level import stack_noise
from lfdfp.imaging.resampling import resample
from lfdfp.progress import Progress, ignore_progress
from lfdfp.settings import FusionSettings

MOST_FINE_PIXELS: Final = 240_000_000
"""On the fine grid; docs/method.md says how much memory that takes."""

_DIVERGED = "a network's fit diverged; what was there before it was kept"


@with_one_blas_thread
def fuse(
    stack: FocalStack,
    settings: FusionSettings | None = None,
    *,
    scale: int | None = None,
    engine: EngineSettings | None = None,
    progress: Progress = ignore_progress,
) -> SharpPicture:
    """Fuse a focal stack, or several photographs of one scene, and super-resolve the result.

    Parameters
    ----------
    stack
        At least one slice, linear light. All slices must show the same picture: photographs are
        aligned before (`lfdfp.alignment`).
    settings
        Scale, preset, seed, device. Its `data` is for who chooses between this function and
        `lfdfp.reconstruct`: here the stack is fused, whatever it says.
    scale
        In place of the settings'.
    engine
        In place of what the preset stands for.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    SharpPicture
        Linear light, on the input's grid and on one `scale` times finer; its evidence is a decision
        map, its depth the slope of the slices that were chosen (none for photographs).

    Raises
    ------
    SettingsError
        For a device that does not exist.
    ImageError
        For slices that are empty or not finite, or a result that is too large.

    References
    ----------
    .. [1] Y. Gu et al., "Deep Fusion Prior for plenoptic super-resolution all-in-focus imaging",
       2022; ``docs/method.md`` says what is done differently.
    """
    settings = FusionSettings() if settings is None else settings
    if scale is not None:
        settings = dataclasses.replace(settings, scale=scale)
    check_size(stack.slices.shape[1], stack.slices.shape[2], settings.scale)
    _check_slices(stack)
    return _from_stack(stack, settings, engine or PRESETS[settings.preset], progress)


def check_size(rows: int, columns: int, scale: int) -> None:
    """Refuse a stack of which the result would not fit, before any memory is taken.

    Raises
    ------
    ImageError
        For more than `MOST_FINE_PIXELS` on the fine grid.
    """
    if rows * columns * scale**2 > MOST_FINE_PIXELS:
        raise ImageError(
            f"{columns} x {rows} pixels at scale {scale} make "
            f"{rows * columns * scale**2 // 1_000_000} megapixels, more than the "
            f"{MOST_FINE_PIXELS // 1_000_000} that fit; choose a smaller scale or crop"
        )


def _check_slices(stack: FocalStack) -> None:
    if 0 in stack.slices.shape:
        raise ImageError(f"the stack holds no pixels: its slices have shape {stack.slices.shape}")
    for number, one in enumerate(stack.slices):
        if not np.isfinite(one).all():
            raise ImageError(f"slice {number} holds values that are not finite")


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Encoded pictures on their way to a `SharpPicture`."""

    fused: FloatArray
    fine: FloatArray
    maps: FloatArray
    prior: str
    losses: dict[str, float]
    warnings: tuple[str, ...] = ()
    device: str = "cpu"


def _from_stack(
    stack: FocalStack, settings: FusionSettings, engine: EngineSettings, progress: Progress
) -> SharpPicture:
    if engine.paper is not None:
        made = _by_paper(encode(stack.slices), settings, engine.paper, progress)
    else:
        made = _by_engine(stack, settings, engine, progress)
    fused = decode_srgb(made.fused)
    return SharpPicture(
        all_in_focus=fused,
        super_resolved=fused if made.fine is made.fused else decode_srgb(made.fine),
        scale=settings.scale,
        depth=_depth(stack, made.maps),
        evidence=StackEvidence(decision_map=made.maps),
        provenance=Provenance(
            data_term="stack",
            prior=made.prior,
            losses=made.losses,
            settings=dataclasses.asdict(settings),
            seed=settings.seed,
            device=made.device,
            warnings=(*stack.warnings, *made.warnings),
            history=(*stack.history, f"fused {len(stack.slices)} slices, preset {settings.preset}"),
        ),
    )


def _by_paper(
    slices: FloatArray, settings: FusionSettings, paper: PaperSettings, progress: Progress
) -> _Made:
    from lfdfp.computing.torch_devices import deliberate_threads, torch_device
    from lfdfp.fusion.paper.recipe import follow_paper

    device = torch_device(settings.device)
    with deliberate_threads():
        result = follow_paper(
            slices, settings.scale, paper, seed=settings.seed, device=device, progress=progress
        )
    return _Made(
        fused=result.fused,
        fine=result.fine,
        maps=result.maps,
        prior="bicubic" if result.diverged else "SKIPnet",
        losses=result.losses,
        warnings=(_DIVERGED,) if result.diverged else (),
        device=str(device),
    )


def _by_engine(
    stack: FocalStack, settings: FusionSettings, engine: EngineSettings, progress: Progress
) -> _Made:
    noise = stack_noise(encode(one) for one in stack.slices)
    usable = usable_slices(stack.coverage, engine.decision)
    source = slices_at_hand(stack.slices, usable, prior=_prior(stack), encode=encode)
    fused, maps = fused_with_maps(source, engine.decision, sigma=noise.luma)
    sigma = noise.channel * float(np.sqrt(sum(np.square(share).mean() for share in maps)))
    targets, shares = stack.slices, maps
    if stack.reference_view is not None:
        fused, added = with_reference_view(fused, encode(stack.reference_view))
        sigma = float(np.hypot(sigma, added))
        targets, shares = decode_srgb(fused)[None], np.ones((1, *fused.shape[:2]), np.float32)
    if settings.scale == 1:  # torch, which loads for seconds, is not needed
        return _Made(fused=fused, fine=fused, maps=maps, prior="none", losses={}, device="cpu")
    from lfdfp.super_resolution.super_resolve import super_resolve

    result = super_resolve(
        targets, shares, fused, sigma, settings, engine.super_resolution, progress
    )
    return _Made(
        fused=fused,
        fine=result.fine,
        maps=maps,
        prior=result.prior,
        losses=result.losses,
        warnings=(_DIVERGED,) if result.diverged else (),
        device=result.device,
    )


def _prior(stack: FocalStack) -> FloatArray | None:
    """The stack's `focus_prior` for every pixel, shape (N, T, S)."""
    if stack.focus_prior is None:
        return None
    coarse = np.moveaxis(stack.focus_prior, 0, -1)
    return np.moveaxis(resample(coarse, stack.slices.shape[1:3], "bilinear"), -1, 0)


def _depth(stack: FocalStack, maps: FloatArray) -> Depth | None:
    """Of slices whose slopes are known; how wide the aperture was, a stack does not say."""
    if stack.slopes is None:
        return None
    return Depth(disparity=disparity_from_maps(maps, stack.slopes))
