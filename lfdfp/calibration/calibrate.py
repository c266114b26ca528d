"""The best calibration that the material at hand allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lfdfp.calibration.black_level import measured_black_level
from lfdfp.calibration.camera import Match, distance, steps_off
from lfdfp.calibration.compression import lossy_codes
from lfdfp.calibration.defects import defects_in_capture
from lfdfp.calibration.grid.fit import CERTAIN_GRID_PX, fit_lenslet_grid
from lfdfp.calibration.grid.from_metadata import grid_from_metadata
from lfdfp.calibration.noise import noise_from_capture
from lfdfp.calibration.response.fall_off import FieldShading
from lfdfp.calibration.response.from_captures import lenslets_from_capture
from lfdfp.calibration.response.from_white_image import LensletResponse, measure_white_image
from lfdfp.calibration.response.profiles import default_response
from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import BlackLevel, Calibration, FloatArray, LensletGrid, NoiseModel, RawCapture
from lfdfp.errors import CalibrationError, CaptureError
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.progress import Progress, ignore_progress

_LEAST_LIGHT_SHARE = 0.002
_LEAST_SHARE_BELOW_WHITE = 0.005
_PITCH_SURPRISE = 0.003
_CLEAR_SHADING = 0.05
_STEPS = 3


@with_one_blas_thread
def calibrate(
    capture: RawCapture,
    white_image: RawCapture | None = None,
    *,
    known: Match | None = None,
    progress: Progress = ignore_progress,
) -> Calibration:
    """Calibrate a capture with the best that is at hand.

    In this order: the white image that the capture carries, the one given, what is known of the
    camera (see `find_calibration`), the capture itself, the metadata alone. Each step down is
    named in the result's `source` and `warnings`; nothing stops for lack of calibration.

    Parameters
    ----------
    capture
        To be calibrated.
    white_image
        Picture of uniform light by the same camera at a similar zoom.
    known
        Found in a database of calibrated cameras.
    progress
        Called with (done, total).

    Raises
    ------
    CaptureError
        For a capture without light, or with too much of it everywhere: there is nothing to
        decode.
    """
    _refuse_darkness(capture)
    _refuse_overexposure(capture)
    progress(0, _STEPS)
    warnings = _compression_warning(capture)
    white_images = (
        (capture.white_image, "the white image in the capture's file"),
        (white_image, "the given white image"),
    )
    for white, origin in white_images:
        if white is None:
            continue
        try:
            return _from_white_image(capture, white, origin, warnings, progress)
        except CalibrationError as error:
            warnings += (f"{origin[0].upper()}{origin[1:]} could not be used: {error}.",)
    if known is not None:
        try:
            return _from_known_camera(capture, known, warnings, progress)
        except CalibrationError as error:
            warnings += (f"{known.path} could not be used: {error}.",)
    return _from_capture(capture, warnings, progress)


def _compression_warning(capture: RawCapture) -> tuple[str, ...]:
    lossy = lossy_codes(capture)
    if lossy is None:
        return ()
    lost = 100 * max(lossy.erased.green, lossy.erased.red_blue)
    return (
        f"The raw codes have gone through JPEG (quality {lossy.quality}) before they came into "
        f"this file: differences between colors below {lost:.0f} % of white are lost, and dark "
        "parts are shown nearly gray. The camera's own file would have their colors.",
    )


def _refuse_darkness(capture: RawCapture) -> None:
    brightest = max(
        float(np.percentile(capture.mosaic[rows, columns][::4, ::4], 99.5) - black)
        / (white - black)
        for _, rows, columns, black, white in capture.bayer_planes()
    )
    if brightest < _LEAST_LIGHT_SHARE:
        raise CaptureError(
            f"the capture is black: its brightest pixels reach {max(100 * brightest, 0):.2f} % of "
            "the white level, so there is nothing to decode"
        )


def _refuse_overexposure(capture: RawCapture) -> None:
    below = [
        float((capture.mosaic[rows, columns][::2, ::2] < black + 0.99 * (white - black)).mean())
        for _, rows, columns, black, white in capture.bayer_planes()
    ]
    if max(below) < _LEAST_SHARE_BELOW_WHITE:
        raise CaptureError(
            f"the capture is overexposed everywhere: {100 * (1 - max(below)):.1f} % of its pixels "
            "are at the white level, so there is nothing to decode"
        )


def _from_white_image(
    capture: RawCapture,
    white: RawCapture,
    origin: str,
    warnings: tuple[str, ...],
    progress: Progress,
) -> Calibration:
    if white.mosaic.shape != capture.mosaic.shape or white.bayer != capture.bayer:
        raise CalibrationError(
            f"white image of {white.mosaic.shape} {white.bayer} does not fit a capture of "
            f"{capture.mosaic.shape} {capture.bayer}"
        )
    serials = {capture.camera.serial, white.camera.serial} - {""}
    if len(serials) > 1:
        raise CalibrationError(
            f"it is of camera {white.camera.serial}, the capture of {capture.camera.serial}"
        )
    lenslets, pixels = measure_white_image(white)
    progress(1, _STEPS)
    return _assembled(capture, lenslets, pixels.gain(), origin, warnings, progress)


def _from_known_camera(
    capture: RawCapture, known: Match, warnings: tuple[str, ...], progress: Progress
) -> Calibration:
    if not known.camera.fits(capture):
        raise CalibrationError(f"it is for a sensor of {known.camera.sensor_shape} pixels")
    progress(1, _STEPS)
    return _assembled(
        capture, known.entry, known.camera.pixel_gain, known.describe(), warnings, progress
    )


def _assembled(
    capture: RawCapture,
    lenslets: LensletResponse,
    pixel_gain: FloatArray,
    origin: str,
    warnings: tuple[str, ...],
    progress: Progress,
) -> Calibration:
    """Calibration from a measured response, whose grid is checked against the lens position."""
    grid = lenslets.grid
    source = f"lenslet grid and vignetting from {origin}"
    off = steps_off(
        distance(lenslets.zoom_step, capture.lens.zoom_step),
        distance(lenslets.focus_step, capture.lens.focus_step),
    )
    if off:
        grid, source, more = _own_grid(capture, lenslets, origin, off)
        warnings += more
    response = lenslets.render(capture.bayer, grid)
    response *= pixel_gain
    progress(2, _STEPS)
    black = _black_level(capture, grid)
    calibration = _finished(_corrected(capture, black), grid, response, source, warnings, progress)
    return _with_black_level(calibration, black, capture)


def _own_grid(
    capture: RawCapture, lenslets: LensletResponse, origin: str, off: str
) -> tuple[LensletGrid, str, tuple[str, ...]]:
    """Grid of the capture itself: the lenslets' images move with the main lens."""
    try:
        grid = fit_lenslet_grid(capture, lenslets.grid)
    except CalibrationError as error:
        warning = (
            f"The calibration is {off}, and the capture does not show its own lenslet grid "
            f"({error}); the grid may be wrong by a pixel towards the corners."
        )
        return lenslets.grid, f"lenslet grid and vignetting from {origin}", (warning,)
    source = f"lenslet grid from the capture itself, vignetting from {origin}"
    warning = f"The vignetting was measured at another lens position: {off}."
    return grid, source, (warning,)


