"""The simulated plenoptic camera: its lens array, its sensor, and what is imperfect about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from lfdfp.datatypes import (
    ROW_STEP_PITCHES,
    BayerPattern,
    Camera,
    ColorData,
    DoubleArray,
    Lens,
    LensletGrid,
    MicrolensArray,
    NoiseModel,
)
from lfdfp.errors import SettingsError
from lfdfp.simulation.names import CameraName

Footprint = Literal["box", "hexagon"]

_CUBIC_DEGREES = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
_SMALLEST_SIDE_PITCHES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Imperfections:
    """What real cameras add to the plain model; the default is a camera without them.

    Attributes
    ----------
    footprint
        Area of a lenslet that one ray bundle passes: its hexagon, or the square of equal area
        (0.93 pitches wide) that reconstruction usually assumes.
    footprint_scale
        Factor on the width of the footprint.
    diffraction_px
        Standard deviation of the blur of direction behind a lenslet, in raw pixels.
    crosstalk
        0 to 1: how much of the light that a neighboring lenslet casts across the rim is mixed in.
    lenslet_gain_spread, pixel_gain_spread
        Standard deviations of the relative sensitivity of lenslets and of pixels.
    cat_eye_px
        How far the second edge of the aperture moves across the lenslet images of the corners.
    white_image_error
        Relative standard deviation of the smooth difference between the white image's vignetting
        and the capture's.
    relative_noise
        Standard deviation of the noise that grows with the signal.
    noise_factor
        Factor on the shot noise's variance.
    hot_pixels
        Share of the pixels that are too bright whatever the light.
    distortion_px
        Displacement of the lenslet images at the full sensor's upper and lower border.
    """

    footprint: Footprint = "box"
    footprint_scale: float = 1.0
    diffraction_px: float = 0.0
    crosstalk: float = 0.0
    lenslet_gain_spread: float = 0.0
    pixel_gain_spread: float = 0.0
    cat_eye_px: float = 0.0
    white_image_error: float = 0.0
    relative_noise: float = 0.0
    noise_factor: float = 1.0
    hot_pixels: float = 0.0
    distortion_px: float = 0.0


REALISTIC = Imperfections(
    footprint="hexagon",
    diffraction_px=0.4,
    crosstalk=0.7,
    lenslet_gain_spread=0.02,
    pixel_gain_spread=0.01,
    cat_eye_px=1.0,
    white_image_error=0.02,
    relative_noise=0.02,
    hot_pixels=2e-5,
    distortion_px=0.4,
)
"""All imperfections at once, at the sizes seen on real captures or their parts."""

_SIZED = (
    "diffraction_px",
    "crosstalk",
    "lenslet_gain_spread",
    "pixel_gain_spread",
    "cat_eye_px",
    "white_image_error",
    "relative_noise",
    "hot_pixels",
    "distortion_px",
)


def one_by_one() -> Iterator[tuple[str, float, Imperfections]]:
    """Name and size of every imperfection that has one, as in `REALISTIC`, and it alone."""
    for name in _SIZED:
        size = getattr(REALISTIC, name)
        title = name.removesuffix("_px").replace("_", " ")
        yield title, size, replace(Imperfections(), **{name: size})


NOISY = replace(REALISTIC, noise_factor=3.0, relative_noise=0.07)
"""As noisy as two real F01 captures were: 0.1 to 0.5 of the signal in 8 bits, and 7 % of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraModel:
    """Geometry, colors and noise of a plenoptic camera, and how wrong its metadata are.

    Attributes
    ----------
    name
        Which camera it is modeled on.
    shape, full_shape
        (H, W) of the simulated part of the sensor, which lies in the middle, and of all of it.
    bayer
        Channels of the 2 x 2 cell at the top left, row by row.
    bits
        Of a raw code.
    black_code, white_code
        Codes of no light and of a full pixel.
    pixel_pitch_m
        Distance between neighboring sensor pixels.
    microlens_array, lens
        As they truly are; the metadata differ by the three errors below.
    pitch_error, rotation_error_rad, offset_error_px
        Metadata minus truth: relative, in radians, and (rows, columns) in pixels.
    color
        White balance, matrix, exposure bias, and the sensor's response to the white image's light.
    full_well_electrons, read_noise_electrons, base_iso
        Electrons at the white level at base ISO; their standard deviation in the dark.
    camera, iso, exposure_s
        What the metadata say.
    field_falloff
        Light that the full sensor's corners lack.
    imperfections
        What real cameras have besides; none by default.
    """

    name: CameraName
    shape: tuple[int, int]
    full_shape: tuple[int, int]
    bayer: BayerPattern
    bits: int
    black_code: float
    white_code: float
    pixel_pitch_m: float
    microlens_array: MicrolensArray
    lens: Lens
    color: ColorData
    camera: Camera
    iso: float = 100.0
    exposure_s: float = 0.01
    pitch_error: float = 2e-4
    rotation_error_rad: float = 2e-4
    offset_error_px: tuple[float, float] = (0.9, -1.3)
    full_well_electrons: float = 5500.0
    read_noise_electrons: float = 2.5
    base_iso: float = 80.0
    field_falloff: float = 0.35
    imperfections: Imperfections = Imperfections()

    @property
    def grid(self) -> LensletGrid:
        """Where the lenslet images truly lie."""
        array = self.microlens_array
        pupil = self.lens.exit_pupil_offset_m or np.inf
        pitch = array.pitch_m / self.pixel_pitch_m * (1 + array.sensor_offset_m[2] / pupil)
        cos, sin = np.cos(array.rotation_rad), np.sin(array.rotation_rad)
        turn = np.array([[cos, sin], [-sin, cos]])
        right = pitch * turn @ (0.0, array.scale[1])
        down = pitch * turn @ (ROW_STEP_PITCHES * array.scale[0], 0.5 * array.scale[1])
        middle = (np.array(self.shape) - 1) / 2
        origin = middle + np.array(array.sensor_offset_m[:2]) / self.pixel_pitch_m
        return LensletGrid(
            origin_px=(float(origin[0]), float(origin[1])),
            right_px=(float(right[0]), float(right[1])),
            down_px=(float(down[0]), float(down[1])),
            sensor_shape=self.shape,
            distortion_px=self._distortion(),
            residual_px=0.0,
            source="simulation",
        )

    @property
    def field_pitch(self) -> tuple[float, float]:
        """(rows, columns) of the sensor in lenslet pitches: the field that a scene must fill."""
        pitch = self.grid.pitch_px
        return self.shape[0] / pitch, self.shape[1] / pitch

    @property
    def stated_microlens_array(self) -> MicrolensArray:
        """What the metadata say of the array: near the truth, not equal to it."""
        array = self.microlens_array
        error_m = np.array(self.offset_error_px) * self.pixel_pitch_m
        rows, columns, distance = array.sensor_offset_m
        return replace(
            array,
            pitch_m=array.pitch_m * (1 + self.pitch_error),
            rotation_rad=array.rotation_rad + self.rotation_error_rad,
            sensor_offset_m=(rows + float(error_m[0]), columns + float(error_m[1]), distance),
        )

    @property
    def noise(self) -> NoiseModel:
        """Of the raw codes at this ISO: shot, read and quantization noise, and relative noise."""
        return self.noise_at(self.iso)

    def noise_at(self, iso: float) -> NoiseModel:
        """Noise of the raw codes at an ISO; the read noise has a part behind the amplifier."""
        codes = self.white_code - self.black_code
        codes_per_electron = codes / self.full_well_electrons * iso / self.base_iso
        late = 0.4 * self.read_noise_electrons * codes / self.full_well_electrons
        read = (self.read_noise_electrons * codes_per_electron) ** 2 + late**2 + 1 / 12
        return NoiseModel(
            read_variance=float(read),
            shot_gain=float(codes_per_electron * self.imperfections.noise_factor),
            relative=self.imperfections.relative_noise,
        )

    def _distortion(self) -> DoubleArray:
        """Barrel distortion of the full sensor, seen through the crop."""
        coefficients = np.zeros((2, 10))
        radial = self.imperfections.distortion_px
        coefficients[0, [6, 8]] = radial
        coefficients[1, [7, 9]] = radial
        return coefficients * (self.shape[0] / self.full_shape[0]) ** _CUBIC_DEGREES


