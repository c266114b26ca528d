"""What a run is told and what it tells: options, times, memory, and the facts of ``run.json``."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from lfdfp.datatypes import Calibration, FocalStack, RawCapture, SharpPicture
from lfdfp.errors import StorageError
from lfdfp.files import read_small_file, sha256_of
from lfdfp.imaging.rendition import Rendition
from lfdfp.progress import Progress, StageProgress
from lfdfp.settings import Settings
from lfdfp.version import __version__

PictureFormat = Literal["png", "tif", "jpg", "webp", "avif", "exr"]

Keep = Literal["pictures", "solution", "all"]
"""Beside the pictures: nothing, the solution in ``fusion.h5``, or also ``focal_stack.h5``."""

_LARGEST_RECORD: Final = 1 << 24
_PACKAGES: Final = ("numpy", "torch", "numba", "opencv-python-headless", "h5py", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotographOptions:
    """How photographs of one scene become one picture.

    Attributes
    ----------
    scale
        How many times finer the picture becomes; that of captures and light fields follows the
        settings.
    align, equalize, reference, crop
        As in `lfdfp.alignment.stack_of_photographs`.
    """

    scale: int = 1
    align: bool = True
    equalize: bool = True
    reference: Literal["first", "middle"] | int = "middle"
    crop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run reads beside the capture, what it keeps and how it writes.

    Attributes
    ----------
    calibration
        Folder that is searched first for the camera's calibration.
    usual_calibrations
        Search the usual folders of this machine, too.
    white_image
        White image of the same camera at a similar zoom, as a raw file.
    picture_format, bits
        Of the pictures; the maps are always 8-bit PNGs.
    photographs
        What counts for photographs alone.
    keep
        Which files for programs are written beside the pictures.
    keep_light_field
        Also write ``light_field.h5``, which is large.
    resume
        Use the files of an earlier run again where input and settings are the same.
    verify
        Refuse files whose checksums do not match.
    """

    calibration: Path | None = None
    usual_calibrations: bool = True
    white_image: Path | None = None
    picture_format: PictureFormat = "png"
    bits: Literal[8, 16] = 8
    photographs: PhotographOptions = PhotographOptions()
    keep: Keep = "all"
    keep_light_field: bool = False
    resume: bool = False
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """How long a stage took.

    Attributes
    ----------
    name
        Of the stage, as the progress bar shows it.
    wall_s, cpu_s
        Seconds on the clock, and of all processors together.
    reused
        Whether its result was read from an earlier run's file.
    """

    name: str
    wall_s: float
    cpu_s: float
    reused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """What a file held when it was written.

    Attributes
    ----------
    size
        In bytes.
    sha256
        Of its bytes.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a run did, as it goes into ``run.json``.

    Attributes
    ----------
    capture, folder
        Paths of what was read, and of where the outputs lie.
    input_sha256
        Of the bytes of everything that was read.
    key
        Hash over everything that the outputs depend on: the same key, the same bytes.
    stages
        In the order in which they were begun, each name once.
    outputs
        Every file that belongs to the result, by its name in the folder; ``run.json`` apart.
    pictures, files
        What was written for people, the main picture first; and for programs.
    facts
        What was found out: data term, prior, slopes, camera, calibration.
    warnings
        Of all stages, each once.
    peak_memory_mib
        Largest of the process so far.
    """

    capture: str
    folder: str
    input_sha256: str
    key: str
    stages: tuple[StageTime, ...]
    pictures: tuple[str, ...]
    files: tuple[str, ...]
    outputs: Mapping[str, OutputFile]
    facts: Mapping[str, object]
    warnings: tuple[str, ...]
    peak_memory_mib: float


def checksummed(paths: Iterable[Path]) -> dict[str, OutputFile]:
    """What these files hold, by their names without the folder."""
    return {
        path.name: OutputFile(size=path.stat().st_size, sha256=sha256_of(path)) for path in paths
    }


def read_record(path: Path) -> RunRecord | None:
    """The record in a ``run.json``; None where there is none that this version has written."""
    try:
        document = json.loads(read_small_file(path, most=_LARGEST_RECORD))
        return RunRecord(
            capture=str(document["capture"]),
            folder=str(path.parent),
            input_sha256=str(document["input_sha256"]),
            key=str(document["key"]),
            stages=tuple(StageTime(**stage) for stage in document["stages"]),
            pictures=tuple(str(path.parent / Path(name).name) for name in document["pictures"]),
            files=tuple(str(path.parent / Path(name).name) for name in document["files"]),
            outputs={str(name): OutputFile(**about) for name, about in document["outputs"].items()},
            facts=dict(document["facts"]),
            warnings=tuple(str(warning) for warning in document["warnings"]),
            peak_memory_mib=float(document["peak_memory_mib"] or "nan"),
        )
    except (StorageError, ValueError, TypeError, KeyError, AttributeError):
        return None


