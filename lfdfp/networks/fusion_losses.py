"""The paper's losses (section 6.3) for K slices: α L_con + β L_jgrad + γ L_grad."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lfdfp.imaging.display import LUMA_WEIGHTS
from lfdfp.imaging.resampling import Downsampling
from lfdfp.networks.settings import Laplacian, LossSettings, Luma

_CODE_LUMA = (0.299, -0.169, 0.499)
"""What the authors' code calls luma: a column of the RGB-YCbCr matrix where a row is meant."""


class TorchDownsampling:
    """`Downsampling` for tensors (1, C, kT, kS): two dense matrices, so autograd is the adjoint."""

    def __init__(self, model: Downsampling, device: torch.device) -> None:
        rows, columns = (torch.from_numpy(m.toarray()).to(device) for m in model.matrices)
        self.rows, self.columns_transposed = rows, columns.T.contiguous()
        self.identity = model.scale == 1

    def __call__(self, fine: Tensor) -> Tensor:
        return fine if self.identity else self.rows @ fine @ self.columns_transposed


def luma_of(picture: Tensor, kind: Luma) -> Tensor:
    """Luma (1, 1, H, W) of (1, C, H, W)."""
    if picture.shape[1] != 3:
        return picture.mean(dim=1, keepdim=True)
    weights = picture.new_tensor(LUMA_WEIGHTS if kind == "true" else _CODE_LUMA)
    return (picture * weights[None, :, None, None]).sum(dim=1, keepdim=True)


def laplacian_of(channel: Tensor, kind: Laplacian) -> Tensor:
    """Four-neighbor Laplacian of (N, 1, H, W)."""
    mode = "replicate" if kind == "signed" else "constant"
    padded = functional.pad(channel, (1, 1, 1, 1), mode=mode)
    center = padded[..., 1:-1, 1:-1]
    neighbors = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1]
    neighbors = neighbors + padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]
    found = neighbors - 4 * center
    return found if kind == "signed" else found.abs()


def strongest_laplacian(slices: Tensor, settings: LossSettings) -> Tensor:
    """J of Eq. 21: at every pixel the slices' Laplacian of largest magnitude, (1, 1, T, S)."""
    each = torch.stack(
        [laplacian_of(luma_of(s[None], settings.luma), settings.laplacian)[0] for s in slices]
    )
    return each.gather(0, each.abs().argmax(dim=0, keepdim=True))


class FusionLoss:
    """The three losses of a picture x, given the slices and their decision maps.

    Parameters
    ----------
    slices
        Shape (N, C, T, S), in the domain of x.
    maps
        Shape (N, T, S), summing to 1 over N.
    held_out
        Shape (T, S), bool: True where a pixel may not be used; None uses all.
    """

    def __init__(
        self,
        slices: Tensor,
        maps: Tensor,
        downsample: TorchDownsampling,
        settings: LossSettings,
        held_out: Tensor | None = None,
    ) -> None:
        self.slices, self.downsample, self.settings = slices, downsample, settings
        used = torch.ones_like(maps[0]) if held_out is None else (~held_out).to(maps.dtype)
        self.shares = (maps * used)[:, None] / used.mean()
        self.target = strongest_laplacian(slices, settings)
        self.smooth_use = -functional.max_pool2d(-used[None, None], 3, 1, 1)

    def __call__(self, x: Tensor) -> Tensor:
        terms = self.terms(x)
        weights = self.settings
        return (
            weights.content * terms["content"]
            + weights.joint_gradient * terms["joint_gradient"]
            + weights.gradient_limit * terms["gradient_limit"]
        )

    def terms(self, x: Tensor) -> dict[str, Tensor]:
        """L_con (Eq. 20), L_jgrad (21), L_grad (22) of a picture (1, C, Y, X), unweighted."""
        coarse = self.downsample(x)
        n_channels = x.shape[1]
        content = (self.shares * (coarse - self.slices).abs()).sum() / (
            n_channels * coarse[0, 0].numel()
        )
        kind = self.settings
        edges = laplacian_of(luma_of(coarse, kind.luma), kind.laplacian)
        joint = (self.smooth_use * (edges - self.target).abs()).mean()
        limit = (x[..., 1:, :] - x[..., :-1, :]).abs().mean()
        limit = limit + (x[..., 1:] - x[..., :-1]).abs().mean()
        return {"content": content, "joint_gradient": joint, "gradient_limit": limit}
