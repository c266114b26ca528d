"""Shift-and-sum on any device that torch knows (CUDA): the same sums as the compiled kernels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lfdfp.datatypes import FloatArray, LightField
from lfdfp.imaging.splines import POLE, SPLINE_MARGIN, SplitShifts
from lfdfp.refocusing.shifts import Shifts


def spline_sums(
    field: LightField,
    shifts: Shifts,
    along_t: SplitShifts,
    along_s: SplitShifts,
    margin: int,
    *,
    device: torch.device,
) -> tuple[FloatArray, FloatArray]:
    """Σ w x, shape (N, T', S', C), and Σ w, shape (N, T', S'), over the shifted views.

    Parameters
    ----------
    along_t, along_s
        Shapes (N, V) and (N, U), as `spline_kernels.accumulate` takes them.
    margin
        Pixels around the picture that the sums have too; where above 0, they are turned into
        samples of cubic splines.
    """
    (whole_t, taps_t), (whole_s, taps_s) = along_t, along_s
    planes = len(whole_t)
    _, _, height, width, colors = field.views.shape
    wide, high = width + 2 * margin, height + 2 * margin
    total = torch.zeros((planes, high, wide, colors + 1), device=device)
    for v in range(field.angular_shape[0]):
        used = np.flatnonzero(shifts.gains[v] > 0)
        if not used.size:
            continue
        rows = _weighted(field, shifts, v, used, device=device)
        for n in range(planes):
            row_sum = torch.zeros((height, wide, colors + 1), device=device)
            for k, u in enumerate(used):
                for j in range(4):
                    _add(row_sum, rows[k], margin, 1, int(whole_s[n, u]) + j - 1, taps_s[n, u, j])
            for j in range(4):
                _add(total[n], row_sum, margin, 0, int(whole_t[n, v]) + j - 1, taps_t[n, v, j])
    if margin:
        total = _to_coefficients(_to_coefficients(total, 1), 2)
    result = total.cpu().numpy()
    return np.ascontiguousarray(result[..., :colors]), np.ascontiguousarray(result[..., colors])


def _weighted(
    field: LightField,
    shifts: Shifts,
    v: int,
    used: np.ndarray[tuple[int], np.dtype[np.int64]],
    *,
    device: torch.device,
) -> Tensor:
    """Weighted samples and, last, weights of some views of row v, shape (K, T, S, C + 1)."""
    weights = _on(field.weights[v, used], device)
    if shifts.equal_weights:
        weights = (weights > 0).to(torch.float32)
    weights *= torch.from_numpy(shifts.gains[v, used]).to(device, torch.float32)[:, None, None]
    light = _on(field.views[v, used], device) * weights[..., None]
    return torch.cat((light, weights[..., None]), dim=-1)


def _on(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], device: torch.device) -> Tensor:
    """As float32 on the device; 16-bit codes travel as they are."""
    array = np.ascontiguousarray(array)
    if array.dtype == np.uint16:
        codes = torch.from_numpy(array.view(np.int16)).to(device)
        return (codes.to(torch.int32) & 0xFFFF).to(torch.float32)
    return torch.from_numpy(array).to(device).to(torch.float32)


def _add(
    total: Tensor, part: Tensor, margin: int, dim: int, shift: int, factor: np.float32
) -> None:
    """total[margin + p] += factor part[p + shift] along one dimension, where both exist."""
    if factor == 0:
        return
    size = part.shape[dim]
    first = max(0, margin - shift)
    last = min(total.shape[dim], margin + size - shift)
    if last > first:
        source = part.narrow(dim, first - margin + shift, last - first)
        total.narrow(dim, first, last - first).add_(source, alpha=float(factor))


def _to_coefficients(samples: Tensor, dim: int) -> Tensor:
    """The prefilter of `lfdfp.imaging.splines` as a sum: its response is −6z/(1 − z²) z^|k|."""
    gain = -6 * POLE / (1 - POLE**2)
    result = samples * gain
    for k in range(1, min(SPLINE_MARGIN, samples.shape[dim] - 1) + 1):
        rest = samples.shape[dim] - k
        before, after = samples.narrow(dim, 0, rest), samples.narrow(dim, k, rest)
        result.narrow(dim, k, rest).add_(before, alpha=gain * POLE**k)
        result.narrow(dim, 0, rest).add_(after, alpha=gain * POLE**k)
    return result


def fourier_sums(
    field: LightField,
    shifts: Shifts,
    turns: tuple[FloatArray, FloatArray],
    blends: tuple[FloatArray, FloatArray],
    *,
    device: torch.device,
) -> FloatArray:
    """Σ w x and, last, Σ w over the shifted, periodic views, shape (N, C + 1, T', S').

    `turns` are complex factors as pairs, (N, V, F, 2) and (N, U, K, 2).
    """
    turn_t, turn_s = (torch.view_as_complex(torch.from_numpy(t).to(device)) for t in turns)
    total: Tensor | None = None
    for v in range(field.angular_shape[0]):
        used = np.flatnonzero(shifts.gains[v] > 0)
        if not used.size:
            continue
        views = _weighted(field, shifts, v, used, device=device)
        views = views.permute(0, 3, 1, 2)
        for dim, blend in ((3, blends[1]), (2, blends[0])):
            views = _periodic(views, dim, torch.from_numpy(blend).to(device))
        spectra = torch.fft.rfft2(views)
        some = torch.from_numpy(used).to(device)
        row_sum = torch.einsum("ucfk,nuk->ncfk", spectra, turn_s[:, some])
        row_sum *= turn_t[:, v][:, None, :, None]
        total = row_sum if total is None else total + row_sum
        shape = views.shape[2:]
    assert total is not None, "an aperture has open views"
    result: FloatArray = torch.fft.irfft2(total, s=shape).cpu().numpy()
    return result


def _periodic(views: Tensor, dim: int, blend: Tensor) -> Tensor:
    """Fill a gap after the end, as `load_periodic_rows` does."""
    gap, size = len(blend), views.shape[dim]
    shape = [1] * views.ndim
    shape[dim] = gap
    falling = blend.reshape(shape)
    end, start = views.narrow(dim, size - 1, 1), views.narrow(dim, 0, 1)
    after = 2 * end - views.narrow(dim, size - 1 - gap, gap).flip(dim)
    before = 2 * start - views.narrow(dim, 1, gap).flip(dim)
    return torch.cat((views, falling * after + (1 - falling) * before), dim=dim)
