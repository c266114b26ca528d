"""What a person may set, one frozen dataclass per stage.

Defaults are chosen once, for every capture; nothing here is tuned to an image.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lfdfp.errors import SettingsError

Preset = Literal["fast", "balanced", "best", "untaught", "paper"]
Kernel = Literal["linear", "cubic", "fourier"]
Data = Literal["rays", "stack"]
Prior = Literal["variation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeSettings:
    """Raw capture to light field.

    Attributes
    ----------
    angular_size
        Number of views along u and v, odd; None takes all that the lenslets show well.
    """

    angular_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefocusSettings:
    """Light field to focal stack.

    Attributes
    ----------
    planes
        Number of slices; None chooses by the scene's range and the aperture.
    slopes
        (first, last, count) in pixels per angular step; None finds the scene's range.
    aperture
        ``square`` (every view), ``round``, or one of them with a size: ``round:0.5`` is half as
        wide as the grid of views, ``round:f/4`` stops the lens down to f/4 (captures whose
        metadata state the lens's f-number).
    equal_weights
        Weigh every measured ray alike: takes the cat's eye out of the corners' aperture.
    """

    planes: int | None = None
    slopes: tuple[float, float, int] | None = None
    kernel: Kernel = "cubic"
    aperture: str = "square"
    equal_weights: bool = False


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
        Of the picture from rays, where they leave it open: total variation. Stacks have their
        prior from the preset.
    seed
        Of everything random.
    device
        ``auto``, ``cpu``, or a device by PyTorch's name for it.

    Raises
    ------
    SettingsError
        For a scale, preset or data term that does not exist.
    """

    scale: int = 2
    preset: Preset = "balanced"
    data: Data = "rays"
    prior: Prior = "variation"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise SettingsError(f"scale must be 1, 2, 3 or 4, got {self.scale!r}")
        if self.preset not in get_args(Preset):
            known = ", ".join(get_args(Preset))
            raise SettingsError(f"unknown preset {self.preset!r}; known are {known}")
        if self.data not in get_args(Data):
            raise SettingsError(f"data must be rays or stack, got {self.data!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All stages together, as a TOML file holds them: one table per stage."""

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    refocus: RefocusSettings = field(default_factory=RefocusSettings)
    fusion: FusionSettings = field(default_factory=FusionSettings)


def read_settings(path: Path) -> Settings:
    """Read a TOML file with tables ``[decode]``, ``[refocus]``, ``[fusion]``.

    Raises
    ------
    SettingsError
        For a file that is not TOML, an unknown table or key, or a value of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
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
            raise SettingsError(f"{origin}: [{name}] must be a table, found {table!r}")
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
        if value not in choices:
            raise SettingsError(f"{where} must be one of {', '.join(choices)}, found {value!r}")
        return value
    if get_origin(wanted) is tuple:
        if not isinstance(value, list) or len(value) != len(choices):
            raise SettingsError(
                f"{where} must be a list of {len(choices)} numbers, found {value!r}"
            )
        return tuple(_checked(v, kind, where) for v, kind in zip(value, choices, strict=True))
    if NoneType in choices:
        (kind,) = (choice for choice in choices if choice is not NoneType)
        return _checked(value, kind, where)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise SettingsError(f"{where} must be {wanted.__name__}, found {value!r}")
    return value


def _refuse_unknown(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(
            f"{where}: unknown {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
