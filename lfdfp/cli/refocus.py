"""``lfdfp refocus``: a light field or a raw capture to a focal stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lfdfp.cli.options import (
    CalibrationFolder,
    Exposure,
    Json,
    LightFieldFile,
    ToneCurve,
    WhiteBalance,
    WhiteImageFile,
)
from lfdfp.cli.parsing import parse_pair, parse_slopes
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.cli.run_settings import ShownAs
from lfdfp.datatypes import DoubleArray, FloatArray, FocalStack
from lfdfp.errors import SettingsError
from lfdfp.files import check_output_folder, check_outputs, sha256_of
from lfdfp.progress import Progress
from lfdfp.settings import DisplaySettings, Kernel, RefocusSettings

if TYPE_CHECKING:
    from lfdfp.imaging.rendition import Rendition

_TILE_COLUMNS = 320


def refocus_command(
    light_field: LightFieldFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Focal stack to create. Default: INPUT.stack.h5."),
    ] = None,
    slopes: Annotated[
        str,
        typer.Option(
            metavar="FIRST:LAST:COUNT",
            help="auto, or slices in pixels of a view per angular step: -0.6:0.4:11.",
        ),
    ] = "auto",
    planes: Annotated[
        int | None, typer.Option(min=2, max=256, help="Slices. Default: automatic.")
    ] = None,
    kernel: Annotated[Kernel, typer.Option(help="How views are shifted.")] = "cubic",
    aperture: Annotated[
        str,
        typer.Option(
            metavar="SHAPE[:SIZE]",
            help="square (all views) or round; SIZE narrows it: round:0.5 is half as wide, "
            "round:f/4 stops down to f/4 (where the capture states the lens's f-number). From a "
            "solution also wider (round:2), or a pinhole (round:0).",
        ),
    ] = "square",
    equal_weights: Annotated[
        bool,
        typer.Option(
            "--equal-weights",
            help="Weigh all rays alike: no cat's eye in the corners, but more noise.",
        ),
    ] = False,
    scale: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=4,
            help="Super-resolved slices, this many times finer than the views, from the raw rays: "
            "INPUT has to be a capture, as in capture.lfp --scale 2.",
        ),
    ] = None,
    tilt: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS,COLUMNS",
            help="Tilted focal planes (Scheimpflug): how much the slope grows from the top to the "
            "bottom and from the left to the right; 0.4,0 leans them backwards at the bottom.",
        ),
    ] = None,
    viewpoint: Annotated[
        str | None,
        typer.Option(
            metavar="V,U",
            help="Look from here, in angular steps down and right from the center view: 0,-2.",
        ),
    ] = None,
    from_solution: Annotated[
        bool,
        typer.Option(
            "--from-solution",
            help="INPUT is the fusion.h5 of run: render slices, or any view, from its sharp "
            "picture and disparity, denoised and super-resolved.",
        ),
    ] = False,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda for the sums over views on a graphics card.")
    ] = "cpu",
    previews: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write every slice as PNG into DIR: --previews png."),
    ] = None,
    contact_sheet: Annotated[
        Path | None, typer.Option("--contact-sheet", help="Also write all slices as one picture.")
    ] = None,
    exposure: Exposure = None,
    white_balance: WhiteBalance = None,
    tone: ToneCurve = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    json_output: Json = False,
) -> None:
    """Refocus a light field on planes that are even in disparity.

    Creates a focal stack (.h5), written plane by plane.

    Example:  lfdfp refocus field.h5 --slopes -0.6:0.4:11 -o stack.h5

    Example:  lfdfp refocus field.h5 --aperture round:0.5 --equal-weights --tilt 0.4,0

    Example:  lfdfp refocus capture.lfp --scale 2 --previews slices/

    Example:  lfdfp refocus --from-solution capture/fusion.h5 --aperture round:1.5 -o stack.h5

    Example:  lfdfp refocus --from-solution capture/fusion.h5 --aperture round:0 --viewpoint 0,-2
    """
    from lfdfp.imaging.rendition import COLORS, CameraColors, rendition_for
    from lfdfp.storage.hdf5 import save_focal_stack_parts
    from lfdfp.storage.images import SCREEN_SUFFIXES

    with reported_errors():
        settings = RefocusSettings(
            planes=planes,
            slopes=parse_slopes(slopes),
            kernel=kernel,
            aperture=aperture,
            equal_weights=equal_weights,
        )
        shown = ShownAs(exposure=exposure, white_balance=white_balance, tone=tone)
        display = shown.over(DisplaySettings())
    lean, moved = parse_pair(tilt, "--tilt"), parse_pair(viewpoint, "--viewpoint")
    if scale is not None and (lean or moved or settings != _of_slopes_alone(settings)):
        raise typer.BadParameter(
            "takes every ray by its noise, from the center view: leave out --kernel, --aperture, "
            "--equal-weights, --tilt and --viewpoint",
            param_hint="--scale",
        )
    changed = settings.kernel != "cubic" or equal_weights or scale is not None or device != "cpu"
    if from_solution and (changed or calibration or white_image):
        raise typer.BadParameter(
            "renders what is solved already: leave out --kernel, --equal-weights, --scale, "
            "--device, --calibration and --white-image",
            param_hint="--from-solution",
        )
    announce_compilation()
    target = light_field.with_suffix(".stack.h5") if output is None else output
    with reported_errors(light_field):
        inputs = (light_field, *([] if white_image is None else [white_image]))
        check_outputs(target, inputs=inputs, endings=(".h5", ".hdf5"))
        if contact_sheet is not None:
            check_outputs(target, contact_sheet, inputs=inputs)
            check_outputs(contact_sheet, endings=SCREEN_SUFFIXES)
        if previews is not None:
            check_output_folder(previews, inputs)
        look = _Look(
            settings=settings,
            scale=scale,
            tilt=lean or (0.0, 0.0),
            viewpoint=moved or (0.0, 0.0),
            device=None if device == "cpu" else device,
        )
        source = (
            _Solution(light_field, look)
            if from_solution
            else _Field(light_field, look, calibration=calibration, white_image=white_image)
        )
        options = {"scale": scale, "tilt": lean, "viewpoint": moved}
        provenance = source.provenance | {"settings": {"refocus": asdict(settings) | options}}
        watch = _Watch(
            previews,
            provenance,
            rendition_for(display, source.center(), CameraColors.told(provenance.get(COLORS))),
            scale=source.scale,
            keep_tiles=contact_sheet is not None,
        )
        with stage_bar("refocus") as progress:
            parts = source.parts(progress)
            save_focal_stack_parts(target, watch.watched(parts), provenance)
        if contact_sheet is not None:
            watch.write_sheet(contact_sheet)
    _report(target, watch, source, json_output=json_output)


def _of_slopes_alone(settings: RefocusSettings) -> RefocusSettings:
    return RefocusSettings(planes=settings.planes, slopes=settings.slopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How the slices shall look."""

    settings: RefocusSettings
    scale: int | None
    tilt: tuple[float, float]
    viewpoint: tuple[float, float]
    device: str | None


