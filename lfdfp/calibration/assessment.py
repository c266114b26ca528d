"""What stands between a capture and a better calibration, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lfdfp.calibration.black_level import measured_black_level
from lfdfp.calibration.camera import Match
from lfdfp.calibration.compression import lossy_codes
from lfdfp.calibration.grid.fit import CERTAIN_GRID_PX, fit_lenslet_grid
from lfdfp.calibration.grid.from_metadata import grid_from_metadata
from lfdfp.datatypes import LensletGrid, RawCapture
from lfdfp.errors import CalibrationError

Verdict = Literal["good", "fair", "poor"]

_GOOD_RESIDUAL_PX = 0.2
_MUCH_SATURATION = 0.02
_DIM = 0.1

_HOW_TO_GET_WHITE_IMAGES = {
    "F01": "connect the camera to a computer with Lytro Desktop and copy data.C.0 to data.C.3 "
    "from its folder cameras/sn-SERIAL, then run `lfdfp calibrate` on them",
    "ILLUM": "pair the camera once, or copy caldata-SERIAL.tar from its memory card, then run "
    "`lfdfp calibrate` on it",
}
_PHOTOGRAPH_ONE = (
    "or photograph an evenly lit white surface through a sheet of white paper on the lens, at "
    "the same zoom, and pass the file as the white image"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact about a capture's calibration, and what could be done.

    Attributes
    ----------
    subject
        What it is about.
    verdict
        How good it is.
    fact, advice
        In words; no advice where nothing is to be done.
    """

    subject: str
    verdict: Verdict
    fact: str
    advice: str = ""


def assess(capture: RawCapture, known: Match | None = None) -> list[Finding]:
    """What was found for a capture, what would make it better, and how to get that.

    Parameters
    ----------
    known
        The calibration that `find_calibration` found, if any.
    """
    grid = _found_grid(capture)
    return [
        _camera(capture),
        _white_image(capture, known),
        _grid(capture, grid),
        *_codes(capture),
        *([] if isinstance(grid, CalibrationError) else _black_level(capture, grid)),
        _exposure(capture),
    ]


def _found_grid(capture: RawCapture) -> LensletGrid | CalibrationError:
    try:
        return fit_lenslet_grid(capture)
    except CalibrationError as error:
        return error


def _codes(capture: RawCapture) -> list[Finding]:
    """What a compression has done to the raw codes, if it did."""
    lossy = lossy_codes(capture)
    if lossy is None:
        return []
    lost = 100 * max(lossy.erased.green, lossy.erased.red_blue)
    fact = (
        f"they have gone through JPEG of quality {lossy.quality}, which took differences between "
        f"colors below {lost:.0f} % of white"
    )
    return [
        Finding(
            subject="raw codes",
            verdict="poor",
            fact=fact,
            advice="use the camera's own file; dark parts have no color of their own in this one",
        )
    ]


def _black_level(capture: RawCapture, grid: LensletGrid) -> list[Finding]:
    """What the gaps between lenslets in dark parts say, where there are such parts."""
    black = None if lossy_codes(capture) is not None else measured_black_level(capture, grid)
    if black is None:
        return []
    stated, found = np.mean(capture.black_codes), np.mean(black.codes)
    fact = (
        f"{found:.1f} codes, to {np.mean(black.standard_error):.1f}, where no light arrives; the "
        f"metadata say {stated:g}"
    )
    if not black.surely_differs:
        return [Finding(subject="black level", verdict="good", fact=fact)]
    advice = "the measured one is used; metadata of another capture may have come into the file"
    return [Finding(subject="black level", verdict="fair", fact=fact, advice=advice)]


def _camera(capture: RawCapture) -> Finding:
    camera = capture.camera
    if not camera.serial:
        return Finding(
            subject="camera",
            verdict="fair",
            fact=f"{camera.model or 'unknown model'} without a serial number",
            advice="no calibration can be looked up by serial number; keep the private metadata "
            "when files are converted",
        )
    fact = f"{camera.make} {camera.model}, serial {camera.serial}, firmware {camera.firmware}"
    return Finding(subject="camera", verdict="good", fact=fact.strip())


def _white_image(capture: RawCapture, known: Match | None) -> Finding:
    if capture.white_image is not None:
        return Finding(subject="white image", verdict="good", fact="the file carries its own")
    if known is not None:
        near = not known.zoom_off and not known.focus_off
        return Finding(
            subject="white image",
            verdict="good" if near else "fair",
            fact=f"calibration {known.describe()}",
        )
    how = _HOW_TO_GET_WHITE_IMAGES.get(capture.camera.model.upper(), "")
    return Finding(
        subject="white image",
        verdict="fair",
        fact="none for this camera; vignetting is estimated from the capture itself, the fall-off "
        "of light towards the corners as far as the scene has depth",
        advice=f"{how}; {_PHOTOGRAPH_ONE}" if how else _PHOTOGRAPH_ONE.removeprefix("or "),
    )


def _grid(capture: RawCapture, grid: LensletGrid | CalibrationError) -> Finding:
    expected = grid_from_metadata(capture)
    if isinstance(grid, CalibrationError):
        return Finding(
            subject="lenslet grid",
            verdict="poor",
            fact=f"not found in the capture: {grid}",
            advice="use a calibration of this camera, or a brighter capture at the same zoom",
        )
    surprise = 100 * (grid.pitch_px / expected.pitch_px - 1)
    certain = grid.standard_error_px <= CERTAIN_GRID_PX
    known = "not known" if np.isnan(grid.standard_error_px) else f"{grid.standard_error_px:.3f} px"
    return Finding(
        subject="lenslet grid",
        verdict="good" if certain and grid.residual_px <= _GOOD_RESIDUAL_PX else "fair",
        fact=f"pitch {grid.pitch_px:.4f} px ({surprise:+.3f} % from the metadata), rotation "
        f"{1000 * grid.rotation_rad:.2f} mrad, standard error of the lenslets' centers {known}, "
        f"residual {grid.residual_px:.3f} px",
        advice=""
        if certain
        else "use a calibration of this camera, or a brighter capture at the same zoom and focus",
    )


def _exposure(capture: RawCapture) -> Finding:
    saturated, top = 0.0, 0.0
    for _, rows, columns, black, white in capture.bayer_planes():
        codes = capture.mosaic[rows, columns][::2, ::2]
        saturated += float((codes >= black + 0.985 * (white - black)).mean()) / 4
        top = max(top, (float(np.percentile(codes, 99)) - black) / (white - black))
    fact = f"{100 * saturated:.2f} % of the pixels saturated, bright parts at {100 * top:.0f} %"
    if saturated > _MUCH_SATURATION:
        return Finding(
            subject="exposure",
            verdict="fair",
            fact=fact,
            advice="detail in the highlights is lost; expose less next time",
        )
    if top < _DIM:
        return Finding(
            subject="exposure", verdict="fair", fact=fact, advice="dark, so noise will show"
        )
    return Finding(subject="exposure", verdict="good", fact=fact)
