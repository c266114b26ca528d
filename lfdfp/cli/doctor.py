"""``lfdfp doctor``: what stands between a capture and a better picture."""

from __future__ import annotations

from dataclasses import asdict

from lfdfp.cli.options import CalibrationFolder, Json, NoVerify, RawCaptureFile
from lfdfp.cli.reporting import announce_compilation, echo_json, reported_errors, say


def doctor_command(
    capture: RawCaptureFile,
    calibration: CalibrationFolder = None,
    no_verify: NoVerify = False,
    json_output: Json = False,
) -> None:
    """Say what was found for a capture, what would make it better, and how to get that.

    Writes nothing. Example:  lfdfp doctor IMG_0001.lfr
    """
    from lfdfp.calibration import assess
    from lfdfp.pipeline.stages import CaptureSource, raw_capture, stored_calibration

    announce_compilation()
    with reported_errors(capture):
        source = CaptureSource(path=capture, calibration=calibration, verify=not no_verify)
        raw = raw_capture(source)
        findings = assess(raw, stored_calibration(source, raw))
    if json_output:
        echo_json([asdict(finding) for finding in findings])
        return
    for finding in findings:
        say(f"{finding.verdict:>5}  {finding.subject}: {finding.fact}")
        if finding.advice:
            say(f"       better: {finding.advice}")
