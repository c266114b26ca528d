"""The nouns of the chain: raw capture, light field, focal stack, sharp picture.

Arrays with meaning and no input or output. Every type is frozen and checks itself when it is made.
Axes, signs and units are those of ``docs/conventions.md``; in short: views are ``[v, u, t, s, c]``
with v and t along rows, u and s along columns; positions are (row, column); an object of
disparity d is seen at ``s_view = s_center + d (u - u_center)``; light is linear.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
DoubleArray: TypeAlias = NDArray[np.float64]
CodeArray: TypeAlias = NDArray[np.uint16]
BoolArray: TypeAlias = NDArray[np.bool_]

BayerChannel = Literal["r", "gr", "gb", "b"]
BayerPattern = tuple[BayerChannel, BayerChannel, BayerChannel, BayerChannel]

ROW_STEP_PITCHES = float(np.sqrt(3.0) / 2.0)
"""Distance between the rows of a regular hexagonal grid, in lenslet pitches."""

BAYER_COLOR: Mapping[BayerChannel, int] = {"r": 0, "gr": 1, "gb": 1, "b": 2}
"""The color (0 red, 1 green, 2 blue) that a Bayer channel measures."""


_LONGEST_SHOWN = 60


class _Brief:
    """Shows itself in one line: arrays by shape and type, other nouns by name."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]
        parts = (f"{name}={_brief(value)}" for name, value in shown.items() if value is not None)
        return f"{type(self).__name__}({', '.join(parts)})"