def _from_capture(
    capture: RawCapture, warnings: tuple[str, ...], progress: Progress
) -> Calibration:
    try:
        grid = fit_lenslet_grid(capture)
    except CalibrationError as error:
        return _from_metadata(capture, error, warnings, progress)
    progress(1, _STEPS)
    warnings += (*_pitch_warning(capture, grid), *_grid_warning(grid))
    source = "lenslet grid and vignetting from the capture itself"
    black = _black_level(capture, grid)
    measured = _corrected(capture, black)
    try:
        lenslets, shading = lenslets_from_capture(measured, grid)
    except CalibrationError as error:
        response = default_response(grid)
        warnings += (f"The vignetting of an average camera is used: {error}.",)
        source = "lenslet grid from the capture itself, vignetting of an average camera"
    else:
        response = lenslets.render(capture.bayer)
        warnings += _shading_warning(shading)
    progress(2, _STEPS)
    calibration = _finished(measured, grid, response, source, warnings, progress)
    return _with_black_level(calibration, black, capture)


def _black_level(capture: RawCapture, grid: LensletGrid) -> BlackLevel | None:
    """As measured; a lossy compression moves the darkest codes, so that they say nothing."""
    return None if lossy_codes(capture) is not None else measured_black_level(capture, grid)


def _corrected(capture: RawCapture, black: BlackLevel | None) -> RawCapture:
    return capture if black is None else black.corrected(capture)


