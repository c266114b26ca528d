"""The best calibration that the material at hand allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lfdfp.calibration.lenslet_grid import fit_lenslet_grid
from lfdfp.calibration.metadata_grid import grid_from_metadata
from lfdfp.calibration.noise import noise_from_capture, noise_from_iso
from lfdfp.calibration.vignetting import default_response, response_from_capture
from lfdfp.calibration.white_image import response_from_white_image
from lfdfp.datatypes import Calibration, FloatArray, LensletGrid, NoiseModel, RawCapture
from lfdfp.errors import CalibrationError, CaptureError

Progress = Callable[[int, int], None]

_LEAST_LIGHT_SHARE = 0.002
_PITCH_SURPRISE = 0.003


def _silent(done: int, total: int) -> None:
    """Ignore progress."""


def calibrate(
    capture: RawCapture,
    white_image: RawCapture | None = None,
    *,
    progress: Progress = _silent,
) -> Calibration:
    """Calibrate a capture with the best that is at hand.

    In this order: the white image that the capture carries, the one given, the capture itself,
    the metadata alone. Each step down is named in the result's `source` and `warnings`.

    Parameters
    ----------
    capture
        To be calibrated.
    white_image
        Picture of uniform light by the same camera at a similar zoom.
    progress
        Called with (done, total).

    Raises
    ------
    CaptureError
        For a capture without light: there is nothing to decode.
    """
    _refuse_darkness(capture)
    white = capture.white_image if capture.white_image is not None else white_image
    origin = "the white image in the capture's file" if white is capture.white_image else ""
    progress(0, 3)
    if white is not None:
        try:
            return _from_white_image(capture, white, origin or "the given white image", progress)
        except CalibrationError as error:
            warning = f"The white image could not be used ({error}); the capture itself was."
            return _from_capture(capture, (warning,), progress)
    return _from_capture(capture, (), progress)


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


def _from_white_image(
    capture: RawCapture, white: RawCapture, origin: str, progress: Progress
) -> Calibration:
    if white.mosaic.shape != capture.mosaic.shape or white.bayer != capture.bayer:
        raise CalibrationError(
            f"white image of {white.mosaic.shape} {white.bayer} does not fit a capture of "
            f"{capture.mosaic.shape} {capture.bayer}"
        )
    grid = fit_lenslet_grid(white, is_white=True)
    progress(1, 3)
    response = response_from_white_image(white, grid)
    progress(2, 3)
    noise = _noise(capture, grid, response)
    progress(3, 3)
    return Calibration(
        grid=grid,
        response=response,
        noise=noise,
        source=f"lenslet grid and vignetting from {origin}",
        warnings=_pitch_warning(capture, grid),
    )


def _from_capture(
    capture: RawCapture, warnings: tuple[str, ...], progress: Progress
) -> Calibration:
    try:
        grid = fit_lenslet_grid(capture)
        source = "lenslet grid and vignetting from the capture itself"
        warnings += _pitch_warning(capture, grid)
    except CalibrationError as error:
        grid = grid_from_metadata(capture)
        source = "lenslet grid from the metadata alone"
        warnings += (
            f"The lenslet grid could not be found in the capture ({error}). The grid that the "
            "metadata describe is used; views may be wrong towards the corners.",
        )
    progress(1, 3)
    response = _response(capture, grid)
    progress(2, 3)
    noise = _noise(capture, grid, response)
    progress(3, 3)
    return Calibration(grid=grid, response=response, noise=noise, source=source, warnings=warnings)


def _response(capture: RawCapture, grid: LensletGrid) -> FloatArray:
    if np.isnan(grid.residual_px):
        return default_response(grid)
    return response_from_capture(capture, grid)


def _noise(capture: RawCapture, grid: LensletGrid, response: FloatArray) -> NoiseModel:
    try:
        return noise_from_capture(capture, grid, response)
    except CalibrationError:
        return noise_from_iso(capture)


def _pitch_warning(capture: RawCapture, grid: LensletGrid) -> tuple[str, ...]:
    expected = grid_from_metadata(capture).pitch_px
    if abs(grid.pitch_px / expected - 1) <= _PITCH_SURPRISE:
        return ()
    return (
        f"The lenslet pitch found is {grid.pitch_px:.4f} px, the metadata say {expected:.4f} px.",
    )