def timed(shown: StageProgress, times: list[StageTime], *, reused: bool = False) -> StageProgress:
    """Stages that are shown as by `shown`, and whose times are appended to `times`."""

    @contextmanager
    def stage(name: str) -> Iterator[Progress]:
        wall, cpu = time.perf_counter(), time.process_time()
        with shown(name) as progress:
            yield progress
        times.append(
            StageTime(
                name=name,
                wall_s=time.perf_counter() - wall,
                cpu_s=time.process_time() - cpu,
                reused=reused,
            )
        )

    return stage


def summed(times: Iterable[StageTime]) -> tuple[StageTime, ...]:
    """The times of every name added up, in the order in which the names first appear."""
    sums: dict[str, StageTime] = {}
    for one in times:
        before = sums.get(one.name, StageTime(name=one.name, wall_s=0, cpu_s=0, reused=one.reused))
        sums[one.name] = StageTime(
            name=one.name,
            wall_s=before.wall_s + one.wall_s,
            cpu_s=before.cpu_s + one.cpu_s,
            reused=before.reused and one.reused,
        )
    return tuple(sums.values())


def capture_facts(capture: RawCapture, calibration: Calibration) -> dict[str, object]:
    """On camera and calibration, for programs."""
    grid = calibration.grid
    return {
        "camera": asdict(capture.camera),
        "taken": capture.taken,
        "calibration": {
            "source": calibration.source,
            "grid_source": grid.source,
            "pitch_px": grid.pitch_px,
            "rotation_rad": grid.rotation_rad,
            "origin_px": list(grid.origin_px),
            "residual_px": grid.residual_px,
            "standard_error_px": grid.standard_error_px,
            "black_level": _black_facts(capture, calibration),
            "noise": None if calibration.noise is None else asdict(calibration.noise),
        },
    }


def _black_facts(capture: RawCapture, calibration: Calibration) -> dict[str, object]:
    black = calibration.black
    return {
        "metadata_codes": list(capture.black_codes),
        "measured_codes": None if black is None else list(black.codes),
        "standard_error_codes": None if black is None else list(black.standard_error),
        "used": "metadata" if black is None or not black.surely_differs else "measured",
    }


def rendition_facts(rendition: Rendition) -> dict[str, object]:
    """On how light is shown, for programs."""
    erased = rendition.erased
    return {
        "exposure_gain": rendition.gain,
        "white_balance": list(rendition.balance),
        "tone": rendition.tone if rendition.camera is not None else "linear",
        "erased_color": None if erased is None else asdict(erased),
    }


def picture_facts(picture: SharpPicture, stack: FocalStack) -> dict[str, object]:
    """On how the picture was made, for programs."""
    made = picture.provenance
    facts: dict[str, object] = {
        "data_term": made.data_term,
        "prior": made.prior,
        "scale": picture.scale,
        "losses": dict(made.losses),
        "device": made.device,
        "history": list(made.history),
    }
    if stack.slopes is not None:
        facts["slopes_px_per_step"] = [round(float(s), 6) for s in stack.slopes]
    return facts


def readable_facts(
    capture: str,
    picture: SharpPicture,
    stack: FocalStack,
    facts: Mapping[str, object],
    *,
    shot: object = None,
) -> dict[str, str]:
    """For people: name and value of each line on the page.

    Parameters
    ----------
    capture
        What the picture was made of, in words.
    facts
        `capture_facts`, or nothing where an earlier run did not record them.
    shot
        Camera, exposure and time, as `lfdfp.storage.images.shot_of` gives them.
    """
    from lfdfp.storage.pictures.shot import shot_in_words

    made = picture.provenance
    lines = {
        "Program": f"lfdfp {__version__}",
        "Input": capture,
        **shot_in_words(shot),
        "Made from": f"{made.data_term}, prior: {made.prior}, ×{picture.scale}",
    }
    if stack.slopes is not None:
        lines["Focal stack"] = (
            f"{len(stack.slices)} slices from {stack.slopes[0]:+.3f} to "
            f"{stack.slopes[-1]:+.3f} pixels per angular step"
        )
    calibration = facts.get("calibration")
    if isinstance(calibration, dict):
        lines["Calibration"] = str(calibration["source"])
        if calibration.get("standard_error_px"):
            error = float(calibration["standard_error_px"])
            lines["Calibration"] += f"; the lattice lies within {error:.2g} px (standard error)"
    lines["Steps"] = "; ".join(dict.fromkeys((*stack.history, *made.history)))
    return lines


def run_document(record: RunRecord, settings: Settings, options: RunOptions) -> dict[str, object]:
    """Everything that goes into ``run.json``."""
    return {
        "kind": "lfdfp run",
        "version": __version__,
        **asdict(record),
        "settings": asdict(settings),
        "options": asdict(options),
        "environment": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": versions(),
        },
    }


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on, by name."""
    return {name: metadata.version(name) for name in _PACKAGES}