def _with_black_level(
    calibration: Calibration, black: BlackLevel | None, capture: RawCapture
) -> Calibration:
    if black is None or not black.surely_differs:
        return replace(calibration, black=black)
    found, stated = float(np.mean(black.codes)), float(np.mean(capture.black_codes))
    warning = (
        f"The capture shows a black level of {found:.1f} codes where no light arrives, the "
        f"metadata say {stated:g}: the former is used."
    )
    return replace(calibration, black=black, warnings=(*calibration.warnings, warning))


def _shading_warning(shading: FieldShading) -> tuple[str, ...]:
    """What a person should know of the fall-off of light over the field."""
    error = shading.uncertainty()
    if error <= _CLEAR_SHADING:
        return ()
    usual = "what is usual for the focal length" if shading.usual.any() else "none"
    return (
        f"Corner brightness is uncertain by about {100 * error:.0f} %; a white image would fix it. "
        "The capture has too little in front of and behind the plane of focus, or its light "
        f"changes with direction by itself; taken off is {usual}.",
    )


def _from_metadata(
    capture: RawCapture, error: Exception, warnings: tuple[str, ...], progress: Progress
) -> Calibration:
    grid = grid_from_metadata(capture)
    warnings += (
        f"The lenslet grid could not be found in the capture ({error}). The grid that the "
        "metadata describe is used; views may be wrong towards the corners.",
    )
    response = default_response(grid)
    progress(_STEPS, _STEPS)
    return Calibration(
        grid=grid,
        response=response,
        noise=noise_from_iso(capture),
        source="lenslet grid from the metadata alone, vignetting of an average camera",
        warnings=warnings,
    )


def _finished(
    capture: RawCapture,
    grid: LensletGrid,
    response: FloatArray,
    source: str,
    warnings: tuple[str, ...],
    progress: Progress,
) -> Calibration:
    """Add what only the capture itself can tell: its noise and its defective pixels."""
    noise = _noise(capture, grid, response)
    response[defects_in_capture(capture, response, noise, grid.pitch_px)] = 0.0
    progress(_STEPS, _STEPS)
    return Calibration(grid=grid, response=response, noise=noise, source=source, warnings=warnings)


def _noise(capture: RawCapture, grid: LensletGrid, response: FloatArray) -> NoiseModel:
    try:
        return noise_from_capture(capture, grid, response)
    except CalibrationError:
        return noise_from_iso(capture)


def _grid_warning(grid: LensletGrid) -> tuple[str, ...]:
    if grid.standard_error_px <= CERTAIN_GRID_PX:
        return ()
    known = "" if np.isnan(grid.standard_error_px) else f", to {grid.standard_error_px:.2f} px"
    return (
        f"The capture shows its lenslets only roughly{known}; a white image or a brighter capture "
        "of this camera at the same zoom and focus would fix it.",
    )


def _pitch_warning(capture: RawCapture, grid: LensletGrid) -> tuple[str, ...]:
    expected = grid_from_metadata(capture).pitch_px
    if abs(grid.pitch_px / expected - 1) <= _PITCH_SURPRISE:
        return ()
    return (
        f"The lenslet pitch found is {grid.pitch_px:.4f} px, the metadata say {expected:.4f} px.",
    )
