"""How a network is fitted: settings, optimization, the best iterate by held-out pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import FloatArray
from lfdfp.networks.settings import NetworkSettings


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
