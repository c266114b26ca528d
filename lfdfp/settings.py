"""What a person may set, one frozen dataclass per stage.

Defaults are chosen once, for every capture; nothing here is tuned to an image.
"""

from __future__ import annotations

import dataclasses
import re
import reprlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, Self, get_args, get_origin, get_type_hints

from lfdfp.errors import SettingsError
from lfdfp.files import read_small_file

Preset = Literal["fast", "balanced", "best", "scratch", "paper"]
Kernel = Literal["linear", "cubic", "fourier"]
Data = Literal["rays", "stack"]
Prior = Literal["variation", "learned"]
ApertureShape = Literal["square", "round"]
Tone = Literal["linear", "standard"]

MOST_PLANES: Final = 256
STEEPEST_SLOPE: Final = 1000.0
"""Pixels per angular step: more than any light field's disparity."""

_MOST_VIEWS: Final = 31
_LARGEST_SEED: Final = 2**63 - 1
_LARGEST_TEXT: Final = 1 << 20
_APERTURE: Final = re.compile(r"(square|round)(:(f/)?([0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?))?")
_LARGEST_STOP: Final = 1000.0
_LARGEST_EXPOSURE_EV: Final = 10.0
_COOLEST_K: Final = 25_000.0
_WARMEST_K: Final = 1_700.0
_LARGEST_GAIN: Final = 100.0
_KELVIN: Final = re.compile(r"([0-9]{4,5})[kK]?")
_DEVICE: Final = re.compile(r"[a-z]{2,16}(:[0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAperture:
    """What the name of an aperture says: ``round``, ``round:0.5`` or ``round:f/4``, or ``square``.

    Attributes
    ----------
    width
        As a factor on that of the grid of views.
    f_number
        To which the lens is stopped down, instead of `width`.
    """

    shape: ApertureShape
    width: float = 1.0
    f_number: float | None = None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name.

        Raises
        ------
        SettingsError
            For a name that is not of this form.
        """
        parts = _APERTURE.fullmatch(name)
        size = float(parts[4] or 1) if parts else 0.0
        if parts is None or not size <= _LARGEST_STOP:
            raise SettingsError(
                f"aperture {_shown(name)}: square or round is possible, alone or with a size, such "
                "as round:0.5 or round:f/4"
            )
        shape: ApertureShape = "round" if parts[1] == "round" else "square"
        return cls(shape=shape, f_number=size) if parts[3] else cls(shape=shape, width=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWhiteBalance:
    """What a white balance's name says: ``camera``, ``auto``, ``5200`` or ``1.9,1,1.4``.

    Attributes
    ----------
    source
        The camera's own gains, ones found in the picture, those of a color temperature, or
        given ones.
    kelvin
        The color temperature of the light.
    gains
        Of red, green, blue.
    """

    source: Literal["camera", "auto", "temperature", "gains"]
    kelvin: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name.

        Raises
        ------
        SettingsError
            For a name that is not of this form, or a value out of range.
        """
        if name == "camera":
            return cls(source="camera")
        if name == "auto":
            return cls(source="auto")
        found = _KELVIN.fullmatch(name)
        if found is not None and _WARMEST_K <= float(found[1]) <= _COOLEST_K:
            return cls(source="temperature", kelvin=float(found[1]))
        gains = _three_gains(name)
        if gains is None:
            raise SettingsError(
                f"white balance {_shown(name)}: camera, auto, a color temperature from "
                f"{_WARMEST_K:g} to {_COOLEST_K:g} (kelvin), or gains of red, green and blue such "
                "as 1.9,1,1.4 are possible"
            )
        return cls(source="gains", gains=gains)


def _three_gains(name: str) -> tuple[float, float, float] | None:
    try:
        red, green, blue = (float(part) for part in name.split(","))
    except ValueError:
        return None
    possible = all(1 / _LARGEST_GAIN <= gain <= _LARGEST_GAIN for gain in (red, green, blue))
    return (red, green, blue) if possible else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeSettings:
    """Raw capture to light field.

    Attributes
    ----------
    angular_size
        Number of views along u and v, odd, up to 31; None takes all that the lenslets show well.

    Raises
    ------
    SettingsError
        For a number of views that is not possible.
    """

    angular_size: int | None = None

    def __post_init__(self) -> None:
        size = self.angular_size
        if size is not None and not (1 <= size <= _MOST_VIEWS and size % 2):
            raise SettingsError(
                f"angular_size must be odd and positive, up to {_MOST_VIEWS}, got {_shown(size)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefocusSettings:
    """Light field to focal stack.

    Attributes
    ----------
    planes
        Number of slices, 2 to 256; None chooses by the scene's range and the aperture.
    slopes
        (first, last, count), ascending, in pixels per angular step; None finds the scene's range.
    aperture
        ``square`` (every view), ``round``, or one of them with a size: ``round:0.5`` is half as
        wide as the grid of views, ``round:f/4`` stops the lens down to f/4 (captures whose
        metadata state the lens's f-number).
    equal_weights
        Weigh every measured ray alike: takes the cat's eye out of the corners' aperture.

    Raises
    ------
    SettingsError
        For planes or slopes that are not possible, or an aperture that is not of this form.
    """

    planes: int | None = None
    slopes: tuple[float, float, int] | None = None
    kernel: Kernel = "cubic"
    aperture: str = "square"
    equal_weights: bool = False

    def __post_init__(self) -> None:
        if self.planes is not None and not 2 <= self.planes <= MOST_PLANES:
            raise SettingsError(f"planes must be 2 to {MOST_PLANES}, got {_shown(self.planes)}")
        if self.slopes is not None:
            _check_slopes(*self.slopes)
        NamedAperture.parse(self.aperture)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionSettings:
    """Focal stack, or rays, to one sharp picture.

    Attributes
    ----------
    scale
        1, 2, 3 or 4: how many times finer than a view (or photograph) the picture is.
    preset
        How much work fusing a stack takes; rays have no presets.
    data
        What a run makes the picture from: rays (`lfdfp.reconstruct`) or stack (`lfdfp.fuse`).
    prior
        Of the picture from rays, where they leave it open: total variation, or that and then a
        correction learned from drawn scenes. Stacks have their prior from the preset.
    seed
        Of everything random, at least 0.
    device
        ``auto``, ``cpu``, or a device by PyTorch's name for it.

    Raises
    ------
    SettingsError
        For a scale, preset, data term, seed or device that cannot be.
    """

    scale: int = 2
    preset: Preset = "balanced"
    data: Data = "rays"
    prior: Prior = "variation"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise SettingsError(f"scale must be 1, 2, 3 or 4, got {_shown(self.scale)}")
        if self.preset not in get_args(Preset):
            known = ", ".join(get_args(Preset))
            raise SettingsError(f"unknown preset {self.preset!r}; known are {known}")
        if self.data not in get_args(Data):
            raise SettingsError(f"data must be rays or stack, got {self.data!r}")
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise SettingsError(f"seed must be 0 to {_LARGEST_SEED}, got {_shown(self.seed)}")
        if not _DEVICE.fullmatch(self.device):
            raise SettingsError(
                f"device must be auto, cpu or like cuda:0, got {_shown(self.device)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    """Linear light to pictures for people; what programs read is not touched.

    Attributes
    ----------
    exposure_ev
        Stops by which pictures are made brighter, from -10 to 10.
    white_balance
        ``camera``, ``auto`` (from the picture), the light's color temperature in kelvin such as
        ``5200``, or gains of red, green and blue such as ``1.9,1,1.4``.
    tone
        ``standard`` lets highlights reach white softly, ``linear`` clips them.

    Raises
    ------
    SettingsError
        For an exposure out of range, or a white balance that is not of this form.
    """

    exposure_ev: float = 0.0
    white_balance: str = "camera"
    tone: Tone = "standard"

    def __post_init__(self) -> None:
        if not abs(self.exposure_ev) <= _LARGEST_EXPOSURE_EV:
            raise SettingsError(
                f"exposure_ev is from -{_LARGEST_EXPOSURE_EV:g} to {_LARGEST_EXPOSURE_EV:g}, "
                f"got {self.exposure_ev:g}"
            )
        NamedWhiteBalance.parse(self.white_balance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All stages together, as a TOML file holds them: one table per stage.

    Attributes
    ----------
    decode, refocus, fusion
        Of the stages that compute.
    display
        Of the pictures that are written.
    """

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    refocus: RefocusSettings = field(default_factory=RefocusSettings)
    fusion: FusionSettings = field(default_factory=FusionSettings)
    display: DisplaySettings = field(default_factory=DisplaySettings)


def read_settings(path: Path) -> Settings:
    """Read a TOML file with tables ``[decode]``, ``[refocus]``, ``[fusion]``, ``[display]``.

    Raises
    ------
    StorageError
        For a file that cannot be read, or is far too large.
    SettingsError
        For a file that is not TOML, an unknown table or key, or a value that is of the wrong type
        or out of range.
    """
    content = read_small_file(path, most=_LARGEST_TEXT)
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise SettingsError(f"{path}: cannot be read as TOML: nested too deeply") from error
    except ValueError as error:  # of the text, of its encoding, of a number with too many digits
        raise SettingsError(f"{path}: cannot be read as TOML: {error}") from error
    return settings_from_mapping(document, origin=str(path))


def settings_from_mapping(document: dict[str, Any], *, origin: str) -> Settings:
    """Settings from nested tables; what is not given keeps its default."""
    stages = {
        stage.name: type(getattr(Settings(), stage.name)) for stage in dataclasses.fields(Settings)
    }
    _refuse_unknown(document, set(stages), origin)
    made = {}
    for name, table in document.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{origin}: [{name}] must be a table, found {_shown(table)}")
        known = {entry.name for entry in dataclasses.fields(stages[name])}
        _refuse_unknown(table, known, f"{origin}: [{name}]")
        hints = get_type_hints(stages[name])
        values = {
            key: _checked(v, hints[key], f"{origin}: [{name}]: {key}") for key, v in table.items()
        }
        try:
            made[name] = stages[name](**values)
        except SettingsError as error:
            raise SettingsError(f"{origin}: [{name}]: {error}") from error
    return Settings(**made)


def _checked(value: Any, wanted: Any, where: str) -> Any:
    """`value` as the annotation `wanted` asks for it, or an error that says what is needed."""
    choices = get_args(wanted)
    if get_origin(wanted) is Literal:
        if not isinstance(value, str) or value not in choices:
            raise SettingsError(
                f"{where} must be one of {', '.join(choices)}, found {_shown(value)}"
            )
        return value
    if get_origin(wanted) is tuple:
        if not isinstance(value, list) or len(value) != len(choices):
            raise SettingsError(
                f"{where} must be a list of {len(choices)} numbers, found {_shown(value)}"
            )
        return tuple(_checked(v, kind, where) for v, kind in zip(value, choices, strict=True))
    if NoneType in choices:
        (kind,) = (choice for choice in choices if choice is not NoneType)
        return _checked(value, kind, where)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise SettingsError(f"{where} must be {wanted.__name__}, found {_shown(value)}")
    return value


def _refuse_unknown(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(
            f"{where}: unknown {_shown(unknown[0])}; known are {', '.join(sorted(known))}"
        )


def _check_slopes(first: float, last: float, count: int) -> None:
    steep = [slope for slope in (first, last) if not abs(slope) <= STEEPEST_SLOPE]
    if steep:
        raise SettingsError(
            f"slopes are from -{STEEPEST_SLOPE:g} to {STEEPEST_SLOPE:g}, got {steep[0]:g}"
        )
    if not first < last or not 2 <= count <= MOST_PLANES:
        raise SettingsError(
            f"slopes must ascend over 2 to {MOST_PLANES} planes, "
            f"got {first:g} to {last:g} over {_shown(count)}"
        )


def _shown(value: object) -> str:
    """A value for a message: short, however large or deep it is."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of too many digits"
