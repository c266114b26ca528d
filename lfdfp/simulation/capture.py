"""A simulated capture: what the camera would have written, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lfdfp.datatypes import (
    BAYER_COLOR,
    Calibration,
    CodeArray,
    DoubleArray,
    FloatArray,
    RawCapture,
    ViewSampling,
)
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.progress import Progress, ignore_progress
from lfdfp.simulation.bundle import BundleSize, lenslet_bundles, pixel_bundle
from lfdfp.simulation.camera import CameraModel
from lfdfp.simulation.exposure import (
    expose,
    lenslet_images,
    lenslet_profile,
    sensor_light,
    sensor_response,
    vignetting_error,
)
from lfdfp.simulation.scene import Scene

_WHITE_LEVEL = 0.7
_WHITE_RESPONSE = (0.85, 1.0, 0.72)
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedCapture:
    """A capture with its truth.

    Attributes
    ----------
    mosaic, white_mosaic
        Shape (H, W), raw codes of the scene and of uniform light.
    response
        Shape (H, W): the capture's true response; 0 at hot pixels.
    sampling
        Of the truth: the one that decoding chooses for the true lenslet grid.
    """

    scene: Scene
    camera: CameraModel
    seed: int
    mosaic: CodeArray
    white_mosaic: CodeArray
    response: FloatArray
    sampling: ViewSampling
    _pictures: dict[int, FloatArray] = field(default_factory=dict, repr=False)

    def raw_capture(self, *, with_white_image: bool = False) -> RawCapture:
        """What reading the simulated file gives."""
        camera = self.camera
        levels = (camera.black_code,) * 4, (camera.white_code,) * 4
        return RawCapture(
            mosaic=self.mosaic,
            bayer=camera.bayer,
            black_codes=levels[0],
            white_codes=levels[1],
            pixel_pitch_m=camera.pixel_pitch_m,
            microlens_array=camera.stated_microlens_array,
            camera=camera.camera,
            lens=camera.lens,
            color=camera.color,
            iso=camera.iso,
            exposure_s=camera.exposure_s,
            white_image=self.white_capture() if with_white_image else None,
            history=(f"simulated: scene {self.scene.name}, seed {self.seed}",),
        )

    def white_capture(self) -> RawCapture:
        """The white image (modulation image) of the camera at this zoom and focus."""
        return replace(
            self.raw_capture(),
            mosaic=self.white_mosaic,
            color=replace(self.camera.color, white_balance=(1.0, 1.0, 1.0), exposure_bias_ev=0.0),
            iso=self.camera.base_iso,
            history=("simulated white image",),
        )

    def true_calibration(self) -> Calibration:
        """Lenslet grid, response and noise as they truly are."""
        return Calibration(
            grid=self.camera.grid,
            response=self.response,
            noise=self.camera.noise,
            source="simulation",
        )

    def all_in_focus(self, scale: int = 1) -> FloatArray:
        """The sharp picture from the center of the aperture: averages over square pixels.

        Parameters
        ----------
        scale
            Every view pixel is divided into scale x scale; 1, 2 and 4 average one another.

        Returns
        -------
        ndarray of shape (scale T, scale S, 3)
            Linear sRGB in the units of decoded views; not clipped.
        """
        finest = 4 if 4 % scale == 0 else scale
        if finest not in self._pictures:
            self._pictures[finest] = _picture(self.scene, self.sampling, finest)
        picture = self._pictures[finest]
        n = finest // scale
        rows, columns = picture.shape[0] // n, picture.shape[1] // n
        boxes = picture.reshape(rows, n, columns, n, 3)
        return np.asarray(boxes.mean(axis=(1, 3)), np.float32)

    def disparity(self, scale: int = 1) -> FloatArray:
        """Disparity, shape (scale T, scale S), in view pixels per angular step (near negative).

        Of the surface that the center view sees at the pixel's center.
        """
        y, x = sample_positions(self.sampling, scale)
        return self.scene.disparity(y, x) * np.float32(self.sampling.pixels_per_pitch)

    def disparity_pitch(self, scale: int = 1) -> FloatArray:
        """As `disparity`, in lenslet pitches per raw pixel."""
        y, x = sample_positions(self.sampling, scale)
        return self.scene.disparity(y, x)

    def view(self, v: float, u: float, *, rays: BundleSize = 256) -> FloatArray:
        """Perfect, noise-free view: what lenslets at the samples' places would see.

        Parameters
        ----------
        v, u
            Direction in raw pixels from the lenslet image's center (not an index).

        Returns
        -------
        ndarray of shape (T, S, 3)
        """
        y, x = sample_positions(self.sampling, 1)
        y, x = np.broadcast_arrays(y, x)
        return self.light_at(y, x, v, u, rays=rays)

    def light_at(
        self, y: DoubleArray, x: DoubleArray, v: float, u: float, *, rays: BundleSize = 256
    ) -> FloatArray:
        """As `view`, at any points (y, x) of the lens plane, in pitches; shape (..., 3)."""
        along = [y.ravel(), x.ravel(), np.full(y.size, v), np.full(y.size, u)]
        bundles = lenslet_bundles(self.camera.imperfections, rays)
        light = self.scene.render(np.stack(along).astype(np.float32), bundles)
        return light.reshape(*y.shape, 3)


def simulate_capture(
    scene: Scene,
    camera: CameraModel,
    *,
    seed: int,
    rays_per_pixel: BundleSize = 64,
    threads: int = 1,
    progress: Progress = ignore_progress,
) -> SimulatedCapture:
    """Photograph a scene: light through the lens array onto the sensor, then noise and codes.

    Parameters
    ----------
    seed
        Of everything random in camera and noise.
    rays_per_pixel
        Accuracy of the integral over lenslet and pixel: 64 leaves noise of 0.2 to 0.3 % of the
        white level where the scene is detailed, and the error falls nearly as 1 / rays.
    threads
        Bands of rows worked on at once; the result does not depend on it.
    progress
        Called with (bands of rows done, bands).
    """
    lens_seed, pixel_seed, capture_seed, white_seed = np.random.SeedSequence(seed).spawn(4)
    flaws = camera.imperfections
    images = lenslet_images(camera, np.random.default_rng(lens_seed))
    pixels = np.random.default_rng(pixel_seed)
    pixel_gains = _pixel_gains(camera, pixels)
    hot = _hot_pixels(camera, pixels)
    profile = lenslet_profile(camera)
    response = sensor_response(camera, images, profile, pixel_gains)
    light = sensor_light(
        scene,
        camera,
        images,
        rays_per_pixel=rays_per_pixel,
        threads=threads,
        progress=progress,
    )
    light *= response
    mosaic = expose(light + hot, camera, camera.noise, np.random.default_rng(capture_seed))
    del light
    white = response
    if flaws.white_image_error > 0:
        error = flaws.white_image_error * vignetting_error(camera, images, pixels.uniform(0, 6.28))
        other = images._replace(gains=images.gains * (1 + error))
        power = np.float32(1 + 2 * flaws.white_image_error)
        steeper = profile._replace(light=profile.light**power)
        white = sensor_response(camera, other, steeper, pixel_gains)
    white_mosaic = _white_mosaic(white + hot, camera, np.random.default_rng(white_seed))
    if hot.size > 1:
        response[hot > 0] = 0
    return SimulatedCapture(
        scene=scene,
        camera=camera,
        seed=seed,
        mosaic=mosaic,
        white_mosaic=white_mosaic,
        response=response,
        sampling=default_view_sampling(camera.grid),
    )


def sample_positions(sampling: ViewSampling, scale: int) -> tuple[DoubleArray, DoubleArray]:
    """Lens-plane y, shape (scale T, 1), and x, shape (1, scale S), of a finer grid's pixels."""
    y, x = (
        origin + sampling.step_pitch * ((np.arange(scale * n) + 0.5) / scale - 0.5)
        for origin, n in zip(sampling.origin_pitch, sampling.shape, strict=True)
    )
    return y[:, None], x[None, :]


