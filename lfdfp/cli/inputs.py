"""What a command is given: a light field in any known format, or a raw capture to decode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from lfdfp.cli.reporting import stage_bar
from lfdfp.datatypes import LightField
from lfdfp.files import sha256_of
from lfdfp.lfp import is_capture_name
from lfdfp.pipeline.stages import CaptureSource, camera_colors, decoded_capture
from lfdfp.settings import DecodeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInput:
    """A light field, what to record of where it came from, and what the user should hear."""

    field: LightField
    provenance: dict[str, object]
    warnings: tuple[str, ...] = ()


def field_input(
    path: Path, *, calibration: Path | None = None, white_image: Path | None = None
) -> FieldInput:
    """Read a light field; a raw capture is calibrated and decoded first, and keeps its rays.

    Raises
    ------
    LfdfpError
        For what is neither, or is damaged.
    """
    if is_capture_name(path):
        source = CaptureSource(path=path, calibration=calibration, white_image=white_image)
        return _decoded(source)
    from lfdfp.interchange.formats import read_light_field

    field = read_light_field(path)
    digest = "" if path.is_dir() else sha256_of(path)
    provenance: dict[str, object] = {"input_sha256": digest} | told_of(path)
    return FieldInput(field=field, provenance=provenance, warnings=field.warnings)


def told_of(path: Path) -> dict[str, object]:
    """What a file of this program tells of the capture that it was made of; empty for others."""
    from lfdfp.imaging.rendition import COLORS
    from lfdfp.storage.hdf5 import provenance_of
    from lfdfp.storage.images import SHOT

    told = provenance_of(path) if path.suffix.lower() in (".h5", ".hdf5") else {}
    return {name: told[name] for name in (SHOT, COLORS) if name in told}


def _decoded(source: CaptureSource) -> FieldInput:
    from lfdfp.imaging.rendition import COLORS
    from lfdfp.storage.images import SHOT, shot_of

    settings = DecodeSettings()
    decoded = decoded_capture(source, settings, stage=stage_bar)
    return FieldInput(
        field=decoded.field,
        provenance={
            "input_sha256": decoded.capture.source_sha256,
            SHOT: shot_of(decoded.capture),
            COLORS: asdict(camera_colors(decoded.capture)),
            "calibration": decoded.calibration.source,
            "decode": asdict(settings),
        },
        warnings=decoded.warnings,
    )
