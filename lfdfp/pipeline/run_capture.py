"""One capture through the whole chain: the place that knows the order of the stages.

`lfdfp.evaluation` runs the same stages to judge them.

A stage's file is used again when it was made from the same input with the same settings by the
same version; the key of every stage is a hash over all of that.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lfdfp.datatypes import Calibration, FocalStack, LightField, RawCapture, SharpPicture
from lfdfp.files import json_text, sha256_of, write_text
from lfdfp.progress import Progress, ignore_progress
from lfdfp.settings import Settings
from lfdfp.version import __version__

if TYPE_CHECKING:
    from lfdfp.calibration import Match

PictureFormat = Literal["png", "tif", "exr"]
StageProgress = Callable[[str], AbstractContextManager[Progress]]

_LIGHT_FIELD: Final = "light_field.h5"
_FOCAL_STACK: Final = "focal_stack.h5"
_FUSION: Final = "fusion.h5"
_PACKAGES: Final = ("numpy", "torch", "numba", "opencv-python-headless", "h5py", "scipy")


@contextmanager
def silent_stage(name: str) -> Iterator[Progress]:
    """A `StageProgress` that shows nothing."""
    del name
    yield ignore_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run reads beside the capture, what it keeps and how it writes.

    Attributes
    ----------
    calibration
        Folder that is searched first for the camera's calibration.
    white_image
        White image of the same camera at a similar zoom, as a raw file.
    """

    calibration: Path | None = None
    white_image: Path | None = None
    picture_format: PictureFormat = "png"
    bits: Literal[8, 16] = 8
    keep_light_field: bool = False
    resume: bool = False
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """How long a stage took; `reused` when its result was read from an earlier run's file."""

    name: str
    wall_s: float
    cpu_s: float
    reused: bool = False


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """What a run did, as it goes into ``run.json``."""

    capture: str
    folder: str
    input_sha256: str = ""
    stages: list[StageTime] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    peak_memory_mib: float = 0.0


def run_capture(
    path: Path,
    folder: Path,
    settings: Settings,
    options: RunOptions = RunOptions(),
    *,
    stage_progress: StageProgress = silent_stage,
) -> RunRecord:
    """Turn one raw capture into pictures in `folder`.

    Nothing is written, and `folder` is not made, before the capture was decoded.

    Parameters
    ----------
    path
        A raw capture (.lfp, .lfr, or .raw with its .txt).
    folder
        Where the outputs go; files of the same names are replaced.
    settings
        Of all stages.
    stage_progress
        Called with a stage's name; gives a context that yields its progress callback.

    Returns
    -------
    RunRecord
        What was made, also written to ``run.json``.

    Raises
    ------
    LfdfpError
        If the file is no raw capture or its pixels cannot be decoded.
    """
    from lfdfp.storage.images import check_writable

    check_writable(folder / f"all_in_focus.{options.picture_format}")
    chain = _Chain(path, folder, settings, options, stage_progress)
    result = chain.fusion
    rendered = chain.rendered
    with chain.stage("export"):
        from lfdfp.report.run_outputs import write_outputs

        chain.record.facts.update(chain.facts())
        pictures = write_outputs(
            folder,
            result,
            chain.stack,
            rendered,
            title=path.name,
            facts=chain.readable_facts(),
            warnings=chain.warnings(),
            picture_format=options.picture_format,
            bits=options.bits,
            provenance=chain.provenance(chain.fusion_key),
        )
    record = chain.record
    record.input_sha256 = chain.input_sha256
    record.pictures += [str(p) for p in pictures]
    record.warnings += chain.warnings()
    record.peak_memory_mib = peak_memory_mib()
    write_text(folder / "run.json", json_text(_document(record, settings, options)) + "\n")
    return record


