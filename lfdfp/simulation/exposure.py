"""From a scene to the light on the sensor, and from light to codes; in bands of rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from lfdfp.datatypes import (
    BAYER_COLOR,
    CodeArray,
    DoubleArray,
    FloatArray,
    NoiseModel,
)
from lfdfp.imaging.color import camera_to_srgb_matrix
from lfdfp.progress import Progress
from lfdfp.simulation.bundle import BundleSize, lenslet_bundles
from lfdfp.simulation.camera import CameraModel
from lfdfp.simulation.exposure_kernels import (
    N_PATHS,
    OwnerArray,
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletImages:
    """The lenslet images of a camera, as the kernels take them.

    Attributes
    ----------
    centers
        Shape (R, Q, 2), see `sensor_kernels`.
    first
        (first_r, first_q).
    gains
        Shape (R, Q): of each lenslet, with the fall-off over the field.
    """

    centers: DoubleArray
    first: tuple[int, int]
    gains: FloatArray


def lenslet_images(camera: CameraModel, rng: np.random.Generator) -> LensletImages:
    """List the lenslets whose light reaches the sensor, with a few more around it."""
    grid = camera.grid
    height, width = camera.shape
    corners = grid.lattice_coordinates(
        np.array([0.0, 0.0, height, height]), np.array([0.0, width, 0.0, width])
    )
    x = corners[0] + corners[1] / 2
    first_r, last_r = int(np.floor(corners[1].min())) - 3, int(np.ceil(corners[1].max())) + 3
    first_q, last_q = int(np.floor(x.min())) - 3, int(np.ceil(x.max())) + 3
    r = np.arange(first_r, last_r + 1)[:, None]
    q = np.arange(first_q, last_q + 1)[None, :] - (r >> 1)
    centers = np.moveaxis(grid.centers(q.astype(np.float64), (r + 0 * q).astype(np.float64)), 0, -1)
    middle = (np.array(camera.shape) - 1) / 2
    corner = np.hypot(*camera.full_shape) / 2
    distance = np.hypot(*np.moveaxis(centers - middle, -1, 0)) / corner
    gains = 1 - camera.field_falloff * distance**2
    gains *= 1 + camera.imperfections.lenslet_gain_spread * rng.standard_normal(gains.shape)
    return LensletImages(
        centers=np.ascontiguousarray(centers),
        first=(first_r, first_q),
        gains=gains.astype(np.float32),
    )


def lenslet_profile(camera: CameraModel) -> FloatArray:
    """Light by the distance from a lenslet image's center, 20 samples per pixel."""
    scale = camera.grid.pitch_px / _PROFILE_PITCH_PX
    radius = np.arange(len(_PROFILE)) * scale
    fine = np.arange(0, radius[-1] + 0.1, 1 / _PROFILE_SAMPLES_PER_PX)
    profile = PchipInterpolator(radius, _PROFILE, extrapolate=False)(fine)
    return np.asarray(np.nan_to_num(profile), np.float32)


def bands(height: int) -> list[slice]:
    """The sensor's rows in bands, each of which fits into memory many times over."""
    return [slice(n, min(n + _BAND_ROWS, height)) for n in range(0, height, _BAND_ROWS)]


def nearest_lenslets(camera: CameraModel, images: LensletImages, rows: slice) -> OwnerArray:
    """Place in the list of the lenslet nearest to each pixel of a band, shape (rows, W, 2)."""
    owners = np.empty((rows.stop - rows.start, camera.shape[1], 2), np.int32)
    find_owners(images.centers, images.first[0], rows.start, owners)
    return owners


def sensor_response(
    camera: CameraModel, images: LensletImages, profile: FloatArray, pixel_gains: FloatArray
) -> FloatArray:
    """Shape (H, W): what every pixel measures of uniform light."""
    response = np.empty(camera.shape, np.float32)
    middle = ((camera.shape[0] - 1) / 2, (camera.shape[1] - 1) / 2)
    half_diagonal = float(np.hypot(*camera.full_shape)) / 2
    for rows in bands(camera.shape[0]):
        lenslet_response(
            images.centers,
            images.gains,
            rows.start,
            nearest_lenslets(camera, images, rows),
            profile,
            _PROFILE_SAMPLES_PER_PX,
            camera.imperfections.cat_eye_px / half_diagonal,
            _FAR_EDGE_PITCHES * camera.grid.pitch_px,
            middle,
            response[rows],
        )
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

    def fill(rows: slice) -> int:
        owners = nearest_lenslets(camera, images, rows)
        rgb = _band_light(scene, camera, images, profile, bundles, rows, owners)
        for k, channel in enumerate(camera.bayer):
            # Bands start at even rows, so that the Bayer cell starts at each band's top left.
            cell = (slice(k // 2, None, 2), slice(k % 2, None, 2))
            light[rows][cell] = rgb[cell] @ to_camera[BAYER_COLOR[channel]]
        return int(rows.stop)

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(fill, bands(camera.shape[0])):
            progress(done, camera.shape[0])
    return light


def _band_light(
    scene: Scene,
    camera: CameraModel,
    images: LensletImages,
    profile: FloatArray,
    bundles: FloatArray,
    rows: slice,
    owners: OwnerArray,
) -> FloatArray:
    """Linear sRGB, shape (rows, W, 3), of a band, mixed over the lenslets that light a pixel."""
    shape = owners.shape[:2]
    grid = camera.grid
    shares = _band_shares(camera, images, profile, rows, owners)
    rays = np.empty((4, *shape), np.float32)
    total = np.zeros((*shape, 3), np.float32)
    for path, share in enumerate(shares):
        rays_along(
            images.centers,
            images.first,
            rows.start,
            owners,
            grid.turn,
            path,
            grid.pitch_px / 2,
            share,
            rays,
        )
        bundle = bundles if path == 0 else bundles[..., ::2]
        light = scene.render(rays.reshape(4, -1), bundle).reshape(*shape, 3)
        light *= share[..., None]
        total += light
    return total


def _band_shares(
    camera: CameraModel,
    images: LensletImages,
    profile: FloatArray,
    rows: slice,
    owners: OwnerArray,
) -> FloatArray:
    """Shape (paths, rows, W): one path where nothing leaks between lenslets, else seven."""
    shape = owners.shape[:2]
    crosstalk = camera.imperfections.crosstalk
    if crosstalk == 0:
        return np.ones((1, *shape), np.float32)
    shares = np.empty((N_PATHS, *shape), np.float32)
    share_light(
        images.centers,
        images.first[0],
        rows.start,
        owners,
        profile,
        _PROFILE_SAMPLES_PER_PX,
        crosstalk,
        shares,
    )
    return shares


def expose(
    light: FloatArray,
    camera: CameraModel,
    noise: NoiseModel,
    rng: np.random.Generator,
) -> CodeArray:
    """Codes, with noise, clipping and rounding, of light (1 is the white level).

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