def camera_model(
    name: CameraName,
    *,
    size: int | tuple[int, int] | None = None,
    iso: float | None = None,
    imperfections: Imperfections | None = None,
) -> CameraModel:
    """A first-generation Lytro (`f01`) or an Illum (`illum`).

    Parameters
    ----------
    size
        Side, or (rows, columns), of the middle part of the sensor that is simulated, in pixels;
        None for all of it. Rows and columns must be multiples of 4.
    imperfections
        None for the plain camera; `REALISTIC` for all of them.

    Raises
    ------
    SettingsError
        For an unknown camera, or a size that does not fit it.
    """
    if name not in get_args(CameraName):
        raise SettingsError(f"unknown camera {name!r}; known are {', '.join(get_args(CameraName))}")
    model = {"f01": _F01, "illum": _ILLUM}[name]
    shape = model.full_shape if size is None else (size, size) if isinstance(size, int) else size
    least = int(_SMALLEST_SIDE_PITCHES * model.grid.pitch_px)
    if any(
        n % 4 or not least <= n <= full for n, full in zip(shape, model.full_shape, strict=True)
    ):
        raise SettingsError(
            f"size {shape} does not fit camera {name!r}: rows and columns must be multiples of 4, "
            f"at least {least} and at most {model.full_shape}"
        )
    return replace(
        model,
        shape=shape,
        iso=model.iso if iso is None else iso,
        imperfections=imperfections or model.imperfections,
    )


