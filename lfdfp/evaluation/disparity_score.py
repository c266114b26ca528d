"""How a disparity map is judged against the truth of a simulated capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lfdfp.datatypes import BoolArray, FloatArray
from lfdfp.evaluation.protocol import encoded
from lfdfp.imaging.color import luminance
from lfdfp.simulation import SimulatedCapture

BAD_PX: Final = 0.07
"""Errors above this, in pixels per angular step, count as bad."""

_TEXTURE: Final = 0.03
_EDGE_PX: Final = 0.1
_WINDOW: Final = (7, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisparityScore:
    """Errors of one disparity map where the scene is textured.

    Attributes
    ----------
    textured
        Share of the picture that has texture, in [0, 1]; only there errors are judged.
    mean_absolute_px, median_px
        Of the error, in pixels per angular step.
    bad, bad_off_edges
        Share of errors above `BAD_PX`, in [0, 1]: everywhere, and away from steps in depth.
    cpu_s
        What the estimate took.
    """

    scene: str
    seed: int
    textured: float
    mean_absolute_px: float
    median_px: float
    bad: float
    bad_off_edges: float
    cpu_s: float


def textured(picture: FloatArray) -> BoolArray:
    """Where a picture (T, S, 3) in linear light varies by more than 0.03 within 7 x 7 pixels.

    The standard deviation of luma counts, encoded as it is compared (`protocol.encoded`).
    """
    import cv2

    shown = luminance(encoded(picture))
    mean = cv2.blur(shown, _WINDOW)
    variance = cv2.blur(shown * shown, _WINDOW) - mean * mean
    return np.asarray(variance > _TEXTURE**2, np.bool_)


def near_edges(disparity: FloatArray) -> BoolArray:
    """Where a disparity map (T, S) spans more than 0.1 pixels per step within 7 x 7 pixels."""
    import cv2

    window = np.ones(_WINDOW, np.uint8)
    span = cv2.dilate(disparity, window) - cv2.erode(disparity, window)
    return np.asarray(span > _EDGE_PX, np.bool_)


def disparity_score(
    capture: SimulatedCapture, estimate: FloatArray, *, cpu_s: float
) -> DisparityScore:
    """Judge a disparity map (T, S), in pixels per angular step, against the capture's truth."""
    truth = capture.disparity()
    error, judged = np.abs(estimate - truth), textured(capture.all_in_focus())
    smooth = judged & ~near_edges(truth)
    return DisparityScore(
        scene=capture.scene.name,
        seed=capture.seed,
        textured=float(judged.mean()),
        mean_absolute_px=float(error[judged].mean()),
        median_px=float(np.median(error[judged])),
        bad=float((error[judged] > BAD_PX).mean()),
        bad_off_edges=float((error[smooth] > BAD_PX).mean()) if smooth.any() else 0.0,
        cpu_s=cpu_s,
    )
