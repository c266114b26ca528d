"""The chain from a raw file to its sharp picture: one function a stage, named by what it gives.

Whoever needs a part of the chain (a run, a command, an evaluation) takes it from here. `stage` is
called with the name of each stage and shows how far it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lfdfp.datatypes import Calibration, FocalStack, LightField, RawCapture, SharpPicture
from lfdfp.pipeline.record import PhotographOptions
from lfdfp.progress import StageProgress, silent_stage
from lfdfp.settings import DecodeSettings, FusionSettings, RefocusSettings

if TYPE_CHECKING:
    from lfdfp.calibration import Match
    from lfdfp.imaging.rendition import CameraColors
    from lfdfp.storage.images import Picture

_DECODE, _REFOCUS = DecodeSettings(), RefocusSettings()
_NO_RAYS = "made from the focal stack: the light field holds no rays to reconstruct it from"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSource:
    """A raw capture on disk, and what may help to calibrate it.

    Attributes
    ----------
    path
        A raw capture (.lfp, .lfr, or .raw with its .txt).
    calibration
        Folder that is searched first for the camera's calibration.
    white_image
        White image of the same camera at a similar zoom, as a raw file.
    verify
        Refuse files whose checksums do not match.
    usual
        Search this machine's usual folders for a calibration, too.
    """

    path: Path
    calibration: Path | None = None
    white_image: Path | None = None
    verify: bool = True
    usual: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedCapture:
    """A raw capture with what was made of it."""

    capture: RawCapture
    calibration: Calibration
    field: LightField

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of calibration and decoding, each once."""
        return tuple(dict.fromkeys((*self.calibration.warnings, *self.field.warnings)))


def decoded_capture(
    source: CaptureSource, settings: DecodeSettings, *, stage: StageProgress = silent_stage
) -> DecodedCapture:
    """Read, calibrate and decode a raw capture.

    Raises
    ------
    LfdfpError
        For what is no raw capture, is damaged, or cannot be decoded.
    """
    capture, calibrated = calibrated_capture(source, stage=stage)
    field = light_field(capture, calibrated, settings, stage=stage)
    return DecodedCapture(capture=capture, calibration=calibrated, field=field)


def calibrated_capture(
    source: CaptureSource, *, stage: StageProgress = silent_stage
) -> tuple[RawCapture, Calibration]:
    """Read and calibrate a raw capture.

    Raises
    ------
    LfdfpError
        For what is no raw capture, is damaged, or too dark.
    """
    capture = raw_capture(source, stage=stage)
    known = stored_calibration(source, capture)
    return capture, calibration(source, capture, known, stage=stage)


def raw_capture(source: CaptureSource, *, stage: StageProgress = silent_stage) -> RawCapture:
    """Read the capture itself; as `lfdfp.read_capture`."""
    from lfdfp.lfp import read_capture

    with stage("read"):
        return read_capture(source.path, verify=source.verify)


def refocus_stack(source: CaptureSource, *, stage: StageProgress = silent_stage) -> FocalStack:
    """Read the pictures that Lytro's software had refocused, where there is no raw capture.

    Raises
    ------
    LfdfpError
        If the file holds no such pictures, which says what it holds instead, or is damaged.
    """
    from lfdfp.storage.refocus_stacks import load_refocus_stack

    with stage("read"):
        return load_refocus_stack(source.path, verify=source.verify)


def stored_calibration(source: CaptureSource, capture: RawCapture) -> Match | None:
    """The calibration that is kept for the capture's camera: in the source's folder or the usual.

    Raises
    ------
    StorageError
        For a calibration of this camera that cannot be read.
    """
    from lfdfp.storage.camera_calibrations import find_calibration, search_folders

    return find_calibration(capture, search_folders(source.calibration, usual=source.usual))


def foreign_light_field(path: Path, *, stage: StageProgress = silent_stage) -> LightField:
    """Read a light field in any format that is known.

    Raises
    ------
    LfdfpError
        If it is none, or damaged.
    """
    from lfdfp.interchange.formats import read_light_field

    with stage("read"):
        return read_light_field(path)


