"""What is known of one camera by its serial number, for several zooms and focuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lfdfp.calibration.defects import hot_pixels_from_dark_frames
from lfdfp.calibration.grid.fit import fit_lenslet_grid
from lfdfp.calibration.response.from_captures import lenslets_from_captures
from lfdfp.calibration.response.from_white_image import (
    LensletResponse,
    PixelEvidence,
    measure_white_image,
)
from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import BayerPattern, BoolArray, FloatArray, LensletGrid, RawCapture
from lfdfp.errors import CalibrationError, LfdfpError
from lfdfp.progress import Progress, ignore_progress

_DARK_SHARE = 0.01
_MOST_DARK_FRAMES = 4
_DIM_SHARE = 0.08
_SATURATED_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraCalibration:
    """Calibration of one camera.

    Attributes
    ----------
    serial, model
        Of the camera; empty where the files did not say.
    bayer, sensor_shape
        To tell captures that it cannot fit.
    lenslets
        One entry per zoom and focus.
    pixel_gain
        Shape (H, W): every pixel's response beside its neighbors'; 0 at dead and hot pixels.
    pixel_gain_error
        Standard deviation of the error of a well-lit pixel's gain.
    origin
        What it was made from, in plain words.
    notes
        What was left out, and why.
    """

    serial: str
    model: str
    bayer: BayerPattern
    sensor_shape: tuple[int, int]
    lenslets: tuple[LensletResponse, ...]
    pixel_gain: FloatArray
    origin: str
    pixel_gain_error: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def nearest(self, capture: RawCapture) -> LensletResponse:
        """The entry of the nearest zoom, among those of the nearest focus; then the surest grid."""
        zoom, focus = capture.lens.zoom_step, capture.lens.focus_step
        return min(
            self.lenslets,
            key=lambda entry: (
                distance(entry.zoom_step, zoom),
                distance(entry.focus_step, focus),
                np.nan_to_num(entry.grid.standard_error_px, nan=np.inf),
            ),
        )

    def fits(self, capture: RawCapture) -> bool:
        """Whether sensor size and Bayer pattern are those of the capture."""
        return capture.mosaic.shape == self.sensor_shape and capture.bayer == self.bayer


def distance(a: int | None, b: int | None) -> int:
    """Steps between two lens positions; 0 where one is not known."""
    return 0 if a is None or b is None else abs(a - b)


def steps_off(zoom: int, focus: int) -> str:
    """How far a lens position is off, in words; empty where it is the same."""
    off = [f"{name} {n} steps off" for name, n in (("zoom", zoom), ("focus", focus)) if n]
    return " and ".join(off)


@with_one_blas_thread
def calibrate_from_white_images(
    images: Iterable[tuple[str, RawCapture | LfdfpError]],
    *,
    progress: Progress = ignore_progress,
    expected: int = 0,
) -> CameraCalibration:
    """Calibrate a camera from its white images (and dark frames), one after the other.

    Images without light are taken for dark frames and show the hot pixels. Dim and saturated
    images, and those without a lattice, are left out and noted. Where there are several of one
    zoom and focus, the best lit one counts for the lenslets; all count for the single pixels.

    Parameters
    ----------
    images
        (name, white image); held in memory one at a time. In place of one that could not be
        read, why: it is left out and noted.
    progress
        Called with (done, expected).

    Raises
    ------
    CalibrationError
        When no image can be used, or they are of different cameras or sizes.
    """
    collected = _Collector()
    for done, (name, image) in enumerate(images):
        if isinstance(image, LfdfpError):
            collected.notes.append(f"{_about(name, image)}; left out")
        else:
            collected.add(name, image)
        progress(done + 1, max(expected, done + 1))
    return collected.result()


def _about(name: str, error: LfdfpError) -> str:
    """What went wrong, with the image named where the error does not."""
    text = str(error)
    return text if name in text else f"{name}: {text}"


class _Collector:
    """Sums over white images, so that one at a time is in memory."""

    def __init__(self) -> None:
        self.first: RawCapture | None = None
        self.entries: dict[tuple[int | None, int | None], tuple[float, LensletResponse]] = {}
        self.dark: list[RawCapture] = []
        self.notes: list[str] = []
        self.weighted = self.precision = np.zeros(0, np.float32)
        self.defect_votes = np.zeros(0, np.int16)
        self.count = 0

    def add(self, name: str, image: RawCapture) -> None:
        self._check_same_camera(name, image)
        brightness, saturated = _brightness(image)
        if brightness < _DARK_SHARE:
            self.dark = [*self.dark, image][:_MOST_DARK_FRAMES]
        elif brightness < _DIM_SHARE:
            self.notes.append(f"{name}: too dim ({100 * brightness:.0f} % of white), left out")
        elif saturated > _SATURATED_SHARE:
            self.notes.append(f"{name}: {100 * saturated:.0f} % saturated, left out")
        else:
            self._add_white(name, image, brightness)

    def _check_same_camera(self, name: str, image: RawCapture) -> None:
        if self.first is None:
            self.first = image
        same = image.mosaic.shape == self.first.mosaic.shape and image.bayer == self.first.bayer
        if not same or image.camera.serial != self.first.camera.serial:
            raise CalibrationError(
                f"{name} is of camera {image.camera.serial or 'unknown'!r} {image.mosaic.shape}, "
                f"the images before are of {self.first.camera.serial or 'unknown'!r} "
                f"{self.first.mosaic.shape}: calibrate one camera at a time"
            )

    def _add_white(self, name: str, image: RawCapture, brightness: float) -> None:
        try:
            lenslets, evidence = measure_white_image(image)
        except CalibrationError as error:
            self.notes.append(f"{name}: {error}")
            return
        key = lenslets.zoom_step, lenslets.focus_step
        if key not in self.entries or self.entries[key][0] < brightness:
            self.entries[key] = brightness, lenslets
        if not self.count:
            self.weighted = np.zeros_like(evidence.deviation)
            self.precision = np.zeros_like(evidence.deviation)
            self.defect_votes = np.zeros(evidence.deviation.shape, np.int16)
        self.weighted += evidence.precision * evidence.deviation
        self.precision += evidence.precision
        self.defect_votes += evidence.defective
        self.count += 1

    def result(self) -> CameraCalibration:
        if self.first is None or not self.entries:
            reasons = "; ".join(self.notes) or "there is none"
            raise CalibrationError(f"no white image can be used: {reasons}")
        evidence = PixelEvidence(
            deviation=(self.weighted / np.maximum(self.precision, 1e-6)).astype(np.float32),
            precision=self.precision,
            defective=self._defective(),
        )
        return CameraCalibration(
            serial=self.first.camera.serial,
            model=self.first.camera.model,
            bayer=self.first.bayer,
            sensor_shape=(self.first.mosaic.shape[0], self.first.mosaic.shape[1]),
            lenslets=tuple(entry for _, entry in self.entries.values()),
            pixel_gain=evidence.gain(),
            pixel_gain_error=evidence.gain_error(),
            origin=f"{self.count} white image(s)"
            + (f" and {len(self.dark)} dark frame(s)" if self.dark else ""),
            notes=tuple(self.notes),
        )

    def _defective(self) -> BoolArray:
        defective = np.asarray(2 * self.defect_votes > self.count, np.bool_)
        if self.dark:
            defective |= hot_pixels_from_dark_frames(self.dark)
        return defective


def _brightness(image: RawCapture) -> tuple[float, float]:
    """98th percentile as a share of the white level, and the share of saturated pixels."""
    tops, saturated = [], []
    for _, rows, columns, black, white in image.bayer_planes():
        codes = image.mosaic[rows, columns][::3, ::3]
        tops.append((float(np.percentile(codes, 98)) - black) / (white - black))
        saturated.append(float((codes >= black + 0.99 * (white - black)).mean()))
    return max(tops), max(saturated)


@with_one_blas_thread
def calibrate_from_captures(
    captures: Sequence[RawCapture], *, progress: Progress = ignore_progress
) -> CameraCalibration:
    """Calibrate a camera without a white image, from several of its ordinary captures.

    One profile is fitted to the lenslets of all captures, and one fall-off over the field to the
    parallax in all of them; each capture keeps its own grid. What single pixels and lenslets
    add stays unknown.

    Raises
    ------
    CalibrationError
        When no capture shows a lattice, or they are of different sizes.
    """
    used: list[tuple[RawCapture, LensletGrid]] = []
    notes: list[str] = []
    for index, capture in enumerate(captures):
        progress(index, len(captures) + 1)
        if capture.mosaic.shape != captures[0].mosaic.shape or capture.bayer != captures[0].bayer:
            raise CalibrationError(
                f"capture {index + 1} has {capture.mosaic.shape} pixels, the first "
                f"{captures[0].mosaic.shape}: calibrate one camera at a time"
            )
        try:
            used.append((capture, fit_lenslet_grid(capture)))
        except CalibrationError as error:
            notes.append(f"capture {index + 1}: {error}")
    if not used:
        raise CalibrationError(f"no capture shows the lenslet lattice: {'; '.join(notes)}")
    progress(len(captures), len(captures) + 1)
    lenslets = lenslets_from_captures(used)
    progress(len(captures) + 1, len(captures) + 1)
    first = captures[0]
    return CameraCalibration(
        serial=first.camera.serial,
        model=first.camera.model,
        bayer=first.bayer,
        sensor_shape=(first.mosaic.shape[0], first.mosaic.shape[1]),
        lenslets=lenslets,
        pixel_gain=np.ones(first.mosaic.shape, np.float32),
        origin=f"{len(used)} ordinary capture(s)",
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Match:
    """A camera calibration that fits a capture.

    Attributes
    ----------
    path
        Its file.
    entry
        The lenslets' response of the nearest zoom and focus.
    zoom_off, focus_off
        How far that is from the capture's, in steps.
    """

    path: Path
    camera: CameraCalibration
    entry: LensletResponse
    zoom_off: int
    focus_off: int

    def describe(self) -> str:
        """Which file, and how far off, in plain words."""
        how_far = steps_off(self.zoom_off, self.focus_off) or "at the same zoom and focus"
        return f"{self.path.name} (camera {self.camera.serial}, {self.camera.origin}), {how_far}"
