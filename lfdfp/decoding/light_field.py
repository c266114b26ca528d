"""Raw capture and calibration to light field."""

from __future__ import annotations

import numpy as np

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import (
    Calibration,
    CodeArray,
    ColorData,
    FloatArray,
    LightField,
    RawCapture,
    Rays,
    ViewSampling,
)
from lfdfp.decoding.demosaic import LensImages, demosaic_lens_images
from lfdfp.decoding.orientation import oriented_field
from lfdfp.decoding.sensor import SensorLight, sensor_light
from lfdfp.decoding.views import (
    angular_size,
    lenslets_around,
    ray_weights,
    render_views,
    rendering_matrix,
    view_gains,
    view_offsets_px,
)
from lfdfp.errors import CalibrationError
from lfdfp.imaging.color import display_matrix
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.progress import Progress, ignore_progress
from lfdfp.settings import DecodeSettings

_DARKEST_LIGHT = -0.0625
"""Least light that the stored codes can hold: noise and the color matrix reach below zero."""

_BRIGHTEST_LIGHT = 4.0
_SCALE = (_BRIGHTEST_LIGHT - _DARKEST_LIGHT) / 65535
_OFFSET = -_DARKEST_LIGHT / _SCALE
_DEFAULT_SETTINGS = DecodeSettings()


@with_one_blas_thread
def decode(
    capture: RawCapture,
    calibration: Calibration,
    settings: DecodeSettings = _DEFAULT_SETTINGS,
    *,
    progress: Progress = ignore_progress,
) -> LightField:
    """Turn raw codes into sub-aperture views.

    Levels, white balance and vignetting are applied on the mosaic, without clipping; the image
    under each lenslet is estimated from its own Bayer pixels (`demosaic`), read at the exact
    directions of the views, brought to the center view's exposure and color, interpolated from
    the hexagonal to a square lattice (`hexagonal`), and turned into linear sRGB.

    Parameters
    ----------
    capture
        Raw codes with their metadata.
    calibration
        Lenslet grid, response and noise for this capture.
    settings
        `angular_size` None takes all directions within the lens image.
    progress
        Called with (done, total) in thousandths.

    Returns
    -------
    LightField
        Linear sRGB as uint16 codes with a scale, weights as uint8, upright; the unresampled rays
        are attached.

    Raises
    ------
    CalibrationError
        For a calibration of another sensor size.
    """
    if calibration.response.shape != capture.mosaic.shape:
        raise CalibrationError(
            f"the calibration is for a sensor of {calibration.response.shape}, the capture has "
            f"{capture.mosaic.shape}: choose the calibration of this camera"
        )
    if calibration.black is not None:
        capture = calibration.black.corrected(capture)
    sampling = default_view_sampling(calibration.grid)
    size = settings.angular_size or angular_size(calibration.grid, sampling)
    lenslets = lenslets_around(calibration.grid, sampling)
    sensor = sensor_light(capture, calibration)
    progress(100, 1000)
    images = demosaic_lens_images(
        sensor,
        calibration.response,
        lenslets,
        capture.color.white_balance,
        progress=_part(progress, 100, 500),
    )
    offsets = view_offsets_px(calibration.grid, sampling, size)
    views = _views(capture.color, images, lenslets, sampling, offsets, _part(progress, 500, 950))
    weights = ray_weights(calibration.response, calibration.grid, sampling, offsets)
    progress(1000, 1000)
    field = LightField(
        views=views,
        weights=weights,
        scale=_SCALE,
        offset=_OFFSET,
        weight_scale=1 / 255,
        sampling=sampling,
        rays=Rays(capture=capture, calibration=calibration),
        warnings=calibration.warnings,
        history=(*capture.history, *_history(sensor, images, size, sampling)),
    )
    return oriented_field(field, capture.orientation)


def _part(progress: Progress, first: int, last: int) -> Progress:
    """`progress` for a stage that makes up the thousandths from `first` to `last`."""

    def report(done: int, total: int) -> None:
        progress(first + (last - first) * done // max(total, 1), 1000)

    return report


def _views(
    color: ColorData,
    images: LensImages,
    lenslets: LensletArray,
    sampling: ViewSampling,
    offsets: FloatArray,
    progress: Progress,
) -> CodeArray:
    gains = view_gains(images, offsets)
    matrix = rendering_matrix(images.model, offsets, gains, display_matrix(color))
    views = np.empty((*offsets.shape[:2], *sampling.shape, 3), np.uint16)
    render_views(
        images,
        lenslets,
        sampling,
        matrix,
        scale=_SCALE,
        offset=_OFFSET,
        views=views,
        progress=progress,
    )
    return views


def _history(
    sensor: SensorLight, images: LensImages, size: int, sampling: ViewSampling
) -> tuple[str, ...]:
    n_t, n_s = sampling.shape
    return (
        f"linear light: {sensor.saturated} saturated, {sensor.unmeasured} unmeasured and "
        f"{sensor.hot} hot pixels repaired",
        f"demosaiced {int(images.valid.sum())} lens images with {images.model.count} coefficients",
        f"{size} x {size} views of {n_t} x {n_s}, hexagonal to square by kriging",
    )
