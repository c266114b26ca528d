"""Maps (disparity, decision, observability) as pictures that a person can read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray, SharpPicture, StackEvidence
from lfdfp.imaging.display import encode_srgb

ByteImage = NDArray[np.uint8]

_LEGEND_ROWS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """What the ends of a color scale stand for."""

    first: str
    last: str


def screen_image(light: FloatArray) -> ByteImage:
    """8-bit sRGB, shape (T, S, 3), of linear light with one or three channels."""
    encoded = encode_srgb(light[..., :3] if light.shape[2] >= 3 else light[..., :1])
    values = np.rint(encoded * 255).astype(np.uint8)
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values


def colored(values: FloatArray, low: float, high: float) -> ByteImage:
    """Turbo color scale, shape (T, S, 3): blue at `low`, red at `high`, gray where NaN."""
    import cv2

    span = max(high - low, 1e-12)
    finite = np.isfinite(values)
    level = np.clip((np.where(finite, values, low) - low) / span, 0, 1)
    bgr = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    rgb: ByteImage = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    rgb[~finite] = 128
    return rgb


def disparity_picture(disparity: FloatArray, confidence: FloatArray | None = None) -> ByteImage:
    """Colored disparity with a legend; near (negative) is red, uncertain is darkened.

    `disparity` and `confidence` (0 to 1) have the shape (Y, X); the picture is (Y + legend, X, 3).
    """
    finite = disparity[np.isfinite(disparity)]
    near, far = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    picture = colored(-disparity, -far, -near)
    if confidence is not None:
        shade = 0.35 + 0.65 * np.clip(confidence, 0, 1)
        picture = np.rint(picture * shade[..., None]).astype(np.uint8)
    return _with_legend(picture, Legend(first=f"far {far:+.2f}", last=f"near {near:+.2f} px/step"))


def slice_index(picture: SharpPicture, slopes: DoubleArray | None) -> FloatArray | None:
    """Which slice each pixel is sharp in, shape (T, S), as a real number; None if not known."""
    if isinstance(picture.evidence, StackEvidence):
        return mean_index(picture.evidence.decision_map)
    if picture.depth is None or slopes is None or len(slopes) < 2:
        return None
    position = (picture.depth.disparity - slopes[0]) / (slopes[1] - slopes[0])
    index: FloatArray = np.clip(position, 0, len(slopes) - 1).astype(np.float32)
    return index


def mean_index(decision_map: FloatArray) -> FloatArray:
    """Number of the slice, shape (T, S), of a map (N, T, S): the mean by the slices' shares."""
    order = np.arange(len(decision_map), dtype=np.float32)
    mean: FloatArray = np.tensordot(order, decision_map, axes=1)
    return mean.astype(np.float32)


def decision_picture(index: FloatArray, count: int) -> ByteImage:
    """Colored slice index, `index` (Y, X) from 0 to `count` - 1, with a legend."""
    last = max(count - 1, 1)
    return _with_legend(
        colored(last - index, 0, last), Legend(first=f"slice {count}", last="slice 1")
    )


def observability_picture(observability: FloatArray) -> ByteImage:
    """How far the data determine each pixel (Y, X), 0 to 1: dark is invented, bright measured.

    On a square-root scale, as light is shown: most of the finest detail is partly measured.
    """
    share = np.sqrt(np.clip(observability, 0, 1))
    return _graded(share, Legend(first="from the prior", last="measured"))


def standard_error_picture(error: FloatArray) -> ByteImage:
    """Noise of every pixel (Y, X), from none to what only one pixel in a hundred exceeds."""
    most = max(float(np.quantile(error, 0.99)), 1e-9)
    legend = Legend(first="0", last=f"{most:.2g} of white")
    return _graded(np.clip(error / most, 0, 1), legend)


def from_prior_picture(moved: FloatArray) -> ByteImage:
    """By how much a learned prior moved every pixel (Y, X): dark is nothing."""
    most = max(float(np.quantile(moved, 0.99)), 1e-9)
    return _graded(np.clip(moved / most, 0, 1), Legend(first="0", last=f"{most:.2g} of luma"))


def _graded(share: FloatArray, legend: Legend) -> ByteImage:
    """Shares from 0 to 1 as colors from dark to bright, with their legend."""
    import cv2

    gray = np.rint(share * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(gray, cv2.COLORMAP_CIVIDIS)
    picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return _with_legend(picture, legend, cv2.COLORMAP_CIVIDIS)


def _with_legend(picture: ByteImage, legend: Legend, scale: int | None = None) -> ByteImage:
    """The picture with a color bar and its two ends named below it."""
    import cv2

    columns = picture.shape[1]
    ramp = np.linspace(0, 255, columns).astype(np.uint8)[None].repeat(_LEGEND_ROWS // 3, axis=0)
    bar = cv2.cvtColor(
        cv2.applyColorMap(ramp, cv2.COLORMAP_TURBO if scale is None else scale), cv2.COLOR_BGR2RGB
    )
    text = np.full((_LEGEND_ROWS - len(bar), columns, 3), 24, np.uint8)
    size = min(0.4, columns / 700)
    baseline = len(text) - 6
    cv2.putText(
        text,
        legend.first,
        (4, baseline),
        cv2.FONT_HERSHEY_SIMPLEX,
        size,
        (235, 235, 235),
        1,
        cv2.LINE_AA,
    )
    (width, _), _ = cv2.getTextSize(legend.last, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    cv2.putText(
        text,
        legend.last,
        (columns - width - 4, baseline),
        cv2.FONT_HERSHEY_SIMPLEX,
        size,
        (235, 235, 235),
        1,
        cv2.LINE_AA,
    )
    return np.concatenate([picture, bar, text])