class _Chain:
    """The stages of one run, each computed or read back when it is first asked for."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        settings: Settings,
        options: RunOptions,
        stage_progress: StageProgress,
    ) -> None:
        self.path, self.folder = path, folder
        self.settings, self.options = settings, options
        self.stage_progress = stage_progress
        self.record = RunRecord(capture=str(path), folder=str(folder))

    @contextmanager
    def stage(self, name: str, *, reused: bool = False) -> Iterator[Progress]:
        wall, cpu = time.perf_counter(), time.process_time()
        with self.stage_progress(name) as progress:
            yield progress
        self.record.stages.append(
            StageTime(
                name=name,
                wall_s=time.perf_counter() - wall,
                cpu_s=time.process_time() - cpu,
                reused=reused,
            )
        )

    @cached_property
    def input_sha256(self) -> str:
        return sha256_of(self.path) if self.path.is_file() else self.capture.source_sha256

    @cached_property
    def decode_key(self) -> str:
        used = [self.options.white_image, None if self.known is None else self.known.path]
        hashes = [sha256_of(path) for path in used if path is not None and path.is_file()]
        return _key(self.input_sha256, *hashes, self.settings.decode)

    @cached_property
    def stack_key(self) -> str:
        return _key(self.decode_key, self.settings.refocus)

    @cached_property
    def fusion_key(self) -> str:
        from lfdfp.storage.hdf5 import VERSIONS

        return _key(self.stack_key, self.settings.fusion, VERSIONS["fusion_result"])

    @cached_property
    def capture(self) -> RawCapture:
        from lfdfp.lfp import read_capture

        with self.stage("read"):
            return read_capture(self.path, verify=self.options.verify)

    @cached_property
    def known(self) -> Match | None:
        from lfdfp.storage.camera_calibrations import find_calibration, search_folders

        return find_calibration(self.capture, search_folders(self.options.calibration))

    @cached_property
    def calibration(self) -> Calibration:
        from lfdfp.calibration import calibrate
        from lfdfp.lfp import read_capture

        capture, known = self.capture, self.known
        with self.stage("calibrate") as progress:
            path = self.options.white_image
            white = None if path is None else read_capture(path, verify=self.options.verify)
            return calibrate(capture, white, known=known, progress=progress)

    @cached_property
    def light_field(self) -> LightField:
        from lfdfp.decoding import decode

        capture, calibration = self.capture, self.calibration
        with self.stage("decode") as progress:
            field = decode(capture, calibration, self.settings.decode, progress=progress)
        if self.options.keep_light_field:
            from lfdfp.storage.hdf5 import save_light_field

            provenance = self.provenance(self.decode_key)
            self._keep(_LIGHT_FIELD, lambda path: save_light_field(path, field, provenance))
        return field

    @cached_property
    def stack(self) -> FocalStack:
        from lfdfp.refocusing import focal_stack
        from lfdfp.storage.hdf5 import load_focal_stack, save_focal_stack

        path = self.folder / _FOCAL_STACK
        field_is_kept = not self.options.keep_light_field or self._reusable(
            self.folder / _LIGHT_FIELD, self.decode_key
        )
        if field_is_kept and self._reusable(path, self.stack_key):
            with self.stage("refocus", reused=True):
                return load_focal_stack(path)
        field = self.light_field
        with self.stage("refocus") as progress:
            stack = focal_stack(field, self.settings.refocus, progress=progress)
            heard = (*self.calibration.warnings, *field.warnings, *stack.warnings)
            stack = replace(stack, warnings=tuple(dict.fromkeys(heard)))
            provenance = self.provenance(self.stack_key) | {"facts": self._capture_facts()}
            self._keep(path.name, lambda target: save_focal_stack(target, stack, provenance))
        return stack

    @cached_property
    def fusion(self) -> SharpPicture:
        from lfdfp.pipeline.stages import sharp_picture
        from lfdfp.storage.hdf5 import load_sharp_picture, save_sharp_picture

        path = self.folder / _FUSION
        if self._reusable(path, self.fusion_key):
            with self.stage("fuse", reused=True):
                return load_sharp_picture(path)
        stack = self.stack
        settings = self.settings.fusion
        field = self.light_field if settings.data == "rays" else None
        with self.stage("fuse") as progress:
            result = sharp_picture(field, stack, settings, progress=progress)
            provenance = self.provenance(self.fusion_key)
            self._keep(path.name, lambda target: save_sharp_picture(target, result, provenance))
        return result

    @cached_property
    def rendered(self) -> FocalStack | None:
        """The stack's planes as the solution shows them; None where it is no finer than they."""
        from lfdfp.rendering.render import reduced, rendered_stack, solution_aperture

        result, slopes = self.fusion, self.stack.slopes
        depth = result.depth
        if depth is None or slopes is None:
            return None
        if depth.fine_disparity is None or depth.angular_shape is None:
            return None
        with self.stage("render") as progress:
            shown = reduced(result, 2) if result.scale == 4 else result  # else a page of 20 MB
            aperture = solution_aperture(shown, "round")
            return rendered_stack(shown, slopes, aperture=aperture, draft=True, progress=progress)

    def _reusable(self, path: Path, key: str) -> bool:
        if not (self.options.resume and path.is_file()):
            return False
        from lfdfp.storage.hdf5 import provenance_of

        return provenance_of(path).get("key") == key

    def _keep(self, name: str, save: Callable[[Path], None]) -> None:
        save(self.folder / name)
        self.record.files.append(str(self.folder / name))

    def provenance(self, key: str) -> dict[str, object]:
        return {
            "program": f"lfdfp {__version__}",
            "input": self.path.name,
            "input_sha256": self.input_sha256,
            "settings": asdict(self.settings),
            "key": key,
        }

    def warnings(self) -> list[str]:
        """Every warning of every stage, once, in the order of the chain."""
        return list(dict.fromkeys((*self.stack.warnings, *self.fusion.provenance.warnings)))

    def facts(self) -> dict[str, object]:
        """What the run found out, for programs."""
        made = self.fusion.provenance
        facts: dict[str, object] = {
            "data_term": made.data_term,
            "prior": made.prior,
            "scale": self.fusion.scale,
            "losses": dict(made.losses),
            "device": made.device,
            "history": list(made.history),
        }
        if self.stack.slopes is not None:
            facts["slopes_px_per_step"] = [round(float(s), 6) for s in self.stack.slopes]
        return facts | self._capture_facts()

    def _capture_facts(self) -> dict[str, object]:
        """On camera and calibration; of the earlier run where its stack was used again."""
        from lfdfp.storage.hdf5 import provenance_of

        if "calibration" not in self.__dict__:
            recorded = provenance_of(self.folder / _FOCAL_STACK).get("facts", {})
            return dict(recorded)
        return {
            "camera": asdict(self.capture.camera),
            "calibration": _calibration_facts(self.calibration),
        }

    def readable_facts(self) -> dict[str, str]:
        """The same for people: name and value of each line on the page."""
        stack, made = self.stack, self.fusion.provenance
        lines = {
            "Program": f"lfdfp {__version__}",
            "Input": f"{self.path.name} (SHA-256 {self.input_sha256[:16]}…)",
            "Made from": f"{made.data_term}, prior: {made.prior}, ×{self.fusion.scale}",
        }
        if stack.slopes is not None:
            lines["Focal stack"] = (
                f"{len(stack.slices)} slices from {stack.slopes[0]:+.3f} to "
                f"{stack.slopes[-1]:+.3f} pixels per angular step"
            )
        calibration = self._capture_facts().get("calibration")
        if isinstance(calibration, dict):
            lines["Calibration"] = str(calibration["source"])
        lines["Steps"] = "; ".join(dict.fromkeys((*stack.history, *made.history)))
        return lines


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB; NaN where the system won't say."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _calibration_facts(calibration: Calibration) -> dict[str, object]:
    grid = calibration.grid
    return {
        "source": calibration.source,
        "grid_source": grid.source,
        "pitch_px": grid.pitch_px,
        "rotation_rad": grid.rotation_rad,
        "origin_px": list(grid.origin_px),
        "residual_px": grid.residual_px,
        "noise": None if calibration.noise is None else asdict(calibration.noise),
    }


def _document(record: RunRecord, settings: Settings, options: RunOptions) -> dict[str, object]:
    return {
        "kind": "lfdfp run",
        "version": __version__,
        **asdict(record),
        "settings": asdict(settings),
        "options": asdict(options),
        "environment": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": {name: metadata.version(name) for name in _PACKAGES},
        },
    }


def _key(upstream: str, *settings: object) -> str:
    """Hash of a stage's input and settings."""
    parts = [__version__, upstream, *(repr(value) for value in settings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