def _picture(scene: Scene, sampling: ViewSampling, scale: int) -> FloatArray:
    y, x = sample_positions(sampling, scale)
    bundle = pixel_bundle(sampling.step_pitch / scale, side=4)
    picture = np.empty((y.size, x.size, 3), np.float32)
    for start in range(0, y.size, _ROWS_AT_ONCE):
        yy, xx = np.broadcast_arrays(y[start : start + _ROWS_AT_ONCE], x)
        still = np.zeros(yy.size)
        rays = np.stack([yy.ravel(), xx.ravel(), still, still]).astype(np.float32)
        picture[start : start + _ROWS_AT_ONCE] = scene.render(rays, bundle).reshape(*yy.shape, 3)
    return picture


def _pixel_gains(camera: CameraModel, rng: np.random.Generator) -> FloatArray:
    spread = camera.imperfections.pixel_gain_spread
    if spread == 0:
        return np.ones((1, 1), np.float32)
    gains = rng.standard_normal(camera.shape, np.float32)
    gains *= np.float32(spread)
    gains += 1
    return gains


def _hot_pixels(camera: CameraModel, rng: np.random.Generator) -> FloatArray:
    share = camera.imperfections.hot_pixels
    if share == 0:
        return np.zeros((1, 1), np.float32)
    hot = np.zeros(camera.shape, np.float32)
    places = rng.integers(0, hot.size, round(share * hot.size))
    hot.ravel()[places] = 0.05 + rng.exponential(0.4, len(places))
    return hot


def _white_mosaic(response: FloatArray, camera: CameraModel, rng: np.random.Generator) -> CodeArray:
    light = _WHITE_LEVEL * response
    colors = camera.color.sensor_response or _WHITE_RESPONSE
    for k, channel in enumerate(camera.bayer):
        light[k // 2 :: 2, k % 2 :: 2] *= np.float32(colors[BAYER_COLOR[channel]])
    return expose(light, camera, camera.noise_at(camera.base_iso), rng)
