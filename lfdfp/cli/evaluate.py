"""``lfdfp evaluate``: how good a capture's picture is, without a truth to compare it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lfdfp.cli.evaluate_suite import evaluate_suite
from lfdfp.cli.options import CalibrationFolder, Json, NoVerify, PicturePrior, WhiteImageFile
from lfdfp.cli.parsing import parse_area, parse_names
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    say,
    stage_bar,
)
from lfdfp.errors import SettingsError
from lfdfp.files import check_output_folder

if TYPE_CHECKING:
    from lfdfp.datatypes import Calibration, RawCapture
    from lfdfp.evaluation.held_out_prediction import HeldOutReport
    from lfdfp.evaluation.held_out_rays import HoldOut
    from lfdfp.settings import Prior

_CROP_COLUMNS = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class _HoldOutOptions:
    """Which rays are left out: ways, part of the views, share, seed."""

    kinds: Sequence[HoldOut]
    part: tuple[int, int, int, int] | None
    share: float
    seed: int


def evaluate_command(
    capture: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Raw capture (.lfp, .lfr, .raw with its .txt)."),
    ] = None,
    held_out_rays: Annotated[
        bool,
        typer.Option(
            "--held-out-rays",
            help="Leave out rays in every stage, then predict them: error by picture, and how much "
            "of the added detail is real.",
        ),
    ] = False,
    crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write crops of the center view, the fused stack and the picture from the rays "
            "side by side: crops_x2.png and crops_x4.png.",
        ),
    ] = None,
    kinds: Annotated[
        str,
        typer.Option(
            help="Ways of leaving out rays, with commas between: pixels, lenslets, sub-aperture."
        ),
    ] = "pixels,lenslets,sub-aperture",
    share: Annotated[
        float,
        typer.Option(min=0.01, max=0.5, help="Of the pixels, or of the lenslets, to leave out."),
    ] = 0.1,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS+TOP+LEFT",
            help="Only this part, in pixels of a view. Default: everything; for --crops, five "
            "squares of much, average and little detail.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is left out.")] = 0,
    prior: PicturePrior = None,
    suite: Annotated[
        str | None,
        typer.Option(
            help="Instead of a capture: simulated captures with known truth, and what they are "
            "compared with: drawn, photographic or imperfections."
        ),
    ] = None,
    camera: Annotated[
        str, typer.Option(help="Of the suite: f01, illum, or both with a comma between.")
    ] = "f01,illum",
    whole: Annotated[
        bool, typer.Option("--whole", help="The suite's whole sensors, not only their middles.")
    ] = False,
    cases: Annotated[
        str | None, typer.Option(help="Only these cases of the suite, with commas between.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where the suite's tables are written."),
    ] = None,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    no_verify: NoVerify = False,
    json_output: Json = False,
) -> None:
    """Say how good a capture's picture is, where no true picture exists, or judge a suite by truth.

    With --held-out-rays nothing is written: a table says how well each picture predicts rays that
    noise, disparity and pictures have not seen (the calibration may have). --crops writes pictures.

    Example:  lfdfp evaluate IMG_0001.lfp --held-out-rays

    Example:  lfdfp evaluate IMG_0001.lfp --crops out/

    Example:  lfdfp evaluate IMG_0001.lfp --held-out-rays --kinds pixels --crop 120x120+100+80

    Example:  lfdfp evaluate --suite photographic --camera f01 --output results/
    """
    if suite is not None:
        evaluate_suite(
            suite, camera=camera, whole=whole, cases=cases, output=output, as_json=json_output
        )
        return
    if capture is None:
        raise typer.BadParameter("say what to evaluate: a CAPTURE, or --suite NAME")
    from lfdfp.pipeline.stages import CaptureSource, calibrated_capture

    chosen, part = _hold_outs(kinds), parse_area(crop)
    if not held_out_rays and crops is None:
        raise typer.BadParameter("say what to evaluate: --held-out-rays, or --crops DIR")
    announce_compilation()
    facts: dict[str, object] = {"capture": str(capture), "crop": crop}
    with reported_errors(capture):
        if crops is not None:
            check_output_folder(crops, [capture])
        source = CaptureSource(
            path=capture, calibration=calibration, white_image=white_image, verify=not no_verify
        )
        raw, calibrated = calibrated_capture(source, stage=stage_bar)
        written = [] if crops is None else _write_crops(crops, raw, calibrated, part)
        reports = []
        if held_out_rays:
            leaving = _HoldOutOptions(kinds=chosen, part=part, share=share, seed=seed)
            reports = _reports(raw, calibrated, leaving, prior or "variation")
    warnings = list(calibrated.warnings)
    if json_output:
        facts |= {"crops": written, "share": share, "seed": seed}
        echo_json(facts | {"kinds": [_facts(report) for report in reports], "warnings": warnings})
        return
    echo_notes(warnings)
    for line in (*written, *(line for report in reports for line in _table(report))):
        say(line)


def _reports(
    capture: RawCapture,
    calibration: Calibration,
    leaving: _HoldOutOptions,
    prior: Prior,
) -> list[HeldOutReport]:
    from lfdfp.evaluation.held_out_prediction import Area, predict_held_out_rays

    reports = predict_held_out_rays(
        capture,
        calibration,
        kinds=leaving.kinds,
        area=None if leaving.part is None else Area(*leaving.part),
        share=leaving.share,
        seed=leaving.seed,
        prior=prior,
        stage_progress=stage_bar,
    )
    return list(reports)


def _write_crops(
    folder: Path,
    capture: RawCapture,
    calibration: Calibration,
    part: tuple[int, int, int, int] | None,
) -> list[str]:
    from lfdfp.evaluation.picture_comparison import compared_pictures
    from lfdfp.report.crops import representative_crops, sheet
    from lfdfp.storage.images import write_screen_image

    written = []
    compared = compared_pictures(capture, calibration, stage_progress=stage_bar)
    for scale, center, pictures in compared:
        if part is not None and not _is_inside(part, center.shape):
            raise SettingsError(
                f"--crop reaches out of the views, which have {center.shape[0]} rows and "
                f"{center.shape[1]} columns"
            )
        crops = representative_crops(center) if part is None else [part]
        path = folder / f"crops_x{scale}.png"
        picture = sheet(pictures, crops, scale=scale, columns=_CROP_COLUMNS)
        write_screen_image(path, picture, {"input_sha256": capture.source_sha256})
        written.append(str(path))
    return written


def _is_inside(part: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    rows, columns, top, left = part
    return rows > 0 and columns > 0 and top + rows <= shape[0] and left + columns <= shape[1]


def _hold_outs(text: str) -> tuple[HoldOut, ...]:
    from lfdfp.evaluation.held_out_prediction import HOLD_OUTS

    names = parse_names(text, HOLD_OUTS, "--kinds")
    return tuple(kind for kind in HOLD_OUTS if kind in names)


def _facts(report: HeldOutReport) -> dict[str, object]:
    from lfdfp.evaluation.held_out_prediction import RAYS

    score = report.score
    return {
        "kind": report.kind,
        "rays": score.rays,
        "detailed_rays": score.detailed_rays,
        "error": dict(score.error),
        "detailed_error": dict(score.detailed_error),
        "gain_db": {n: score.gain_db(RAYS, n) for n in score.error if n != RAYS},
        "detailed_gain_db": {n: score.detailed_gain_db(RAYS, n) for n in score.error if n != RAYS},
        "regression": list(report.regression),
        "detailed_regression": list(report.detailed_regression),
    }


def _table(report: HeldOutReport) -> list[str]:
    """Lines for people: error of every picture, and how much larger than that of the rays'."""
    from lfdfp.evaluation.held_out_prediction import RAYS

    score = report.score
    lines = [
        f"{report.kind} held out: {score.rays} rays, {score.detailed_rays} in detailed areas",
        f"  {'error, 1 is white':<20} {'all':>8} {'':>9} {'detailed':>9} {'':>9}",
    ]
    for name in score.error:
        gains = (score.gain_db(RAYS, name), score.detailed_gain_db(RAYS, name))
        above = ["" if name == RAYS else f"{gain:+.2f} dB" for gain in gains]
        lines.append(
            f"  {name:<20} {score.error[name]:8.4f} {above[0]:>9} "
            f"{score.detailed_error[name]:9.4f} {above[1]:>9}"
        )
    (slope, error), (detailed, detailed_error) = report.regression, report.detailed_regression
    lines.append(
        f"  detail regression: {slope:.2f} ± {error:.2f}, in detailed areas {detailed:.2f} ± "
        f"{detailed_error:.2f} (1: all real, 0: invented)"
    )
    return lines