class _Visible(_Brief):
    """Can be looked at: in a notebook, as a plot, as an xarray data set.

    How is told by `lfdfp.report.nouns`, a room above: it is looked up when it is asked for.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        """A small picture and the shapes of the arrays, for notebooks."""
        return str(_report().html_of(self))

    def plot(self, ax: Any = None) -> Any:
        """Draw the picture, or the map beside it, with matplotlib (extra ``plot``).

        Parameters
        ----------
        ax
            Axes to draw the picture alone on; None: a new figure with all that there is to see.

        Returns
        -------
        matplotlib.axes.Axes or numpy.ndarray of them
            What was drawn on.

        Raises
        ------
        SettingsError
            Where matplotlib is not installed.
        """
        return _report().plot(self, ax)

    def to_xarray(self) -> Any:
        """All arrays with named axes and coordinates, in linear light (extra ``xarray``).

        Returns
        -------
        xarray.Dataset
            With the names of the HDF5 files (``docs/storage.md``).

        Raises
        ------
        SettingsError
            Where xarray is not installed.
        """
        return _report().data_set(self)


def _report() -> Any:
    return importlib.import_module("lfdfp.report.nouns")


def _brief(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"<{' x '.join(map(str, value.shape))} {value.dtype}>"
    if is_dataclass(value):
        return f"{type(value).__name__}(...)"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Which camera made the capture; empty strings where the file does not say.

    Attributes
    ----------
    make, model, serial, firmware
        As the file has them.
    """

    make: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """State of the main lens; None where the file does not say.

    Attributes
    ----------
    zoom_step, focus_step
        Positions of the motors: captures of one camera with equal steps share a lenslet lattice.
    focal_length_m, f_number
        Focal length in meters, and aperture.
    exit_pupil_offset_m
        Distance from the exit pupil to the microlens array; Lytro writes about 1e4 for infinite.
    infinity_lambda
        Distance in front of the array that is focused when the object is at infinity, in units
        of lambda (multiples of the depth that one pixel of disparity stands for).
    """

    zoom_step: int | None = None
    focus_step: int | None = None
    focal_length_m: float | None = None
    f_number: float | None = None
    infinity_lambda: float | None = None
    exit_pupil_offset_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrolensArray:
    """The microlens array (MLA) as the metadata describe it: hexagonal, rows horizontal.

    Attributes
    ----------
    pitch_m
        Distance between the centers of neighboring lenslets.
    rotation_rad
        Clockwise positive, as the array is seen from the front of the camera.
    scale
        (rows, columns): factors on the pitch.
    sensor_offset_m
        (rows, columns, distance): from the center of the lenslet nearest to the optical axis to
        the center of the sensor; upwards and leftwards negative; then array to sensor.
    """

    pitch_m: float
    rotation_rad: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    sensor_offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorData:
    """How the camera's colors become sRGB; none of it is applied to the raw codes.

    Attributes
    ----------
    white_balance
        Gains for red, green, blue.
    camera_to_srgb
        Three rows of three: linear sRGB = matrix @ white-balanced camera RGB (as a column).
    exposure_bias_ev
        Extra exposure that the camera gave to make up for the lenslets' modulation.
    sensor_response
        Response of red, green, blue to white light, relative to green, when the file says.
    """

    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    camera_to_srgb: tuple[
        tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]
    ] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    exposure_bias_ev: float = 0.0
    sensor_response: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RawCapture(_Brief):
    """What the sensor measured, before any imaging.

    Attributes
    ----------
    mosaic
        Shape (H, W), raw codes as the sensor gave them (black level included).
    bayer
        Channels of the 2 x 2 cell at the top left, row by row.
    black_codes, white_codes
        Levels in the order of `bayer`.
    pixel_pitch_m
        Distance between neighboring sensor pixels.
    microlens_array, camera, lens, color
        What the metadata say of each.
    iso, exposure_s
        Sensitivity, and exposure time in seconds; None where the file does not say.
    orientation
        EXIF orientation (1 to 8) that the picture still needs.
    taken
        When, in coordinated universal time, as ``2012-04-07T13:30:34Z``; empty if not known.
    white_image
        The packed white image that some files carry beside the capture.
    source_sha256
        Of the whole input file.
    history
        One line per processing step, oldest first.
    """

    mosaic: CodeArray
    bayer: BayerPattern
    black_codes: tuple[float, float, float, float]
    white_codes: tuple[float, float, float, float]
    pixel_pitch_m: float
    microlens_array: MicrolensArray
    camera: Camera = field(default_factory=Camera)
    lens: Lens = field(default_factory=Lens)
    color: ColorData = field(default_factory=ColorData)
    iso: float | None = None
    exposure_s: float | None = None
    orientation: int = 1
    taken: str = ""
    white_image: RawCapture | None = None
    source_sha256: str = ""
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mosaic.ndim != 2 or self.mosaic.dtype != np.uint16:
            raise ValueError(
                "mosaic must be a (H, W) array of uint16, "
                f"got {self.mosaic.dtype} of shape {self.mosaic.shape}"
            )
        if sorted(self.bayer) != ["b", "gb", "gr", "r"]:
            raise ValueError(f"bayer must name r, gr, gb and b once each, got {self.bayer}")
        if any(w <= b for b, w in zip(self.black_codes, self.white_codes, strict=True)):
            raise ValueError(f"white {self.white_codes} must exceed black {self.black_codes}")
        if not 1 <= self.orientation <= 8:
            raise ValueError(f"orientation must be 1 to 8, got {self.orientation}")

    def bayer_planes(self) -> list[tuple[BayerChannel, slice, slice, float, float]]:
        """(channel, rows, columns, black, white) of the four planes that the mosaic interleaves."""
        return [
            (channel, slice(k // 2, None, 2), slice(k % 2, None, 2), black, white)
            for k, (channel, black, white) in enumerate(
                zip(self.bayer, self.black_codes, self.white_codes, strict=True)
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LensletGrid(_Brief):
    """Where on the sensor the center of every lenslet's image lies.

    Lenslet (q, r) of the hexagonal lattice has its image at ::

        (row, column) = origin_px + q right_px + r down_px + distortion

    and lies in the lens plane, in units of the pitch, at ``y = r √3/2``, ``x = q + r/2``.

    Attributes
    ----------
    origin_px
        (row, column) of lenslet (0, 0), the one nearest to the center of the sensor.
    right_px, down_px
        Steps (row, column) to the right neighbor and to the lower right neighbor (60 degrees).
    distortion_px
        Shape (2, 10): coefficients of the smooth displacement (rows; columns) over the monomials
        1, y, x, y², yx, x², y³, y²x, yx², x³ of the undistorted position, with y and x measured
        from the sensor's center in half sensor heights.
    sensor_shape
        (H, W) of the sensor that the grid is for.
    residual_px
        Root mean square of what the fit left over; NaN where nothing was fitted.
    standard_error_px
        Of the lenslets' centers, root mean square over the sensor; NaN where it is not known.
    source
        Where the grid comes from, in plain words.
    """

    origin_px: tuple[float, float]
    right_px: tuple[float, float]
    down_px: tuple[float, float]
    sensor_shape: tuple[int, int]
    distortion_px: DoubleArray = field(default_factory=lambda: np.zeros((2, 10)))
    residual_px: float = float("nan")
    standard_error_px: float = float("nan")
    source: str = ""

    def __post_init__(self) -> None:
        if self.distortion_px.shape != (2, 10):
            raise ValueError(f"distortion_px must be (2, 10), got {self.distortion_px.shape}")
        if abs(np.linalg.det(self.basis_px)) < 1.0:
            raise ValueError(f"right_px {self.right_px} and down_px {self.down_px} span no grid")

    @property
    def basis_px(self) -> DoubleArray:
        """Shape (2, 2): columns are `right_px` and `down_px`."""
        return np.array([self.right_px, self.down_px], np.float64).T

    @property
    def pitch_px(self) -> float:
        """Distance between neighboring lenslets, from the lattice's area."""
        return float(np.sqrt(abs(np.linalg.det(self.basis_px)) / ROW_STEP_PITCHES))

    @property
    def rotation_rad(self) -> float:
        """Angle of `right_px` against the sensor's rows, clockwise positive as displayed."""
        return float(np.arctan2(self.right_px[0], self.right_px[1]))

    @property
    def turn(self) -> tuple[float, float]:
        """(cos, sin) of the rotation.

        A pixel offset (down, right) on the sensor has the direction ``v = cos down - sin right``,
        ``u = sin down + cos right``.
        """
        return float(np.cos(self.rotation_rad)), float(np.sin(self.rotation_rad))

    def displacement(self, row: DoubleArray, column: DoubleArray) -> DoubleArray:
        """Distortion, shape (2, ...), at undistorted positions in pixels."""
        height, width = self.sensor_shape
        y = (row - (height - 1) / 2) / (height / 2)
        x = (column - (width - 1) / 2) / (height / 2)
        yy, xx = y * y, x * x  # powers of arrays are slow
        monomials = (np.ones_like(y), y, x, yy, y * x, xx)
        cubic = (yy * y, yy * x, y * xx, xx * x)
        terms = np.stack(monomials + cubic)
        return np.tensordot(self.distortion_px, terms, axes=1)

    def centers(self, q: DoubleArray, r: DoubleArray) -> DoubleArray:
        """(row, column) in pixels, shape (2, ...), of lenslets (or lens-plane points) (q, r)."""
        q, r = np.asarray(q, np.float64), np.asarray(r, np.float64)
        row = self.origin_px[0] + q * self.right_px[0] + r * self.down_px[0]
        column = self.origin_px[1] + q * self.right_px[1] + r * self.down_px[1]
        if not self.distortion_px.any():
            return np.stack([row, column])
        return np.stack([row, column]) + self.displacement(row, column)

    def lattice_coordinates(self, row: DoubleArray, column: DoubleArray) -> DoubleArray:
        """(q, r) as real numbers, shape (2, ...), of positions in pixels: undoes `centers`."""
        row, column = np.asarray(row, np.float64), np.asarray(column, np.float64)
        offset = np.zeros((2, *row.shape))
        if self.distortion_px.any():
            for _ in range(3):  # the displacement is smooth: each pass gains two digits
                offset = self.displacement(row - offset[0], column - offset[1])
        delta = np.stack(
            [row - offset[0] - self.origin_px[0], column - offset[1] - self.origin_px[1]]
        )
        return np.tensordot(np.linalg.inv(self.basis_px), delta, axes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseModel:
    """Variance of a raw code: ``read_variance + shot_gain * signal + (relative * signal)²``.

    The signal is in codes above the black level; variances are in codes squared.
    """

    read_variance: float
    shot_gain: float
    relative: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackLevel:
    """The raw codes of no light, as a capture itself shows them.

    Attributes
    ----------
    codes, standard_error
        Of the Bayer planes, in the order of `RawCapture.bayer`, in raw codes.
    surely_differs
        Whether the metadata's levels are off by more than errors explain.
    """

    codes: tuple[float, float, float, float]
    standard_error: tuple[float, float, float, float]
    surely_differs: bool

    def corrected(self, capture: RawCapture) -> RawCapture:
        """The capture, with these levels where they surely differ from the metadata's."""
        return replace(capture, black_codes=self.codes) if self.surely_differs else capture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Calibration(_Brief):
    """All that is known of the camera's geometry and response for one capture.

    Attributes
    ----------
    grid
        The lenslet grid on the sensor.
    response
        Shape (H, W): what each pixel measures of uniform light, 1 where it measures most
        (lenslet vignetting and the fall-off over the field together). 0 marks dead pixels.
    noise
        Of the capture's raw codes; None where it is not known.
    black
        As measured in the capture; used instead of the metadata's where it surely differs. None
        where it could not be measured.
    source
        What the calibration was made from (`calibrate` has an order of sources), in plain words.
    warnings
        What a person should know about this calibration.
    """

    grid: LensletGrid
    response: FloatArray
    noise: NoiseModel | None = None
    black: BlackLevel | None = None
    source: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.response.shape != self.grid.sensor_shape:
            raise ValueError(
                f"response {self.response.shape} does not fit the sensor {self.grid.sensor_shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Rays(_Brief):
    """The light field as it was measured: every sensor pixel is one ray of one color.

    Geometry is a function of the calibration's lenslet grid, not a table: pixel p under lenslet
    (q, r) is the ray through lens-plane point (r √3/2, q + r/2) with direction
    (v, u) = p - center(q, r) in pixels, in the lattice's frame.
    """

    capture: RawCapture
    calibration: Calibration

    def __post_init__(self) -> None:
        if self.capture.mosaic.shape != self.calibration.response.shape:
            raise ValueError(
                f"calibration for a sensor of {self.calibration.response.shape} "
                f"does not fit a mosaic of {self.capture.mosaic.shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSampling:
    """Where the samples of the views lie among the rays.

    Sample (t, s) of every view, counted before the orientation was applied, lies in the lens
    plane at ``origin_pitch + step_pitch * (t, s)``, in the units of `LensletGrid`; view (v, u)
    sees directions ``angular_step_px * (v - v_center, u - u_center)``.
    """

    origin_pitch: tuple[float, float]
    step_pitch: float = ROW_STEP_PITCHES
    angular_step_px: float = 1.0
    shape: tuple[int, int] = (0, 0)
    orientation: int = 1

    @property
    def pixels_per_pitch(self) -> float:
        """Factor from disparity in pitches per raw pixel to view pixels per angular step."""
        return self.angular_step_px / self.step_pitch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LightField(_Visible):
    """A 4-D light field as a grid of sub-aperture views, with the rays it came from.

    Attributes
    ----------
    views
        Shape (V, U, T, S, C), linear light (linear sRGB after decoding), as stored: float32, or
        uint16 codes to save memory. ``light = scale * (views - offset)``, nominally in [0, 1]
        but not clipped.
    weights
        Shape (V, U, T, S), uint8 or float32: how well each ray was measured,
        ``weight = weights * weight_scale``, in [0, 1].
    sampling
        Where the samples lie among the rays; None when the field did not come from rays.
    rays
        The unresampled rays, or None when the field came from views.
    history
        One line per processing step, oldest first.
    """

    views: FloatArray | CodeArray
    weights: FloatArray | NDArray[np.uint8]
    scale: float = 1.0
    offset: float = 0.0
    weight_scale: float = 1.0
    sampling: ViewSampling | None = None
    rays: Rays | None = None
    warnings: tuple[str, ...] = ()
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.views.ndim != 5:
            raise ValueError(f"views must be (V, U, T, S, C), got shape {self.views.shape}")
        if self.weights.shape != self.views.shape[:4]:
            raise ValueError(f"weights {self.weights.shape} do not fit views {self.views.shape}")

    @property
    def angular_shape(self) -> tuple[int, int]:
        """(V, U)."""
        return self.views.shape[0], self.views.shape[1]

    @property
    def spatial_shape(self) -> tuple[int, int]:
        """(T, S)."""
        return self.views.shape[2], self.views.shape[3]

    @property
    def center(self) -> tuple[int, int]:
        """(v, u) of the view that looks along the optical axis."""
        return self.views.shape[0] // 2, self.views.shape[1] // 2

    def view(self, v: int, u: int) -> FloatArray:
        """Linear light of one view, shape (T, S, C), float32; a fresh array."""
        light: FloatArray = self.views[v, u].astype(np.float32)
        if self.offset:
            light -= np.float32(self.offset)
        if self.scale != 1.0:
            light *= np.float32(self.scale)
        return light

    def __getitem__(self, place: tuple[int, int]) -> FloatArray:
        """``field[v, u]``: as `view`; negative numbers count from the end.

        Returns
        -------
        ndarray of shape (T, S, C)
        """
        if not (isinstance(place, tuple) and len(place) == 2):
            raise TypeError(f"a view has two numbers, as in field[v, u], got {place!r}")
        v, u = place
        return self.view(operator.index(v), operator.index(u))

    def weight(self, v: int, u: int) -> FloatArray:
        """Weights of one view, shape (T, S), float32 in [0, 1]; a fresh array."""
        weight: FloatArray = self.weights[v, u].astype(np.float32)
        weight *= np.float32(self.weight_scale)
        return weight


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FocalStack(_Visible):
    """The same picture focused on several planes, or several photographs of one scene.

    Attributes
    ----------
    slices
        Shape (N, T, S, C), linear light, N >= 1.
    slopes
        Shape (N,): disparity of each plane in pixels per angular step, ascending and evenly
        spaced; None for photographs.
    coverage
        Shape (N, T, S), in [0, 1]: share of the aperture that reached each pixel; None where
        every pixel was fully measured.
    reference_view
        Shape (T, S, C): the view of the field that has the stack's perspective, or None.
    focus_curves
        Shape (N, Y, X): focus measure of each slice on a coarse grid that divides the picture
        evenly, in linear light per pixel squared (larger is sharper), or None.
    focus_prior
        Shape (N, Y, X): log evidence, known beforehand, that a slice is the sharp one, on a coarse
        grid that divides the picture evenly, or None.
    scale
        k of slices on a grid k times finer than the views; `slopes` stay in pixels of the views.
    warnings
        What a person should know of the stack.
    history
        One line per processing step, oldest first.
    """

    slices: FloatArray
    slopes: DoubleArray | None = None
    coverage: FloatArray | None = None
    reference_view: FloatArray | None = None
    focus_curves: FloatArray | None = None
    focus_prior: FloatArray | None = None
    scale: int = 1
    warnings: tuple[str, ...] = ()
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.slices.ndim != 4 or len(self.slices) < 1:
            raise ValueError(f"slices must be (N, T, S, C), got shape {self.slices.shape}")
        if self.slopes is not None:
            if self.slopes.shape != (len(self.slices),):
                raise ValueError(f"{len(self.slices)} slices but slopes {self.slopes.shape}")
            if not np.isfinite(self.slopes).all() or np.any(np.diff(self.slopes) <= 0):
                raise ValueError(f"slopes must ascend, got {self.slopes}")
        if self.coverage is not None and self.coverage.shape != self.slices.shape[:3]:
            raise ValueError(f"coverage {self.coverage.shape} does not fit {self.slices.shape}")
        for name in ("focus_curves", "focus_prior"):
            coarse = getattr(self, name)
            if coarse is not None and (coarse.ndim != 3 or len(coarse) != len(self.slices)):
                raise ValueError(f"{len(self.slices)} slices but {name} {coarse.shape}")


DataTerm = Literal["stack", "rays"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Depth(_Brief):
    """How far away everything in a picture is.

    Attributes
    ----------
    disparity
        Shape (T, S), pixels of a view per angular step; near is negative on real cameras.
    confidence
        Shape (T, S), in [0, 1]: how much better than others the disparity explains the rays; None
        where slices were compared, which do not tell.
    fine_disparity
        Shape (kT, kS): disparity of every pixel of the super-resolved picture, in the unit of
        `disparity`; None where there are only slices to choose from.
    angular_shape
        (V, U) of the light field behind the picture: how wide the camera's aperture is, in angular
        steps. None where it is not known.
    """

    disparity: FloatArray
    confidence: FloatArray | None = None
    fine_disparity: FloatArray | None = None
    angular_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.disparity.ndim != 2:
            raise ValueError(f"disparity must be (T, S), got shape {self.disparity.shape}")
        if self.confidence is not None:
            _check_shape("confidence", self.confidence, self.disparity.shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StackEvidence(_Brief):
    """What a picture that was fused from slices rests on.

    Attributes
    ----------
    decision_map
        Shape (N, T, S), summing to 1 over N: the share of every slice in each pixel.
    """

    decision_map: FloatArray

    def __post_init__(self) -> None:
        if self.decision_map.ndim != 3:
            raise ValueError(f"decision_map must be (N, T, S), got shape {self.decision_map.shape}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RayEvidence(_Brief):
    """What a picture that was reconstructed from rays rests on.

    Attributes
    ----------
    observability
        Shape (kT, kS), in [0, 1]: how much the rays determine the detail.
    standard_error
        Shape (kT, kS): standard deviation of the luma of the super-resolved picture by the noise
        of what was measured, linear light. Errors of the model and of the prior are not in it.
        None in files that were written before it was stated.
    from_prior
        Shape (kT, kS), at least 0: by how much a learned prior moved the luma in the display's
        encoding, beyond what rays and total variation say; None where none was asked for.
    """

    observability: FloatArray
    standard_error: FloatArray | None
    from_prior: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.observability.ndim != 2:
            raise ValueError(f"observability must be (kT, kS), got {self.observability.shape}")
        if self.standard_error is not None:
            _check_shape("standard_error", self.standard_error, self.observability.shape)
        if self.from_prior is not None:
            _check_shape("from_prior", self.from_prior, self.observability.shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Provenance:
    """How a picture came about.

    Attributes
    ----------
    data_term
        What the picture was made from.
    prior
        What filled in what the data left open, in plain words.
    losses
        Named final values, for the record.
    settings
        Names and values of the settings that it was made with.
    seed
        Of everything random.
    device
        What the arithmetic was done on, as PyTorch names it.
    warnings
        What a person should know about the picture.
    history
        One line per processing step, oldest first.
    """

    data_term: DataTerm = "stack"
    prior: str = ""
    losses: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    warnings: tuple[str, ...] = ()
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SharpPicture(_Visible):
    """One picture that is in focus everywhere, what is known of its depth, and how it came about.

    Attributes
    ----------
    all_in_focus
        Shape (T, S, C): at the size of a view, linear light.
    super_resolved
        Shape (kT, kS, C): on a grid k times finer. Pixel j of the fine grid lies at
        ``(j + 0.5) / k - 0.5`` of the coarse one, so both cover the same area.
    scale
        k.
    depth
        None for photographs, of which only the order of focus is known.
    evidence
        What the picture rests on, by what it was made from; None where that is not recorded.
    """

    all_in_focus: FloatArray
    super_resolved: FloatArray
    scale: int
    depth: Depth | None = None
    evidence: StackEvidence | RayEvidence | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        t, s, c = self.all_in_focus.shape
        if self.super_resolved.shape != (self.scale * t, self.scale * s, c):
            raise ValueError(
                f"super_resolved {self.super_resolved.shape} is not {self.scale} times "
                f"all_in_focus {self.all_in_focus.shape}"
            )
        fine = self.super_resolved.shape[:2]
        if self.depth is not None:
            _check_shape("disparity", self.depth.disparity, (t, s))
            if self.depth.fine_disparity is not None:
                _check_shape("fine_disparity", self.depth.fine_disparity, fine)
        if isinstance(self.evidence, StackEvidence):
            _check_shape("decision_map", self.evidence.decision_map[0], (t, s))
        if isinstance(self.evidence, RayEvidence):
            _check_shape("observability", self.evidence.observability, fine)


def _check_shape(name: str, values: FloatArray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} {values.shape} does not fit {shape}")
