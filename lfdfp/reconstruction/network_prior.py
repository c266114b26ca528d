"""SKIPnet as a second prior of the picture from rays, on top of total variation.

The picture is the solution under total variation plus what a SKIPnet, fitted to this one capture,
adds to it. The rays enter through their normal equations alone: the negative log-likelihood of
all rays with fixed weights is ``(xᵀ N x) / 2 - rᵀ x`` and its gradient ``N x - r``, whatever the
number of rays. Held-out rays decide when to stop, and whether the network adds anything at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lfdfp.computing.torch_devices import deliberate_threads
from lfdfp.datatypes import FloatArray
from lfdfp.fusion.presets import NetworkSettings, SkipnetSettings
from lfdfp.networks.skipnet import Skipnet, fitting_depth
from lfdfp.reconstruction.observation import NormalEquations, RayObservation
from lfdfp.reconstruction.solver.solver import Variation
from lfdfp.super_resolution.residual import optimize

_GAMMA = 1 / 2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RayNetworkSettings:
    """The network and how it is fitted.

    Attributes
    ----------
    network
        Shape of the SKIPnet, iterations, rate and stopping.
    amplitude
        Display signal that one unit of the network's output stands for.
    variation
        Factor on λ of total variation while the network shares its work.
    """

    network: NetworkSettings = field(
        default_factory=lambda: NetworkSettings(
            skipnet=SkipnetSettings(
                channels=(16, 32, 64),
                kernel_size=3,
                skip_channels=(4, 4, 4),
                output="zero_residual",
            ),
            iterations=300,
            learning_rate=2e-3,
            check_every=20,
            patience=3,
        )
    )
    amplitude: float = 0.2
    variation: float = 0.7


class _Likelihood(torch.autograd.Function):
    """``(xᵀ N x) / 2 - rᵀ x`` of a picture (3, Y, X), with its gradient ``N x - r``."""

    @staticmethod
    def forward(
        ctx: Any, picture: Tensor, normal: Callable[[FloatArray], FloatArray], pull: Tensor
    ) -> Tensor:
        image = torch.from_numpy(normal(picture.detach().cpu().contiguous().numpy()))
        image = image.to(picture.device)
        ctx.save_for_backward(image - pull)
        return ((0.5 * image - pull) * picture).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None, None


def negative_log_likelihood(
    observation: RayObservation, equations: NormalEquations, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """Of all rays with the weights of the equations, up to a constant: of pictures (3, Y, X)."""
    pull = torch.from_numpy(observation.blur(equations.moment)).to(device)

    def of_picture(picture: Tensor) -> Tensor:
        found: Tensor = _Likelihood.apply(  # type: ignore[no-untyped-call]
            picture, lambda image: observation.normal(equations, image), pull
        )
        return found

    return of_picture


def total_variation(picture: Tensor, opponent: Tensor, variation: Variation) -> Tensor:
    """λ Σ sqrt(|γ' ∇x|² + ε²) of a picture (3, Y, X), luma and chroma apart (see `Variation`)."""
    mixed = torch.einsum("kc,cyx->kyx", opponent, picture)
    slope = _GAMMA * mixed[0].detach().clamp_min(variation.dark) ** (_GAMMA - 1)
    down = torch.diff(mixed, dim=1, append=mixed[:, -1:])
    right = torch.diff(mixed, dim=2, append=mixed[:, :, -1:])
    square = slope**2 * (down**2 + right**2)
    soft = variation.softening**2
    luma, chroma = square[0], square[1:].sum(dim=0)
    total = (luma + soft).sqrt() + variation.chroma * (chroma + soft).sqrt()
    return variation.strength * total.sum()


def add_network(
    observation: RayObservation,
    equations: NormalEquations,
    picture: FloatArray,
    variation: Variation,
    opponent: FloatArray,
    misfit: Callable[[FloatArray], float],
    settings: RayNetworkSettings,
    *,
    seed: int,
    device: torch.device,
) -> tuple[FloatArray, float]:
    """Fit a residual network to the rays, starting from `picture`.

    Parameters
    ----------
    equations
        Of the rays that are not held out, with weights at `picture`.
    picture
        Shape (3, Y, X), camera colors: the solution under total variation.
    misfit
        Of the held-out rays to a picture: lower is better.

    Returns
    -------
    ndarray of shape (3, Y, X)
        `picture` itself where the network does not lower the held-out misfit.
    float
        By how much it does, relative.
    """
    plan = settings.network
    depth = fitting_depth(picture.shape[1:], plan.skipnet)
    if depth < len(plan.skipnet.channels):
        return picture, 0.0
    start = torch.from_numpy(picture).to(device)
    mixing = torch.from_numpy(opponent).to(device)
    torch.manual_seed(seed)
    network = Skipnet(3, 3, plan.skipnet).to(device).train()
    shown = start.clamp_min(0) ** _GAMMA
    code = (shown - shown.mean())[None]
    # Of linear light per unit of display signal: what the network adds is even to the eye.
    unit = settings.amplitude / _GAMMA * shown.clamp_min(0.05) ** (1 / _GAMMA - 1)
    weaker = replace(variation, strength=settings.variation * variation.strength)

    def predict() -> Tensor:
        made: Tensor = start + unit * network(code)[0]
        return made.clamp_min(0.0)

    data = negative_log_likelihood(observation, equations, device)

    def loss(x: Tensor) -> Tensor:
        return (data(x) + total_variation(x, mixing, weaker)) / x.numel()

    def held_out_error(x: Tensor) -> float:
        return misfit(np.ascontiguousarray(x.cpu().numpy()))

    with deliberate_threads():
        before = held_out_error(start)
        fit = optimize(
            predict, list(network.parameters()), loss, held_out_error, plan, lambda _: None
        )
    gain = 1.0 - fit.error / before if before > 0 and np.isfinite(fit.error) else 0.0
    if gain <= 0.0:
        return picture, 0.0
    return np.ascontiguousarray(fit.best.cpu().numpy()), gain
