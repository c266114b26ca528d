"""What a command is given: a light field in any known format, or a raw capture to decode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lfdfp.cli.reporting import stage_bar
from lfdfp.datatypes import Calibration, LightField, RawCapture
from lfdfp.files import sha256_of
from lfdfp.settings import DecodeSettings

RAW_SUFFIXES: Final = frozenset({".lfp", ".lfr", ".raw"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInput:
    """A light field, what to record of where it came from, and what the user should hear."""

    field: LightField
    provenance: dict[str, object]
    warnings: tuple[str, ...] = ()


def is_capture(path: Path) -> bool:
    """Whether the name is that of a raw capture."""
    return path.suffix.lower() in RAW_SUFFIXES and not path.is_dir()


def field_input(
    path: Path, *, calibration: Path | None = None, white_image: Path | None = None
) -> FieldInput:
    """Read a light field; a raw capture is calibrated and decoded first, and keeps its rays.

    Raises
    ------
    LfdfpError
        For what is neither, or is damaged.
    """
    if is_capture(path):
        return _decoded(path, calibration, white_image)
    from lfdfp.interchange.formats import read_light_field

    field = read_light_field(path)
    digest = "" if path.is_dir() else sha256_of(path)
    return FieldInput(field=field, provenance={"input_sha256": digest}, warnings=field.warnings)


def calibrated_capture(
    path: Path, *, calibration: Path | None, white_image: Path | None, verify: bool = True
) -> tuple[RawCapture, Calibration]:
    """Read and calibrate a raw capture, with a progress bar.

    Raises
    ------
    LfdfpError
        For what is no raw capture, is damaged, or too dark.
    """
    from lfdfp.calibration import calibrate
    from lfdfp.lfp import read_capture
    from lfdfp.storage.camera_calibrations import find_calibration, search_folders

    raw = read_capture(path, verify=verify)
    with stage_bar("calibrate") as progress:
        white = None if white_image is None else read_capture(white_image, verify=verify)
        known = find_calibration(raw, search_folders(calibration))
        return raw, calibrate(raw, white, known=known, progress=progress)


def decoded_capture(
    path: Path,
    settings: DecodeSettings,
    *,
    calibration: Path | None,
    white_image: Path | None,
    verify: bool = True,
) -> tuple[RawCapture, Calibration, LightField]:
    """Read, calibrate and decode a raw capture, with progress bars.

    Raises
    ------
    LfdfpError
        For what is no raw capture, is damaged, or cannot be decoded.
    """
    from lfdfp.decoding import decode

    raw, calibrated = calibrated_capture(
        path, calibration=calibration, white_image=white_image, verify=verify
    )
    with stage_bar("decode") as progress:
        field = decode(raw, calibrated, settings, progress=progress)
    return raw, calibrated, field


def _decoded(path: Path, calibration: Path | None, white_image: Path | None) -> FieldInput:
    settings = DecodeSettings()
    raw, calibrated, field = decoded_capture(
        path, settings, calibration=calibration, white_image=white_image
    )
    return FieldInput(
        field=field,
        provenance={
            "input_sha256": raw.source_sha256,
            "calibration": calibrated.source,
            "decode": asdict(settings),
        },
        warnings=tuple(dict.fromkeys((*calibrated.warnings, *field.warnings))),
    )
