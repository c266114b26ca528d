"""The paper's recipe from end to end: DoubleReblur, decision embedding, SKIPnet on three losses.

Works on K slices as on two: one channel of a softmax per slice, the Laplacian of largest magnitude
over all. It stops after a fixed number of iterations. The authors' code keeps the iterate that is
closest to the high-resolution truth; `score` puts that back for comparisons with its figures, and
nothing in the chain passes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.decision_map import fuse_slices
from lfdfp.fusion.paper.double_reblur import double_reblur_maps
from lfdfp.fusion.paper.settings import Code, PaperSettings
from lfdfp.imaging.display import luma
from lfdfp.imaging.resampling import Downsampling
from lfdfp.networks.fit import to_picture, to_tensor
from lfdfp.networks.fusion_losses import FusionLoss, TorchDownsampling
from lfdfp.networks.settings import SkipnetSettings
from lfdfp.networks.skipnet import Skipnet, fitting_depth
from lfdfp.progress import Progress

Score = Callable[[FloatArray], float]
Watch = Callable[[int, FloatArray], None]

_LOOK_EVERY = 50
_FLAT = 1e-4


@dataclass(frozen=True, kw_only=True)
class PaperResult:
    """Encoded pictures, maps (N, T, S), final losses; `diverged` when no fit was possible."""

    fused: FloatArray
    fine: FloatArray
    maps: FloatArray
    losses: dict[str, float]
    diverged: bool


def follow_paper(
    slices: FloatArray,
    scale: int,
    settings: PaperSettings,
    *,
    seed: int,
    device: torch.device,
    progress: Progress,
    score: Score | None = None,
    watch: Watch | None = None,
) -> PaperResult:
    """Fuse and enlarge encoded slices (N, T, S, C) as the paper does.

    Parameters
    ----------
    score
        Larger is better; picks the iterate, as the authors' code does with the truth. For
        comparison with published figures only.
    watch
        Called with the number and the picture of every 50th iterate; has no say.
    """
    torch.manual_seed(seed)
    total = settings.embedding_iterations + settings.iterations
    model = Downsampling(
        shape=(slices.shape[1], slices.shape[2]), scale=scale, kernel=settings.kernel
    )
    hard = _hard_maps(slices, settings)
    maps = embedded_maps(
        slices, hard, settings, device, on_step=lambda step, _: progress(step, total)
    )
    loss = FusionLoss(
        _tensor(slices.transpose(0, 3, 1, 2), device),
        _tensor(maps, device),
        TorchDownsampling(model, device),
        settings.losses,
    )
    mean = model.interpolate(slices.mean(axis=0))
    code = network_input(mean, settings.code, device)
    network = _network(code, slices.shape[3], settings.skipnet).to(device)

    def on_step(step: int, made: Tensor) -> None:
        progress(settings.embedding_iterations + step, total)
        if watch is not None and step % _LOOK_EVERY == 0:
            watch(step, to_picture(made))

    fine = fit(
        network,
        code,
        loss,
        settings.iterations,
        settings.learning_rate,
        on_step=on_step,
        score=score,
    )
    progress(total, total)
    fused = fuse_slices(slices, maps)
    picture = to_picture(fine)
    if not np.isfinite(picture).all() or (picture.std() < _FLAT < fused.std()):
        return PaperResult(
            fused=fused, fine=model.interpolate(fused), maps=maps, losses={}, diverged=True
        )
    losses = {name: float(value) for name, value in loss.terms(fine).items()}
    return PaperResult(fused=fused, fine=picture, maps=maps, losses=losses, diverged=False)


def _tensor(array: FloatArray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)


def _hard_maps(slices: FloatArray, settings: PaperSettings) -> FloatArray:
    if len(slices) == 1:
        return np.ones(slices.shape[:3], np.float32)
    return double_reblur_maps(np.stack([luma(s) for s in slices]), settings.double_reblur)


def network_input(mean: FloatArray, kind: Code, device: torch.device) -> Tensor:
    """The constant input (1, C, H, W): the mean picture, or noise in [0, 0.1]."""
    code = to_tensor(mean, device)
    return code if kind == "mean" else 0.1 * torch.rand(code.shape).to(device)


def _network(code: Tensor, n_out: int, settings: SkipnetSettings) -> nn.Module:
    depth = max(fitting_depth(code.shape[-2:], settings), 1)
    fitting = replace(
        settings, channels=settings.channels[:depth], skip_channels=settings.skip_channels[:depth]
    )
    return Skipnet(code.shape[1], n_out, fitting)


def embedded_maps(
    slices: FloatArray,
    hard: FloatArray,
    settings: PaperSettings,
    device: torch.device,
    on_step: Callable[[int, Tensor], None],
) -> FloatArray:
    """Decision embedding (Eq. 19, Algorithm S1) for K slices; hard maps (N, T, S).

    ``L = mean( ½ Σ_k |m̂_k - m_k| + Σ_k |m̂_k I_k - I_k| )``, which is the paper's for two slices.
    Rounding to 0 and 1 inside the loop has no gradient: it is done once, at the end.
    """
    if settings.embedding_iterations == 0 or len(slices) == 1:
        return hard
    code = network_input(slices.mean(axis=0), settings.code, device)
    network = _network(code, len(slices), replace(settings.mask_skipnet, output="logits"))
    pictures = _tensor(slices.transpose(0, 3, 1, 2), device)
    masks = _tensor(hard, device)

    def loss(logits: Tensor) -> Tensor:
        soft = torch.softmax(logits[0], dim=0)
        to_hard = (soft - masks).abs().sum(dim=0).mean() / 2
        to_slices = ((soft[:, None] * pictures - pictures).abs()).mean(dim=1).sum(dim=0).mean()
        return to_hard + to_slices

    logits = fit(
        network.to(device),
        code,
        loss,
        settings.embedding_iterations,
        settings.learning_rate,
        on_step=on_step,
    )
    chosen = logits[0].argmax(dim=0).cpu().numpy()
    return np.asarray(np.arange(len(slices))[:, None, None] == chosen, np.float32)


def fit(
    network: nn.Module,
    code: Tensor,
    loss: Callable[[Tensor], Tensor],
    iterations: int,
    learning_rate: float,
    on_step: Callable[[int, Tensor], None],
    score: Score | None = None,
) -> Tensor:
    """Fit `network` so that `loss(network(code))` is small; its last output, or the best scored.

    `code` has the shape (1, N, Y, X).
    """
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    code = code.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    best, highest = None, -float("inf")
    for step in range(iterations):
        made = network(code)
        value = loss(made)
        if score is not None and step % _LOOK_EVERY == 0:
            reached = score(to_picture(made))
            if reached > highest:
                best, highest = made.detach(), reached
        if not torch.isfinite(value):
            break
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        on_step(step, made.detach())
    with torch.no_grad():
        last: Tensor = network(code)
    return last if best is None else best
