"""The fused picture on a finer grid: back-projection, internal learning, residual SKIPnet.

Each step is kept only where the picture itself shows that it gains: internal learning on parts of
the picture's scales that it did not learn from, the residual network on held-out pixels. Without
visible noise the base already gives back every measured pixel, so that the residual network has
nothing to learn from: it is not started.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lfdfp.computing.torch_devices import deliberate_threads, torch_device
from lfdfp.datatypes import FloatArray
from lfdfp.imaging.display import luma
from lfdfp.imaging.enlargement import VISIBLE_SIGMA, Enlarger, luma_sigma
from lfdfp.progress import Progress, share_of
from lfdfp.settings import FusionSettings
from lfdfp.super_resolution.internal_learning import Lesson, learn_from_scales
from lfdfp.super_resolution.residual import Observations, network_residual
from lfdfp.super_resolution.settings import InternalLearningSettings, SuperResolutionSettings

_FACTORS = {2: (2, 1), 3: (3, 1), 4: (2, 2)}
"""Scale to (factor that is learned, how often it is applied)."""


@dataclass(frozen=True, kw_only=True)
class Enlarged:
    """Encoded fine picture (kT, kS, C), and what made it."""

    fine: FloatArray
    prior: str
    losses: dict[str, float]
    device: str
    diverged: bool = False


def super_resolve(
    light: FloatArray,
    maps: FloatArray,
    fused: FloatArray,
    sigma: float,
    settings: FusionSettings,
    method: SuperResolutionSettings,
    progress: Progress,
) -> Enlarged:
    """Enlarge `fused` (T, S, C), encoded, made of linear `light` (N, T, S, C) by `maps` (N, T, S).

    `sigma` is the standard deviation of the noise in one channel of `fused`.
    """
    device = torch_device(settings.device)
    seen = Observations(light=light, maps=maps, fused=fused, scale=settings.scale)
    losses, prior = {"noise_sigma": sigma}, "back-projection"
    noisy = method.network is not None and sigma >= VISIBLE_SIGMA
    learned, enlarged = (0.15, 0.3) if noisy else (0.5, 1.0)  # shares of the time
    with deliberate_threads():
        learning = share_of(progress, 0.0, learned)
        lessons = _learned(fused, sigma, settings, method.internal, device, learning)
        diverged = any(lesson.diverged for lesson in lessons)
        upscalers = [lesson.upscaler for lesson in lessons if lesson.upscaler is not None]
        if upscalers:
            prior = "internal learning"
            losses["internal_gain"] = float(np.mean([u.gain for u in upscalers]))
        enlarge = Enlarger(
            seen.model,
            sigma,
            method.back_projections,
            upscalers,
            _FACTORS[settings.scale][1],
        )
        fine = enlarge.by_tiles(fused)
        if method.network is not None and noisy:
            added = network_residual(
                seen,
                enlarge,
                method.network,
                seed=settings.seed,
                device=device,
                progress=share_of(progress, enlarged, 1.0),
            )
            losses["held_out_gain"] = added.gain
            diverged = diverged or added.diverged
            if added.residual.any():
                fine, prior = fine + added.residual, prior + " and SKIPnet residual"
    if not np.isfinite(fine).all():
        plain = Enlarger(seen.model, sigma, method.back_projections).by_tiles(fused)
        return Enlarged(
            fine=plain, prior="back-projection", losses={}, device=str(device), diverged=True
        )
    return Enlarged(fine=fine, prior=prior, losses=losses, device=str(device), diverged=diverged)


def _learned(
    fused: FloatArray,
    sigma: float,
    settings: FusionSettings,
    internal: InternalLearningSettings | None,
    device: torch.device,
    progress: Progress,
) -> list[Lesson]:
    """One lesson per network that the settings ask for."""
    if internal is None:
        return []
    in_luma = luma_sigma(sigma, fused.shape[2])
    total = max(internal.networks * internal.steps, 1)
    return [
        learn_from_scales(
            luma(fused),
            _FACTORS[settings.scale][0],
            in_luma if sigma >= VISIBLE_SIGMA else 0.0,
            internal,
            seed=settings.seed + number,
            device=device,
            on_step=lambda step, done=number * internal.steps: progress(  # type: ignore[misc]
                done + step, total
            ),
        )
        for number in range(internal.networks)
    ]