class _Field:
    """Slices by summing up a light field."""

    def __init__(
        self, path: Path, look: _Look, *, calibration: Path | None, white_image: Path | None
    ) -> None:
        from lfdfp.cli.inputs import field_input

        found = field_input(path, calibration=calibration, white_image=white_image)
        self.provenance, self.warnings = found.provenance, found.warnings
        self.scale = look.scale or 1
        self._field, self._look = found.field, look

    def center(self) -> FloatArray:
        """The picture in which an automatic white balance is looked for."""
        return self._field.view(*self._field.center)

    def parts(self, progress: Progress) -> Iterator[FocalStack]:
        look = self._look
        if look.scale is None:
            from lfdfp.refocusing import stack_parts

            parts = stack_parts(
                self._field,
                look.settings,
                tilt=look.tilt,
                viewpoint=look.viewpoint,
                device=look.device,
                progress=progress,
            )
        else:
            from lfdfp.reconstruction.slices import super_resolved_parts

            if any(look.tilt) or any(look.viewpoint) or look.device is not None:
                raise SettingsError(
                    "super-resolved slices face the camera, from the center view, "
                    "made on the processor"
                )
            parts = super_resolved_parts(
                self._field, look.settings, scale=look.scale, progress=progress
            )
        return (replace(part, warnings=self.warnings) for part in parts)

    def in_pitches(self, slopes: list[float]) -> list[float] | None:
        """Slopes in lenslet pitches per raw pixel; None for a field that knows no lenslets."""
        from lfdfp.refocusing.object_distance import pitches_from_slope

        if self._field.sampling is None:
            return None
        return [float(pitches_from_slope(self._field, slope)) for slope in slopes]


