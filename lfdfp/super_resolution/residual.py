"""The engine: fit a residual SKIPnet on top of the fused, back-projected base.

x = base + network(code), with the network's last layer starting at zero, so that the first
iterate is the base. A share of the measured pixels is held out; their prediction alone decides
when to stop and whether the network's picture is better than the base. No truth is involved. The
tile with the most detail goes first: where the network gains nothing there, the rest is spared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.imaging.display import encode
from lfdfp.imaging.enlargement import Enlarger
from lfdfp.imaging.resampling import Downsampling
from lfdfp.imaging.tiles import blending_window, tiles
from lfdfp.networks.fit import optimize, to_picture, to_tensor
from lfdfp.networks.fusion_losses import FusionLoss, TorchDownsampling
from lfdfp.networks.settings import NetworkSettings
from lfdfp.networks.skipnet import Skipnet, fitting_depth
from lfdfp.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What is known about the fine picture: light (N, T, S, C), maps (N, T, S), fused (T, S, C).

    `light` is linear, `fused` encoded for display.
    """

    light: FloatArray
    maps: FloatArray
    fused: FloatArray
    scale: int

    @property
    def model(self) -> Downsampling:
        """The downsampler from the fine picture to the fused one."""
        return Downsampling(shape=self.fused.shape[:2], scale=self.scale)

    def cut(self, rows: slice, columns: slice) -> Observations:
        """The part under a window of coarse pixels."""
        return replace(
            self,
            light=self.light[:, rows, columns],
            maps=self.maps[:, rows, columns],
            fused=self.fused[rows, columns],
        )


def held_out_mask(shape: tuple[int, int], share: float, rng: np.random.Generator) -> BoolArray:
    """Which pixels (T, S) are held out, True for those: a random share."""
    return np.asarray(rng.random(shape) < share)


def without_held_out(fused: FloatArray, held_out: BoolArray) -> FloatArray:
    """`fused` (T, S, C) with held-out pixels (T, S) filled from their neighbors."""
    import cv2

    observed = (~held_out).astype(np.float32)
    ring = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32)
    known = cv2.filter2D(observed, -1, ring, borderType=cv2.BORDER_CONSTANT)
    values = fused * observed[..., None]
    total = cv2.filter2D(values, -1, ring, borderType=cv2.BORDER_CONSTANT).reshape(fused.shape)
    filled = total / np.maximum(known, 1e-6)[..., None]
    fillable = held_out & (known > 0)
    return np.where(fillable[..., None], filled, fused).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Residual:
    """What the network adds to the base (kT, kS, C), and its relative gain on held-out pixels."""

    residual: FloatArray
    gain: float = 0.0
    diverged: bool = False


def residual_of_tile(
    seen: Observations,
    enlarge: Enlarger,
    settings: NetworkSettings,
    *,
    seed: int,
    device: torch.device,
    on_step: Callable[[int], None],
) -> Residual:
    """What the network adds to the base of one tile.

    The residual is zero where the network gains less than `settings.least_gain`.
    """
    rng = np.random.default_rng(seed)
    held_out = held_out_mask(seen.fused.shape[:2], settings.held_out, rng)
    nothing = np.zeros((*seen.model.fine_shape, seen.fused.shape[2]), np.float32)
    depth = fitting_depth(seen.model.fine_shape, settings.skipnet)
    if depth == 0 or not held_out.any():
        return Residual(residual=nothing)
    visible = without_held_out(seen.fused, held_out)
    base = to_tensor(enlarge.on(seen.model)(visible, held_out), device)
    torch.manual_seed(seed)
    shape = replace(
        settings.skipnet,
        channels=settings.skipnet.channels[:depth],
        skip_channels=settings.skipnet.skip_channels[:depth],
    )
    network = Skipnet(base.shape[1], base.shape[1], shape).to(device).train()
    downsample = TorchDownsampling(seen.model, device)
    mask = torch.from_numpy(held_out).to(device)
    loss = FusionLoss(
        torch.from_numpy(np.ascontiguousarray(encode(seen.light).transpose(0, 3, 1, 2))).to(device),
        torch.from_numpy(np.ascontiguousarray(seen.maps)).to(device),
        downsample,
        settings.losses,
        mask,
    )
    fused = to_tensor(seen.fused, device)

    def held_out_error(x: Tensor) -> float:
        return float((((downsample(x) - fused) ** 2) * mask).sum() / mask.sum())

    code = base - base.mean()
    start = held_out_error(base)
    fit = optimize(
        lambda: base + network(code),
        list(network.parameters()),
        loss,
        held_out_error,
        settings,
        on_step,
    )
    gain = 1.0 - fit.error / max(start, 1e-12) if np.isfinite(fit.error) else 0.0
    if gain < settings.least_gain:
        return Residual(residual=nothing, gain=max(gain, 0.0), diverged=fit.diverged)
    return Residual(residual=to_picture(fit.best - base), gain=gain, diverged=fit.diverged)


def network_residual(
    seen: Observations,
    enlarge: Enlarger,
    settings: NetworkSettings,
    *,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> Residual:
    """Residual of the whole picture, tile by tile, and the mean gain on held-out pixels."""
    scale, shape = seen.scale, (seen.fused.shape[0], seen.fused.shape[1])
    overlap = settings.overlap_px // scale
    windows = list(tiles(shape, settings.tile_px // scale, overlap))
    windows.sort(key=lambda window: -float(seen.fused[window].std()))
    total = np.zeros((*seen.model.fine_shape, seen.fused.shape[2]), np.float32)
    weight = np.full(total.shape[:2], 1e-6, np.float32)
    found: list[Residual] = []
    for number, (rows, columns) in enumerate(windows):
        done, all_steps = number * settings.iterations, len(windows) * settings.iterations
        tile = residual_of_tile(
            seen.cut(rows, columns),
            enlarge,
            settings,
            seed=seed + number,
            device=device,
            on_step=lambda step, done=done, every=all_steps: progress(  # type: ignore[misc]
                done + step, every
            ),
        )
        found.append(tile)
        if number == 0 and not tile.residual.any():
            break
        fine = tuple(slice(scale * s.start, scale * s.stop) for s in (rows, columns))
        share = blending_window((fine[0], fine[1]), weight.shape, scale * overlap)
        total[fine] += tile.residual * share[..., None]
        weight[fine] += share
    progress(1, 1)
    total /= weight[..., None]
    return Residual(
        residual=total,
        gain=float(np.mean([tile.gain for tile in found])),
        diverged=any(tile.diverged for tile in found),
    )
