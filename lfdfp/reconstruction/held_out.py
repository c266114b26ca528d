"""What rays tell that the solution has not seen: noise, strength of the prior, unclean rims.

A hold-out mask has the shape (H, W) of the sensor and is True where a ray is held out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray, NoiseModel
from lfdfp.imaging.sensor_noise import MEDIAN_OF_SQUARE
from lfdfp.reconstruction.observation import RayObservation
from lfdfp.reconstruction.ray_light import RayLight
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED, MISSING

_LEAST_RAYS = 400
_STREAM = 0x52415953  # apart from other draws with the same seed
_SIGNAL_BINS = 12
_RESPONSE_BINS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOutRays:
    """Rays that were kept from the solution, and what it predicts for them.

    Attributes
    ----------
    measured, predicted
        Shape (n,): light.
    response
        Shape (n,).
    gain
        Shape (n,): from codes to light, before the response.
    """

    measured: FloatArray
    predicted: FloatArray
    response: FloatArray
    gain: FloatArray

    def variance(self, noise: NoiseModel) -> FloatArray:
        """Shape (n,): of the measured light around the predicted one."""
        return np.asarray(self._features() @ _coefficients(noise), np.float32)

    def _features(self) -> DoubleArray:
        signal = np.maximum(self.predicted, 0).astype(np.float64)
        share = self.gain.astype(np.float64) / self.response
        return np.stack([share**2, share * signal, signal**2], axis=1)

    def misfit(self, noise: NoiseModel) -> float:
        """Mean of log(1 + z²/4), z the residual against its standard deviation: robust."""
        if len(self.measured) == 0:
            return 0.0
        square = (self.measured - self.predicted) ** 2 / self.variance(noise)
        return float(np.log1p(square / 4).mean(dtype=np.float64))

    def fitted_noise(self, noise: NoiseModel) -> NoiseModel:
        """Noise that explains the residuals, errors of the model included.

        The median square of the residuals, in classes of signal and response, is fitted by the
        three terms of `NoiseModel`, none of them negative. With too few rays, `noise` stays.
        """
        from scipy.optimize import nnls

        if len(self.measured) < _LEAST_RAYS:
            return noise
        features = self._features()
        square = (self.measured - self.predicted).astype(np.float64) ** 2
        rows, spread = [], []
        for members in _classes(self.predicted, self.response):
            rows.append(np.median(features[members], axis=0))
            spread.append(np.median(square[members]) / MEDIAN_OF_SQUARE)
        scale = np.maximum(np.array(spread), 1e-12)
        columns = np.array(rows) / scale[:, None]
        size = np.linalg.norm(columns, axis=0) + 1e-30
        solution, _ = nnls(columns / size, np.ones(len(scale)))
        read, shot, relative = solution / size
        return NoiseModel(
            read_variance=float(max(read, 0.25 * noise.read_variance)),
            shot_gain=float(shot),
            relative=float(np.sqrt(relative)),
        )


def _coefficients(noise: NoiseModel) -> DoubleArray:
    return np.array([noise.read_variance, noise.shot_gain, noise.relative**2])


def _classes(signal: FloatArray, response: FloatArray) -> list[np.ndarray]:
    """Indices of rays alike in signal and response, equally many in each class."""
    order = np.argsort(signal, kind="stable")
    classes = []
    for part in np.array_split(order, _SIGNAL_BINS):
        inner = part[np.argsort(response[part], kind="stable")]
        classes.extend(np.array_split(inner, _RESPONSE_BINS))
    return [members for members in classes if len(members) > 0]


def held_out_mask(shape: tuple[int, int], *, share: float, seed: int) -> BoolArray:
    """Which pixels (H, W) to keep from the solution, True for those: a random share."""
    stream = np.random.default_rng([seed, _STREAM])
    return np.asarray(stream.random(shape, np.float32) < share)


def without(light: RayLight, held_out: BoolArray) -> FloatArray:
    """The light (H, W) with what is `held_out` (H, W) `MISSING`."""
    return np.where(held_out, MISSING, light.light)


def held_out_rays(light: RayLight, held_out: BoolArray, prediction: FloatArray) -> HeldOutRays:
    """The `held_out` (H, W) rays that a prediction reaches: (H, W), 0 where it does not."""
    row, column = np.nonzero(held_out & (light.light > LEAST_MEASURED) & (prediction > 0))
    return HeldOutRays(
        measured=light.light[row, column],
        predicted=prediction[row, column],
        response=light.response[row, column],
        gain=light.gains[row & 1, column & 1],
    )


def strongest_within(strengths: DoubleArray, misfits: DoubleArray, tolerance: float) -> float:
    """Largest of `strengths` (n,) whose `misfits` (n,) are within `tolerance` of the least.

    Held-out rays see the picture behind the footprint and hardly notice noise beyond it, so
    among equals the stronger prior is the better choice.
    """
    good = np.flatnonzero(misfits <= misfits.min() * (1 + tolerance))
    return float(strengths[good].max())


def rim_is_clean(
    observation: RayObservation,
    picture: FloatArray,
    held_out: BoolArray,
    *,
    inner_px: float,
    outer_px: float,
    tolerance: float,
) -> bool:
    """Whether held-out rays of lens images' rims are predicted about as well as those beside them.

    Light of one lenslet that falls into its neighbor's image is found at the rim: the picture
    predicts such pixels worse than others.

    Parameters
    ----------
    observation
        Of all rays, held-out ones too, as far as `outer_px` from their lenslets' centers.
    picture
        Shape (3, Y, X).
    held_out
        Shape (H, W): True where the picture has not seen a ray.
    inner_px, outer_px
        Where the rim begins and ends, in sensor pixels from the lenslet's center. What lies within
        `inner_px` by as much is compared with it.
    tolerance
        How many times as large the rim's misfit may be.
    """
    discs = []
    for radius_px in (2 * inner_px - outer_px, inner_px, outer_px):
        prediction = observation.within(radius_px).forward(picture)
        rays = held_out_rays(observation.light, held_out, prediction)
        number = len(rays.measured)
        discs.append((number, number * rays.misfit(observation.light.noise)))
    (beside, beside_misfit), (rim, rim_misfit) = np.diff(discs, axis=0)
    if min(beside, rim) < _LEAST_RAYS:
        return False
    return bool(rim_misfit / rim <= tolerance * beside_misfit / beside)