def photograph_stack(
    paths: Sequence[Path], options: PhotographOptions, *, stage: StageProgress = silent_stage
) -> tuple[FocalStack, Picture]:
    """Read photographs of one scene and move them onto each other.

    Parameters
    ----------
    options
        Pictures that would become too large at this scale are refused beforehand.

    Returns
    -------
    stack
        Without slopes.
    template
        The first photograph: profile, metadata and depth of what is made of them.

    Raises
    ------
    LfdfpError
        If one cannot be read, they do not fit together, or are too large.
    """
    from lfdfp.alignment import stack_of_photographs
    from lfdfp.fusion.fuse import check_size
    from lfdfp.storage.photographs import list_frames, read_photographs

    with stage("read"):
        frames = list_frames(paths)
        check_size(*frames.size, options.scale)
        photographs, template = read_photographs(frames)
    with stage("align"):
        made = stack_of_photographs(
            photographs,
            names=[str(replace(frame, path=Path(frame.path.name))) for frame in frames.frames],
            align=options.align,
            equalize=options.equalize,
            reference=options.reference,
            crop=options.crop,
        )
    notes = dict.fromkeys((*template.notes, *made.stack.warnings))
    return replace(made.stack, warnings=tuple(notes)), template


def calibration(
    source: CaptureSource,
    capture: RawCapture,
    known: Match | None,
    *,
    stage: StageProgress = silent_stage,
) -> Calibration:
    """Calibrate the capture by the source's white image, what is known, or itself."""
    from lfdfp.calibration import calibrate
    from lfdfp.lfp import read_capture

    with stage("calibrate") as progress:
        path = source.white_image
        white = None if path is None else read_capture(path, verify=source.verify)
        return calibrate(capture, white, known=known, progress=progress)


def light_field(
    capture: RawCapture,
    calibrated: Calibration,
    settings: DecodeSettings = _DECODE,
    *,
    stage: StageProgress = silent_stage,
) -> LightField:
    """Decode; as `lfdfp.decode`."""
    from lfdfp.decoding import decode

    with stage("decode") as progress:
        return decode(capture, calibrated, settings, progress=progress)


def focal_stack(
    field: LightField,
    settings: RefocusSettings = _REFOCUS,
    *,
    stage: StageProgress = silent_stage,
) -> FocalStack:
    """Refocus; as `lfdfp.focal_stack`."""
    from lfdfp import refocusing

    with stage("refocus") as progress:
        return refocusing.focal_stack(field, settings, progress=progress)


def sharp_picture(
    field: LightField | None,
    stack: FocalStack,
    settings: FusionSettings,
    *,
    stage: StageProgress = silent_stage,
) -> SharpPicture:
    """Reconstruct the field's rays where the settings ask for them, else fuse the stack.

    Parameters
    ----------
    field
        None, or one without rays: then the stack is fused, and the picture's warnings say so if
        the settings ask for rays.
    stack
        Of the field; its slopes are the scene's range, in which rays look for their surfaces.

    Raises
    ------
    LfdfpError
        As `lfdfp.reconstruct` and `lfdfp.fuse`.
    """
    if settings.data == "rays" and field is not None and field.rays is not None:
        from lfdfp.reconstruction.reconstruct import reconstruct

        slopes = stack.slopes
        scene = None if slopes is None else (float(slopes[0]), float(slopes[-1]))
        with stage("reconstruct") as progress:
            return reconstruct(field, settings, disparity_range=scene, progress=progress)
    from lfdfp.fusion import fuse

    with stage("fuse") as progress:
        fused = fuse(stack, settings, progress=progress)
    if settings.data == "stack":
        return fused
    made = fused.provenance
    return replace(fused, provenance=replace(made, warnings=(*made.warnings, _NO_RAYS)))


def camera_colors(capture: RawCapture) -> CameraColors:
    """What is known of a capture's colors, for `lfdfp.imaging.rendition`."""
    from lfdfp.calibration.compression import lossy_codes
    from lfdfp.imaging.rendition import CameraColors

    lossy = lossy_codes(capture)
    return CameraColors(
        data=capture.color,
        model=capture.camera.model,
        erased=None if lossy is None else lossy.erased,
    )
