"""The network that corrects a picture from rays, and its weights.

Two sizes of feature maps: planes of every other pixel of the finest grid, and half of that
("U-Net" [1]_). It gives what is to be added to the picture in the display's encoding.

References
----------
.. [1] O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image
   Segmentation", MICCAI 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lfdfp.files import replacing
from lfdfp.reconstruction.learned.features import PLANE_STEP, PLANES

HALO_PX = 64
"""Pixels of the finest grid around a place that its correction depends on, at most."""


class _Block(nn.Module):
    """Two convolutions whose result is added to what goes in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.first(functional.relu(features)))
        total: Tensor = features + self.second(inner)
        return total


class CorrectionNetwork(nn.Module):
    """Planes (N, C, H, W), H and W even, to corrections (N, 3, 2H, 2W); starts as zero."""

    def __init__(self, fine: int = 32, coarse: int = 64, blocks: int = 3) -> None:
        super().__init__()
        self.entry = nn.Conv2d(PLANES, fine, 3, padding=1)
        self.before = _Block(fine)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.deep = nn.Sequential(*(_Block(coarse) for _ in range(blocks)))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.after = _Block(fine)
        self.head = nn.Conv2d(fine, 3 * PLANE_STEP**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster

    def forward(self, planes: Tensor) -> Tensor:
        """The correction (N, 3, Y, X) of planes (N, P, Y/2, X/2), `PLANE_STEP` apart."""
        fine = self.before(self.entry(planes))
        deep = self.up(functional.relu(self.deep(self.down(functional.relu(fine)))))
        corrected = self.head(functional.relu(self.after(fine + deep)))
        return functional.pixel_shuffle(corrected, PLANE_STEP)


class Committee(nn.Module):
    """Networks that answer together: the mean of what each would add."""

    def __init__(self, members: Sequence[CorrectionNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, planes: Tensor) -> Tensor:
        """The mean of what the members answer; shapes as in `CorrectionNetwork.forward`."""
        answers = torch.stack([member(planes) for member in self.members])
        return answers.mean(dim=0)


def save_weights(path: Path, committee: Committee) -> None:
    """Write the parameters of all members as float16 arrays (.npz)."""
    arrays = {
        key: value.numpy().astype(np.float16) for key, value in committee.state_dict().items()
    }
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_weights(path: Path) -> Committee:
    """The networks whose parameters `save_weights` wrote, ready to answer."""
    with np.load(path, allow_pickle=False) as arrays:
        found = {key: torch.from_numpy(arrays[key].astype(np.float32)) for key in arrays.files}
    first = "members.0."
    fine, coarse = (found[first + key].shape[0] for key in ("entry.weight", "down.weight"))
    blocks = len({key.split(".")[3] for key in found if key.startswith(first + "deep.")})
    count = len({key.split(".")[1] for key in found})
    committee = Committee([CorrectionNetwork(fine, coarse, blocks) for _ in range(count)])
    committee.load_state_dict(found)
    committee.eval()
    return committee
