"""From a scene to the light on the sensor, and from light to codes; in bands of rows."""

from __future__ import annotations

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import (
    BAYER_COLOR,
    CodeArray,
    FloatArray,
    NoiseModel,
)
from lfdfp.imaging.color import camera_to_srgb_matrix
from lfdfp.lenslets.arrays import LensletArray
from lfdfp.progress import Progress
from lfdfp.simulation.bundle import BundleSize, lenslet_bundles
from lfdfp.simulation.camera import CameraModel
from lfdfp.simulation.exposure_kernels import (
    N_PATHS,
    Band,
    LensletImages,
    LensletProfile,
    SecondAperture,
    find_owners,
    lenslet_response,
    rays_along,
    share_light,
)
from lfdfp.simulation.scene import Scene

_BAND_ROWS = 64
_PROFILE = (1.0, 0.97, 0.90, 0.77, 0.48, 0.20, 0.06, 0.015, 0.0)
"""Light of an F01's lenslet image by radius, one value per pixel of a pitch of 9.93 pixels."""

_PROFILE_PITCH_PX = 9.93
_PROFILE_SAMPLES_PER_PX = 20.0
_FAR_EDGE_PITCHES = 0.56

_COLUMNS_BEYOND = 3
"""Random gains are drawn for every lenslet: with another number, a seed gave another camera."""


def lenslet_images(camera: CameraModel, rng: np.random.Generator) -> LensletImages:
    """List the lenslets whose light reaches the sensor, with a few more around it."""
    lenslets = LensletArray.over(camera.grid, columns_beyond=_COLUMNS_BEYOND)
    centers = lenslets.centers_px
    middle = (np.array(camera.shape) - 1) / 2
    corner = np.hypot(*camera.full_shape) / 2
    distance = np.hypot(*np.moveaxis(centers - middle, -1, 0)) / corner
    gains = 1 - camera.field_falloff * distance**2
    gains *= 1 + camera.imperfections.lenslet_gain_spread * rng.standard_normal(gains.shape)
    return LensletImages(
        centers=centers,
        first=lenslets.first,
        gains=gains.astype(np.float32),
        turn=camera.grid.turn,
    )


def lenslet_profile(camera: CameraModel) -> LensletProfile:
    """Light by the distance from a lenslet image's center, 20 samples per pixel."""
    from scipy.interpolate import PchipInterpolator

    scale = camera.grid.pitch_px / _PROFILE_PITCH_PX
    radius = np.arange(len(_PROFILE)) * scale
    fine = np.arange(0, radius[-1] + 0.1, 1 / _PROFILE_SAMPLES_PER_PX)
    profile = PchipInterpolator(radius, _PROFILE, extrapolate=False)(fine)
    light = np.asarray(np.nan_to_num(profile), np.float32)
    return LensletProfile(light=light, samples_per_px=_PROFILE_SAMPLES_PER_PX)


def bands(height: int) -> list[slice]:
    """The sensor's rows in bands, each of which fits into memory many times over."""
    return [slice(n, min(n + _BAND_ROWS, height)) for n in range(0, height, _BAND_ROWS)]


def _band(camera: CameraModel, images: LensletImages, rows: slice) -> Band:
    """A band of rows, and which lenslet is nearest to each of its pixels."""
    owners = np.empty((rows.stop - rows.start, camera.shape[1], 2), np.int32)
    band = Band(first_row=rows.start, owners=owners)
    find_owners(images, band)
    return band


def sensor_response(
    camera: CameraModel, images: LensletImages, profile: LensletProfile, pixel_gains: FloatArray
) -> FloatArray:
    """Shape (H, W): what every pixel measures of uniform light.

    Parameters
    ----------
    pixel_gains
        Broadcasts to (H, W): response of each pixel beside its neighbors'.
    """
    response = np.empty(camera.shape, np.float32)
    half_diagonal = float(np.hypot(*camera.full_shape)) / 2
    aperture = SecondAperture(
        shift_per_px=camera.imperfections.cat_eye_px / half_diagonal,
        edge_px=_FAR_EDGE_PITCHES * camera.grid.pitch_px,
        middle=((camera.shape[0] - 1) / 2, (camera.shape[1] - 1) / 2),
    )
    for rows in bands(camera.shape[0]):
        lenslet_response(images, _band(camera, images, rows), profile, aperture, response[rows])
    response *= pixel_gains
    return response


