"""The rays' linear system on any device that torch knows (CUDA), as whole arrays."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.solver.conjugate_gradients import ArraySystem, conjugate_gradients
from lfdfp.reconstruction.solver.operator_kernels import OperatorArrays


class RayOperator:
    """``Bᵀ N B + λ ∇ᵀ Q ∇`` of pictures (3, Y, X).

    Parameters
    ----------
    arrays
        As the compiled kernels take them.
    device
        Where they are copied to.
    """

    def __init__(self, arrays: OperatorArrays, device: torch.device) -> None:
        self._stencil = torch.from_numpy(arrays.stencil).to(device)
        self._weights = torch.from_numpy(arrays.weights).to(device)[[0, 1, 1]]
        self._opponent = torch.from_numpy(arrays.matrix).to(device)
        self._taps = arrays.taps.tolist()

    def __call__(self, picture: Tensor) -> Tensor:
        return self._blurred(self._coupled(self._blurred(picture))) + self._smoothed(picture)

    def _blurred(self, picture: Tensor) -> Tensor:
        """Both axes filtered, nothing outside; as sums, since convolutions may round to TF32."""
        far = len(self._taps) - 1
        for axis, margins in ((1, (0, 0, far, far)), (2, (far, far))):
            length = picture.shape[axis]
            padded = functional.pad(picture, margins)
            at = [padded.narrow(axis, shift, length) for shift in range(2 * far + 1)]
            picture = self._taps[0] * at[far]
            for distance in range(1, far + 1):
                picture = picture + self._taps[distance] * (at[far - distance] + at[far + distance])
        return picture

    def _coupled(self, picture: Tensor) -> Tensor:
        """The symmetric 9-point operator: each coupling forward and back."""
        own, *couplings = self._stencil.unbind(1)
        rows, columns = picture.shape[1:]
        total = functional.pad(own * picture, (1, 1, 1, 1))
        around = functional.pad(picture, (1, 1, 1, 1))
        for coupling, (down, right) in zip(
            couplings, ((0, 1), (1, 0), (1, 1), (1, -1)), strict=True
        ):
            there = (
                slice(None),
                slice(1 + down, 1 + down + rows),
                slice(1 + right, 1 + right + columns),
            )
            total[:, 1:-1, 1:-1] += coupling * around[there]
            total[there] += coupling * picture
        made = total[:, 1:-1, 1:-1].contiguous()
        made[:, :, [0, -1]] = 0.0
        return made

    def _smoothed(self, picture: Tensor) -> Tensor:
        """The weighted Laplacian of luma and chroma, in colors again."""
        mixed = torch.einsum("mc,cyx->myx", self._opponent, picture)
        right = self._weights * torch.diff(mixed, dim=2, append=mixed[:, :, -1:])
        down = self._weights * torch.diff(mixed, dim=1, append=mixed[:, -1:])
        flow = -right - down
        flow[:, :, 1:] += right[:, :, :-1]
        flow[:, 1:] += down[:, :-1]
        return torch.einsum("mc,myx->cyx", self._opponent, flow)


def solved_on_device(
    arrays: OperatorArrays,
    pull: FloatArray,
    start: FloatArray,
    diagonal: FloatArray,
    iterations: int,
    device: torch.device,
) -> FloatArray:
    """``operator(x) = pull`` solved from `start` by `conjugate_gradients` on a device.

    Parameters
    ----------
    pull, start, diagonal
        Shape (3, Y, X), float32: right-hand side, first guess, approximate diagonal.

    Returns
    -------
    ndarray of shape (3, Y, X)
    """
    system = ArraySystem(RayOperator(arrays, device), torch.from_numpy(diagonal).to(device), _dot)
    x = conjugate_gradients(
        system,
        torch.from_numpy(pull).to(device),
        torch.from_numpy(start).to(device, copy=True),
        iterations,
    )
    solved: FloatArray = x.cpu().numpy()
    return solved


def _dot(one: Tensor, other: Tensor) -> float:
    return float((one * other).sum(dtype=torch.float64))
