"""Exposure and white balance of photographs, measured where focus changes nothing.

Defocus spreads light but loses none, so wide windows of two photographs hold the same light
whatever is in focus, if nothing but focus changed. Two things spoil this. A blur that was made in
encoded values, by software, keeps the mean of the encoded values instead; and light crosses the
border of a window. Therefore ratios are taken of linear light and of encoded values: where the two
agree, the window is flat or equally sharp in both, and its ratio can be believed; how far windows
still disagree with each other says how far the result can be. Only what is far larger than its
uncertainty is corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.alignment.motions import covered, on_level, warped
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.imaging.display import decode_srgb, encode

_WINDOWS_PER_SIDE: Final = 24
_STEPS_PER_WINDOW: Final = 4
_BLOCK_ROWS_AT_A_TIME: Final = 8
_LEAST_LEVEL, _LARGEST_LEVEL = 0.1, 0.92
"""Encoded levels between which neither the black level nor clipping spoils a ratio."""

_CLIPPED_LEVEL: Final = 0.97
_LARGEST_CLIPPED_SHARE: Final = 0.002
"""Clipping takes light away, the less the more it is blurred."""

_LEAST_WINDOWS: Final = 12
_TRUSTED_DISAGREEMENT: Final = 0.002
"""Log ratio by which linear light and encoded values may disagree before a window loses weight."""

_CERTAIN_SIGMAS: Final = 4.0
_LEAST_CHANGE: Final = 0.002
"""Log gain that nobody sees."""

_CORRELATION: Final = 2.0
"""Windows overlap and share edges: standard errors are this much larger than for strangers."""

_SPREAD_SHARE: Final = 0.25
"""Share of the windows' spread that counts as uncertainty: gains must be larger than the spread."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureBlocks:
    """Means of one photograph in small blocks, a 96th of its shorter side: all that is kept of it.

    Attributes
    ----------
    shape
        (T, S) of the part of the photograph that whole blocks fill.
    light, encoded
        Shape (Y, X, C): means of linear light and of encoded values.
    clipped
        Shape (Y, X): share of the pixels that are clipped.
    """

    shape: tuple[int, int]
    light: FloatArray
    encoded: FloatArray
    clipped: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureWindows:
    """Means of one photograph in wide windows.

    Attributes
    ----------
    light, encoded
        Shape (H, W, C): linear light, and light whose encoded value is the mean encoded value.
    usable
        Shape (H, W): covered by the photograph, and neither too dark nor clipped anywhere.
    """

    light: DoubleArray
    encoded: DoubleArray
    usable: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureMatch:
    """Factors that bring photographs to the exposure and white balance of the reference.

    Attributes
    ----------
    gains
        Shape (N, C); all 1 where no change is certain.
    measured
        Shape (N, C): the gains as measured, NaN where nothing could be.
    uncertainty
        Shape (N, C): standard deviation of the logarithm of `measured`.
    """

    gains: FloatArray
    measured: FloatArray
    uncertainty: FloatArray

    @property
    def applied(self) -> bool:
        """Whether anything is corrected."""
        return bool(np.any(self.gains != 1))