_F01 = CameraModel(
    name="f01",
    shape=(3280, 3280),
    full_shape=(3280, 3280),
    bayer=("b", "gb", "gr", "r"),
    bits=12,
    black_code=168.0,
    white_code=4095.0,
    pixel_pitch_m=1.4e-6,
    microlens_array=MicrolensArray(
        pitch_m=1.38986e-5,
        rotation_rad=-0.0049,
        scale=(1.0002, 1.0),
        sensor_offset_m=(-1.9e-6, 1.1e-6, 2.5e-5),
    ),
    lens=Lens(
        zoom_step=982,
        focus_step=590,
        focal_length_m=0.00645,
        f_number=1.91,
        infinity_lambda=12.0,
        exit_pupil_offset_m=0.08,
    ),
    color=ColorData(
        white_balance=(1.0, 1.0, 1.2578125),
        camera_to_srgb=(
            (3.1115827560424805, -1.9393929243087769, -0.172189861536026),
            (-0.3629055917263031, 1.6408803462982178, -0.27797481417655945),
            (0.07896701246500015, -1.1558042764663696, 2.0768373012542725),
        ),
        exposure_bias_ev=-1.11,
    ),
    camera=Camera(make="Lytro, Inc.", model="F01", serial="A000000001", firmware="simulated"),
    iso=100.0,
    exposure_s=1 / 60,
)

_ILLUM = CameraModel(
    name="illum",
    shape=(5368, 7728),
    full_shape=(5368, 7728),
    bayer=("gr", "r", "b", "gb"),
    bits=10,
    black_code=64.0,
    white_code=1023.0,
    pixel_pitch_m=1.4e-6,
    microlens_array=MicrolensArray(
        pitch_m=2e-5,
        rotation_rad=0.0006,
        scale=(1.0003, 1.0),
        sensor_offset_m=(1.3e-6, -7.2e-6, 3.7e-5),
    ),
    lens=Lens(
        zoom_step=-297,
        focus_step=309,
        focal_length_m=0.0242,
        f_number=2.2,
        infinity_lambda=33.9,
        exit_pupil_offset_m=0.0973,
    ),
    color=ColorData(
        white_balance=(1.378859281539917, 1.0, 1.1484659910202026),
        camera_to_srgb=(
            (2.2271547317504883, -1.055293321609497, -0.1718614399433136),
            (-0.4269128441810608, 1.7458617687225342, -0.3189488351345062),
            (-0.20497213304042816, -0.7469924688339233, 1.9519646167755127),
        ),
        exposure_bias_ev=-0.26,
        sensor_response=(0.7761663198471069, 1.0, 0.7344976663589478),
    ),
    camera=Camera(make="Lytro, Inc.", model="ILLUM", serial="B500000001", firmware="simulated"),
    iso=80.0,
    exposure_s=1 / 250,
)
