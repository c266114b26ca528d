"""``lfdfp evaluate``: how good a capture's picture is, without a truth to compare it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lfdfp.cli.options import CalibrationFolder, Json, NoVerify, RawCaptureFile, WhiteImageFile
from lfdfp.cli.parsing import parse_area
from lfdfp.cli.reporting import (
    announce_compilation,
    echo_json,
    echo_notes,
    reported_errors,
    stage_bar,
)

if TYPE_CHECKING:
    from lfdfp.evaluation.held_out_rays import HoldOut
    from lfdfp.held_out_prediction import HeldOutReport


def evaluate_command(
    capture: RawCaptureFile,
    held_out_rays: Annotated[
        bool,
        typer.Option(
            "--held-out-rays",
            help="Leave out rays in every stage, then predict them: error by picture, and how much "
            "of the added detail is real.",
        ),
    ] = False,
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
            help="Only this part, in pixels of a view, to save time. Default: everything.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is left out.")] = 0,
    calibration: CalibrationFolder = None,
    white_image: WhiteImageFile = None,
    no_verify: NoVerify = False,
    json_output: Json = False,
) -> None:
    """Say how good a capture's picture is, where no true picture exists.

    Writes nothing. The calibration may have seen the rays that are left out; noise, disparity and
    pictures have not.

    Example:  lfdfp evaluate IMG_0001.lfp --held-out-rays

    Example:  lfdfp evaluate IMG_0001.lfp --held-out-rays --kinds pixels --crop 120x120+100+80
    """
    from lfdfp.cli.inputs import calibrated_capture
    from lfdfp.held_out_prediction import Area, predict_held_out_rays

    chosen, part = _hold_outs(kinds), parse_area(crop)
    if not held_out_rays:
        raise typer.BadParameter("say what to evaluate: --held-out-rays")
    area = None if part is None else Area(*part)
    announce_compilation()
    with reported_errors(capture):
        raw, calibrated = calibrated_capture(
            capture, calibration=calibration, white_image=white_image, verify=not no_verify
        )
        reports = list(
            predict_held_out_rays(
                raw,
                calibrated,
                kinds=chosen,
                area=area,
                share=share,
                seed=seed,
                stage_progress=stage_bar,
            )
        )
    if json_output:
        facts = {"capture": str(capture), "share": share, "seed": seed, "crop": crop}
        warnings = list(calibrated.warnings)
        echo_json(facts | {"kinds": [_facts(report) for report in reports], "warnings": warnings})
        return
    echo_notes(calibrated.warnings)
    for report in reports:
        typer.echo("\n".join(_table(report)))


def _hold_outs(text: str) -> tuple[HoldOut, ...]:
    from lfdfp.held_out_prediction import HOLD_OUTS

    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in HOLD_OUTS]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is not one of {', '.join(HOLD_OUTS)}", param_hint="--kinds"
        )
    return tuple(kind for kind in HOLD_OUTS if kind in names)


def _facts(report: HeldOutReport) -> dict[str, object]:
    from lfdfp.held_out_prediction import RAYS

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
    from lfdfp.held_out_prediction import RAYS

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