class _Solution:
    """Slices rendered from a fused picture and its disparity."""

    def __init__(self, path: Path, look: _Look) -> None:
        from lfdfp.cli.inputs import told_of
        from lfdfp.storage.hdf5 import load_sharp_picture

        self._picture, self._look = load_sharp_picture(path), look
        made = self._picture.provenance
        self.provenance: dict[str, object] = {
            "input_sha256": sha256_of(path),
            "data_term": made.data_term,
            "prior": made.prior,
        } | told_of(path)
        self.warnings = made.warnings
        self.scale = self._picture.scale

    def center(self) -> FloatArray:
        """The picture in which an automatic white balance is looked for."""
        return self._picture.all_in_focus

    def parts(self, progress: Progress) -> Iterator[FocalStack]:
        from lfdfp.refocusing.focus_curves import coarse_focus_curves
        from lfdfp.rendering.render import rendered_parts, solution_aperture

        look, picture = self._look, self._picture
        aperture = solution_aperture(picture, look.settings.aperture)
        parts = rendered_parts(
            picture,
            self._slopes(),
            aperture=aperture,
            viewpoint=look.viewpoint,
            tilt=look.tilt,
            progress=progress,
        )
        for part in parts:
            yield replace(part, focus_curves=coarse_focus_curves(part.slices, scale=part.scale))

    def _slopes(self) -> DoubleArray:
        import numpy as np

        from lfdfp.refocusing.stack import planes_for
        from lfdfp.rendering.render import slope_range_of_picture, solution_aperture

        settings = self._look.settings
        if settings.slopes is not None:
            first, last, count = settings.slopes
            return np.linspace(first, last, settings.planes or count)
        width = 2 * solution_aperture(self._picture, settings.aperture).half_width
        if width == 0 and settings.planes is None:  # through a pinhole all planes look alike
            return np.zeros(1)
        first, last = slope_range_of_picture(self._picture)
        count = settings.planes or planes_for(round(width), first, last)
        return np.linspace(first, max(last, first + 1e-3), count)

    def in_pitches(self, slopes: list[float]) -> None:
        """A solution does not know its lenslets."""
        del slopes


def _report(target: Path, watch: _Watch, source: _Field | _Solution, *, json_output: bool) -> None:
    from lfdfp.interchange.slopes import slope_to

    slopes = watch.slopes
    if json_output:
        echo_json(
            {
                "focal_stack": str(target),
                "slopes_px_per_step": slopes,
                "alphas": [slope_to("alpha", s, views=1) if s < 1 else None for s in slopes],
                "disparities_pitch_per_px": source.in_pitches(slopes),
                "scale": source.scale,
                "focus": watch.focus,
                "previews": watch.files,
                "warnings": list(source.warnings),
            }
        )
        return
    echo_notes(source.warnings)
    finer = "" if source.scale == 1 else f", {source.scale} times finer than the views"
    count = "1 slice" if len(slopes) == 1 else f"{len(slopes)} slices"
    say(f"{target}: {count} from {slopes[0]:+.3f} to {slopes[-1]:+.3f} px per step{finer}")


@dataclass(slots=True)
class _Watch:
    """Looks at the parts of a stack on their way to the file."""

    previews: Path | None
    provenance: dict[str, object]
    rendition: Rendition
    scale: int
    keep_tiles: bool
    slopes: list[float] = field(default_factory=list)
    focus: list[float] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    tiles: list[FloatArray] = field(default_factory=list)

    def watched(self, parts: Iterable[FocalStack]) -> Iterator[FocalStack]:
        """The parts as they come; previews are written, slopes and small pictures kept."""
        for part in parts:
            first = len(self.slopes)
            self.slopes += [] if part.slopes is None else part.slopes.tolist()
            if part.focus_curves is not None:
                self.focus += [float(mean) for mean in part.focus_curves.mean(axis=(1, 2))]
            for n, picture in enumerate(part.slices, start=first):
                self._look_at(n, picture)
            yield part

    def write_sheet(self, path: Path) -> None:
        """All slices, small, on one picture."""
        import numpy as np

        from lfdfp.report.contact_sheet import contact_sheet
        from lfdfp.storage.images import write_screen_image

        stack = FocalStack(slices=np.stack(self.tiles), slopes=np.array(self.slopes))
        sheet = contact_sheet(stack, tile_columns=_TILE_COLUMNS)
        write_screen_image(path, sheet, self.provenance)

    def _look_at(self, n: int, picture: FloatArray) -> None:
        from lfdfp.imaging.rendition import rendered
        from lfdfp.report.maps import screen_image
        from lfdfp.storage.images import write_screen_image

        picture = rendered(picture, self.rendition, scale=self.scale)
        if self.previews is not None:
            path = self.previews / f"slice_{n + 1:03d}_{self.slopes[n]:+.3f}.png"
            about = self.provenance | {"slope_px_per_step": self.slopes[n]}
            write_screen_image(path, screen_image(picture), about)
            self.files.append(str(path))
        if self.keep_tiles:
            self.tiles.append(_reduced(picture))


def _reduced(picture: FloatArray) -> FloatArray:
    import cv2
    import numpy as np

    rows, columns = picture.shape[:2]
    if columns <= _TILE_COLUMNS:
        return picture
    size = (_TILE_COLUMNS, max(1, round(rows * _TILE_COLUMNS / columns)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(size[1], size[0], -1), np.float32)