def exposure_blocks(light: FloatArray) -> ExposureBlocks:
    """Block means of a photograph (T, S, C) of linear light."""
    step = max(min(light.shape[:2]) // (_WINDOWS_PER_SIDE * _STEPS_PER_WINDOW), 1)
    rows, columns = (max(n // step, 1) for n in light.shape[:2])
    step_rows, step_columns = (min(step, n) for n in light.shape[:2])
    made: tuple[FloatArray, ...] = tuple(
        np.empty((rows, columns, n), np.float32) for n in (light.shape[2], light.shape[2], 1)
    )
    for first in range(0, rows, _BLOCK_ROWS_AT_A_TIME):
        last = min(first + _BLOCK_ROWS_AT_A_TIME, rows)
        part = light[first * step_rows : last * step_rows, : columns * step_columns]
        shown = encode(part)
        clipped = _any_channel(shown > _CLIPPED_LEVEL).astype(np.float32)
        for mean, values in zip(made, (part, shown, clipped), strict=True):
            mean[first:last] = _block_means(values, (last - first, columns))
    return ExposureBlocks(
        shape=(rows * step_rows, columns * step_columns),
        light=made[0],
        encoded=made[1],
        clipped=made[2][..., 0],
    )


def _any_channel(values: BoolArray) -> BoolArray:
    """Whether a channel of (T, S, C) is true, shape (T, S, 1); NumPy is slow at short axes."""
    found = values[..., :1].copy()
    for channel in range(1, values.shape[2]):
        found[..., 0] |= values[..., channel]
    return found


def _block_means(values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    import cv2

    small = cv2.resize(np.ascontiguousarray(values), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(*shape, -1)


def exposure_windows(blocks: ExposureBlocks, matrix: DoubleArray | None = None) -> ExposureWindows:
    """Wide windows of a photograph, where the reference shows the same.

    Parameters
    ----------
    matrix
        Motion (3, 3) from the reference to the photograph; windows that the photograph does not
        wholly cover are not usable.
    """
    means = [blocks.light, blocks.encoded, blocks.clipped]
    shape = blocks.clipped.shape
    covers = np.ones(shape, np.float32)
    if matrix is not None:
        small = on_level(matrix, blocks.shape, shape)
        means = [warped(one, small, smooth=False) for one in means]
        covers = _surely_covered(shape, small)
    light, encoded, clipped = (_window_means(one) for one in means)
    usable = clipped[..., 0] < _LARGEST_CLIPPED_SHARE
    usable &= (encoded.min(axis=2) > _LEAST_LEVEL) & (encoded.max(axis=2) < _LARGEST_LEVEL)
    usable &= light.min(axis=2) > 0
    usable &= _window_means(covers)[..., 0] > 0.999
    return ExposureWindows(
        light=light,
        encoded=decode_srgb(encoded.astype(np.float32)).astype(np.float64),
        usable=usable,
    )


def _surely_covered(shape: tuple[int, int], matrix: DoubleArray) -> FloatArray:
    """1 where blocks and those beside them are covered, else 0, shape (Y, X)."""
    import cv2

    return np.asarray(cv2.erode(covered(shape, matrix).astype(np.float32), np.ones((3, 3))))


def _window_means(blocks: FloatArray) -> DoubleArray:
    """Gaussian windows of standard deviation 2 blocks, one every 4 blocks, shape (H, W, C)."""
    import cv2

    wide = cv2.GaussianBlur(blocks, (0, 0), _STEPS_PER_WINDOW / 2).reshape(*blocks.shape[:2], -1)
    inner = np.s_[_STEPS_PER_WINDOW::_STEPS_PER_WINDOW, _STEPS_PER_WINDOW::_STEPS_PER_WINDOW]
    return np.asarray(wide[inner], np.float64)


def match_exposures(windows: Sequence[ExposureWindows], reference: int = 0) -> ExposureMatch:
    """Gains (N, C) that bring photographs to the exposure of photograph `reference`.

    Log ratios between neighbors, next neighbors and with the reference are measured, each with
    its uncertainty, and solved for together. Either a change is certain, then all photographs are
    corrected, the less the less certain; or all are left as they are. Exposure is what the
    channels share, white balance what they do not; each must be certain by itself.
    """
    count, channels = len(windows), windows[0].light.shape[2]
    pairs = list(_pairs(count, reference))
    found = [_log_ratios(windows[i], windows[j]) for i, j in pairs]
    parts = 1 if channels == 1 else channels + 1
    logs, errors = np.zeros((count, parts)), np.full((count, parts), np.inf)
    for part in range(parts):
        known = [(p, f[part]) for p, f in zip(pairs, found, strict=True) if f is not None]
        logs[:, part], errors[:, part] = _solved(known, count, reference)
    shared, own = logs[:, :1], logs[:, 1:] if parts > 1 else np.zeros((count, 1))
    own_errors = errors[:, 1:] if parts > 1 else np.zeros((count, 1))
    kept = _certain(shared, errors[:, :1]) + _certain(own, own_errors)
    measured = np.where(np.isfinite(errors[:, :1]), np.exp(-(shared + own)), np.nan)
    return ExposureMatch(
        gains=np.exp(-kept).astype(np.float32),
        measured=measured.astype(np.float32),
        uncertainty=np.hypot(errors[:, :1], own_errors).astype(np.float32),
    )


def described(match: ExposureMatch) -> str:
    """What was done, in one line for the record."""
    if not match.applied:
        return "exposure left as it is: no difference is certain"
    gains = ", ".join(" ".join(f"{gain:.4f}" for gain in one) for one in match.gains)
    return f"exposure multiplied by {gains}"


def _pairs(count: int, reference: int) -> Iterator[tuple[int, int]]:
    wanted = {(k, k + step) for step in (1, 2) for k in range(count - step)}
    wanted |= {(min(k, reference), max(k, reference)) for k in range(count) if k != reference}
    yield from sorted(wanted)


def _log_ratios(
    first: ExposureWindows, second: ExposureWindows
) -> list[tuple[float, float]] | None:
    """(log ratio second / first, uncertainty): of all channels, then of each against all."""
    usable = first.usable & second.usable
    if usable.sum() < _LEAST_WINDOWS:
        return None
    linear = np.log(second.light[usable] / first.light[usable])
    encoded = np.log(second.encoded[usable] / first.encoded[usable])
    gray = [(linear.mean(axis=1), encoded.mean(axis=1))]
    channels = range(linear.shape[1] if linear.shape[1] > 1 else 0)
    colors = [(linear[:, c] - gray[0][0], encoded[:, c] - gray[0][1]) for c in channels]
    return [_robust_mean(a, b) for a, b in gray + colors]


def _robust_mean(linear: DoubleArray, encoded: DoubleArray) -> tuple[float, float]:
    """Mean of the windows that both domains agree on, and its uncertainty."""
    values, disagreement = (linear + encoded) / 2, linear - encoded
    trust = 1 / (1 + np.square(disagreement / _TRUSTED_DISAGREEMENT))
    center = float(np.median(values))
    for _ in range(20):
        spread = 1.4826 * float(np.median(np.abs(values - center))) + 1e-5
        weights = trust / (1 + np.square((values - center) / (2 * spread)))
        weights /= weights.sum()
        center = float(weights @ values)
    error = float(np.sqrt(np.square(weights) @ np.square(values - center)))
    bias = float(weights @ disagreement)
    parts = (_CORRELATION * error, bias, _SPREAD_SHARE * spread)
    return center, float(np.sqrt(np.square(parts).sum()))


def _solved(
    known: Sequence[tuple[tuple[int, int], tuple[float, float]]], count: int, reference: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logs (N,) of photographs against the reference, and their uncertainty (infinite if none)."""
    normal, right = np.zeros((count, count)), np.zeros(count)
    for (i, j), (value, error) in known:
        weight = 1 / error**2
        normal[[i, j], [i, j]] += weight
        normal[[i, j], [j, i]] -= weight
        right[[i, j]] += np.array([-weight, weight]) * value
    linked = _linked([pair for pair, _ in known], count, reference)
    free = [k for k in linked if k != reference]
    logs, errors = np.zeros(count), np.full(count, np.inf)
    errors[reference] = 0.0
    if free:
        covariance = np.linalg.inv(normal[np.ix_(free, free)])
        logs[free], errors[free] = covariance @ right[free], np.sqrt(np.diag(covariance))
    return logs, errors


def _linked(pairs: Sequence[tuple[int, int]], count: int, reference: int) -> list[int]:
    """Photographs that a chain of `pairs` links to the reference, itself included."""
    linked = {reference}
    for _ in range(count):
        linked |= {k for pair in pairs if linked & set(pair) for k in pair}
    return sorted(linked)


def _certain(logs: DoubleArray, errors: DoubleArray) -> DoubleArray:
    """`logs` (N, parts), drawn towards 0 as they are uncertain; 0 where none is certain."""
    known = np.isfinite(errors)
    sure = known & (np.abs(logs) > np.maximum(_CERTAIN_SIGMAS * errors, _LEAST_CHANGE))
    if not sure.any():
        return np.zeros_like(logs)
    typical = float(np.mean(np.square(logs[known])))
    return np.where(known, logs * typical / (typical + np.square(errors)), 0.0)