def sensor_light(
    scene: Scene,
    camera: CameraModel,
    images: LensletImages,
    *,
    rays_per_pixel: BundleSize,
    threads: int,
    progress: Progress,
) -> FloatArray:
    """Shape (H, W): camera color of the light that falls on each pixel, before its response.

    1 is the sensor's white level where the response is 1.
    """
    bundles = lenslet_bundles(camera.imperfections, rays_per_pixel)
    profile = lenslet_profile(camera)
    to_camera = np.linalg.inv(camera_to_srgb_matrix(camera.color)).astype(np.float32)
    light = np.empty(camera.shape, np.float32)

    def fill(rows: slice) -> None:
        rgb = _band_light(scene, camera, images, profile, bundles, _band(camera, images, rows))
        for k, channel in enumerate(camera.bayer):
            # Bands start at even rows, so that the Bayer cell starts at each band's top left.
            cell = (slice(k // 2, None, 2), slice(k % 2, None, 2))
            light[rows][cell] = rgb[cell] @ to_camera[BAYER_COLOR[channel]]

    BandRunner(threads).each(fill, bands(camera.shape[0]), progress)
    return light


def _band_light(
    scene: Scene,
    camera: CameraModel,
    images: LensletImages,
    profile: LensletProfile,
    bundles: FloatArray,
    band: Band,
) -> FloatArray:
    """Linear sRGB, shape (rows, W, 3), of a band, mixed over the lenslets that light a pixel."""
    shape = band.owners.shape[:2]
    shares = _band_shares(camera, images, profile, band)
    rays = np.empty((4, *shape), np.float32)
    total = np.zeros((*shape, 3), np.float32)
    for path, share in enumerate(shares):
        rays_along(images, band, path, camera.grid.pitch_px / 2, share, rays)
        bundle = bundles if path == 0 else bundles[..., ::2]
        light = scene.render(rays.reshape(4, -1), bundle).reshape(*shape, 3)
        light *= share[..., None]
        total += light
    return total


def _band_shares(
    camera: CameraModel, images: LensletImages, profile: LensletProfile, band: Band
) -> FloatArray:
    """Shape (paths, rows, W): one path where nothing leaks between lenslets, else seven."""
    shape = band.owners.shape[:2]
    crosstalk = camera.imperfections.crosstalk
    if crosstalk == 0:
        return np.ones((1, *shape), np.float32)
    shares = np.empty((N_PATHS, *shape), np.float32)
    share_light(images, band, profile, crosstalk, shares)
    return shares


def expose(
    light: FloatArray,
    camera: CameraModel,
    noise: NoiseModel,
    rng: np.random.Generator,
) -> CodeArray:
    """Codes (H, W), with noise, clipping and rounding, of light (H, W); 1 is the white level.

    Shot noise is drawn as Gaussian, which it nearly is above ten electrons.
    """
    codes = np.empty(light.shape, np.uint16)
    span = np.float32(camera.white_code - camera.black_code)
    for start in range(0, light.shape[0], _BAND_ROWS):
        signal = light[start : start + _BAND_ROWS] * span
        positive = np.maximum(signal, 0)
        variance = noise.read_variance - 1 / 12 + noise.shot_gain * positive
        variance += (noise.relative * positive) ** 2
        draw = rng.standard_normal(signal.shape, np.float32)
        signal += np.sqrt(np.maximum(variance, 0)) * draw + np.float32(camera.black_code)
        codes[start : start + _BAND_ROWS] = np.rint(np.clip(signal, 0, camera.white_code))
    return codes


def vignetting_error(camera: CameraModel, images: LensletImages, phase: float) -> FloatArray:
    """Shape (R, Q): smooth relative error of unit standard deviation over the full sensor."""
    place = images.centers / np.hypot(*camera.full_shape)
    wave = np.cos(2 * np.pi * (place[..., 0] + 0.6 * place[..., 1]) + phase)
    return np.asarray(np.sqrt(2.0) * wave, np.float32)
