"""What a reconstruction is given, and what it knows between one step and the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import BoolArray, ColorData, FloatArray, NoiseModel, Rays, ViewSampling
from lfdfp.errors import CaptureError
from lfdfp.imaging.color import LUMINANCE_WEIGHTS, display_matrix
from lfdfp.imaging.sensor_noise import noise_from_iso
from lfdfp.lenslets.table import LensletTable, lenslet_table
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.fine_grid import FINEST, FineGrid
from lfdfp.reconstruction.held_out import held_out_mask, without
from lfdfp.reconstruction.observation import RayObservation
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_light import RayLight, measured_light
from lfdfp.settings import FusionSettings

if TYPE_CHECKING:
    import torch

MARGIN = 8
"""Fine pixels around the views, for the rays at their border."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaySetup:
    """What a reconstruction is given: no step changes it.

    Attributes
    ----------
    parameters
        The same for every capture.
    seed
        Of the rays that are held out, and of random probes.
    scale
        Of the picture that is wanted, 1 to 4.
    device
        A device of torch to solve on; None solves by the compiled kernels.
    runner
        The threads that passes over rays and pictures are spread over.
    color
        Of the capture: from white-balanced camera colors to the display's.
    lenslets
        All of the sensor.
    grid
        The finest one, `FINEST` times finer than the views.
    all_light
        What all rays measured, with the noise that the calibration states.
    held_out
        Shape (H, W): True where a ray is kept from the solution until noise and strength of the
        prior are known.
    seen_light
        `all_light` with the held-out rays missing.
    """

    parameters: RayParameters
    seed: int
    scale: int
    device: torch.device | None
    runner: BandRunner
    color: ColorData
    lenslets: LensletTable
    grid: FineGrid
    all_light: RayLight
    held_out: BoolArray
    seen_light: RayLight

    @property
    def luma_weights(self) -> FloatArray:
        """Shape (3,): of the camera's colors in the display's luma."""
        return np.asarray(display_matrix(self.color).astype(np.float32).T @ LUMINANCE_WEIGHTS)

    def displayed_luma(self, picture: FloatArray) -> FloatArray:
        """Display luma (Y, X), gamma-encoded, of a picture (3, Y, X) in camera colors."""
        luma = np.tensordot(self.luma_weights, picture, 1)
        return np.asarray(np.maximum(luma, 0) ** np.float32(1 / 2.2), np.float32)

    def radius_px(self, radius_pitch: float) -> float:
        """A radius around lenslets' centers in sensor pixels, from one in pitches."""
        return radius_pitch * self.lenslets.pitch_px


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RayState:
    """What a reconstruction knows; every step gives back another one.

    Attributes
    ----------
    observation
        Every ray at the surface that it sees: with the light of the rays that are not held out,
        the noise as far as it is known, and the radius within which rays are used.
    picture
        Shape (3, Y, X): white-balanced camera colors.
    slope_map
        Shape (Y, X): slope of the surface seen at every pixel, in fine pixels per raw pixel.
    confidence
        Shape (Y, X), 0 to 1: how much better the chosen plane is than the average one.
    disagreement
        Shape (Y, X), at least 1: how many times the variance that noise explains the rays around
        a pixel differ from the picture by. Where the model does not hold (a wrong disparity, the
        border of an occluder) rays contradict each other; there they count that much less.
    """

    observation: RayObservation
    picture: FloatArray
    slope_map: FloatArray
    confidence: FloatArray
    disagreement: FloatArray

    @property
    def noise(self) -> NoiseModel:
        """Of the raw codes, as far as it is known."""
        return self.observation.light.noise

    @property
    def bundle(self) -> RayBundle:
        """The rays that are not held out, within the radius that is used."""
        return self.observation.bundle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvedRays:
    """A reconstruction under total variation.

    Attributes
    ----------
    state
        After the last rounds: the picture of all rays.
    before
        Shape (3, Y, X): the picture before the last rounds, which has not seen the held-out rays.
    strength
        λ of the last rounds.
    warnings
        What a person should know.
    """

    state: RayState
    before: FloatArray
    strength: float
    warnings: tuple[str, ...]


def set_up(
    rays: Rays,
    sampling: ViewSampling,
    settings: FusionSettings,
    parameters: RayParameters,
) -> RaySetup:
    """Prepare what all steps share.

    Raises
    ------
    CaptureError
        When no pixel carries light.
    SettingsError
        For a device that is not there.
    """
    device = solver_device(settings.device)
    noise = rays.calibration.noise or noise_from_iso(rays.capture)
    light = measured_light(rays, least_response=parameters.least_response, noise=noise)
    if not np.any(light.light > 0):
        raise CaptureError("no pixel of the capture carries light above the black level")
    held_out = held_out_mask(light.light.shape, share=parameters.held_out_share, seed=settings.seed)
    return RaySetup(
        parameters=parameters,
        seed=settings.seed,
        scale=settings.scale,
        device=device,
        runner=BandRunner(),
        color=rays.capture.color,
        lenslets=lenslet_table(rays.calibration.grid),
        grid=FineGrid(sampling=sampling, k=FINEST, margin=MARGIN),
        all_light=light,
        held_out=held_out,
        seen_light=replace(light, light=without(light, held_out)),
    )


def solver_device(name: str) -> torch.device | None:
    """The device of torch that is named to solve on; None, the compiled kernels, for auto and cpu.

    `auto` does not look for a device: loading PyTorch would cost a laptop more than it is worth.

    Raises
    ------
    SettingsError
        For a device that is not there.
    """
    if name in ("auto", "cpu"):
        return None
    from lfdfp.computing.torch_devices import torch_device

    return torch_device(name)
