"""How a network is fitted: settings, optimization, the best iterate by held-out pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import FloatArray
from lfdfp.networks.fusion_losses import LossSettings
from lfdfp.networks.skipnet import SkipnetSettings

SMALL_RESIDUAL = SkipnetSettings(
    channels=(8, 16), kernel_size=3, skip_channels=(4, 4), output="zero_residual"
)

CONTENT_ONLY = LossSettings(joint_gradient=0.0, gradient_limit=0.0)


def to_tensor(picture: FloatArray, device: torch.device) -> Tensor:
    """(H, W, C) to (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)[None])).to(device)


def to_picture(tensor: Tensor) -> FloatArray:
    """(1, C, H, W) to (H, W, C)."""
    return np.ascontiguousarray(tensor[0].detach().cpu().numpy().transpose(1, 2, 0))


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The best iterate (1, C, kT, kS), its held-out error, and whether the loss left all bounds."""

    best: Tensor
    error: float
    diverged: bool


def optimize(
    predict: Callable[[], Tensor],
    parameters: list[Tensor],
    loss: Callable[[Tensor], Tensor],
    held_out_error: Callable[[Tensor], float],
    settings: NetworkSettings,
    on_step: Callable[[int], None],
) -> Fit:
    """Lower `loss(predict())` and keep the checked iterate of least held-out error.

    `predict` gives what `loss` and `held_out_error` take: any shape and unit.

    A loss that is no longer finite ends the fit; what was best until then is returned.
    """
    optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate)
    best: Tensor | None = None
    least, waited, diverged = float("inf"), 0, False
    for step in range(settings.iterations + 1):
        made = predict()
        value = loss(made)
        if not torch.isfinite(value):
            diverged = True
            break
        if step % settings.check_every == 0:
            error = held_out_error(made.detach())
            waited = 0 if error < least else waited + 1
            if error < least:
                least, best = error, made.detach()
            if waited > settings.patience:
                break
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        on_step(step)
    return Fit(best=made.detach() if best is None else best, error=least, diverged=diverged)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """A residual SKIPnet and how it is fitted.

    Attributes
    ----------
    iterations
        At most; held-out pixels usually stop it earlier.
    held_out
        Share of the observed pixels that the fit never sees and that stop it.
    patience
        Checks without improvement before stopping.
    least_gain
        Relative fall of the held-out error below which the base is returned as it is.
    tile_px, overlap_px
        Fine pixels per side of what is fitted at once, and by how much tiles overlap.
    """

    skipnet: SkipnetSettings = field(default_factory=lambda: SMALL_RESIDUAL)
    losses: LossSettings = field(default_factory=lambda: CONTENT_ONLY)
    iterations: int = 40
    learning_rate: float = 3e-3
    held_out: float = 0.05
    check_every: int = 10
    patience: int = 1
    least_gain: float = 0.05
    tile_px: int = 256
    overlap_px: int = 32
